--- A script's standard output and error: through the masking writer, buffered.
--- Replaces print, io.write, io.stdout and io.stderr for the script.

local err = require "base.err"
local term = require "sys.term"

local M = {}

-- What is kept back at most when standard output is not a terminal.
local BUFFER_BYTES = 32768

local File = {}
File.__index = File
File.__name = "FILE*"

local function text_of(...)
  local parts = table.pack(...)
  for i = 1, parts.n do
    local v = parts[i]
    if type(v) ~= "string" and type(v) ~= "number" then
      error(("bad argument #%d to 'write' (string expected, got %s)"):format(i, type(v)), 3)
    end
    parts[i] = tostring(v)
  end
  return table.concat(parts, "", 1, parts.n)
end

-- The error of an output whose reader has gone, or that is full.
local function gone(e)
  e.is_output = true
  return e
end

--- Writes what was kept back. nil, err when the reader has gone.
function File:flush()
  if self.size > 0 then
    local text = table.concat(self.parts)
    self.parts, self.size = {}, 0
    local ok, e = term.write(self.fd, text)
    if not ok then
      self.closed = self.closed or gone(e)
      return nil, self.closed
    end
  end
  return self
end

--- Like a file's write. Once the reader has gone, raises its error record.
function File:write(...)
  local text = text_of(...)
  if self.closed then
    error(self.closed, 2)
  end
  self.size = self.size + #text
  self.parts[#self.parts + 1] = text
  if self.size >= self.limit then
    local ok, e = self:flush()
    if not ok then
      error(e, 2)
    end
  end
  return self
end

--- Takes "no", "line" or "full" as a file does; output stays line-true.
function File:setvbuf(mode)
  self.limit = mode == "no" and 1 or BUFFER_BYTES
  return true
end

--- Closing only flushes: the descriptors are the program's.
function File:close()
  return self:flush()
end

local function file(fd)
  local limit = (fd == 1 and not term.is_tty(1)) and BUFFER_BYTES or 1
  return setmetatable({ fd = fd, parts = {}, size = 0, limit = limit }, File)
end

--- Whether an error says that nobody reads the output any more.
---@param e any
---@return boolean
function M.is_unread(e)
  return err.is(e) and e.is_output == true and e.code == "EPIPE"
end

--- Installs the replacements; returns a function that writes out what both kept
--- back.
---@return async fun(): boolean?, err.Record? flush
function M.install()
  local out, talk = file(1), file(2)
  io.stdout, io.stderr = out, talk
  local default = out
  io.write = function(...)
    return default:write(...)
  end
  io.output = function(target)
    if type(target) == "string" then
      target = assert(io.open(target, "w"))
    end
    default = target or default
    return default
  end
  _G.print = function(...)
    local parts = table.pack(...)
    for i = 1, parts.n do
      parts[i] = tostring(parts[i])
    end
    out:write(table.concat(parts, "\t", 1, parts.n), "\n")
  end
  return function()
    talk:flush()
    local ok, e = out:flush()
    if not ok then
      return nil, e
    end
    return term.flush(1)
  end
end

return M
