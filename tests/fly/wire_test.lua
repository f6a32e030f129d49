--- The client over real connections: what a server really sees and what comes back.

require "ops"

local client = require "fly.client"
local err = require "base.err"
local http = require "sys.http"
local json = require "base.json"
local secret = require "sys.secret"
local server = require "sys.server"
local t = require "kit"
local task = require "sys.task"

--- A server in this process and a client that knows it as both services.
---@param handler fun(req: table): integer, table?, string?
local function open(handler, options)
  local srv = assert(server.listen {})
  local serving = task.spawn(function()
    srv:serve(handler)
  end)
  local c = client.new {
    settings = {
      token = secret.new(options and options.token or "fo1_test"), token_source = "test",
      bases = { machines = srv.url, api = srv.url }, org = options and options.org,
    },
    version = "9.9.9",
  }
  t.cleanup(function()
    c:close()
    http.close()
    srv:close()
    serving:join()
  end)
  return c, srv
end

local function reply(value, status, headers)
  return status or 200, headers or {}, type(value) == "string" and value or json.encode(value)
end

t.test("the server sees the token under the right scheme, the agent and the path", function()
  local seen
  local c = open(function(req)
    seen = req
    return reply { name = "web" }
  end, { token = "FlyV1 fm2_a,fo1_b,\n  fm1r_c" })
  t.eq(c:call("apps.get", { app = "web" }).name, "web")
  t.eq(seen.method, "GET")
  t.eq(seen.target, "/v1/apps/web")
  t.eq(seen.headers["authorization"], "FlyV1 fm2_a,fm1r_c")
  t.eq(seen.headers["user-agent"], "clanker/9.9.9")
end)

