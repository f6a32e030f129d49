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
end)

t.test("directives, conflicts, kinds of operation", function()
  refused("{ viewer { email @nope } }", "undefinedDirective", "@nope")
  refused("{ viewer { email @skip } }", "missingRequiredArguments", "if")
  refused("{ viewer { x: email x: name } }", "fieldConflict", "email or name")
  refused("subscription { a }", "missingSubscriptionConfiguration",
    "subscription")
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
