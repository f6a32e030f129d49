--- A script's os.execute and io.popen, such that this process goes on meanwhile:
--- a simulated account is in it, which the children may ask.
--- Waits. Children have our environment, and no standard input but what is written.

local err = require "base.err"
local process = require "sys.process"
local system = require "sys.os"

local M = {}

local SHELL = "/bin/sh"

-- Numbers of the signals that end children.
local SIGNALS = {
  SIGHUP = 1, SIGINT = 2, SIGQUIT = 3, SIGABRT = 6, SIGKILL = 9, SIGSEGV = 11, SIGPIPE = 13,
  SIGALRM = 14, SIGTERM = 15,
}

local function options_of(command)
  return { argv = { SHELL, "-c", command }, env = system.environ() }
end

-- How a child ended, as os.execute tells it.
local function outcome(status)
  if status.signal then
    return nil, "signal", SIGNALS[status.signal] or 0
  elseif status.code == 0 then
    return true, "exit", 0
  end
  return nil, "exit", status.code
end

-- What Lua's own functions return of a command that cannot be run.
local function failure(e)
  return nil, e.message, 1
end

local function check_open(file)
  if file.is_closed then
    error("attempt to use a closed file", 3)
  end
end

---@async
local function execute(command)
  if command == nil then
    return true -- there is a shell
  end
  local options = options_of(command)
  options.on_stdout = function(chunk)
    io.stdout:write(chunk)
  end
  options.on_stderr = function(chunk)
    io.stderr:write(chunk)
  end
  local result, e = process.run(options)
  if not result then
    return failure(e)
  end
  return outcome(result)
end

---@class script.Reader a child's standard output, read as a file is
---@field child process.Process
---@field rest string what came and was not read
---@field is_ended boolean
---@field is_closed boolean?
local Reader = {}
Reader.__index = Reader
Reader.__name = "FILE*"
Reader.__tostring = function()
  return "file (child)"
end

-- Waits for more output; false at its end.
---@async
function Reader:fill()
  while not self.is_ended do
    local stream, chunk = self.child:read()
    if stream == "stdout" then
      self.rest = self.rest .. chunk
      return true
    elseif stream == "stderr" then
      io.stderr:write(chunk)
    else
      self.is_ended = true
    end
  end
  return false
end

-- The first `count` bytes of what came; nil when there are none.
function Reader:take(count)
  local taken = self.rest:sub(1, count)
  self.rest = self.rest:sub(count + 1)
  return taken
end

local formats = {}

---@async
function formats.a(reader)
  repeat until not reader:fill()
  return reader:take(#reader.rest)
end

---@async
function formats.L(reader)
  local at = reader.rest:find("\n", 1, true)
  while not at and reader:fill() do
    at = reader.rest:find("\n", 1, true)
  end
  local line = reader:take(at or #reader.rest)
  return line ~= "" and line or nil
end

---@async
function formats.l(reader)
  local line = formats.L(reader)
  return line and (line:gsub("\n$", ""))
end

---@async
function formats.n(reader)
  while not reader.rest:find("^%s*%S+%s") and reader:fill() do end
  local word, after = reader.rest:match("^%s*(%S+)()")
  local number = tonumber(word)
  if number then
    reader:take(after - 1)
  end
  return number
end

-- What one argument of read asks for.
---@async
local function read_one(reader, format)
  if math.type(format) == "integer" then
    while #reader.rest < format and reader:fill() do end
    local found = reader:take(format)
    return (found ~= "" or format == 0 and reader:fill()) and found or nil
  end
  local read = formats[tostring(format):gsub("^%*", ""):sub(1, 1)]
  if not read then
    error("bad argument #1 to 'read' (invalid format)", 3)
  end
  return read(reader)
end

--- As a file's read.
---@async
function Reader:read(...)
  check_open(self)
  local wanted = select("#", ...) > 0 and { ... } or { "l" }
  local values = {}
  for i, format in ipairs(wanted) do
    values[i] = read_one(self, format)
    if values[i] == nil then
      return table.unpack(values, 1, i)
    end
  end
  return table.unpack(values, 1, #wanted)
end

--- As a file's lines.
function Reader:lines(...)
  local wanted = table.pack(...)
  return function()
    return self:read(table.unpack(wanted, 1, wanted.n))
  end
end

--- Waits for the child; says how it ended.
---@async
function Reader:close()
  check_open(self)
  self.is_closed, self.rest = true, ""
  while self:fill() do
    self.rest = ""
  end
  local status = self.child:wait()
  self.child:close()
  return outcome(status)
end

function Reader:__close()
  if not self.is_closed then
    self:close()
  end
end

---@class script.Writer a child's standard input: it starts when that is complete
---@field command string
---@field parts string[]
---@field is_closed boolean?
local Writer = {}
Writer.__index = Writer
Writer.__name = "FILE*"

--- As a file's write.
function Writer:write(...)
  check_open(self)
  for i = 1, select("#", ...) do
    self.parts[#self.parts + 1] = tostring((select(i, ...)))
  end
  return self
end

function Writer:flush()
  return self
end

function Writer:setvbuf()
  return true
end

--- Runs the child with what was written; says how it ended.
---@async
function Writer:close()
  check_open(self)
  self.is_closed = true
  local options = options_of(self.command)
  options.stdin = table.concat(self.parts)
  options.on_stdout = function(chunk)
    io.stdout:write(chunk)
  end
  options.on_stderr = function(chunk)
    io.stderr:write(chunk)
  end
  local result, e = process.run(options)
  if not result then
    return failure(e)
  end
  return outcome(result)
end

function Writer:__close()
  if not self.is_closed then
    self:close()
  end
end

local function popen(command, mode)
  mode = mode or "r"
  if mode == "w" then
    return setmetatable({ command = command, parts = {} }, Writer)
  elseif mode ~= "r" then
    error("bad argument #2 to 'popen' (invalid mode)", 2)
  end
  local child, e = process.spawn(options_of(command))
  if not child then
    return failure(err.is(e) and e or err.new({ kind = "error", message = tostring(e) }))
  end
  return setmetatable({ child = child, rest = "", is_ended = false }, Reader)
end

--- Puts both in the place of Lua's own.
function M.install()
  os.execute = execute
  io.popen = popen
end

return M
