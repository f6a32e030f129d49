--- The exact JSON decoder: slower than the codec, right in every case.
--- Pure Lua, one pass; tells where a text goes wrong. Used for documents that
--- the fast path cannot represent, and to explain the ones it refuses.

local kinds = require "base.json.kinds"

local M = {}

--- Nesting beyond this is refused everywhere.
M.MAX_DEPTH = 200

local ESCAPES = {
  ['"'] = '"', ["\\"] = "\\", ["/"] = "/",
  b = "\b", f = "\f", n = "\n", r = "\r", t = "\t",
}

-- Reads \uXXXX (and a following low surrogate) at the backslash. A surrogate
-- without its partner becomes U+FFFD: no character can be meant.
local function unicode_escape(text, at)
  local hex = text:match("^\\u(%x%x%x%x)", at)
  if not hex then
    return nil, at
  end
  local code = tonumber(hex, 16)
  if code < 0xD800 or code > 0xDFFF then
    return utf8.char(code), at + 6
  end
  local low = text:match("^\\u([dD][c-fC-F]%x%x)", at + 6)
  if code >= 0xDC00 or not low then
    return "\u{FFFD}", at + 6
  end
  code = 0x10000 + ((code - 0xD800) << 10) + (tonumber(low, 16) - 0xDC00)
  return utf8.char(code), at + 12
end

--- Reads the string whose opening quote stands at `at`.
---@param text string
---@param at integer
---@return string? value nil when malformed
---@return integer next_at where reading goes on, or where it failed
---@return string? why
function M.string(text, at)
  local from = at + 1
  local stop = text:find('["\\]', from)
  if stop and text:byte(stop) == 0x22 then
    return text:sub(from, stop - 1), stop + 1
  end
  local parts = {}
  while stop do
    parts[#parts + 1] = text:sub(from, stop - 1)
    if text:byte(stop) == 0x22 then
      return table.concat(parts), stop + 1
    end
    local piece = ESCAPES[text:sub(stop + 1, stop + 1)]
    from = stop + 2
    if not piece then
      piece, from = unicode_escape(text, stop)
      if not piece then
        return nil, from, "bad escape"
      end
    end
    parts[#parts + 1] = piece
    stop = text:find('["\\]', from)
  end
  return nil, at, "unfinished string"
end

-- Integers within 64 bits are integers, fractions are floats, and a literal
-- that neither holds is kept as it stands.
local function number(text, at)
  local literal = text:match("^-?%d+%.?%d*[eE]?[+-]?%d*", at)
  local digits, fraction, exponent = (literal or ""):match(
    "^-?(%d+)(%.?%d*)(.*)$")
  if not digits or digits:find("^0%d") or fraction == "."
    or (exponent ~= "" and not exponent:find("^[eE][+-]?%d+$")) then
    return nil, at, "malformed number"
  end
  local next_at = at + #literal
  local value = tonumber(literal)
  if math.type(value) == "integer" then
    return value, next_at
  end
  local is_plain = fraction == "" and exponent == ""
  if is_plain or value == math.huge or value == -math.huge then
    return kinds.raw(literal), next_at
  end
  return math.tointeger(value) or value, next_at
end

local value -- the dispatcher below; arrays and objects need it

local function skip_space(text, at)
  return text:match("^[ \n\r\t]*()", at)
end

local function array(text, at, depth)
  local list = kinds.array({})
  at = skip_space(text, at + 1)
  if text:byte(at) == 0x5D then
    return list, at + 1
  end
  while true do
    local item, next_at, why = value(text, at, depth + 1)
    if item == nil then
      return nil, next_at, why
    end
    list[#list + 1] = item
    at = skip_space(text, next_at)
    local byte = text:byte(at)
    if byte == 0x5D then
      return list, at + 1
    elseif byte ~= 0x2C then
      return nil, at, "expected , or ] in an array"
    end
    at = skip_space(text, at + 1)
  end
end

local function member(text, at, depth)
  if text:byte(at) ~= 0x22 then
    return nil, nil, at, "expected a key in double quotes"
  end
  local key, next_at, why = M.string(text, at)
  if not key then
    return nil, nil, next_at, why
  end
  at = skip_space(text, next_at)
  if text:byte(at) ~= 0x3A then
    return nil, nil, at, "expected : after a key"
  end
  local item
  item, next_at, why = value(text, skip_space(text, at + 1), depth + 1)
  return key, item, next_at, why
end

local function object(text, at, depth)
  local map = {}
  at = skip_space(text, at + 1)
  if text:byte(at) == 0x7D then
    return map, at + 1
  end
  while true do
    local key, item, next_at, why = member(text, at, depth)
    if item == nil then
      return nil, next_at, why
    end
    map[key] = item
    at = skip_space(text, next_at)
    local byte = text:byte(at)
    if byte == 0x7D then
      return map, at + 1
    elseif byte ~= 0x2C then
      return nil, at, "expected , or } in an object"
    end
    at = skip_space(text, at + 1)
  end
end

local WORDS = { ["true"] = true, ["false"] = false, ["null"] = kinds.null }

function value(text, at, depth)
  local byte = text:byte(at)
  if depth > M.MAX_DEPTH then
    return nil, at, "nested too deeply"
  elseif byte == 0x22 then
    return M.string(text, at)
  elseif byte == 0x7B then
    return object(text, at, depth)
  elseif byte == 0x5B then
    return array(text, at, depth)
  elseif byte == 0x2D or (byte and byte >= 0x30 and byte <= 0x39) then
    return number(text, at)
  end
  local word = text:match("^%a+", at)
  if word and WORDS[word] ~= nil then
    return WORDS[word], at + #word
  elseif not byte then
    return nil, at, "unexpected end"
  end
  return nil, at, "expected a value"
end

--- Decodes a whole document.
---@param text string
---@return any value nil when malformed
---@return integer at where it failed (when it did)
---@return string? why
function M.decode(text)
  local result, next_at, why = value(text, skip_space(text, 1), 0)
  if result == nil then
    return nil, next_at, why
  end
  next_at = skip_space(text, next_at)
  if next_at <= #text then
    return nil, next_at, "more text after the end of the document"
  end
  return result, next_at
end

return M
