--- What is posted, and which answers are failures although their status is 200.

local graphql = require "fly.graphql"
local json = require "base.json"
local t = require "kit"

local ABOUT = { op = "apps.list", action = "POST /graphql", app = "web" }

local function failure(body, field)
  if type(body) == "table" then
    body = json.encode(body)
  end
  return graphql.failure({ status = 200, headers = { ["fly-request-id"] = "r1" }, body = body },
    ABOUT, field)
end

local function failed(message, code)
  return failure {
    data = json.null,
    errors = json.array { { message = message, extensions = code and { code = code } } },
  }
end

t.test("the body names the operation and carries variables and cursor", function()
  local made = { text = "query ListApps { a }", name = "ListApps", variables = { org = "x" } }
  t.eq(json.decode(graphql.body(made)), {
    query = "query ListApps { a }", operationName = "ListApps", variables = { org = "x" },
  })
  t.eq(json.decode(graphql.body(made, "c1")).variables, { org = "x", after = "c1" })
  t.eq(made.variables, { org = "x" }, "the row's own variables stay as they are")
  made.variables = {}
  t.match(graphql.body(made), '"variables":{}')
end)

t.test("data without errors is no failure", function()
  t.eq(failure { data = { apps = {} } }, nil)
  t.eq(failure { data = { apps = {} }, errors = json.array {} }, nil)
  t.eq(failure { data = { apps = {} }, errors = json.null }, nil)
  t.eq(failure '  {"data" : {"apps": []}, "errors": [ ]}', nil)
end)

t.test("errors are a failure even beside data", function()
  local e = failure {
    data = { app = {} }, errors = json.array { { message = "half of it failed" } },
  }
  t.eq(e.kind, "error")
  t.eq(e.message, "half of it failed")
  t.eq(e.request_id, "r1")
end)

t.test("codes and sayings have their kinds", function()
  local want = {
    { "You must be authenticated to view this.", "UNAUTHORIZED", "auth" },
    { "You must be authenticated to view this.", nil, "auth" },
    { "Could not find App \"nope\"", nil, "not_found" },
    { "Could not find Organization", "NOT_FOUND", "not_found" },
    { "Not authorized to access this createextensiontosagreement", nil, "forbidden" },
    { "Name has already been taken", nil, "conflict" },
    { "Field 'nope' doesn't exist on type 'App'", nil, "protocol" },
    { "slow down", "RATE_LIMITED", "rate_limited" },
    { "boom", "INTERNAL_SERVER_ERROR", "server" },
    { "no changes", "UNCHANGED", "error" },
    { "something else", nil, "error" },
  }
  for _, row in ipairs(want) do
    local e = failed(row[1], row[2])
    t.eq(e.kind, row[3], row[1])
    t.eq(e.message, row[1])
    t.eq(e.code, row[2])
    t.match(e.hint, "%w+ %w+", row[1])
  end
end)

t.test("several errors are counted", function()
  local e = failure {
    errors = json.array { { message = "one" }, { message = "two" }, { message = "three" } },
  }
  t.eq(e.message, "one (and 2 more)")
end)

t.test("errors of any shape are survived", function()
  for _, errors in ipairs {
    '"text"', "3", "true", "{}", '{"message":"m"}', "[1]", '["text"]', "[null]", "[[]]",
    '[{"message":null}]', '[{"message":{}}]', '[{"extensions":[]}]', '[{"extensions":{"code":3}}]',
  } do
    local e = failure('{"data":{},"errors":' .. errors .. "}")
    t.ok(e and #e.message > 0, errors)
  end
end)

t.test("messages are cleaned", function()
  t.eq(failed("a\27[2Jb").message, "ab")
end)

t.test("what is no GraphQL answer is a protocol error", function()
  for _, body in ipairs {
    "", "  ", "<html>", "null", "[]", "{", '{"data":', "{}", '{"data":null}',
  } do
    t.eq(failure(body).kind, "protocol", body)
  end
  t.eq(graphql.failure({ status = 200 }, ABOUT).kind, "protocol")
end)

t.test("a thing asked for by name that is null does not exist", function()
  local e = failure({ data = { app = json.null } }, "app")
  t.eq(e.kind, "not_found")
  t.match(e.hint, "list apps")
  t.eq(failure({ data = { app = {} } }, "app"), nil)
  t.eq(failure({ data = { app = json.null } }), nil)
end)
