--- Checks a document against the schema, before anything is run.
--- Pure. Errors read as the real service's do and carry its codes.

local arguments = require "sim.graphql.arguments"
local merge = require "sim.graphql.merge"
local names = require "sim.graphql.names"
local parser = require "sim.graphql.parser"
local report = require "sim.graphql.report"
local types = require "sim.graphql.types"
local values = require "sim.graphql.values"

local M = {}

local add, add_all = report.add, report.add_all
local check_names = report.check_names
local check_directives = arguments.check_directives

--- Larger queries are refused; fragments count as often as they are used.
M.MAX_SELECTIONS = 10000

local check_selections

local TYPENAME = {
  name = "__typename", type = parser.parse_type("String!"), args = {},
}

--- The declaration of a field; `__typename` is every composite type's.
---@param kind graphql.Type
---@param name string
---@return graphql.Field?
function M.field(kind, name)
  if name == "__typename" then
    return TYPENAME
  end
  return kind.fields[name]
end

local function check_leaf(check, selection, field, kind)
  local is_composite = types.is_composite(kind)
  if is_composite and not selection.selections then
    add(check, selection.place, "selectionMismatch",
      ("Field must have selections (field '%s' returns %s but has no "
        .. "selections. Did you mean '%s { ... }'?)"):format(
        field.name, kind.name, field.name),
      { nodeName = ("field '%s'"):format(field.name), typeName = kind.name })
  elseif not is_composite and selection.selections then
    add(check, selection.place, "selectionMismatch",
      ("Selections can't be made on scalars (field '%s' returns %s but has "
        .. "selections)"):format(field.name, kind.name),
      { nodeName = ("field '%s'"):format(field.name), typeName = kind.name })
  end
  return is_composite
end

local function check_field(check, selection, kind, open)
  local field = M.field(kind, selection.name)
  if not field then
    return add(check, selection.place, "undefinedField",
      ("Field '%s' doesn't exist on type '%s'"):format(
        selection.name, kind.name),
      { typeName = kind.name, fieldName = selection.name })
  end
  arguments.check(check, field.args, selection.args,
    ("Field '%s'"):format(field.name), selection.place)
  local inner = check.schema:named(field.type)
  if check_leaf(check, selection, field, inner) and selection.selections then
    check_selections(check, selection.selections, inner, open)
  end
end

-- Whether a value of one type can be of the other as well.
local function overlaps(a, b)
  if a.kind == "interface" then
    return a.possible[b.name] ~= nil or a == b
  elseif b.kind == "interface" then
    return b.possible[a.name] ~= nil
  end
  return a == b
end

-- The type a fragment is on, if it can apply here at all.
local function fragment_type(check, name, parent, place)
  local kind = check.schema.types[name]
  if not kind then
    return add(check, place, "undefinedType",
      ("No such type %s, so it can't be a fragment condition"):format(name),
      { typeName = name })
  elseif not types.is_composite(kind) then
    return add(check, place, "fragmentOnNonCompositeType",
      ("Invalid fragment on type %s (must be Union, Interface or Object)")
        :format(name), { typeName = name })
  elseif not overlaps(kind, parent) then
    return add(check, place, "cannotSpreadFragment",
      ("Fragment on %s can't be spread inside %s"):format(name, parent.name),
      { typeName = name, parentName = parent.name })
  end
  return kind
end

local function check_spread(check, selection, parent, open)
  local fragment = check.fragments[selection.name]
  if not fragment then
    return add(check, selection.place, "useAndDefineFragment",
      ("Fragment %s was used, but not defined"):format(selection.name),
      { fragmentName = selection.name })
  end
  check.used[fragment.name] = true
  if open[fragment.name] then
    return add(check, selection.place, "infiniteLoop",
      ("Fragment %s contains an infinite loop"):format(fragment.name),
      { fragmentName = fragment.name })
  end
  local kind = fragment_type(check, fragment.on, parent, selection.place)
  if kind then
    open[fragment.name] = true
    check_selections(check, fragment.selections, kind, open)
    open[fragment.name] = nil
  end
end

local function too_complex(check, place)
  add(check, place, "queryComplexity",
    ("Query has more than %d selections"):format(M.MAX_SELECTIONS))
end

-- Fragments count each time they are used, so that a short document cannot
-- stand for an endless answer.
local function count_selection(check, selection)
  check.visits = check.visits + 1
  if check.visits == M.MAX_SELECTIONS + 1 then
    too_complex(check, selection.place)
  end
  return check.visits <= M.MAX_SELECTIONS
end

