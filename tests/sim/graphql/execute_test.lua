--- Running queries: values, pages, nulls, errors.

local json = require "base.json"
local support = require "sim.support"
local t = require "kit"
local tbl = require "base.tbl"

local function run(query, variables)
  return support.account():graphql(query, variables)
end

t.test("keys follow the query, by their aliases", function()
  local sim = support.account()
  local _, _, text = sim.account:handle({
    method = "POST", target = "/graphql",
    headers = { authorization = "Bearer " .. sim.token },
    body = json.encode({ query = [[{ z: viewer { n: name e: email }
      a: app(name: "my-app") { status name } }]] }),
  })
  t.eq(text, '{"data":{"z":{"n":"Sim User","e":"sim@example.com"},'
    .. '"a":{"status":"deployed","name":"my-app"}}}')
end)

t.test("variables are coerced, with defaults and in lists", function()
  local data = run([[query ($first: Int = 1, $kind: AddOnType) {
    apps(first: $first) { nodes { name } }
    addOns(type: $kind) { nodes { name } }
  }]], { kind = "tigris" })
  t.eq(#data.apps.nodes, 1)
  t.eq(data.addOns.nodes[1].name, "acme-assets")
  t.eq(#run("query ($first: Int) { apps(first: $first) { nodes { name } } }",
    { first = json.null }).apps.nodes, 3)
end)

t.test("a missing or wrong variable is named", function()
  local _, errors = run(
    "query ($n: String!) { addOnProvider(name: $n) { id } }")
  t.match(errors[1].message,
    "^Variable %$n of type String! was provided invalid value")
  t.eq(errors[1].extensions.problems[1].explanation,
    "Expected value to not be null")
  _, errors = run("query ($f: Int) { apps(first: $f) { totalCount } }",
    { f = "many" })
  t.match(errors[1].extensions.problems[1].explanation, "Could not coerce")
  _, errors = run([[mutation ($i: CreateAddOnInput!) {
    createAddOn(input: $i) { clientMutationId } }]],
    { i = { type = "banana", x = 1 } })
  t.match(errors[1].message, "for x %(Field is not defined on CreateAddOnInput")
  _, errors = run([[mutation ($i: CreateAddOnInput!) {
    createAddOn(input: $i) { clientMutationId } }]], { i = { type = "banana" } })
  t.match(errors[1].message, "for type %(Expected \"banana\" to be one of")
end)

t.test("connections page forward and back", function()
  local query = [[query ($first: Int, $after: String, $last: Int,
      $before: String) {
    apps(first: $first, after: $after, last: $last, before: $before) {
      nodes { name } edges { cursor node { name } } totalCount
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }]]
  local sim = support.account()
  local function page(variables)
    local apps = sim:graphql(query, variables).apps
    return tbl.map(apps.nodes, function(node)
      return node.name
    end), apps.pageInfo, apps
  end
  local names, info, apps = page({ first = 2 })
  t.eq(names, { "my-app", "acme-api" })
  t.eq(info.hasNextPage, true)
  t.eq(apps.totalCount, 3)
  t.eq(apps.edges[2].cursor, info.endCursor)
  names, info = page({ first = 2, after = info.endCursor })
  t.eq(names, { "acme-staging" })
  t.eq(info.hasNextPage, false)
  t.eq(info.hasPreviousPage, true)
  t.eq((page({ last = 1, before = info.startCursor })), { "acme-api" })
  t.eq((page({ first = 0 })), {})
  t.eq((page({ after = "c9" })), {})
end)

t.test("skip, include and fragments choose what is answered", function()
  local data = run([[query ($no: Boolean = false) {
    viewer { __typename ...U ... on Macaroon { email }
      ... @include(if: $no) { trust } } }
    fragment U on User { id @skip(if: true) name @include(if: $no) username
      organization: email }]])
  t.eq(data.viewer, {
    __typename = "User", organization = "sim@example.com",
    username = json.null,
  })
end)

t.test("selections of one field are merged", function()
  local data = run([[{ app(name: "my-app") { organization { slug } ...F } }
    fragment F on App { organization { name } }]])
  t.eq(data.app.organization, { slug = "personal", name = "Sim User" })
end)

t.test("what is not found is null with an error at its path", function()
  local data, errors = run([[{ a: app(name: "none") { id }
    b: app(name: "my-app") { name } }]])
  t.eq(data.a, json.null)
  t.eq(data.b.name, "my-app")
  t.match(errors[1].message, 'Could not find App "none"')
  t.eq(errors[1].path, { "a" })
  t.eq(errors[1].locations, { { line = 1, column = 3 } })
end)

t.test("an error where nothing may be null empties the answer", function()
  local data, errors = run("{ addOnProvider(name: \"none\") { id } }")
  t.eq(data, json.null)
  t.eq(#errors, 1)
end)

t.test("apps of others cannot be told from none", function()
  local _, errors = run('{ app(name: "taken") { id } }')
  t.match(errors[1].message, "Could not find App")
end)

t.test("the operation to run can be chosen", function()
  local sim = support.account()
  local function choose(name)
    return sim:expect(200, "POST", "/graphql", {
      query = "query A { viewer { email } } query B { viewer { name } }",
      operationName = name,
    })
  end
  t.eq(choose("B").data.viewer, { name = "Sim User" })
  t.match(choose("C").errors[1].message, "No operation named")
  t.match(choose(nil).errors[1].message, "operation name is required")
end)

t.test("without a token the answer is UNAUTHORIZED, with status 200", function()
  local sim = support.account()
  local data, errors = sim:graphql("{ viewer { email } }", nil,
    { authorization = "Bearer fo1_wrong" })
  t.eq(data, nil)
  t.eq(errors[1].extensions.code, "UNAUTHORIZED")
  t.eq(errors[1].message, "You must be authenticated to view this.")
end)

t.test("a body that is no query is 400", function()
  local sim = support.account()
  for _, body in ipairs { {}, { query = 5 }, "{", "[]" } do
    local got = sim:expect(400, "POST", "/graphql", body)
    t.ok(got.errors[1].message, "in the shape of GraphQL's errors")
  end
  sim:expect(200, "POST", "/graphql", {
    query = "{ viewer { email } }", variables = json.null,
    operationName = json.null,
  })
end)

t.test("64 bit numbers are texts, times are RFC 3339", function()
  local data = run('{ organization(slug: "acme") { internalNumericId } '
    .. 'app(name: "my-app") { createdAt internalNumericId } }')
  t.match(data.organization.internalNumericId, "^%d+$")
  t.match(data.app.createdAt, "^2025%-11%-13T%d%d:%d%d:%d%dZ$")
  t.eq(math.type(data.app.internalNumericId), "integer")
end)
