--- A script's text.
--- Source text only. Waits where the file is a pipe or standard input.

local err = require "base.err"
local fs = require "sys.fs"
local term = require "sys.term"

local M = {}

-- Bytes of a script that comes from standard input.
local MAX_STDIN = 16 << 20

-- As Lua's own loadfile: a byte order mark and an interpreter line are passed
-- over; lines keep their numbers.
local function plain(text)
  text = text:gsub("^\xEF\xBB\xBF", "")
  return text:sub(1, 1) == "#" and "--" .. text or text
end

---@async
---@param path string "-" is standard input
---@return string? text
---@return string|err.Record chunk_name
local function read(path)
  local text, e
  if path == "-" then
    text, e = term.stdin(MAX_STDIN)
  else
    text, e = fs.read(path)
  end
  if not text then
    e = err.wrap(e, "cannot read the script")
    if e.kind == "not_found" then
      e.hint = "give the path of a Lua 5.4 source file, - for standard input, or the name of"
        .. " a script in ./.clanker or ~/.clanker/lua"
    end
    return nil, e
  end
  return text, path == "-" and "=stdin" or "@" .. path
end

--- The script as a function.
---@async
---@param path string "-" is standard input
---@return function?
---@return err.Record?
function M.script(path)
  local text, name = read(path)
  if not text then
    return nil, name
  end
  local chunk, message = load(plain(text), name, "t")
  if not chunk then
    return nil, err.new { kind = "error", message = message }
  end
  return chunk
end

return M
