--- What is sent for checked arguments.

local opkit = require "opkit"
local support = require "lua.opkit.support"
local t = require "kit"

t.test("slots are escaped so that no name can leave its segment", function()
  local row = support.row({
    effect = "read", returns = "any",
    http = { "GET", "/v1/apps/{app}/machines/{id}" },
    params = {
      { "app", "app", "app", required = true },
      { "id", "machine", "id", required = true },
    },
  })
  local path = opkit.http(row, { app = "a/b", id = ".." }).path
  t.eq(path, "/v1/apps/a%2Fb/machines/%2E%2E")
  path = opkit.http(row, { app = "🙂 x?", id = "{app}" }).path
  t.eq(path, "/v1/apps/%F0%9F%99%82%20x%3F/machines/%7Bapp%7D")
end)

t.test("a GET sends the rest as query, in declared order, by wire name", function()
  local row = support.row({
    effect = "read", returns = "any", http = { "GET", "/v1/apps" },
    params = {
      { "org", "org", "org", at = "query.org_slug" },
      { "all", "boolean", "all" },
      { "tag", "name", "tag", many = true },
      { "limit", "integer", "limit" },
      { "secretly", "name", "not sent", at = "none" },
    },
  })
  local request = opkit.http(row,
    { org = "o", all = false, tag = { "x", "y" }, limit = 5, secretly = "z" })
  t.eq(request.query, { { "org_slug", "o" }, { "all", "false" }, { "tag", "x" },
    { "tag", "y" }, { "limit", "5" } })
  t.eq(request.body, nil)
end)

t.test("a POST sends a body, nested by path", function()
  local row = support.row({
    http = { "POST", "/v1/apps/{app}/machines" },
    params = {
      { "app", "app", "app", required = true },
      { "region", "region", "region" },
      { "image", "name", "image", at = "body.config.image" },
      { "memory", "megabytes", "memory", at = "body.config.guest.memory_mb" },
      { "wait", "duration", "wait", at = "query.wait",
        wire = function(seconds) return ("%ds"):format(seconds) end },
      { "trace", "name", "trace", at = "header.Fly-Trace" },
    },
  })
  local request = opkit.http(row, { app = "a", image = "nginx", memory = 512,
    wait = 90, trace = "1" })
  t.eq(request.body, { config = { image = "nginx", guest = { memory_mb = 512 } } })
  t.eq(request.query, { { "wait", "90s" } })
  t.eq(request.headers, { ["Fly-Trace"] = "1" })
  t.eq(opkit.http(row, { app = "a" }).body, {})
end)

t.test("an optional body is left out when nothing is in it", function()
  local fields = {
    http = { "POST", "/v1/x" },
    params = { { "signal", "name", "signal" } },
  }
  t.eq(opkit.http(support.row(fields), {}).body, {})
  fields.body = "optional"
  t.eq(opkit.http(support.row(fields), {}).body, nil)
  t.eq(opkit.http(support.row(fields), { signal = "SIGINT" }).body,
    { signal = "SIGINT" })
  t.eq(opkit.http(support.row({ http = { "POST", "/v1/x" } }), {}).body, nil)
end)

t.test("variables follow their names; unset ones are left out", function()
  local row = support.row({
    gql = "mutation M($input: X!, $app: ID) { m(input: $input, app: $app) { id } }",
    params = {
      { "app", "app", "app" },
      { "name", "name", "name", at = "var.input.name" },
      { "region", "region", "region", at = "var.input.region" },
    },
  })
  local call = opkit.gql(row, { name = "n" })
  t.eq(call.name, "M")
  t.eq(call.is_mutation, true)
  t.eq(call.variables, { input = { name = "n" } })
end)

local FLYCTL = support.row({
  flyctl = { "secrets", "set", "--app={app}", { when = "stage", "--stage" },
    { when = "region", "--region={region}" }, "{names}" },
  params = {
    { "app", "app", "app", required = true },
    { "names", "name", "names", many = true, pos = 1 },
    { "stage", "boolean", "stage" },
    { "region", "region", "region" },
  },
})

t.test("flyctl gets whole words, lists spread, groups only when given", function()
  t.eq(opkit.flyctl(FLYCTL, { app = "a b", names = { "X", "$(id)" } }),
    { "secrets", "set", "--app=a b", "X", "$(id)" })
  t.eq(opkit.flyctl(FLYCTL, { app = "a", names = {}, stage = true, region = "iad" }),
    { "secrets", "set", "--app=a", "--stage", "--region=iad" })
  t.eq(opkit.flyctl(FLYCTL, { app = "a", names = {}, stage = false }),
    { "secrets", "set", "--app=a" })
end)

t.test("no value becomes a flag", function()
  local words, e = opkit.flyctl(FLYCTL, { app = "a", names = { "--force" } })
  t.err(words, e, "must not start with a dash")
  words, e = opkit.flyctl(FLYCTL, { app = "a", names = { "--", "--force" } })
  t.err(words, e, "must not start with a dash")
  words, e = opkit.flyctl(FLYCTL, { app = "a", names = { "ok", "-f" } })
  t.err(words, e, "must not start with a dash")
end)

t.test("after -- everything is free, and a joined value too", function()
  local row = support.row({
    flyctl = { "exec", "--region={region}", "--", "{command}" },
    params = {
      { "command", "string", "command", many = true, pos = 1 },
      { "region", "string", "region" },
    },
  })
  t.eq(opkit.flyctl(row, { command = { "ls", "-l" }, region = "-x" }),
    { "exec", "--region=-x", "--", "ls", "-l" })
end)

t.test("what goes to standard input is handed over apart", function()
  local row = support.row({
    flyctl = { "secrets", "import" }, stdin = "values",
    params = { { "values", "secret", "the values" } },
  })
  local words, stdin = opkit.flyctl(row, { values = io.stdout })
  t.eq(words, { "secrets", "import" })
  t.ok(stdin == io.stdout)
end)

t.test("a row describes what it calls", function()
  t.eq(opkit.describe(FLYCTL), "flyctl secrets set --app={app} {names}")
  t.eq(opkit.describe(support.row({})), "POST /v1/things")
  t.eq(opkit.describe(support.row({ gql = "mutation Do { x }" })), "GraphQL Do")
  t.eq(opkit.describe(support.row({ run = function() end, calls = { "a.b", "c.d" } })),
    "a.b, c.d")
end)
