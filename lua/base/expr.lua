--- Expressions in Lua's own grammar, evaluated over a row of data.
--- Pure. They are read and computed here, not by the Lua compiler: there is no
--- way out of the row, no loop, no function body, and a missing field is nil
--- wherever it stands. Time and memory are bounded by the expression's length.

local err = require "base.err"
local lex = require "base.expr.lex"
local lib = require "base.expr.lib"
local str = require "base.str"
local tbl = require "base.tbl"

local M = {}

---@class expr.Expression
---@field text string
---@field names table<string, integer> the row's fields it asks for, and where
---@field private node expr.Node
local Expression = {}
Expression.__index = Expression

---@alias expr.Lookup fun(name: string): any a field of the row
---@alias expr.Node fun(lookup: expr.Lookup): any

-- Bytes, and how deep parentheses and operators may nest.
local LONGEST, DEEPEST = 4096, 100

-- Operators by how strongly they bind; { left, right } as in Lua's own parser.
local PRIORITY = {
  ["or"] = { 1, 1 }, ["and"] = { 2, 2 },
  ["<"] = { 3, 3 }, [">"] = { 3, 3 }, ["<="] = { 3, 3 }, [">="] = { 3, 3 },
  ["~="] = { 3, 3 }, ["=="] = { 3, 3 },
  ["|"] = { 4, 4 }, ["~"] = { 5, 5 }, ["&"] = { 6, 6 },
  ["<<"] = { 7, 7 }, [">>"] = { 7, 7 }, [".."] = { 9, 8 },
  ["+"] = { 10, 10 }, ["-"] = { 10, 10 },
  ["*"] = { 11, 11 }, ["/"] = { 11, 11 }, ["//"] = { 11, 11 },
  ["%"] = { 11, 11 }, ["^"] = { 14, 13 },
}
local UNARY_PRIORITY = 12

local LITERALS = { ["nil"] = { nil }, ["true"] = { true }, ["false"] = { false } }

-- Words that begin what is no expression.
local STATEMENTS = tbl.set({
  "break", "do", "else", "elseif", "end", "for", "function", "goto", "if", "in",
  "local", "repeat", "return", "then", "until", "while",
})

local LIBRARIES = tbl.set({ "string", "math", "utf8" })

---@class expr.Parser
---@field tokens expr.Token[]
---@field at integer
---@field depth integer
---@field names table<string, integer>

local expression -- forward: everything inside brackets is one