local function check_selection(check, selection, kind, open)
  if not count_selection(check, selection) then
    return
  end
  check_directives(check, selection.directives, selection.kind)
  if selection.kind == "field" then
    check.path[#check.path + 1] = selection.key
    check_field(check, selection, kind, open)
    check.path[#check.path] = nil
  elseif selection.kind == "spread" then
    check_spread(check, selection, kind, open)
  else
    local inner = kind
    if selection.on then
      check.path[#check.path + 1] = "... on " .. selection.on
      inner = fragment_type(check, selection.on, kind, selection.place)
    end
    if inner then
      check_selections(check, selection.selections, inner, open)
    end
    if selection.on then
      check.path[#check.path] = nil
    end
  end
end

function check_selections(check, selections, kind, open)
  for _, selection in ipairs(selections) do
    check_selection(check, selection, kind, open)
  end
end

local function check_default(check, variable)
  local plain = values.plain(variable.default, {})
  if not values.is_of_type(check.schema, variable.type, plain) then
    add(check, variable.place, "defaultValueInvalidType",
      ("Default value for $%s doesn't match type %s"):format(
        variable.name, parser.type_text(variable.type)),
      { variableName = variable.name,
        typeName = parser.type_text(variable.type) })
  end
end

local function check_variable_types(check, operation)
  check_names(check, "variable", operation.variables)
  for _, variable in ipairs(operation.variables) do
    local kind = check.schema:named(variable.type)
    check_directives(check, variable.directives, "variable definitions")
    if not kind then
      local ref = variable.type
      while ref.of do
        ref = ref.of
      end
      add(check, variable.place, "variableRequiresValidType",
        ("%s isn't a defined input type (on $%s)"):format(
          ref.name, variable.name),
        { typeName = ref.name, variableName = variable.name })
    elseif types.is_composite(kind) then
      add(check, variable.place, "variableRequiresValidType",
        ("%s isn't a valid input type (on $%s)"):format(
          kind.name, variable.name),
        { typeName = kind.name, variableName = variable.name })
    elseif variable.default then
      check_default(check, variable)
    end
    check.variables[variable.name] = variable
  end
end

local function check_unused(check, operation)
  for _, variable in ipairs(operation.variables) do
    if not check.seen[variable.name] then
      add(check, variable.place, "variableNotUsed",
        ("Variable $%s is declared by %s but not used"):format(
          variable.name, check.label), { variableName = variable.name })
    end
  end
end

local PLURALS = {
  query = "queries", mutation = "mutations", subscription = "subscriptions",
}

local ROOTS = { query = "Queries", mutation = "Mutations" }

--- The root type of an operation's kind; nil for subscriptions.
---@param schema graphql.Schema
---@param kind string
---@return graphql.Type?
function M.root(schema, kind)
  return schema.types[ROOTS[kind]]
end

local function check_operation(check, operation)
  check.label = operation.name or "anonymous " .. operation.kind
  check.path = { operation.name and operation.kind .. " " .. operation.name
    or operation.kind }
  check.variables, check.seen = {}, {}
  local root = M.root(check.schema, operation.kind)
  if not root then
    return add(check, operation.place, "missingSubscriptionConfiguration",
      "Schema is not configured for " .. operation.kind .. "s")
  end
  check_variable_types(check, operation)
  check_directives(check, operation.directives, PLURALS[operation.kind])
  check_selections(check, operation.selections, root, {})
  check_unused(check, operation)
end

-- Only when all else is in order: then every name is known.
local function check_merging(check, document)
  local merging = {
    schema = check.schema, fragments = check.fragments, field = M.field,
    report = function(first, second, message, conflicts)
      local a, b = first.selection, second.selection
      add_all(check, { a.place, b.place }, "fieldConflict", message,
        { fieldName = a.key, conflicts = conflicts })
    end,
  }
  check.path = {}
  for _, operation in ipairs(document.operations) do
    local root = M.root(check.schema, operation.kind)
    if not merge.operation(merging, operation, root) then
      too_complex(check, operation.place)
    end
  end
end

local function check_unused_fragments(check, document)
  check.path = {}
  for _, fragment in ipairs(document.fragments) do
    if not check.used[fragment.name] then
      check.path = { "fragment " .. fragment.name }
      add(check, fragment.place, "useAndDefineFragment",
        ("Fragment %s was defined, but not used"):format(fragment.name),
        { fragmentName = fragment.name })
    end
  end
end

-- What the document defines: names, and where directives stand.
local function check_definitions(check, document)
  check_names(check, "operation", document.operations)
  check_names(check, "fragment", document.fragments)
  names.check_anonymous(document.operations, function(...)
    add_all(check, ...)
  end)
  for _, fragment in ipairs(document.fragments) do
    check.fragments[fragment.name] = fragment
    check_directives(check, fragment.directives, "fragment definitions")
  end
end

--- The errors of a document; empty when it can be run.
---@param schema graphql.Schema
---@param document graphql.Document
---@return table[] errors
function M.document(schema, document)
  local check = {
    schema = schema, fragments = {}, used = {}, errors = {}, visits = 0,
    path = {},
  }
  check_definitions(check, document)
  for _, operation in ipairs(document.operations) do
    check_operation(check, operation)
  end
  check_unused_fragments(check, document)
  if #check.errors == 0 then
    check_merging(check, document)
  end
  return check.errors
end

return M
