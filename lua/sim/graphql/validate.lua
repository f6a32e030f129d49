--- Checks a document against the schema, before anything is run.
--- Pure. Errors read as the real service's do and carry its codes.

local json = require "base.json"
local tbl = require "base.tbl"

local merge = require "sim.graphql.merge"
local names = require "sim.graphql.names"
local parser = require "sim.graphql.parser"
local types = require "sim.graphql.types"
local values = require "sim.graphql.values"

local M = {}

--- Errors after these are not looked for.
M.MAX_ERRORS = 50

--- Larger queries are refused; fragments count as often as they are used.
M.MAX_SELECTIONS = 10000

---@class graphql.Check
---@field schema graphql.Schema
---@field fragments table<string, graphql.Fragment>
---@field used table<string, boolean> fragments
---@field variables table<string, graphql.Variable>? of the operation
---@field seen table<string, boolean> variables used by the operation
---@field path any[]
---@field label string "query ListApps"
---@field errors table[]
---@field visits integer

local function add_all(check, places, code, message, more)
  if #check.errors >= M.MAX_ERRORS then
    return
  end
  local extensions = { code = code }
  for key, value in pairs(more or {}) do
    extensions[key] = value
  end
  check.errors[#check.errors + 1] = {
    message = message, locations = places,
    path = json.array(tbl.copy(check.path)), extensions = extensions,
  }
end

local function add(check, place, code, message, more)
  add_all(check, { place }, code, message, more)
end

-- Reports what stands more than once in a list.
local function check_names(check, kind, list)
  names.check(kind, list, function(...)
    add_all(check, ...)
  end)
end

-- Whether a variable's type may stand where `wanted` is.
local function allowed(given, wanted, has_default)
  if wanted.kind == "nonnull" then
    if given.kind == "nonnull" then
      return allowed(given.of, wanted.of, false)
    end
    return has_default and allowed(given, wanted.of, false)
  elseif given.kind == "nonnull" then
    return allowed(given.of, wanted, has_default)
  elseif given.kind == "list" or wanted.kind == "list" then
    return given.kind == wanted.kind and allowed(given.of, wanted.of, false)
  end
  return given.name == wanted.name
end

-- The declaration of a variable that is used here.
local function find_variable(check, name, place)
  local variable = check.variables[name]
  check.seen[name] = true
  if not variable then
    add(check, place, "variableNotDefined",
      ("Variable $%s is used by %s but not declared"):format(
        name, check.label), { variableName = name })
  end
  return variable
end

local function check_variable(check, name, argument, label, place)
  local variable = find_variable(check, name, place)
  if not variable then
    return
  end
  if not check.schema:named(variable.type) then
    return -- said where the variable is declared
  end
  local has_default = variable.default ~= nil and variable.default.kind ~= "null"
    or argument.default ~= nil
  if not allowed(variable.type, argument.type, has_default) then
    add(check, place, "variableMismatch",
      ("Type mismatch on variable $%s and argument %s (%s / %s)"):format(
        name, label, parser.type_text(variable.type),
        parser.type_text(argument.type)),
      { variableName = name, typeName = parser.type_text(variable.type),
        argumentName = label })
  end
end

local check_literal

local function check_members(check, literal, kind, place)
  local given = {}
  check_names(check, "member", literal.value)
  for _, member in ipairs(literal.value) do
    given[member.name] = true
    local input = kind.inputs[member.name]
    if not input then
      add(check, member.place, "argumentNotAccepted",
        ("InputObject '%s' doesn't accept argument '%s'"):format(
          kind.name, member.name),
        { name = kind.name, typeName = "InputObject",
          argumentName = member.name })
    else
      check_literal(check, member.value, input, member.name, kind.name,
        member.place)
    end
  end
  for name, input in tbl.sorted(kind.inputs) do
    if input.type.kind == "nonnull" and not given[name]
      and input.default == nil then
      add(check, place, "missingRequiredInputObjectAttribute",
        ("Argument '%s' on InputObject '%s' is required. Expected type %s")
          :format(name, kind.name, parser.type_text(input.type)),
        { argumentName = name, argumentType = parser.type_text(input.type),
          inputObjectType = kind.name })
    end
  end
end

