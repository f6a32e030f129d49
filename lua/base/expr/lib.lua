--- What an expression can do with values: operators, and a few functions of
--- string, math and utf8. Each takes bounded time and memory.
--- Pure. A missing value (nil) gives nil, false or 0 instead of an error.

local kinds = require "base.json.kinds"

local M = {}

--- Longest text an expression may make, in bytes.
M.MOST_TEXT = 64 * 1024

-- Steps a pattern may take over a text, at worst.
local MOST_STEPS = 2 ^ 25

local function fail(message, hint)
  error({ message = message, hint = hint }, 0)
end

local NAMES = { string = "a text", table = "a list or object" }

--- What a value is, for people.
---@param value any
---@return string
function M.name(value)
  local name = type(value)
  return NAMES[name] or name == "nil" and "nothing" or "a " .. name
end

--- A value of a row as Lua would have it: null is nil, a number beyond Lua's
--- own is the nearest one.
---@param value any
---@return any
function M.plain(value)
  if value == kinds.null then
    return nil
  elseif kinds.is_raw(value) then
    return tonumber(value.text)
  end
  return value
end

--- What stands under a key. Missing things, and things without keys, have
--- nothing there.
---@param value any
---@param key any
---@return any
function M.index(value, key)
  if type(value) == "table" and key ~= nil then
    return M.plain(rawget(value, key))
  end
end

-- Compared with nothing, nothing is smaller and nothing is greater.
local function ordered(compare)
  return function(a, b)
    if a == nil or b == nil then
      return false
    elseif type(a) ~= type(b) or type(a) ~= "number" and type(a) ~= "string" then
      fail(("cannot compare %s with %s"):format(M.name(a), M.name(b)))
    end
    return compare(a, b)
  end
end

local function arithmetic(symbol, compute)
  return function(a, b)
    if a == nil or b == nil then
      return nil
    end
    local ok, result = pcall(compute, a, b)
    if not ok then
      local why = tostring(result):find("zero", 1, true) and "division by zero"
        or ("cannot use %s on %s and %s"):format(symbol, M.name(a), M.name(b))
      fail(why)
    end
    return result
  end
end

local function bounded(size)
  if size > M.MOST_TEXT then
    fail(("a text of more than %d bytes"):format(M.MOST_TEXT))
  end
end

