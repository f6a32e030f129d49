--- Checks the data of a GraphQL answer against the real schema.
--- Pure, over a schema read by kit.sdl and a query parsed by the simulator.

local json = require "base.json"

local M = {}

---@class kit.GraphqlCheck
---@field schema table<string, sdl.Type>
---@field fragments table<string, graphql.Fragment>
---@field problems string[]

local function is_text(value)
  return type(value) == "string"
end

local SCALARS = {
  ID = is_text, String = is_text,
  Boolean = function(value)
    return type(value) == "boolean"
  end,
  Int = function(value)
    return math.type(value) == "integer" and value >> 31 == value >> 63
  end,
  Float = function(value)
    return type(value) == "number"
  end,
  BigInt = function(value)
    return is_text(value) and value:find("^%-?%d+$") ~= nil
  end,
  ISO8601DateTime = function(value)
    return is_text(value)
      and value:find("^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%dZ$") ~= nil
  end,
  JSON = function()
    return true
  end,
}

-- Whether fields selected on the type `on` are those of an object of `kind`.
local function applies(check, on, kind)
  local wanted = on and check.schema[on]
  return not wanted or on == kind.name
    or wanted.possible ~= nil and wanted.possible[kind.name] == true
end

-- The selections of every key that an object of this type can have.
local function collect(check, selections, kind, into)
  for _, selection in ipairs(selections) do
    if selection.kind == "field" then
      into[selection.key] = into[selection.key] or { name = selection.name }
      table.insert(into[selection.key], selection)
    else
      local inner = selection.kind == "spread"
        and check.fragments[selection.name] or selection
      if applies(check, inner.on, kind) then
        collect(check, inner.selections, kind, into)
      end
    end
  end
  return into
end

local function add(check, path, text)
  check.problems[#check.problems + 1] = path .. ": " .. text
end

-- The object type of an answer whose declared type is abstract: what it says
-- of itself, or any that has all it holds.
local function concrete(check, kind, value)
  if kind.kind == "object" then
    return { kind }
  end
  local found = {}
  for name in pairs(kind.possible) do
    if not value.__typename or value.__typename == name then
      found[#found + 1] = check.schema[name]
    end
  end
  return found
end

local check_value

local function check_object(check, kind, value, selections, path)
  local wanted = collect(check, selections, kind, {})
  for key, member in pairs(value) do
    local fields = wanted[key]
    local at = path .. "." .. key
    if not fields then
      add(check, at, "nobody asked for it")
    elseif fields.name ~= "__typename" then
      check_value(check, kind.fields[fields.name].type, member, fields, at)
    elseif member ~= kind.name then
      add(check, at, ("%s, not %s"):format(tostring(member), kind.name))
    end
  end
end

-- An abstract value is right when it is right as one of its types.
local function check_composite(check, kind, value, fields, path)
  local selections = {}
  for _, field in ipairs(fields) do
    table.move(field.selections, 1, #field.selections, #selections + 1,
      selections)
  end
  local first
  for _, one in ipairs(concrete(check, kind, value)) do
    local attempt = {
      schema = check.schema, fragments = check.fragments, problems = {},
    }
    check_object(attempt, one, value, selections, path)
    if #attempt.problems == 0 then
      return
    end
    first = first or attempt.problems
  end
  table.move(first or { path .. ": of no type" }, 1, #(first or { 1 }),
    #check.problems + 1, check.problems)
end

local function check_named(check, kind, value, fields, path)
  local fits
  if kind.fields or kind.possible then
    if type(value) == "table" and not json.is_array(value) then
      return check_composite(check, kind, value, fields, path)
    end
    fits = false
  elseif kind.kind == "enum" then
    fits = kind.values[value] == true
  else
    fits = SCALARS[kind.name](value)
  end
  if not fits then
    add(check, path, ("not of type %s: %s"):format(kind.name,
      json.encode(value)))
  end
end

function check_value(check, ref, value, fields, path)
  if ref.kind == "nonnull" then
    if value == json.null then
      return add(check, path, "null")
    end
    ref = ref.of
  end
  if value == json.null then
    return
  elseif ref.kind ~= "list" then
    local kind = check.schema[ref.name] or { kind = "scalar", name = ref.name }
    return check_named(check, kind, value, fields, path)
  elseif not json.is_array(value) then
    return add(check, path, "no list")
  end
  for i, item in ipairs(value) do
    check_value(check, ref.of, item, fields, ("%s.%d"):format(path, i - 1))
  end
end

--- What is wrong with an answer's data; empty when nothing is.
---@param schema table<string, sdl.Type>
---@param document graphql.Document of which the answer is
---@param operation graphql.Operation
---@param data table
---@return string[]
function M.data(schema, document, operation, data)
  local check = { schema = schema, fragments = {}, problems = {} }
  for _, fragment in ipairs(document.fragments) do
    check.fragments[fragment.name] = fragment
  end
  local root = operation.kind == "mutation" and "Mutations" or "Queries"
  check_object(check, schema[root], data, operation.selections, operation.kind)
  return check.problems
end

return M
