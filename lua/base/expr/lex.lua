--- The words of an expression, in Lua's spelling.
--- Pure; a wrong one raises { at, message, hint? }, which base.expr catches.

local M = {}

---@class expr.Token
---@field kind "name"|"value"|"op"|"end"
---@field text string as written; "" at the end
---@field value string|number|nil of a literal
---@field at integer where it begins, from 1

--- Raises an error about one place of the expression.
---@param at integer
---@param message string
---@param hint string?
function M.fail(at, message, hint)
  error({ at = at, message = message, hint = hint }, 0)
end

-- Longest first: the first that matches is meant.
local OPERATORS = {
  "...", "<<", ">>", "//", "==", "~=", "<=", ">=", "..", "::", "+", "-", "*",
  "/", "%", "^", "#", "&", "~", "|", "<", ">", "(", ")", "{", "}", "[", "]",
  ";", ":", ",", ".", "=",
}

-- What other languages write, and Lua's word for it.
local FOREIGN = {
  ["!="] = "~=", ["&&"] = "and", ["||"] = "or", ["!"] = "not",
}

local ESCAPES = {
  a = "\a", b = "\b", f = "\f", n = "\n", r = "\r", t = "\t", v = "\v",
  ["\\"] = "\\", ['"'] = '"', ["'"] = "'", ["\n"] = "\n",
}

-- The character an escape stands for, and where the text goes on. `at` is
-- behind the backslash.
local function escape(text, at)
  local code, after = text:match("^(%d%d?%d?)()", at)
  if code and tonumber(code) < 256 then
    return string.char(tonumber(code)), after
  end
  code, after = text:match("^x(%x%x)()", at)
  if code then
    return string.char(tonumber(code, 16)), after
  end
  code, after = text:match("^u{(%x+)}()", at)
  if code and #code <= 6 then
    return utf8.char(tonumber(code, 16)), after
  elseif text:sub(at, at) == "z" then
    return "", text:match("^z%s*()", at)
  end
  local char = ESCAPES[text:sub(at, at)]
  if not char then
    M.fail(at - 1, "unknown escape in a text")
  end
  return char, at + 1
end

-- The text between quotes; `at` is on the first one.
local function quoted(text, at)
  local quote, parts, from = text:sub(at, at), {}, at
  at = at + 1
  while true do
    local plain, mark, after = text:match("^([^\\\n'\"]*)(['\"\\]?)()", at)
    parts[#parts + 1] = plain
    at = after
    if mark == quote then
      return table.concat(parts), at
    elseif mark == "\\" then
      parts[#parts + 1], at = escape(text, at)
    elseif mark ~= "" then
      parts[#parts + 1] = mark
    else
      M.fail(from, "a text that does not end",
        ("close it with another %s"):format(quote))
    end
  end
end

-- The text between long brackets, [[…]] or [=[…]=].
local function bracketed(text, at, level)
  local from = at + #level + 2
  local close = "]" .. level .. "]"
  local last, after = text:find(close, from, true)
  if not last then
    M.fail(at, "a text that does not end", "close it with " .. close)
  end
  return text:sub(from, last - 1):gsub("^\r?\n", ""), after + 1
end

local function number(text, at)
  local word = text:match("^0[xX][%x.]*[pP][+-]?%d+", at)
    or text:match("^0[xX][%w_.]*", at)
    or text:match("^[%d.]+[eE][+-]%d+", at) or text:match("^[%w_.]+", at)
  local value = tonumber(word)
  if not value then
    M.fail(at, ("%s is no number"):format(word))
  end
  return value, at + #word
end

local function literal(text, at)
  local char = text:sub(at, at)
  if char == '"' or char == "'" then
    return quoted(text, at)
  elseif text:find("^%.?%d", at) then
    return number(text, at)
  end
  local level = text:match("^%[(=*)%[", at)
  if level then
    return bracketed(text, at, level)
  end
end

local function operator(text, at)
  if text:find("^%-%-", at) then
    M.fail(at, "an expression has no comments")
  end
  for length = 2, 1, -1 do
    local foreign = text:sub(at, at + length - 1)
    if FOREIGN[foreign] then
      M.fail(at, ("unexpected %s"):format(foreign),
        ("Lua writes %s"):format(FOREIGN[foreign]))
    end
  end
  for _, op in ipairs(OPERATORS) do
    if text:sub(at, at + #op - 1) == op then
      return op
    end
  end
  local char = text:match("^[\1-\127\194-\244][\128-\191]*", at)
  M.fail(at, ("unexpected %s"):format(char and char:find("^%g")
    and char or "character"))
end

--- All words of the text, and one that ends it.
---@param text string
---@return expr.Token[]
function M.tokens(text)
  local list, at = {}, 1
  while true do
    at = text:match("^%s*()", at)
    local token = { kind = "end", text = "", at = at }
    list[#list + 1] = token
    if at > #text then
      return list
    end
    local word = text:match("^[%a_][%w_]*", at)
    local value, after
    if not word then
      value, after = literal(text, at)
    end
    if word then
      token.kind, token.text = "name", word
      after = at + #word
    elseif value ~= nil then
      token.kind, token.value = "value", value
      token.text = text:sub(at, after - 1)
    else
      token.kind, token.text = "op", operator(text, at)
      after = at + #token.text
    end
    at = after
  end
end

return M