local function bad_literal(check, literal, argument, label, owner, place)
  add(check, place, "argumentLiteralsIncompatible",
    ("Argument '%s' on %s has an invalid value (%s). Expected type '%s'.")
      :format(label, owner, parser.value_text(literal),
        parser.type_text(argument.type)),
    { typeName = "Field", argumentName = label })
end

-- Variables inside a literal of free form: any type will do there.
local function check_free(check, literal, place)
  if literal.kind == "variable" then
    find_variable(check, literal.value, place)
  elseif literal.kind == "list" then
    for _, item in ipairs(literal.value) do
      check_free(check, item, place)
    end
  elseif literal.kind == "object" then
    for _, member in ipairs(literal.value) do
      check_free(check, member.value, member.place)
    end
  end
end

-- A literal that stands where an argument of this type is expected.
function check_literal(check, literal, argument, label, owner, place)
  local ref = argument.type
  if literal.kind == "variable" then
    return check_variable(check, literal.value, argument, label, place)
  end
  if ref.kind == "nonnull" then
    if literal.kind == "null" then
      return bad_literal(check, literal, argument, label, owner, place)
    end
    ref = ref.of
  end
  if literal.kind == "null" then
    return
  elseif ref.kind == "list" then
    local items = literal.kind == "list" and literal.value or { literal }
    for _, item in ipairs(items) do
      check_literal(check, item, { type = ref.of }, label, owner, place)
    end
    return
  end
  local kind = check.schema.types[ref.name]
  if kind.kind == "input" then
    if literal.kind ~= "object" then
      return bad_literal(check, literal, argument, label, owner, place)
    end
    return check_members(check, literal, kind, place)
  elseif kind.name == "JSON" then
    check_free(check, literal, place)
  elseif not values.literal_fits(kind, literal) then
    bad_literal(check, literal, argument, label, owner, place)
  end
end

local function check_arguments(check, declared, args, owner, place)
  local given = {}
  check_names(check, "argument", args)
  for _, arg in ipairs(args) do
    given[arg.name] = true
    local argument = declared[arg.name]
    if argument then
      check_literal(check, arg.value, argument, arg.name, owner, arg.place)
    else
      local kind, name = owner:match("^(%a+) '(.-)'$")
      add(check, arg.place, "argumentNotAccepted",
        ("%s doesn't accept argument '%s'"):format(owner, arg.name),
        { name = name, typeName = kind, argumentName = arg.name })
    end
  end
  local missing = {}
  for name, argument in tbl.sorted(declared) do
    if argument.type.kind == "nonnull" and argument.default == nil
      and not given[name] then
      missing[#missing + 1] = name
    end
  end
  if #missing > 0 then
    local list = table.concat(missing, ", ")
    add(check, place, "missingRequiredArguments",
      ("%s is missing required arguments: %s"):format(owner, list),
      { className = owner:match("^%a+"), name = owner:match("'(.-)'"),
        arguments = list })
  end
end

local BOOLEAN = { ["if"] = { type = parser.parse_type("Boolean!") } }
local DIRECTIVES = { skip = BOOLEAN, include = BOOLEAN }

-- Where both directives may stand; the words are the real service's.
local PLACES = { field = "fields", spread = "fragment spreads",
  inline = "inline fragments" }
local ALLOWED = "fields, fragment spreads, inline fragments"

-- `target` is a kind of selection, or what else the directives stand at.
local function check_directives(check, directives, target)
  check_names(check, "directive", directives)
  for _, directive in ipairs(directives) do
    local declared = DIRECTIVES[directive.name]
    if not declared then
      add(check, directive.place, "undefinedDirective",
        ("Directive @%s is not defined"):format(directive.name),
        { directiveName = directive.name })
    elseif not PLACES[target] then
      add(check, directive.place, "directiveCannotBeApplied",
        ("'@%s' can't be applied to %s (allowed: %s)"):format(
          directive.name, target, ALLOWED),
        { targetName = target, name = directive.name })
    else
      check_arguments(check, declared, directive.args,
        ("Directive '%s'"):format(directive.name), directive.place)
    end
  end
end

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
  check_arguments(check, field.args, selection.args,
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
  local function report(...)
    add_all(check, ...)
  end
  names.check("operation", document.operations, report)
  names.check_anonymous(document.operations, report)
  names.check("fragment", document.fragments, report)
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
