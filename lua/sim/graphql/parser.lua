--- Parses a GraphQL document of operations and fragments.
--- Pure. Nesting is bounded; type definitions are not part of a request.

local json = require "base.json"

local lexer = require "sim.graphql.lexer"

local M = {}

--- Deeper nesting of selections, lists or objects is refused.
M.MAX_DEPTH = 60

---@class graphql.Place
---@field line integer
---@field column integer

---@class graphql.Value
---@field kind string variable, int, float, string, boolean, null, enum, list
---  or object
---@field value any a name, a Lua value, or for list and object the parts

---@class graphql.Argument
---@field name string
---@field value graphql.Value
---@field place graphql.Place

---@class graphql.Directive
---@field name string
---@field args graphql.Argument[]
---@field place graphql.Place

---@class graphql.Selection
---@field kind "field"|"spread"|"inline"
---@field name string? of the field or the fragment
---@field key string? what the field is called in the answer
---@field on string? an inline fragment's type
---@field args graphql.Argument[]?
---@field directives graphql.Directive[]
---@field selections graphql.Selection[]?
---@field place graphql.Place

---@class graphql.TypeRef
---@field kind "named"|"list"|"nonnull"
---@field name string?
---@field of graphql.TypeRef?

---@class graphql.Variable
---@field name string
---@field type graphql.TypeRef
---@field default graphql.Value?
---@field directives graphql.Directive[]
---@field place graphql.Place

---@class graphql.Operation
---@field kind "query"|"mutation"|"subscription"
---@field name string?
---@field variables graphql.Variable[]
---@field directives graphql.Directive[]
---@field selections graphql.Selection[]
---@field place graphql.Place

---@class graphql.Fragment
---@field name string
---@field on string
---@field selections graphql.Selection[]
---@field directives graphql.Directive[]
---@field place graphql.Place

---@class graphql.Document
---@field operations graphql.Operation[]
---@field fragments graphql.Fragment[]

---@class graphql.Parser
---@field tokens graphql.Token[]
---@field at integer
---@field depth integer
---@field is_constant boolean? inside a default, where no variable may be

local function describe(token)
  if token.kind == "eof" then
    return "end of document"
  end
  return ("%s (%q)"):format(token.kind, token.value or token.kind)
end

-- Syntax errors unwind to M.parse; nothing else is raised with a place.
local function fail(parser, message)
  local token = parser.tokens[parser.at]
  error({
    message = message, line = token.line, column = token.column,
  }, 0)
end

local function unexpected(parser, wanted)
  fail(parser, ("Expected %s, actual: %s"):format(
    wanted, describe(parser.tokens[parser.at])))
end

local function peek(parser, kind)
  return parser.tokens[parser.at].kind == kind
end

local function take(parser, kind)
  local token = parser.tokens[parser.at]
  if token.kind ~= kind then
    unexpected(parser, kind)
  end
  parser.at = parser.at + 1
  return token
end

local function accept(parser, kind)
  if peek(parser, kind) then
    return take(parser, kind)
  end
end

local function peek_word(parser, word)
  local token = parser.tokens[parser.at]
  return token.kind == "name" and token.value == word
end

local function place(parser)
  local token = parser.tokens[parser.at]
  return { line = token.line, column = token.column }
end

-- Runs `read` one level deeper.
local function nested(parser, read)
  parser.depth = parser.depth + 1
  if parser.depth > M.MAX_DEPTH then
    fail(parser, "The document is nested too deeply")
  end
  local result = read(parser)
  parser.depth = parser.depth - 1
  return result
end

local read_value