local function peek(p, ahead)
  return p.tokens[math.min(p.at + (ahead or 0), #p.tokens)]
end

local function advance(p)
  local token = p.tokens[p.at]
  p.at = math.min(p.at + 1, #p.tokens)
  return token
end

local function is_op(token, text)
  return token.kind == "op" and token.text == text
end

local function unexpected(token, wanted)
  local what = token.kind == "end" and "it ends too early"
    or "unexpected " .. token.text
  lex.fail(token.at,
    wanted and ("%s, %s is missing"):format(what, wanted) or what,
    is_op(token, "=") and "Lua compares with ==" or nil)
end

local function take(p, text)
  if not is_op(peek(p), text) then
    unexpected(peek(p), text)
  end
  return advance(p)
end

local function take_name(p)
  if peek(p).kind ~= "name" then
    unexpected(peek(p), "a name")
  end
  return advance(p)
end

-- Runs compute; an error of it that has no place yet gets this one.
local function placed(at, compute, ...)
  local ok, result = pcall(compute, ...)
  if ok then
    return result
  elseif type(result) == "table" and not result.at then
    result.at = at
  end
  error(result, 0)
end

local function constant(value)
  return function()
    return value
  end
end

local function function_names()
  return tbl.flatten({ tbl.keys(lib.FUNCTIONS), { "tostring", "type" } })
end

local function check_function(name, at)
  if lib.is_function(name) then
    return
  end
  local near = str.did_you_mean(name, function_names())
  lex.fail(at, ("there is no function %s here"):format(name),
    near and ("did you mean %s?"):format(near)
      or "there are: " .. table.concat(function_names(), ", "))
end

-- "(a, b)", or a single text without parentheses, as Lua allows.
local function arguments(p)
  if peek(p).kind == "value" and type(peek(p).value) == "string" then
    return { constant(advance(p).value) }
  end
  take(p, "(")
  local list = {}
  while not is_op(peek(p), ")") do
    list[#list + 1] = expression(p, 0)
    if not is_op(peek(p), ",") then
      break
    end
    advance(p)
  end
  take(p, ")")
  return list
end

local function call(name, at, nodes)
  check_function(name, at)
  local n = #nodes
  return function(lookup)
    local values = {}
    for i = 1, n do
      values[i] = nodes[i](lookup)
    end
    return placed(at, lib.call, name, values, n)
  end
end

local function starts_arguments(token)
  return is_op(token, "(")
    or token.kind == "value" and type(token.value) == "string"
end

-- A function, a library's function or constant, or a field of the row.
local function named(p)
  local token = advance(p)
  local name = token.text
  if LIBRARIES[name] and is_op(peek(p), ".") and peek(p, 1).kind == "name" then
    local full = name .. "." .. peek(p, 1).text
    if starts_arguments(peek(p, 2)) or lib.CONSTANTS[full] then
      advance(p)
      advance(p)
      if lib.CONSTANTS[full] then
        return constant(lib.CONSTANTS[full])
      end
      return call(full, token.at, arguments(p))
    end
  elseif starts_arguments(peek(p)) then
    check_function(name, token.at)
    return call(name, token.at, arguments(p))
  end
  p.names[name] = p.names[name] or token.at
  return function(lookup)
    return lib.plain(lookup(name))
  end
end

-- { a, b, key = c, [k] = d }
local function constructor(p)
  take(p, "{")
  local fields, count = {}, 0
  while not is_op(peek(p), "}") do
    local key
    if is_op(peek(p), "[") then
      advance(p)
      key = expression(p, 0)
      take(p, "]")
      if not is_op(peek(p), "=") then
        unexpected(peek(p), "=")
      end
      advance(p)
    elseif peek(p).kind == "name" and is_op(peek(p, 1), "=") then
      key = constant(advance(p).text)
      advance(p)
    else
      count = count + 1
      key = constant(count)
    end
    fields[#fields + 1] = { key, expression(p, 0) }
    if not is_op(peek(p), ",") and not is_op(peek(p), ";") then
      break
    end
    advance(p)
  end
  take(p, "}")
  return function(lookup)
    local made = {}
    for _, field in ipairs(fields) do
      local key = field[1](lookup)
      if key ~= nil and key == key then
        made[key] = field[2](lookup)
      end
    end
    return made
  end
end

local function primary(p)
  local token = peek(p)
  if token.kind == "value" then
    return constant(advance(p).value)
  elseif is_op(token, "(") then
    advance(p)
    local node = expression(p, 0)
    take(p, ")")
    return node
  elseif is_op(token, "{") then
    return constructor(p)
  elseif token.kind ~= "name" then
    unexpected(token, token.kind == "end" and "a value" or nil)
  elseif LITERALS[token.text] then
    return constant(LITERALS[advance(p).text][1])
  elseif STATEMENTS[token.text] or PRIORITY[token.text] then
    lex.fail(token.at, ("unexpected %s"):format(token.text),
      STATEMENTS[token.text] and "an expression is a single condition" or nil)
  end
  return named(p)
end

local function indexed(node, key)
  return function(lookup)
    return lib.index(node(lookup), key(lookup))
  end
end

local function method(p, node)
  local token = take_name(p)
  local name = "string." .. token.text
  check_function(name, token.at)
  local nodes = arguments(p)
  table.insert(nodes, 1, function(lookup)
    local value = node(lookup)
    if value ~= nil and type(value) ~= "string" then
      lex.fail(token.at, (":%s() is for texts, and this is %s"):format(
        token.text, lib.name(value)))
    end
    return value
  end)
  return call(name, token.at, nodes)
end

-- A value and what follows it: .name [key] :method()
local function suffixed(p)
  local node = primary(p)
  while true do
    local token = peek(p)
    if is_op(token, ".") then
      advance(p)
      node = indexed(node, constant(take_name(p).text))
    elseif is_op(token, "[") then
      advance(p)
      node = indexed(node, expression(p, 0))
      take(p, "]")
    elseif is_op(token, ":") then
      advance(p)
      node = method(p, node)
    elseif is_op(token, "(") then
      lex.fail(token.at, "only functions can be called",
        "there are: " .. table.concat(function_names(), ", "))
    else
      return node
    end
  end
end

local function binary(op, at, left, right)
  if op == "and" then
    return function(lookup)
      local value = left(lookup)
      return value and right(lookup)
    end
  elseif op == "or" then
    return function(lookup)
      return left(lookup) or right(lookup)
    end
  end
  local compute = lib.BINARY[op]
  return function(lookup)
    local a = left(lookup)
    return placed(at, compute, a, right(lookup))
  end
end

local function unary(p)
  local token = peek(p)
  local compute = token.kind ~= "value" and lib.UNARY[token.text]
  if not compute then
    return suffixed(p)
  end
  advance(p)
  local operand = expression(p, UNARY_PRIORITY)
  return function(lookup)
    return placed(token.at, compute, operand(lookup))
  end
end

-- Operators that bind more strongly than `limit`.
function expression(p, limit)
  p.depth = p.depth + 1
  if p.depth > DEEPEST then
    lex.fail(peek(p).at, "it is nested too deeply")
  end
  local node = unary(p)
  while true do
    local token = peek(p)
    local priority = token.kind ~= "value" and PRIORITY[token.text]
    if not priority or priority[1] <= limit then
      p.depth = p.depth - 1
      return node
    end
    advance(p)
    node = binary(token.text, token.at, node, expression(p, priority[2]))
  end
end

local function parse(text)
  if #text > LONGEST then
    lex.fail(LONGEST, ("it is longer than %d bytes"):format(LONGEST))
  elseif not text:find("%S") then
    lex.fail(1, "it is empty")
  end
  local p = { tokens = lex.tokens(text), at = 1, depth = 0, names = {} }
  local node = expression(p, 0)
  if peek(p).kind ~= "end" then
    unexpected(peek(p))
  end
  return node, p.names
end

-- Where in the text a byte is, for people: "at character 7, near …".
local function place(text, at)
  if at > #text then
    return "at its end"
  end
  local before = utf8.len(text, 1, at - 1, true) or at - 1
  local near = text:match("^[%g ]+", at) or ""
  return ("at character %d%s"):format(before + 1,
    near ~= "" and (", near %s"):format(near:sub(1, 24)) or "")
end

-- What was raised as a record; anything else is a bug and goes on.
local function record(raised, text)
  if type(raised) ~= "table" or not raised.message then
    error(raised, 0)
  end
  local at = raised.at and math.min(raised.at, #text + 1)
  return err.new({
    kind = "usage", hint = raised.hint, detail = { at = at },
    message = at and ("%s, %s"):format(raised.message, place(text, at))
      or raised.message,
  })
end

--- Reads an expression.
---@param text string
---@return expr.Expression?
---@return err.Record? kind "usage"; detail.at is the byte it is about
function M.compile(text)
  local ok, node, names = pcall(parse, text)
  if not ok then
    return nil, record(node, text)
  end
  return setmetatable({ text = text, node = node, names = names }, Expression)
end

--- Its value over a row. Of an error the second result tells.
---@param lookup expr.Lookup
---@return any
---@return err.Record?
function Expression:value(lookup)
  local ok, value = pcall(self.node, lookup)
  if not ok then
    return nil, record(value, self.text)
  end
  return value
end

--- Whether it holds for a row: neither nil nor false.
---@param lookup expr.Lookup
---@return boolean?
---@return err.Record?
function Expression:test(lookup)
  local value, e = self:value(lookup)
  if e then
    return nil, e
  end
  return value ~= nil and value ~= false
end

return M