local function concat(a, b)
  if a == nil or b == nil then
    return nil
  end
  for _, part in ipairs({ a, b }) do
    if type(part) ~= "string" and type(part) ~= "number" then
      fail(("cannot use .. on %s"):format(M.name(part)))
    end
  end
  a, b = tostring(a), tostring(b)
  bounded(#a + #b)
  return a .. b
end

---@type table<string, fun(a: any, b: any): any>
M.BINARY = {
  ["=="] = function(a, b) return a == b end,
  ["~="] = function(a, b) return a ~= b end,
  ["<"] = ordered(function(a, b) return a < b end),
  ["<="] = ordered(function(a, b) return a <= b end),
  [">"] = ordered(function(a, b) return a > b end),
  [">="] = ordered(function(a, b) return a >= b end),
  [".."] = concat,
  ["+"] = arithmetic("+", function(a, b) return a + b end),
  ["-"] = arithmetic("-", function(a, b) return a - b end),
  ["*"] = arithmetic("*", function(a, b) return a * b end),
  ["/"] = arithmetic("/", function(a, b) return a / b end),
  ["//"] = arithmetic("//", function(a, b) return a // b end),
  ["%"] = arithmetic("%", function(a, b) return a % b end),
  ["^"] = arithmetic("^", function(a, b) return a ^ b end),
  ["&"] = arithmetic("&", function(a, b) return a & b end),
  ["|"] = arithmetic("|", function(a, b) return a | b end),
  ["~"] = arithmetic("~", function(a, b) return a ~ b end),
  ["<<"] = arithmetic("<<", function(a, b) return a << b end),
  [">>"] = arithmetic(">>", function(a, b) return a >> b end),
}

---@type table<string, fun(a: any): any>
M.UNARY = {
  ["not"] = function(a)
    return not a
  end,
  ["-"] = function(a)
    return M.BINARY["-"](a ~= nil and 0 or nil, a)
  end,
  ["~"] = function(a)
    return M.BINARY["~"](a ~= nil and -1 or nil, a)
  end,
  -- A list that is missing has no items.
  ["#"] = function(a)
    if a == nil then
      return 0
    elseif type(a) ~= "string" and type(a) ~= "table" then
      fail(("cannot use # on %s"):format(M.name(a)))
    end
    return #a
  end,
}

-- Refuses a pattern that could take too long on the text: each repetition may
-- be tried at every place, each optional item both ways.
local function check_pattern(text, pattern)
  local bare = pattern:gsub("%%[^bf]", ".")
  local _, repeats = bare:gsub("[*+%-]", "")
  local _, pairs_of = bare:gsub("%%b", "")
  local _, options = bare:gsub("%?", "")
  local power = repeats + pairs_of + (bare:sub(1, 1) == "^" and 0 or 1)
  local steps = (#text + 1.0) ^ power * 2.0 ^ options
  if steps > MOST_STEPS and repeats + pairs_of + options > 1 then
    fail("this pattern could take too long on a long text",
      "use fewer of * + - ?, or find(text, 1, true) for plain text")
  end
end

local function searcher(search)
  return function(text, pattern, from, is_plain)
    text, pattern = tostring(text), pattern
    if type(pattern) == "string" and not is_plain then
      check_pattern(text, pattern)
    end
    return (search(text, pattern, from, is_plain))
  end
end

local function format(pattern, ...)
  local size = #pattern
  for i = 1, select("#", ...) do
    local value = select(i, ...)
    if type(value) == "table" then
      fail("format takes texts and numbers")
    end
    size = size + #tostring(value) + 400 -- %99.99f
  end
  bounded(size)
  if pattern:find("%%[-+ #0-9.]*p") then
    fail("format has no %p here")
  end
  return pattern:format(...)
end

local function rep(text, count, separator)
  local size = #tostring(text) + #tostring(separator or "")
  bounded(size * math.max(0, count))
  return text:rep(count, separator)
end

local function to_text(value)
  if type(value) == "table" then
    fail("tostring takes no list or object")
  end
  return tostring(value)
end

-- The greatest or smallest, when all of them are there.
local function extreme(pick)
  return function(...)
    for i = 1, select("#", ...) do
      if select(i, ...) == nil then
        return nil
      end
    end
    return pick(...)
  end
end

--- Functions by the name they are called by. Those of `string` are methods of
--- texts too.
M.FUNCTIONS = {
  tonumber = tonumber,
  ["string.byte"] = function(text, at)
    return (text:byte(at))
  end,
  ["string.find"] = searcher(string.find),
  ["string.format"] = format,
  ["string.len"] = string.len,
  ["string.lower"] = string.lower,
  ["string.match"] = searcher(string.match),
  ["string.rep"] = rep,
  ["string.reverse"] = string.reverse,
  ["string.sub"] = string.sub,
  ["string.upper"] = string.upper,
  ["math.abs"] = math.abs,
  ["math.ceil"] = math.ceil,
  ["math.floor"] = math.floor,
  ["math.fmod"] = math.fmod,
  ["math.max"] = extreme(math.max),
  ["math.min"] = extreme(math.min),
  ["math.sqrt"] = math.sqrt,
  ["math.tointeger"] = math.tointeger,
  ["math.ult"] = math.ult,
  ["utf8.len"] = function(text)
    return (utf8.len(text))
  end,
}

-- Functions that have something to say of what is missing.
local OF_NOTHING = { tostring = to_text, type = type }

M.CONSTANTS = {
  ["math.huge"] = math.huge, ["math.pi"] = math.pi,
  ["math.maxinteger"] = math.maxinteger, ["math.mininteger"] = math.mininteger,
}

--- Whether there is a function of that name.
---@param name string
---@return boolean
function M.is_function(name)
  return (M.FUNCTIONS[name] or OF_NOTHING[name]) ~= nil
end

--- Calls a function. Its result is one value; of nothing it is nothing.
---@param name string
---@param args any[]
---@param n integer how many there are
---@return any
function M.call(name, args, n)
  if OF_NOTHING[name] then
    return OF_NOTHING[name](args[1])
  elseif args[1] == nil and n > 0 then
    return nil
  end
  local ok, result = pcall(M.FUNCTIONS[name], table.unpack(args, 1, n))
  if ok then
    return result
  elseif type(result) == "table" then
    error(result, 0)
  end
  local why = tostring(result):gsub("^[^ ]-:%d+: ", ""):gsub("'%?'", name)
  fail(("%s: %s"):format(name, why))
end

return M