local function read_list(parser)
  local items = {}
  take(parser, "[")
  while not accept(parser, "]") do
    items[#items + 1] = read_value(parser)
  end
  return { kind = "list", value = items }
end

local function read_object(parser)
  local members = {}
  take(parser, "{")
  while not accept(parser, "}") do
    local at = place(parser)
    local name = take(parser, "name").value
    take(parser, ":")
    members[#members + 1] = {
      name = name, value = read_value(parser), place = at,
    }
  end
  return { kind = "object", value = members }
end

local WORDS = {
  ["true"] = { kind = "boolean", value = true },
  ["false"] = { kind = "boolean", value = false },
  ["null"] = { kind = "null" },
}

local function read_scalar(parser)
  local token = parser.tokens[parser.at]
  local kind, value = token.kind, token.value
  if kind == "name" then
    parser.at = parser.at + 1
    return WORDS[value] or { kind = "enum", value = value }
  elseif kind == "string" then
    parser.at = parser.at + 1
    return { kind = "string", value = value }
  elseif kind == "int" or kind == "float" then
    parser.at = parser.at + 1
    return { kind = kind, value = tonumber(value) }
  end
  unexpected(parser, "a value")
end

function read_value(parser)
  if not parser.is_constant and accept(parser, "$") then
    return { kind = "variable", value = take(parser, "name").value }
  elseif peek(parser, "[") then
    return nested(parser, read_list)
  elseif peek(parser, "{") then
    return nested(parser, read_object)
  end
  return read_scalar(parser)
end

local function read_arguments(parser)
  local args = {}
  if not accept(parser, "(") then
    return args
  end
  repeat
    local at = place(parser)
    local name = take(parser, "name").value
    take(parser, ":")
    args[#args + 1] = { name = name, value = read_value(parser), place = at }
  until accept(parser, ")")
  return args
end

local function read_directives(parser)
  local list = {}
  while peek(parser, "@") do
    local at = place(parser)
    take(parser, "@")
    list[#list + 1] = {
      name = take(parser, "name").value, args = read_arguments(parser),
      place = at,
    }
  end
  return list
end

local function read_default(parser)
  if not accept(parser, "=") then
    return nil
  end
  parser.is_constant = true
  local value = read_value(parser)
  parser.is_constant = nil
  return value
end

local read_selections

local function read_field(parser, at)
  local name = take(parser, "name").value
  local key = name
  if accept(parser, ":") then
    name = take(parser, "name").value
  end
  local field = {
    kind = "field", key = key, name = name, place = at,
    args = read_arguments(parser),
    directives = read_directives(parser),
  }
  if peek(parser, "{") then
    field.selections = nested(parser, read_selections)
  end
  return field
end

local function read_spread(parser, at)
  take(parser, "...")
  if peek(parser, "name") and not peek_word(parser, "on") then
    return {
      kind = "spread", name = take(parser, "name").value, place = at,
      directives = read_directives(parser),
    }
  end
  local on
  if peek_word(parser, "on") then
    parser.at = parser.at + 1
    on = take(parser, "name").value
  end
  return {
    kind = "inline", on = on, place = at,
    directives = read_directives(parser),
    selections = nested(parser, read_selections),
  }
end

function read_selections(parser)
  local list = {}
  take(parser, "{")
  repeat
    local at = place(parser)
    if peek(parser, "...") then
      list[#list + 1] = read_spread(parser, at)
    else
      list[#list + 1] = read_field(parser, at)
    end
  until accept(parser, "}")
  return list
end

--- Reads a reference to a type.
---@param parser graphql.Parser
---@return graphql.TypeRef
local function read_type(parser)
  local ref
  if accept(parser, "[") then
    ref = { kind = "list", of = nested(parser, read_type) }
    take(parser, "]")
  else
    ref = { kind = "named", name = take(parser, "name").value }
  end
  if accept(parser, "!") then
    ref = { kind = "nonnull", of = ref }
  end
  return ref
end

local function read_variables(parser)
  local list = {}
  if not accept(parser, "(") then
    return list
  end
  repeat
    local at = place(parser)
    take(parser, "$")
    local name = take(parser, "name").value
    take(parser, ":")
    list[#list + 1] = {
      name = name, type = read_type(parser), place = at,
      default = read_default(parser), directives = read_directives(parser),
    }
  until accept(parser, ")")
  return list
end

local OPERATIONS = { query = true, mutation = true, subscription = true }

local function read_operation(parser)
  local at = place(parser)
  if peek(parser, "{") then
    return {
      kind = "query", variables = {}, directives = {}, place = at,
      selections = nested(parser, read_selections),
    }
  end
  local kind = take(parser, "name").value
  if not OPERATIONS[kind] then
    parser.at = parser.at - 1
    unexpected(parser, "an operation")
  end
  local name = accept(parser, "name")
  return {
    kind = kind, name = name and name.value, place = at,
    variables = read_variables(parser),
    directives = read_directives(parser),
    selections = nested(parser, read_selections),
  }
end

local function read_fragment(parser)
  local at = place(parser)
  take(parser, "name")
  local name = take(parser, "name").value
  if name == "on" or not peek_word(parser, "on") then
    unexpected(parser, "a fragment's name and type")
  end
  parser.at = parser.at + 1
  return {
    name = name, place = at, on = take(parser, "name").value,
    directives = read_directives(parser),
    selections = nested(parser, read_selections),
  }
end

local function read_document(parser)
  local document = { operations = {}, fragments = {} }
  while not peek(parser, "eof") do
    if peek_word(parser, "fragment") then
      table.insert(document.fragments, read_fragment(parser))
    else
      table.insert(document.operations, read_operation(parser))
    end
  end
  if #document.operations == 0 then
    unexpected(parser, "an operation")
  end
  return document
end

-- Runs a reader over a text; a syntax error becomes `nil, error`.
local function run(text, read)
  local tokens, e = lexer.tokens(text)
  if not tokens then
    return nil, e
  end
  local parser = { tokens = tokens, at = 1, depth = 0 }
  local ok, result = pcall(read, parser)
  if ok then
    return result
  elseif type(result) == "table" and result.line then
    return nil, result
  end
  error(result, 0)
end

--- Parses a request's document.
---@param text string
---@return graphql.Document?
---@return graphql.SyntaxError?
function M.parse(text)
  return run(text, read_document)
end

--- Parses a reference to a type, such as "[App!]!".
---@param text string
---@return graphql.TypeRef?
---@return graphql.SyntaxError?
function M.parse_type(text)
  return run(text, read_type)
end

--- Writes a value as a document would.
---@param literal graphql.Value
---@return string
function M.value_text(literal)
  local kind, value = literal.kind, literal.value
  local parts = {}
  if kind == "list" then
    for i, item in ipairs(value) do
      parts[i] = M.value_text(item)
    end
    return "[" .. table.concat(parts, ", ") .. "]"
  elseif kind == "object" then
    for i, member in ipairs(value) do
      parts[i] = member.name .. ": " .. M.value_text(member.value)
    end
    return "{" .. table.concat(parts, ", ") .. "}"
  elseif kind == "string" then
    return json.encode(value)
  elseif kind == "null" then
    return "null"
  end
  return kind == "variable" and "$" .. value or tostring(value)
end

--- Writes a reference to a type.
---@param ref graphql.TypeRef
---@return string
function M.type_text(ref)
  if ref.kind == "nonnull" then
    return M.type_text(ref.of) .. "!"
  elseif ref.kind == "list" then
    return "[" .. M.type_text(ref.of) .. "]"
  end
  return ref.name
end

return M
