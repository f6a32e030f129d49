--- The JSON encoder: sorted keys, whole numbers as integers, arrays kept.
--- Pure; raises on what has no JSON form, because only a bug puts it there.

local kinds = require "base.json.kinds"
local M = {}

--- Longer output, or deeper nesting, raises.
M.MAX_BYTES = 64 * 1024 * 1024
M.MAX_DEPTH = 200

local SHORT = {
  ['"'] = '\\"', ["\\"] = "\\\\", ["\b"] = "\\b", ["\f"] = "\\f",
  ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t",
}

local function escape(char)
  return SHORT[char] or ("\\u%04x"):format(char:byte())
end

--- A string with its quotes; bytes over 0x7F are passed through.
---@param s string
---@return string
function M.string(s)
  if not s:find('^[^%c"\\]*$') then -- twice as fast as looking for one of them
    s = s:gsub('[%c"\\]', escape)
  end
  return '"' .. s .. '"'
end

-- The shortest digits that read back as the same float.
local function float(x)
  if x ~= x or x == math.huge or x == -math.huge then
    error("JSON has no form for " .. tostring(x), 0)
  end
  local whole = math.tointeger(x)
  if whole and whole > -2 ^ 53 and whole < 2 ^ 53 then
    return ("%d"):format(whole)
  end
  for digits = 15, 17 do
    local text = ("%." .. digits .. "g"):format(x)
    if tonumber(text) == x then
      return text
    end
  end
end

-- What is being written: pieces in order, their size, and by depth what a new
-- line begins with when there are lines.
---@class json.Writer
---@field parts string[]
---@field size integer
---@field lines table<integer, string>?

local function put(writer, text)
  writer.size = writer.size + #text
  if writer.size > M.MAX_BYTES then
    error("JSON text over " .. M.MAX_BYTES .. " bytes", 0)
  end
  writer.parts[#writer.parts + 1] = text
end

local function line(writer, depth)
  if writer.lines then
    put(writer, writer.lines[depth])
  end
end

local write -- the dispatcher below; containers need it

-- The number of items if the table is a list: marked, or keys 1 … n only.
local function list_length(t)
  local n, count = #t, 0
  if n == 0 and not kinds.is_array(t) then
    return nil
  end
  for _ in pairs(t) do
    count = count + 1
  end
  if count ~= n then
    error("a list with holes or with named fields has no JSON form", 0)
  end
  return n
end

local function write_array(writer, list, n, depth)
  if n == 0 then
    return put(writer, "[]")
  end
  put(writer, "[")
  for i = 1, n do
    if i > 1 then
      put(writer, ",")
    end
    line(writer, depth + 1)
    write(writer, list[i], depth + 1)
  end
  line(writer, depth)
  put(writer, "]")
end

local function sorted_keys(map)
  local keys = {}
  for key in next, map do
    if type(key) ~= "string" then
      error("an object's keys must be strings, got " .. type(key), 0)
    end
    keys[#keys + 1] = key
  end
  table.sort(keys)
  return keys
end

local function write_object(writer, map, depth)
  local keys = sorted_keys(map)
  if #keys == 0 then
    return put(writer, "{}")
  end
  local separator = writer.lines and ": " or ":"
  put(writer, "{")
  for i = 1, #keys do
    if i > 1 then
      put(writer, ",")
    end
    line(writer, depth + 1)
    put(writer, M.string(keys[i]) .. separator)
    write(writer, map[keys[i]], depth + 1)
  end
  line(writer, depth)
  put(writer, "}")
end

local function write_table(writer, t, depth)
  if kinds.is_raw(t) then
    return put(writer, t.text)
  elseif t == kinds.DELETE then
    error("json.DELETE has no JSON form", 0)
  elseif depth > M.MAX_DEPTH then
    error("JSON nested deeper than " .. M.MAX_DEPTH .. ", or a cycle", 0)
  end
  local n = list_length(t)
  if n then
    return write_array(writer, t, n, depth)
  end
  return write_object(writer, t, depth)
end

function write(writer, value, depth)
  local kind = math.type(value) or type(value)
  if kind == "string" then
    put(writer, M.string(value))
  elseif kind == "integer" then
    put(writer, ("%d"):format(value))
  elseif kind == "float" then
    put(writer, float(value))
  elseif kind == "boolean" then
    put(writer, tostring(value))
  elseif kind == "table" then
    write_table(writer, value, depth)
  elseif value == kinds.null then
    put(writer, "null")
  else
    -- Secrets are userdata: their bytes must not get into Lua strings.
    error("a " .. kind .. " has no JSON form", 0)
  end
end

-- Beginnings of lines, each made when it is first needed.
local function beginnings(step)
  return setmetatable({}, { __index = function(lines, depth)
    lines[depth] = "\n" .. (" "):rep(step * depth)
    return lines[depth]
  end })
end

--- Encodes a value. Raises on cycles, functions, secrets and other userdata,
--- lists with holes, NaN, and output over the limits.
---@param value any
---@param opts { indent: integer?, depth: integer? }? spaces a level, and on which
--- level the text is to stand
---@return string
function M.encode(value, opts)
  local step = opts and opts.indent
  local writer = { parts = {}, size = 0, lines = step and beginnings(step) or nil }
  write(writer, value, opts and opts.depth or 0)
  return table.concat(writer.parts)
end

return M