t.test("odd app names reach the server as one escaped segment", function()
  local targets = {}
  local c = open(function(req)
    targets[#targets + 1] = req.target
    return reply({ error = "app not found" }, 404)
  end)
  for _, name in ipairs { "a/b", "../../v1/orgs", "a b", "\u{1F600}", "..%2f", "a?b#c" } do
    t.err(nil, select(2, c:call("apps.get", { app = name })), "not_found")
  end
  t.eq(targets, {
    "/v1/apps/a%2Fb", "/v1/apps/..%2F..%2Fv1%2Forgs", "/v1/apps/a%20b", "/v1/apps/%F0%9F%98%80",
    "/v1/apps/..%252f", "/v1/apps/a%3Fb%23c",
  })
  t.err(nil, select(2, c:call("apps.get", { app = ".." })), "usage")
end)

t.test("a machine's terminal escapes are data, and errors' are removed", function()
  local c = open(function(req)
    if req.path:find("bad") then
      return reply({ error = "no \27[31mway\27[0m" }, 400)
    end
    return reply { id = "m1", name = "x\27[2Jy" }
  end)
  t.eq(c:call("machines.get", { app = "web", id = "m1" }).name, "x\27[2Jy")
  t.eq(select(2, c:call("machines.get", { app = "web", id = "bad" })).message, "no way")
end)

t.test("GraphQL is posted to the other service", function()
  local body
  local c = open(function(req)
    body = json.decode(req.body)
    t.eq(req.target, "/graphql")
    t.eq(req.headers["content-type"], "application/json")
    return reply { data = { viewer = {
      kind = "User", email = "a@example.com", name = json.null,
    } } }
  end)
  t.eq(c:call("auth.whoami"), { kind = "User", email = "a@example.com" })
  t.eq(body.operationName, "CurrentUser")
  t.eq(body.variables, {})
end)

--- An account of `orgs` organizations with `apps` apps of `machines` machines each.
local function account(orgs, apps, machines, refuse_org)
  local counts = { orgs = 0, org_machines = 0, apps = 0, app_machines = 0 }
  local function machine(app, i)
    return { id = ("%s-m%d"):format(app, i), state = "started", region = "iad", app_name = app }
  end
  local function machines_of(app)
    local list = json.array {}
    for i = 1, machines do
      list[i] = machine(app, i)
    end
    return list
  end
  local handler = function(req)
    local seg = req.segments
    if req.path == "/graphql" then
      counts.orgs = counts.orgs + 1
      local nodes = json.array {}
      for i = 1, orgs do
        nodes[i] = { id = i, slug = "org" .. i, name = "Org " .. i }
      end
      return reply { data = { organizations = {
        nodes = nodes, pageInfo = { hasNextPage = false },
      } } }
    elseif seg[2] == "orgs" then
      counts.org_machines = counts.org_machines + 1
      if refuse_org then
        return reply({ error = "forbidden" }, 403)
      end
      local list = json.array {}
      for a = 1, apps do
        table.move(machines_of(("%s-a%d"):format(seg[3], a)), 1, machines, #list + 1, list)
      end
      return reply { machines = list }
    elseif #seg == 2 then
      counts.apps = counts.apps + 1
      local list = json.array {}
      for a = 1, apps do
        list[a] = { name = ("%s-a%d"):format(req.query.org_slug, a), machine_count = machines }
      end
      return reply { apps = list }
    end
    counts.app_machines = counts.app_machines + 1
    return reply(machines_of(seg[3]))
  end
  return handler, counts
end

t.test("one organization's machines are one request", function()
  local handler, counts = account(2, 3, 2)
  local list, info = open(handler, { org = "org2" }):call("machines.list")
  t.eq(#list, 6)
  t.eq(list[1].app, "org2-a1")
  t.eq(info.requests, 1)
  t.eq(counts, { orgs = 0, org_machines = 1, apps = 0, app_machines = 0 })
end)

t.test("without an organization every visible one is asked, at the same time", function()
  local handler, counts = account(3, 2, 1)
  local c = open(handler)
  t.eq(#c:call("machines.list"), 6)
  t.eq(#c:call("apps.list"), 6)
  t.eq(counts.orgs, 1, "the organizations are asked for once")
  t.eq(counts.org_machines, 3)
end)

--- A handler that answers the matching requests when `n` of them are there.
local function together(handler, n, matches)
  local there, all = 0, task.event()
  return function(req)
    if matches(req.segments) then
      there = there + 1
      if there == n then
        all:set()
      end
      if not all:wait(20) then
        return reply({ error = "one after the other" }, 400)
      end
    end
    return handler(req)
  end
end

t.test("organizations are asked in parallel, and so are the apps of one that refuses", function()
  local handler = account(3, 2, 1)
  local list, e = open(together(handler, 3, function(seg)
    return seg[2] == "orgs"
  end)):call("machines.list")
  t.ok(list, tostring(e))
  t.eq(#list, 6)
  handler = account(1, 4, 2, true)
  list, e = open(together(handler, 4, function(seg)
    return seg[2] == "apps" and seg[4] == "machines"
  end), { org = "org1" }):call("machines.list")
  t.ok(list, tostring(e))
  t.eq(#list, 8)
end)

t.test("where an organization's listing is refused, its apps are asked one by one", function()
  local handler, counts = account(1, 4, 2, true)
  local list = open(handler, { org = "org1" }):call("machines.list")
  t.eq(#list, 8)
  t.eq(counts, { orgs = 0, org_machines = 1, apps = 1, app_machines = 4 })
end)

t.test("raw passes the server's bytes through", function()
  local body = '{ "machines": [ {"id":"m1", "n": 1.0} ], "extra": null }'
  local c = open(function()
    return reply(body)
  end, { org = "org1" })
  t.eq(c:call("machines.list", {}, { raw = true }), body)
end)

t.test("a port nobody listens on is a network error with a hint, and soon", function()
  local c, srv = open(function() end)
  srv:close()
  local e = t.err(nil, select(2, c:call("apps.get", { app = "web" }, { timeout = 20 })), "network")
  t.eq(e.code, "ECONNREFUSED")
  t.has(e.hint, "host setting")
  t.eq(err.exit_code(e), 1)
end)

t.test("five megabytes of JSON are a value like any other", function()
  local c = open(function()
    return reply('{"name":"web","filler":"' .. ("x"):rep(5 * 1024 * 1024) .. '"}')
  end)
  t.eq(#c:call("apps.get", { app = "web" }).filler, 5 * 1024 * 1024)
end)

t.test("cancelling ends a request that is on its way", function()
  local arrived = task.event()
  local c = open(function()
    arrived:set()
    task.sleep(60)
  end)
  local running = task.spawn(function()
    c:call("apps.get", { app = "web" })
  end)
  t.ok(arrived:wait(10))
  running:cancel()
  local ok, e = running:join()
  t.eq(ok, false)
  t.ok(task.is_canceled(e))
end)

t.test("plain http to another host never leaves", function()
  local c = client.new { settings = {
    token = secret.new("fo1_test"), bases = {
      machines = "http://example.com", api = "http://example.com",
    },
  } }
  local _, e = c:call("apps.get", { app = "web" })
  t.eq(e.code, "EPERM")
  t.has(e.hint, "--allow-http")
  c:close()
  http.close()
end)
