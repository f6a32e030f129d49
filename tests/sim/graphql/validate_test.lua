--- What is wrong with a query is said before anything is run.

local support = require "sim.support"
local t = require "kit"
local tbl = require "base.tbl"

local function errors(query, variables)
  local sim = support.account()
  local data, list = sim:graphql(query, variables)
  t.eq(data, nil)
  return list
end

-- The one error of a query: its code must be this, its message match.
local function refused(query, code, pattern)
  local list = errors(query)
  t.eq(#list, 1, query)
  t.eq(list[1].extensions and list[1].extensions.code, code, query)
  t.match(list[1].message, pattern)
  return list[1]
end

t.test("an unknown field, with type, place and path", function()
  local e = refused('query Q {\n  app(name: "x") { nope }\n}',
    "undefinedField", "^Field 'nope' doesn't exist on type 'App'$")
  t.eq(e.locations, { { line = 2, column = 20 } })
  t.eq(e.path, { "query Q", "app", "nope" })
  t.eq(e.extensions.typeName, "App")
  refused("{ nope }", "undefinedField", "'Queries'")
  refused("{ viewer { id } }", "undefinedField", "'Principal'")
end)

t.test("an unknown argument, and a missing one", function()
  local e = refused('{ app(nme: "x") { id } }', "argumentNotAccepted",
    "^Field 'app' doesn't accept argument 'nme'$")
  t.eq(e.extensions.argumentName, "nme")
  refused("{ addOnProvider { id } }", "missingRequiredArguments",
    "^Field 'addOnProvider' is missing required arguments: name$")
end)

t.test("an argument of another type", function()
  local code = "argumentLiteralsIncompatible"
  refused("{ app(name: 5) { id } }", code, "Expected type 'String'")
  refused('{ apps(first: "x") { totalCount } }', code,
    "^Argument 'first' on Field 'apps' has an invalid value %(\"x\"%)")
  refused("{ apps(first: 3000000000) { totalCount } }", code, "'Int'")
  refused("{ addOns(type: banana) { totalCount } }", code, "'AddOnType'")
  refused('{ addOns(type: "redis") { totalCount } }', code, "'AddOnType'")
  refused("{ addOnProvider(name: null) { id } }", code, "'String!'")
  refused("mutation { restartApp(input: 5) { clientMutationId } }", code,
    "'RestartAppInput!'")
end)

t.test("members of input objects", function()
  refused("mutation { restartApp(input: {}) { clientMutationId } }",
    "missingRequiredInputObjectAttribute", "'appId' on InputObject")
  refused('mutation { restartApp(input: { appId: "a", x: 1 }) '
    .. "{ clientMutationId } }", "argumentNotAccepted",
    "InputObject 'RestartAppInput' doesn't accept argument 'x'")
end)

t.test("selections where they belong", function()
  refused('{ app(name: "x") }', "selectionMismatch", "must have selections")
  refused('{ app(name: "x") { name { x } } }', "selectionMismatch",
    "can't be made on scalars")
end)

t.test("variables: declared, used, of the right type", function()
  refused("query Q { app(name: $n) { id } }", "variableNotDefined",
    "^Variable %$n is used by Q but not declared$")
  refused("query Q($n: String) { viewer { email } }", "variableNotUsed",
    "^Variable %$n is declared by Q but not used$")
  refused("query Q($n: Int) { app(name: $n) { id } }", "variableMismatch",
    "^Type mismatch on variable %$n and argument name %(Int / String%)$")
  refused("query Q($n: String) { addOnProvider(name: $n) { id } }",
    "variableMismatch", "String / String!")
  refused("query Q($n: Nope) { app(name: $n) { id } }",
    "variableRequiresValidType", "Nope isn't a defined input type")
  local sim = support.account()
  local data = sim:graphql(
    'query Q($n: String = "tigris") { addOnProvider(name: $n) { name } }')
  t.eq(data.addOnProvider.name, "tigris")
end)

t.test("fragments: defined, used, possible, finite", function()
  local code = "useAndDefineFragment"
  refused("{ viewer { ...F } }", code, "F was used, but not defined")
  refused("{ viewer { email } } fragment F on User { email }", code,
    "F was defined, but not used")
  refused("{ viewer { ... on App { id } } }", "cannotSpreadFragment",
    "App can't be spread inside Principal")
  refused("{ viewer { ... on Nope { id } } }", "undefinedType", "No such type")
  refused("{ viewer { ...F } } fragment F on User { ...F }", "infiniteLoop",
    "infinite loop")
  refused('{ app(name: "a") { ...F } } fragment F on App { '
    .. "organization { apps { nodes { ...F } } } }", "infiniteLoop",
    "infinite loop")
  refused("{ viewer { ... on String { x } } }", "fragmentOnNonCompositeType",
    "must be Union, Interface or Object")
end)

t.test("directives, conflicts, kinds of operation", function()
  refused("{ viewer { email @nope } }", "undefinedDirective", "@nope")
  refused("{ viewer { email @skip } }", "missingRequiredArguments", "if")
  refused("{ viewer { x: email x: name } }", "fieldConflict", "email or name")
  refused("subscription { a }", "missingSubscriptionConfiguration",
    "subscription")
end)

t.test("fields of one key must be one field, through fragments too", function()
  local e = refused("{ viewer { ...F email: name } } fragment F on User { email }",
    "fieldConflict", "^Field 'email' has a field conflict: email or name%?$")
  t.eq(#e.locations, 2)
  t.eq(e.path, {})
  refused('{ app(name: "a") { id } ... on Queries { app(name: "b") { id } } }',
    "fieldConflict", 'argument conflict: {name:"\\"a\\""} or {name:"\\"b\\""}%?$')
  refused('mutation { restartApp(input: { appId: "a" }) { app { id } } '
    .. 'restartApp(input: { appId: "b" }) { app { name } } }', "fieldConflict",
    "'restartApp' has an argument conflict")
  refused('{ app(name: "a") { organization { x: name } ...F } } '
    .. "fragment F on App { organization { x: slug } }", "fieldConflict",
    "'x' has a field conflict: name or slug")
  local sim = support.account()
  local data = sim:graphql([[{ viewer { ... on User { a: email } ...F } }
    fragment F on Macaroon { a: name }]])
  t.eq(data.viewer, { a = "sim@example.com" })
end)

t.test("a name stands once where it names one thing", function()
  local e = refused("{ viewer { ...F } } fragment F on User { email } "
    .. "fragment F on User { name }", "fragmentNotUnique", '"F" must be unique')
  t.eq(#e.locations, 2)
  refused("query A { viewer { email } } query A { viewer { name } }",
    "uniquelyNamedOperations", '"A" must be unique')
  refused("query A { viewer { email } } { viewer { name } }",
    "uniquelyNamedOperations", "required when multiple operations")
  refused("query Q($a: Int, $a: Int) { apps(first: $a) { totalCount } }",
    "variableNotUnique", 'variable named "a"')
  refused("{ apps(first: 1, first: 2) { totalCount } }", "argumentNotUnique",
    'one argument named "first"')
  refused('mutation { restartApp(input: { appId: "a", appId: "b" }) '
    .. "{ clientMutationId } }", "inputFieldNotUnique", 'named "appId"')
  refused("{ viewer { email @skip(if: true) @skip(if: false) } }",
    "directiveNotUniqueForLocation", '"skip" can only be used once')
end)

t.test("directives stand at selections only", function()
  local code = "directiveCannotBeApplied"
  refused("query Q @skip(if: true) { viewer { email } }", code,
    "can't be applied to queries")
  refused("query Q($n: Int @include(if: true)) { apps(first: $n) "
    .. "{ totalCount } }", code, "variable definitions")
  refused("{ viewer { ...F } } fragment F on User @skip(if: true) { email }",
    code, "fragment definitions")
end)

t.test("numbers, defaults and free forms are what they say", function()
  refused("{ apps(first: 1.0) { totalCount } }",
    "argumentLiteralsIncompatible", "%(1%.0%)")
  refused("{ apps(first: [1]) { totalCount } }",
    "argumentLiteralsIncompatible", "%(%[1%]%)")
  refused('query Q($n: Int = "a") { apps(first: $n) { totalCount } }',
    "defaultValueInvalidType", "^Default value for %$n doesn't match type Int$")
  t.match(errors("query Q($n: Int = $m) { apps(first: $n) { totalCount } }")[1]
    .message, "^Expected a value")
  local sim = support.account()
  local query = [[mutation ($o: ID!, $n: Int) { createAddOn(input: {
    type: tigris, organizationId: $o, name: "bucket-9",
    options: { website: { domain_name: "" }, list: [$n] } }) {
    addOn { options } } }]]
  local org = sim:graphql('{ organization(slug: "acme") { id } }').organization
  local data, list = sim:graphql(query, { o = org.id, n = 5 })
  t.eq(list, nil)
  t.eq(data.createAddOn.addOn.options.list, { 5 })
  list = select(2, sim:graphql((query:gsub("%$n: Int", "$n: Int, $m: Int"))))
  t.eq(#list, 1)
  t.match(list[1].message, "%$m is declared by anonymous mutation but not used")
end)

t.test("a short query cannot stand for an endless answer", function()
  local parts = { "{ viewer { ...F0 } }" }
  for i = 0, 30 do
    parts[#parts + 1] = ("fragment F%d on User { ...F%d ...F%d }"):format(
      i, i + 1, i + 1)
  end
  parts[#parts + 1] = "fragment F31 on User { email }"
  local list = errors(table.concat(parts, "\n"))
  t.ok(tbl.find(list, function(e)
    return e.extensions.code == "queryComplexity"
  end), "the query was not refused")
end)

t.test("several errors come together", function()
  t.eq(#errors("{ viewer { a b c } }"), 3)
end)

t.test("a syntax error has its place", function()
  local list = errors("{ viewer {")
  t.match(list[1].message, "^Expected name, actual: end of document")
  t.eq(list[1].locations, { { line = 1, column = 11 } })
end)
