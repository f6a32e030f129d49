--- What may stand only once: names of operations, fragments, variables,
--- arguments, members of input objects, and directives in one place.
--- Pure.

local M = {}

-- Calls `found(name, list)` for every name that several things have, in the
-- order of the first of each.
local function each_double(list, found)
  local by_name, order = {}, {}
  for _, one in ipairs(list) do
    local name = one.name
    if name then
      if not by_name[name] then
        by_name[name] = {}
        order[#order + 1] = name
      end
      table.insert(by_name[name], one)
    end
  end
  for _, name in ipairs(order) do
    if #by_name[name] > 1 then
      found(name, by_name[name])
    end
  end
end

local function places_of(list)
  local places = {}
  for i, one in ipairs(list) do
    places[i] = one.place
  end
  return places
end

-- By what the list holds: the error's code, how its extensions call the name,
-- and the message.
local RULES = {
  fragment = {
    "fragmentNotUnique", "fragmentName", 'Fragment name "%s" must be unique',
  },
  operation = {
    "uniquelyNamedOperations", "operationName",
    'Operation name "%s" must be unique',
  },
  variable = {
    "variableNotUnique", "variableName",
    'There can only be one variable named "%s"',
  },
  argument = {
    "argumentNotUnique", "name", 'There can be only one argument named "%s"',
  },
  member = {
    "inputFieldNotUnique", "name",
    'There can be only one input field named "%s"',
  },
  directive = {
    "directiveNotUniqueForLocation", "directiveName",
    'The directive "%s" can only be used once at this location.',
  },
}

---@alias graphql.Add fun(places: graphql.Place[], code: string,
---  message: string, more: table?)

--- Reports every name that stands more than once in a list.
---@param kind "fragment"|"operation"|"variable"|"argument"|"member"|"directive"
---@param list {name: string?, place: graphql.Place}[]
---@param add graphql.Add
function M.check(kind, list, add)
  local code, extension, message = table.unpack(RULES[kind])
  each_double(list, function(name, same)
    add(places_of(same), code, message:format(name), { [extension] = name })
  end)
end

--- Reports operations without a name beside others.
---@param operations graphql.Operation[]
---@param add graphql.Add
function M.check_anonymous(operations, add)
  local nameless = {}
  for _, operation in ipairs(operations) do
    if not operation.name then
      nameless[#nameless + 1] = operation
    end
  end
  if nameless[1] and #operations > 1 then
    add(places_of(nameless), "uniquelyNamedOperations",
      "Operation name is required when multiple operations are present")
  end
end

return M
