--- The schema describes itself, as tools of GraphQL ask it to.

local json = require "base.json"
local support = require "sim.support"
local t = require "kit"
local tbl = require "base.tbl"

-- What the common tools send.
local QUERY = [[
  query IntrospectionQuery {
    __schema {
      queryType { name } mutationType { name } subscriptionType { name }
      types { ...FullType }
      directives { name description locations args { ...InputValue } }
    }
  }
  fragment FullType on __Type {
    kind name description
    fields(includeDeprecated: true) {
      name description args { ...InputValue } type { ...TypeRef }
      isDeprecated deprecationReason
    }
    inputFields { ...InputValue }
    interfaces { ...TypeRef }
    enumValues(includeDeprecated: true) {
      name description isDeprecated deprecationReason
    }
    possibleTypes { ...TypeRef }
  }
  fragment InputValue on __InputValue {
    name description type { ...TypeRef } defaultValue
  }
  fragment TypeRef on __Type {
    kind name ofType { kind name ofType { kind name ofType { kind name
      ofType { kind name } } } }
  }]]

t.test("the whole schema can be asked for", function()
  local data, errors = support.account():graphql(QUERY)
  t.eq(errors, nil)
  local schema = data.__schema
  t.eq(schema.queryType, { name = "Queries" })
  t.eq(schema.subscriptionType, json.null)
  local by_name = {}
  for _, kind in ipairs(schema.types) do
    by_name[kind.name] = kind
  end
  local apps = tbl.find(by_name.Queries.fields, function(field)
    return field.name == "apps"
  end)
  t.eq(apps.type.kind, "NON_NULL")
  t.eq(apps.type.ofType.name, "AppConnection")
  t.eq(tbl.map(by_name.Principal.possibleTypes, function(one)
    return one.name
  end), { "Macaroon", "User" })
  t.eq(by_name.AddOnType.kind, "ENUM")
  t.eq(by_name.CreateAddOnInput.fields, json.null)
  t.ok(#by_name.CreateAddOnInput.inputFields > 5)
end)

t.test("one type can be asked for, with defaults of arguments", function()
  local data = support.account():graphql([[{
    __type(name: "Queries") { kind fields { name args { name defaultValue } } }
    none: __type(name: "Nope") { name } }]])
  t.eq(data.none, json.null)
  local field = tbl.find(data.__type.fields, function(one)
    return one.name == "accessTokens"
  end)
  local argument = tbl.find(field.args, function(one)
    return one.name == "type"
  end)
  t.eq(argument.defaultValue, "pat")
end)
