--- Operations carried out through the client, against a scripted server.

local client = require "fly.client"
local err = require "base.err"
local json = require "base.json"
local opkit = require "opkit"
local script = require "fly.script"
local secret = require "sys.secret"
local t = require "kit"
local task = require "sys.task"
local tbl = require "base.tbl"

opkit.resource { id = "clienttest", title = "Rows for tests" }

local APP = { "app", "app", "name of the app", required = true }
local ORG = { "org", "org", "slug of the organization", required = true }

local function row(verb, fields)
  opkit.op(tbl.merge({
    id = "clienttest." .. verb, title = "A row for a test", effect = "read", returns = "any",
    limit = fields.http and "none" or nil,
  }, fields))
end

row("get", { http = { "GET", "/v1/apps/{app}" }, params = { APP } })
row("list", {
  http = { "GET", "/v1/apps/{app}/things" }, params = { APP }, page = "header",
  returns = { list = "any" },
})
local THING = { object = {
  id = "string", size = "integer?", inner = { object = { a = "string?" }, optional = true },
} }
row("typed", { http = { "GET", "/v1/apps/{app}" }, params = { APP }, returns = THING })
row("make", {
  http = { "POST", "/v1/apps/{app}" }, params = { APP }, returns = THING, effect = "write",
})
row("chained", {
  calls = { "clienttest.typed", "clienttest.get" },
  params = { APP, { "then_app", "json", "what is looked at next" } },
  run = function(ctx, args)
    local thing, e = ctx.call("clienttest.typed", { app = args.app })
    if not thing then
      return nil, e
    end
    return ctx.call("clienttest.get", { app = args.then_app or thing.next_app })
  end,
})
row("typed_list", {
  http = { "GET", "/v1/apps/{app}/things" }, params = { APP }, page = "header",
  returns = { list = THING },
})
row("listed", {
  http = { "GET", "/v1/orgs/{org}/things" }, params = { ORG }, page = "body", items = "things",
  returns = { list = "any" },
})
row("stop", {
  http = { "POST", "/v1/apps/{app}/stop" }, effect = "write", params = { APP, {
    "signal", "name", "what to send",
  } }, body = "optional", lease = "optional",
})
row("lease", {
  http = { "POST", "/v1/apps/{app}/lease" }, effect = "write", params = { APP }, item = "data",
})
row("orgs", {
  gql = [[query Orgs($first: Int = 50, $after: String) {
    orgs(first: $first, after: $after) { nodes { slug } pageInfo { hasNextPage endCursor } }
  }]],
  items = "orgs.nodes", page = "graphql", returns = { list = "any" },
})
row("viewer", { gql = "query Viewer { viewer { email } }", item = "viewer" })
row("rename", {
  gql = "mutation Rename($app: String!) { rename(app: $app) { id } }", item = "rename",
  effect = "write", params = { APP },
})
row("all", {
  calls = { "clienttest.listed", "clienttest.get" },
  params = { { "slugs", "name", "where to look", many = true, default = { "a", "b" } } },
  returns = { list = "any" },
  run = function(ctx, args)
    local lists, failed = ctx.map(args.slugs, function(slug)
      local items, e = ctx.call("clienttest.listed", { org = slug })
      if not items and e.kind == "not_found" then
        ctx.notice("left out " .. slug)
        return {}
      end
      return items, e
    end)
    return lists and json.array(tbl.flatten(lists)), failed
  end,
})
row("streamed", {
  calls = { "clienttest.listed" }, returns = { list = "any" },
  run = function(ctx)
    local kept = json.array {}
    local count, e = ctx.call("clienttest.listed", { org = "a" }, { each = function(item)
      if ctx.each then
        return ctx.each(item)
      end
      kept[#kept + 1] = item
    end })
    return count and kept, e
  end,
})
row("sneaky", {
  calls = { "clienttest.get" }, run = function(ctx)
    return ctx.call("clienttest.stop", { app = "web" })
  end,
})

--- A client whose server is a script; the secret is a real one.
local function open(answer, settings, options)
  local deps = script.deps(answer, tbl.merge({
    token = secret.new("fo1_test"), token_source = "FLY_API_TOKEN",
    bases = { machines = "https://m.example.com", api = "https://a.example.com" },
  }, settings or {}))
  local made = client.new(tbl.merge({
    settings = deps.settings, http = deps.http, limiter = deps.limiter, now = deps.now,
    wall = deps.wall, random = deps.random, sleep = deps.sleep, log = deps.log, version = "1.2.3",
  }, options or {}))
  t.cleanup(function()
    made:close()
  end)
  return made, deps
end

local function replies(list, settings, options)
  return open(script.sequence(list), settings, options)
end

t.test("a detail is the reply's object", function()
  local c, deps = replies { {
    body = '{"id":"x","n":null,"l":null,"e":[]}', headers = { ["fly-request-id"] = "r-9" },
  } }
  local value, info = c:call("clienttest.get", { app = "web" })
  t.eq(value, { id = "x", e = {} })
  t.eq(info, { requests = 1, warnings = {}, request_id = "r-9" })
  t.eq(deps.requests[1].url, "https://m.example.com/v1/apps/web")
  t.eq(deps.requests[1].headers["User-Agent"], "clanker/1.2.3")
  t.ok(deps.requests[1].headers["Authorization"]:equals("Bearer fo1_test"))
end)

t.test("a detail that is no object is a protocol error", function()
  for _, body in ipairs { "3", '"text"', "true", "[]", '[{"id":1}]' } do
    local value, e = replies({ { body = body } }):call("clienttest.typed", { app = "web" })
    t.err(value, e, "protocol")
    t.has(e.message, "not what was asked for")
  end
end)

t.test("a detail with nothing of what was asked for is a protocol error", function()
  for _, body in ipairs { "{}", '{"message":"ok"}', '{"id":null,"size":3}', '{"id":[]}' } do
    local value, e = replies({ { body = body } }):call("clienttest.typed", { app = "web" })
    t.err(value, e, "protocol")
  end
end)

t.test("what was made and came without its id may be there all the same", function()
  local value, e = replies({
    { body = '{"size":3}', headers = { ["fly-request-id"] = "r-3" } },
  }):call("clienttest.make", { app = "web" })
  t.err(value, e, "protocol")
  t.eq(e.request_id, "r-3")
  t.has(e.hint, "look before repeating")
  t.eq(replies({ { body = '{"id":"a"}' } }):call("clienttest.make", { app = "web" }).id, "a")
end)

t.test("what a reply lacks for the next request is no mistake of the caller", function()
  local c, deps = replies { { body = '{"id":"a"}' } }
  local value, e = c:call("clienttest.chained", { app = "web" })
  t.err(value, e, "protocol")
  t.has(e.message, "clienttest.get: missing app")
  t.eq(#deps.requests, 1)
  value, e = replies({ { body = '{"id":"a"}' } }):call("clienttest.chained",
    { app = "web", then_app = 7 })
  t.err(value, e, "usage")
end)

t.test("members of another type are left out and told, not handed on", function()
  local value, info = replies({
    { body = '{"id":7,"size":"x","inner":[],"more":[1]}' },
  }):call("clienttest.typed", { app = "web" })
  t.eq(value, { id = "7", more = { 1 } })
  t.eq(info.warnings, { "left out 2 values of another type than the API says, such as inner" })
  value, info = replies({
    { body = '[{"id":"a","size":1},{"id":{},"size":2}]' },
  }):call("clienttest.typed_list", { app = "web" })
  t.eq(value, { { id = "a", size = 1 }, { size = 2 } })
  t.eq(info.warnings, { "left out 1 value of another type than the API says, such as id" })
end)

t.test("a list is an array, whatever stands for an empty one", function()
  for _, body in ipairs { "[]", "null" } do
    local value = replies({ { body = body } }):call("clienttest.list", { app = "web" })
    t.eq(json.encode(value), "[]", body)
  end
  for _, body in ipairs { "{}", '{"things":null}', '{"things":[]}' } do
    local value = replies({ { body = body } }):call("clienttest.listed", { org = "o" })
    t.eq(json.encode(value), "[]", body)
  end
end)

t.test("pages are followed with the cursor in the query", function()
  local c, deps = replies {
    { body = '[{"id":1}]', headers = { ["fly-next-cursor"] = "a b" } }, { body = '[{"id":2}]' },
  }
  t.eq(c:call("clienttest.list", { app = "web" }), { { id = 1 }, { id = 2 } })
  t.eq(deps.requests[2].url, "https://m.example.com/v1/apps/web/things?cursor=a%20b")
end)

t.test("GraphQL pages are followed with the cursor in the variables", function()
  local function page(slug, info)
    return { body = json.encode { data = { orgs = {
      nodes = json.array { { slug = slug } }, pageInfo = info,
    } } } }
  end
  local c, deps = replies {
    page("a", { hasNextPage = true, endCursor = "k" }), page("b", { hasNextPage = false }),
  }
  t.eq(c:call("clienttest.orgs"), { { slug = "a" }, { slug = "b" } })
  t.eq(deps.requests[1].url, "https://a.example.com/graphql")
  t.eq(json.decode(deps.requests[1].body).variables, {})
  t.eq(json.decode(deps.requests[2].body).variables, { after = "k" })
end)

t.test("a GraphQL failure under status 200 is a failure", function()
  local c = replies { {
    body = '{"data":null,"errors":[{"message":"no","extensions":{"code":"UNAUTHORIZED"}}]}',
  } }
  local _, e = c:call("clienttest.viewer")
  t.eq(e.kind, "auth")
  t.match(e.hint, "FLY_API_TOKEN")
end)

t.test("queries are repeated, mutations are not", function()
  local c, deps = replies {
    { status = 502 }, { body = '{"data":{"viewer":{"email":"a@example.com"}}}' },
  }
  t.eq(c:call("clienttest.viewer").email, "a@example.com")
  t.eq(#deps.requests, 2)
  t.match(deps.lines[1], "^POST https://a%.example%.com/graphql %(Viewer%): 502 in")
  c, deps = replies { { status = 502 } }
  t.err(nil, select(2, c:call("clienttest.rename", { app = "web" })), "server")
  t.eq(#deps.requests, 1)
end)

t.test("a reply that is wrapped and one that is not give the same", function()
  for _, body in ipairs { '{"status":"success","data":{"nonce":"n"}}', '{"nonce":"n"}' } do
    t.eq(replies({ { body = body } }):call("clienttest.lease", { app = "a" }).nonce, "n", body)
  end
end)

t.test("a write without a body in its reply gives an empty object", function()
  local value = replies({ { status = 202, body = "" } }):call("clienttest.stop", { app = "a" })
  t.eq(value, {})
end)

t.test("a held lease's nonce goes along", function()
  local c, deps = replies { { body = "{}" } }
  t.ok(c:call("clienttest.stop", { app = "a" }, { nonce = "n1" }))
  t.eq(deps.requests[1].headers["fly-machine-lease-nonce"], "n1")
end)

t.test("arguments are checked before anything is sent", function()
  local c, deps = replies {}
  t.err(nil, select(2, c:call("clienttest.get", {})), "usage")
  t.err(nil, select(2, c:call("clienttest.get", { app = "a", nope = 1 })), "usage")
  t.err(nil, select(2, c:call("clienttest.get", { app = ".." })), "usage")
  t.err(nil, select(2, c:call("clienttest.nope", {})), "usage")
  t.eq(#deps.requests, 0)
end)

t.test("without a token a call says how to give one, and sends nothing", function()
  local c, deps = replies({}, { token = false })
  local e = t.err(nil, select(2, c:call("clienttest.get", { app = "a" })), "auth")
  t.has(e.hint, "--api-token-file")
  t.eq(err.exit_code(e), 3)
  t.eq(#deps.requests, 0)
end)

t.test("a wrong token is an auth error that says where it came from", function()
  local c = replies { { status = 401, body = '{"error":"unauthorized"}' } }
  local e = t.err(nil, select(2, c:call("clienttest.get", { app = "a" })), "auth")
  t.has(e.hint, "FLY_API_TOKEN")
end)

t.test("an unknown app and an unknown organization say how to see the known ones", function()
  local c = replies { { status = 404, body = '{"error":"app not found"}' } }
  local e = t.err(nil, select(2, c:call("clienttest.get", { app = "nope" })), "not_found")
  t.has(e.hint, "list apps")
  c = replies { { status = 404, body = "" } }
  e = t.err(nil, select(2, c:call("clienttest.listed", { org = "nope" })), "not_found")
  t.has(e.hint, "list orgs")
end)

t.test("raw is the server's text: verbatim for one reply, merged for several", function()
  local body = '{"things":[{"id": 1.0}] }'
  t.eq(replies({ { body = body } }):call("clienttest.listed", { org = "o" }, { raw = true }), body)
  t.eq(replies({ { body = '{ "id" : 1 }' } }):call("clienttest.get", { app = "a" }, { raw = true }),
    '{ "id" : 1 }')
  local c = replies {
    { body = '{"things":[{"id": 1.0}],"next_cursor":"c"}' }, { body = '{"things":[{"id":2}]}' },
  }
  t.eq(c:call("clienttest.listed", { org = "o" }, { raw = true }), '[{"id": 1.0},{"id":2}]')
end)

--- Serves `things` by organization: a body, or a function that gives a reply.
local function by_org(bodies)
  return function(request)
    local slug = request.url:match("/orgs/(%w+)/")
    local body = bodies[slug]
    if type(body) == "table" then
      return body
    end
    return { body = body }
  end
end

local TWO = { a = '{"things":[{"id": "a1"},{"id": "a2"}]}', b = '{"things":[{"id": "b1"}]}' }

t.test("a row of several calls gives its result in the items' order", function()
  local c, deps = open(by_org(TWO))
  local value, info = c:call("clienttest.all")
  t.eq(value, { { id = "a1" }, { id = "a2" }, { id = "b1" } })
  t.eq(info.requests, 2)
  t.eq(#deps.requests, 2)
end)

t.test("raw of a row of several calls keeps the server's texts", function()
  t.eq(open(by_org(TWO)):call("clienttest.all", {}, { raw = true }),
    '[{"id": "a1"},{"id": "a2"},{"id": "b1"}]')
  t.eq(open(by_org(TWO)):call("clienttest.all", { slugs = { "a" } }, { raw = true }), TWO.a)
  t.eq(open(by_org(TWO)):call("clienttest.streamed", {}, { raw = true }), TWO.a)
end)

t.test("each gets the items of a row of several calls, streamed or not", function()
  for _, id in ipairs { "clienttest.all", "clienttest.streamed" } do
    local got = {}
    local count = open(by_org(TWO)):call(id, {}, { each = function(item)
      got[#got + 1] = item.id
    end })
    t.eq(count, #got, id)
    t.eq(table.concat(got, " "), id == "clienttest.all" and "a1 a2 b1" or "a1 a2")
  end
end)

t.test("what a row leaves out is told as a warning", function()
  local c = open(by_org { a = TWO.a, b = { status = 404, body = "{}" } })
  local value, info = c:call("clienttest.all")
  t.eq(#value, 2)
  t.eq(info.warnings, { "left out b" })
end)

t.test("a failure in one of several calls is the failure of all", function()
  local c = open(by_org { a = TWO.a, b = { status = 403, body = '{"error":"no"}' } })
  local _, e = c:call("clienttest.all")
  t.eq(e.kind, "forbidden")
end)

t.test("a row cannot call what it does not name", function()
  t.raises(function()
    replies({}):call("clienttest.sneaky")
  end, "does not name")
end)

t.test("calls run at the same time, but no more than allowed", function()
  local running, most = 0, 0
  local answer = function()
    running = running + 1
    most = math.max(most, running)
    task.sleep(0.005)
    running = running - 1
    return { body = '{"things":[]}' }
  end
  local slugs = {}
  for i = 1, 40 do
    slugs[i] = "org" .. i
  end
  t.ok(open(answer, nil, { concurrency = 8 }):call("clienttest.all", { slugs = slugs }))
  t.eq(most, 8)
end)

t.test("a time limit ends the call, its request and its children", function()
  local ended = 0
  local answer = function()
    local _ <close> = setmetatable({}, { __close = function()
      ended = ended + 1
    end })
    task.sleep(60)
  end
  local _, e = open(answer, nil, { now = task.now }):call("clienttest.all", {}, { timeout = 0.02 })
  t.eq(e.kind, "timeout")
  t.match(e.hint, "longer with %-%-timeout")
  t.eq(err.exit_code(e), 7)
  t.eq(ended, 2)
  _, e = open(answer, { timeout = 0.02 }, { now = task.now }):call("clienttest.get", { app = "a" })
  t.eq(e.kind, "timeout")
end)

t.test("cancelling the caller aborts what it waits for", function()
  local ended = 0
  local c = open(function()
    local _ <close> = setmetatable({}, { __close = function()
      ended = ended + 1
    end })
    task.sleep(60)
  end)
  local running = task.spawn(function()
    c:call("clienttest.all")
  end)
  task.sleep(0)
  running:cancel()
  local ok, e = running:join()
  t.eq(ok, false)
  t.ok(task.is_canceled(e))
  t.eq(ended, 2)
end)

t.test("log lines never hold the token", function()
  local c, deps = replies { { status = 500, body = "{}" }, { body = "{}" } }
  c:call("clienttest.stop", { app = "a" })
  for _, line in ipairs(deps.lines) do
    t.lacks(line, "fo1_test")
  end
end)

t.test("a closed client cannot be used by accident", function()
  local c = replies { { body = "{}" }, { body = "{}" } }
  t.ok(c:call("clienttest.get", { app = "a" }))
  c:close()
  c:close()
end)
