--- Input values: from variables and literals to what resolvers get.
--- Pure. A given null becomes `json.null` in arguments, an absent one nothing.

local json = require "base.json"
local tbl = require "base.tbl"

local parser = require "sim.graphql.parser"

local M = {}

local MAX_INT, MIN_INT = 2 ^ 31 - 1, -2 ^ 31

local function is_int(value)
  return math.type(value) == "integer" and value <= MAX_INT
    and value >= MIN_INT
end

-- What the built-in scalars take: a value or nil.
local SCALARS = {
  Int = function(value)
    return is_int(value) and value or nil
  end,
  Float = function(value)
    return type(value) == "number" and value or nil
  end,
  String = function(value)
    return type(value) == "string" and value or nil
  end,
  Boolean = function(value)
    if type(value) == "boolean" then
      return value
    end
  end,
  ID = function(value)
    if type(value) == "string" then
      return value
    end
    return math.type(value) == "integer" and tostring(value) or nil
  end,
  BigInt = function(value)
    if type(value) == "string" then
      return value:find("^%-?%d+$") and value or nil
    end
    return math.type(value) == "integer" and tostring(value) or nil
  end,
  ISO8601DateTime = function(value)
    return type(value) == "string" and value or nil
  end,
  JSON = function(value)
    return value
  end,
}

local function wrong(path, text, ...)
  return nil, { path = path, explanation = text:format(...) }
end

local function show(value)
  if type(value) == "table" or type(value) == "boolean" then
    return json.encode(value)
  end
  return type(value) == "string" and value or tostring(value)
end

local function extend(path, key)
  local longer = tbl.copy(path)
  longer[#longer + 1] = key
  return longer
end

local coerce

local function coerce_object(schema, kind, value, path)
  if type(value) ~= "table" or json.is_array(value) then
    return wrong(path, "Expected %s to be a key-value object.", show(value))
  end
  for _, name in ipairs(tbl.keys(value)) do
    if not kind.inputs[name] then
      return wrong(extend(path, name), "Field is not defined on %s",
        kind.name)
    end
  end
  local out = {}
  for name, input in tbl.sorted(kind.inputs) do
    local given = value[name]
    if given == nil then
      given = input.default
    end
    if given == nil then
      if input.type.kind == "nonnull" then
        return wrong(extend(path, name), "Expected value to not be null")
      end
    else
      local problem
      out[name], problem = coerce(schema, input.type, given,
        extend(path, name))
      if problem then
        return nil, problem
      end
    end
  end
  return out
end

local function coerce_list(schema, of, value, path)
  if not json.is_array(value) then
    value = { value }
  end
  local out = {}
  for i, item in ipairs(value) do
    local problem
    out[i], problem = coerce(schema, of, item, extend(path, i - 1))
    if problem then
      return nil, problem
    end
  end
  return json.array(out)
end

local function coerce_leaf(kind, value, path)
  if kind.kind == "enum" then
    if type(value) ~= "string" or not kind.values[value] then
      return wrong(path, "Expected %q to be one of: %s", show(value),
        table.concat(tbl.keys(kind.values), ", "))
    end
    return value
  end
  local result = SCALARS[kind.name](value)
  if result == nil then
    return wrong(path, "Could not coerce value %s to %s", show(value),
      kind.name)
  end
  return result
end

-- A plain value as one of the type; nil and why when it is none.
function coerce(schema, ref, value, path)
  if ref.kind == "nonnull" then
    if value == nil or value == json.null then
      return wrong(path, "Expected value to not be null")
    end
    return coerce(schema, ref.of, value, path)
  elseif value == json.null then
    return json.null
  elseif ref.kind == "list" then
    return coerce_list(schema, ref.of, value, path)
  end
  local kind = schema.types[ref.name]
  if kind.kind == "input" then
    return coerce_object(schema, kind, value, path)
  end
  return coerce_leaf(kind, value, path)
end

--- Whether a plain value is of a type.
---@param schema graphql.Schema
---@param ref graphql.TypeRef
---@param value any
---@return boolean
function M.is_of_type(schema, ref, value)
  local _, problem = coerce(schema, ref, value, {})
  return problem == nil
end

--- The default of an argument as a literal.
---@param schema graphql.Schema
---@param argument graphql.ArgumentType
---@return string
function M.default_text(schema, argument)
  if schema:named(argument.type).kind == "enum" then
    return argument.default
  end
  return json.encode(argument.default)
end

--- Whether a literal is of the type of a leaf's own syntax.
---@param kind graphql.Type
---@param literal graphql.Value
---@return boolean
function M.literal_fits(kind, literal)
  if kind.kind == "enum" then
    return literal.kind == "enum" and kind.values[literal.value] ~= nil
  elseif literal.kind == "enum" then
    return kind.name == "JSON"
  end
  return SCALARS[kind.name](M.plain(literal, {})) ~= nil
end

--- A literal as a plain value. A variable that was not given is nil.
---@param literal graphql.Value
---@param variables table<string, any>
---@return any
function M.plain(literal, variables)
  local kind, value = literal.kind, literal.value
  if kind == "variable" then
    return variables[value]
  elseif kind == "null" then
    return json.null
  elseif kind == "list" then
    local out = {}
    for _, item in ipairs(value) do
      out[#out + 1] = M.plain(item, variables)
    end
    return json.array(out)
  elseif kind == "object" then
    local out = {}
    for _, member in ipairs(value) do
      out[member.name] = M.plain(member.value, variables)
    end
    return out
  end
  return value
end

-- An invalid variable in the words of the real service.
local function variable_error(variable, value, problem)
  local where = table.concat(tbl.map(problem.path, tostring), ".")
  local detail = where ~= ""
    and (" for %s (%s)"):format(where, problem.explanation) or ""
  return {
    message = ("Variable $%s of type %s was provided invalid value%s"):format(
      variable.name, parser.type_text(variable.type), detail),
    locations = { variable.place },
    extensions = {
      value = value == nil and json.null or value,
      problems = {
        {
          path = json.array(problem.path), explanation = problem.explanation,
        },
      },
    },
  }
end

--- The values of an operation's variables; absent ones stay absent.
---@param schema graphql.Schema
---@param operation graphql.Operation
---@param given table<string, any>
---@return table<string, any> values
---@return table[] errors
function M.variables(schema, operation, given)
  local values, errors = {}, {}
  for _, variable in ipairs(operation.variables) do
    local value = given[variable.name]
    if value == nil and variable.default then
      value = M.plain(variable.default, {})
    end
    if value ~= nil or variable.type.kind == "nonnull" then
      local result, problem = coerce(schema, variable.type, value, {})
      if problem then
        errors[#errors + 1] = variable_error(variable, value, problem)
      end
      values[variable.name] = result
    end
  end
  return values, errors
end

--- The arguments of a field, with defaults filled in.
---@param schema graphql.Schema
---@param declared table<string, graphql.ArgumentType>
---@param args graphql.Argument[]
---@param variables table<string, any>
---@return table<string, any>? arguments
---@return string? problem
function M.arguments(schema, declared, args, variables)
  local out = {}
  for name, argument in pairs(declared) do
    out[name] = argument.default
  end
  for _, arg in ipairs(args) do
    local value = M.plain(arg.value, variables)
    if value ~= nil then
      local result, problem = coerce(schema, declared[arg.name].type, value,
        { arg.name })
      if problem then
        return nil, ("%s: %s"):format(
          table.concat(tbl.map(problem.path, tostring), "."),
          problem.explanation)
      end
      out[arg.name] = result
    end
  end
  return out
end

return M
