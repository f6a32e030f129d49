--- A script's standard input: other tasks go on while it waits, and an interrupt
--- ends the wait. Replaces io.read, io.lines, io.input and io.stdin.

local term = require "sys.term"

local M = {}

local LONGEST_NUMERAL = 200 -- as Lua's own reader has it

local File = {}
File.__index = File
File.__name = "FILE*"

--- Reads on; false at the end, or when reading fails: then self.failure is set.
local function more(self)
  if self.ended then
    return false
  end
  self.before_wait()
  local chunk, e = term.read()
  if not chunk then
    self.ended, self.failure = true, e
    return false
  end
  self.kept, self.at = self.kept:sub(self.at) .. chunk, 1
  return true
end

--- The next character, nil at the end; it stays to be read.
local function peek(self)
  while self.at > #self.kept do
    if not more(self) then
      return nil
    end
  end
  return self.kept:sub(self.at, self.at)
end

local function take(self, last)
  local text = self.kept:sub(self.at, last)
  self.at = self.at + #text
  return text
end

--- A line that is here as a whole, without its end: what most reading is.
local function kept_line(self)
  local from = self.at
  local found = self.kept:find("\n", from, true)
  if found then
    self.at = found + 1
    return self.kept:sub(from, found - 1)
  end
end

local function read_line(self, with_end)
  local parts, found = {}
  repeat
    found = self.kept:find("\n", self.at, true)
    parts[#parts + 1] = take(self, found or #self.kept)
  until found or not more(self)
  local line = table.concat(parts)
  if line == "" then
    return nil
  end
  return found and not with_end and line:sub(1, -2) or line
end

local function read_all(self)
  local parts = {}
  repeat
    parts[#parts + 1] = take(self, #self.kept)
  until not more(self)
  return table.concat(parts)
end

local function read_bytes(self, count)
  if not peek(self) then
    return nil
  end
  local parts, left = {}, math.max(count, 0)
  repeat
    local part = take(self, self.at + left - 1)
    parts[#parts + 1] = part
    left = left - #part
  until left == 0 or not more(self)
  return table.concat(parts)
end

--- The longest text that may be a numeral, as a number; nil when it is none.
local function read_number(self)
  local text = {}
  while (peek(self) or ""):find("^%s") do
    self.at = self.at + 1
  end
  local function accept(class)
    local c = peek(self)
    if not c or not c:find(class) or #text == LONGEST_NUMERAL then
      return false
    end
    text[#text + 1] = c
    self.at = self.at + 1
    return true
  end
  local function digits(class)
    local count = 0
    while accept(class) do
      count = count + 1
    end
    return count
  end
  local class, exponent, count = "^%d", "^[eE]", 0
  accept("^[+-]")
  if accept("^0") then
    if accept("^[xX]") then
      class, exponent = "^%x", "^[pP]"
    else
      count = 1
    end
  end
  count = count + digits(class)
  if accept("^%.") then
    count = count + digits(class)
  end
  if count > 0 and accept(exponent) then
    accept("^[+-]")
    digits("^%d")
  end
  return tonumber(table.concat(text))
end

local READERS = {
  a = read_all,
  l = read_line,
  L = function(self)
    return read_line(self, true)
  end,
  n = read_number,
}

local function read_one(self, format, position)
  if type(format) == "number" then
    return read_bytes(self, format)
  end
  local reader = type(format) == "string" and READERS[format:match("^%*?(%a)")]
  if not reader then
    error(("bad argument #%d to 'read' (invalid format)"):format(position), 3)
  end
  return reader(self)
end

local function read(self, ...)
  local formats, values = table.pack(...), {}
  for i = 1, formats.n do
    values[i] = read_one(self, formats[i], i)
    if self.failure then
      return nil, self.failure.message, self.failure.code
    elseif values[i] == nil then
      return table.unpack(values, 1, i)
    end
  end
  return table.unpack(values, 1, formats.n)
end

--- As a file's read: "l" (the default), "L", "n", "a" or a number of bytes.
---@async
function File:read(...)
  if select("#", ...) == 0 then
    return kept_line(self) or read(self, "l")
  end
  return read(self, ...)
end

--- As a file's lines.
function File:lines(...)
  if select("#", ...) == 0 then
    return function()
      return kept_line(self) or read(self, "l")
    end
  end
  local formats = table.pack(...)
  return function()
    return read(self, table.unpack(formats, 1, formats.n))
  end
end

function File.setvbuf()
  return true
end

--- Nothing more is read; the descriptor is the program's.
function File:close()
  self.kept, self.at, self.ended = "", 1, true
  return true
end

--- Installs the replacements. `before_wait` is called before reading waits: what
--- was asked should be out by then.
---@param before_wait async fun()
function M.install(before_wait)
  local open_lines = io.lines
  local input = setmetatable({ kept = "", at = 1, before_wait = before_wait }, File)
  local default = input
  io.stdin = input
  io.input = function(source)
    if type(source) == "string" then
      source = assert(io.open(source))
    end
    default = source or default
    return default
  end
  io.read = function(...)
    return default:read(...)
  end
  io.lines = function(path, ...)
    if path ~= nil then
      return open_lines(path, ...)
    end
    return default:lines(...)
  end
end

return M
