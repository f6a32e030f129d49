--- Whether arguments fit what is declared: literals, variables, directives.
--- Pure.

local tbl = require "base.tbl"

local parser = require "sim.graphql.parser"
local report = require "sim.graphql.report"
local values = require "sim.graphql.values"

local M = {}

local add, check_names = report.add, report.check_names

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

--- Checks the arguments of a field or a directive.
---@param check graphql.Check
---@param declared table<string, graphql.ArgumentType>
---@param args graphql.Argument[]
---@param owner string in the words of errors: "Field 'app'"
---@param place graphql.Place
function M.check(check, declared, args, owner, place)
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

--- Checks the directives of one place.
---@param check graphql.Check
---@param directives graphql.Directive[]
---@param target string a kind of selection, or what else they stand at
function M.check_directives(check, directives, target)
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
      M.check(check, declared, directive.args,
        ("Directive '%s'"):format(directive.name), directive.place)
    end
  end
end

return M
