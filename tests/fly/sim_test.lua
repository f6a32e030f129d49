--- The client against the simulated account: limits, pages, mishaps, leases, waits.

require "ops"

local client = require "fly.client"
local err = require "base.err"
local http = require "sys.http"
local json = require "base.json"
local opkit = require "opkit"
local rate = require "sys.rate"
local registry = require "opkit.registry"
local schema = require "base.schema"
local secret = require "sys.secret"
local sim = require "sim"
local t = require "kit"
local task = require "sys.task"
local tbl = require "base.tbl"

opkit.resource { id = "simtest", title = "Rows for tests" }

local MACHINE = {
  { "app", "app", "app the machine belongs to", required = true },
  { "id", "machine", "id of the machine", required = true },
}

local function action(verb, method, effect)
  opkit.op {
    id = "simtest." .. verb, title = "Change a machine", effect = effect or "write",
    http = { method or "POST", "/v1/apps/{app}/machines/{id}"
      .. (method and "" or "/" .. verb) },
    body = "optional", limit = "machine", lease = "optional", params = MACHINE,
    confirm = effect == "destroy" and "Destroy {id}?" or nil,
  }
end

action "stop"
action "start"
action("destroy", "DELETE", "destroy")

-- A write as rows will be: under a lease, with its post-condition.
local function row_with(verb, state)
  opkit.op {
    id = "simtest.do_" .. verb, title = "Change a machine", effect = "write",
    calls = { "simtest." .. verb }, params = MACHINE,
    run = function(ctx, args)
      return ctx.lease({ app = args.app, id = args.id }, function(lease)
        local done, e = ctx.call("simtest." .. verb, args, { nonce = lease.nonce })
        if not done then
          return nil, e
        end
        return ctx.wait { app = args.app, id = args.id, state = state, timeout = 30 }
      end)
    end,
  }
end

row_with("stop", "stopped")
row_with("start", "started")
row_with("destroy", "destroyed")

-- For accounts without limits: nothing to wait for.
local UNLIMITED = {
  acquire = function() return true end,
  delay = function() return 0 end,
  penalize = function() end,
}

--- A simulator and a client of it. `options` are the simulator's, and of the
--- client: `org`, `user_token`, `log`.
local function open(options)
  options = options or {}
  local running = assert(sim.start(tbl.merge({ limits = true }, options)))
  local c = client.new {
    settings = {
      token = secret.new(options.user_token or running.token), token_source = "the test",
      bases = { machines = running.url, api = running.url }, org = options.org,
    },
    log = options.log,
    limiter = options.limits == false and UNLIMITED or nil,
  }
  t.cleanup(function()
    c:close()
    http.close()
    running.stop()
  end)
  return c, running
end

local function ids(list)
  local found = {}
  for i, item in ipairs(list) do
    found[i] = item.id
  end
  table.sort(found)
  return table.concat(found, " ")
end

--- A machine of the demo account in this state.
local function machine_in(c, state)
  return t.ok(tbl.find(assert(c:call("machines.list")), function(machine)
    return machine.state == state
  end))
end

-- What the parameters of reads are in the demo account.
local function demo_args(c, op)
  local machine = machine_in(c, "started")
  local values = { app = machine.app, id = machine.id, org = "acme", state = "started" }
  local listing = registry.get(op.resource .. ".list")
  if op.resource == "certs" then
    values.app = "my-app"
    local cert = assert(c:call("certs.list", { app = values.app }))[1]
    values.hostname = cert and cert.hostname
  elseif listing and not tbl.find(listing.params, function(param) return param.required end) then
    local items = c:call(listing.id)
    local first = items and items[1] or {}
    values.app, values.id = first.app or values.app, first.id
  end
  local args = {}
  for _, param in ipairs(op.params) do
    if param.required and values[param.name] == nil then
      return nil -- the demo account has none
    elseif param.required then
      args[param.name] = values[param.name]
    end
  end
  return args
end

t.test("every read of the table gives what its row says it returns", function()
  local c = open { limits = false }
  local asked = 0
  for _, op in ipairs(registry.all { hidden = true }) do
    local args = op.effect == "read" and op.resource ~= "simtest" and op.id ~= "leases.get"
      and not op.flyctl
      and demo_args(c, op)
    local value, e
    if args then
      value, e = c:call(op.id, args)
    end
    if value ~= nil then
      local ok, why = schema.validate(value, opkit.returns(op))
      t.ok(ok, op.id .. ": " .. tostring(why))
      asked = asked + 1
    else -- only what cannot be guessed may be missing
      t.ok(not args or e.kind == "usage", op.id .. ": " .. tostring(e))
    end
  end
  t.ok(asked > 10)
end)

t.test("pages of every style give the same as one page", function()
  local c = open { limits = false, org = "acme" }
  local whole = assert(c:call("machines.list_org", { org = "acme" }))
  local paged, info = c:call("machines.list_org", { org = "acme", limit = 1 })
  t.eq(ids(paged), ids(whole))
  t.ok(info.requests >= #whole)
  whole = assert(c:call("machines.list_app", { app = "my-app" }))
  paged, info = c:call("machines.list_app", { app = "my-app", limit = 1 })
  t.eq(ids(paged), ids(whole))
  t.ok(info.requests >= #whole)
  t.eq(#whole, 3)
end)

t.test("a burst of calls waits for the limits instead of being refused", function()
  local lines = {}
  local c = open { log = function(line) lines[#lines + 1] = line end }
  local started = task.now()
  local _, info = nil, nil
  for _ = 1, 5 do
    _, info = assert(c:call("apps.get", { app = "my-app" }))
    t.eq(info.requests, 1, "none was refused and repeated")
  end
  t.ok(task.now() - started >= 1.9, "five at one per second with a burst of three")
  for _, line in ipairs(lines) do
    t.lacks(line, ": 429 in ")
  end
end)

t.test("two clients that share a limiter stay within the limits together", function()
  local shared = assert(rate.open(t.tmpdir() .. "/limits"))
  local running = assert(sim.start { limits = true })
  local function another()
    return client.new { limiter = shared, settings = {
      token = secret.new(running.token), bases = { machines = running.url, api = running.url },
    } }
  end
  local a, b = another(), another()
  local requests = 0
  task.map({ a, b, a, b, a }, 5, function(c)
    local _, info = assert(c:call("apps.get", { app = "my-app" }))
    requests = requests + info.requests
  end)
  t.eq(requests, 5)
  a:close()
  b:close()
  shared:close()
  http.close()
  running.stop()
end)

t.test("a refusal that comes nevertheless is waited out", function()
  local c = open { fault = "GET /v1/apps/my-app:429,retry-after=1*1" }
  local started = task.now()
  local value, info = c:call("apps.get", { app = "my-app" })
  t.eq(value.name, "my-app")
  t.eq(info.requests, 2)
  t.ok(task.now() - started >= 1)
end)

t.test("reads survive what passes: errors, resets, cut replies", function()
  for _, fault in ipairs { "503*2", "502*1", "reset*2", "truncate*1", "lost*1" } do
    local c = open { fault = "/v1/apps/my-app:" .. fault, limits = false }
    local value, e = c:call("apps.get", { app = "my-app" })
    t.ok(value, fault .. ": " .. tostring(e))
  end
end)

t.test("replies that are no replies are typed errors", function()
  local want = { html = "protocol", empty = "protocol", text = "protocol", garbage = "protocol" }
  for body, kind in pairs(want) do
    local c = open { fault = "/v1/apps/my-app*:" .. body, limits = false }
    t.err(nil, select(2, c:call("apps.get", { app = "my-app" })), kind)
    t.err(nil, select(2, c:call("machines.list_app", { app = "my-app" })), nil)
  end
  local c = open { fault = "/graphql:html", limits = false }
  t.err(nil, select(2, c:call("orgs.list")), "protocol")
end)

t.test("a write that may have happened is not repeated, and says so", function()
  local c = open { fault = "POST /*/stop:lost", limits = false }
  local machine = machine_in(c, "started")
  local _, e = c:call("simtest.stop", { app = machine.app, id = machine.id })
  t.eq(e.kind, "network")
  t.match(e.hint, "may or may not")
  t.ok(c:call("machines.get", { app = machine.app, id = machine.id }).state ~= "started")
end)

t.test("a wrong token, an unknown app and an unknown organization are told apart", function()
  local c = open { user_token = "fo1_wrong", limits = false }
  for _, id in ipairs { "orgs.list", "apps.list" } do
    local e = t.err(nil, select(2, c:call(id)), "auth")
    t.eq(err.exit_code(e), 3)
  end
  c = open { limits = false }
  local e = t.err(nil, select(2, c:call("machines.list", { app = "no-such-app" })), "not_found")
  t.eq(err.exit_code(e), 4)
  t.ok(e.request_id)
  e = t.err(nil, select(2, c:call("apps.list", { org = "no-such-org" })), "forbidden")
  t.eq(err.exit_code(e), 3)
  t.has(e.hint, "list orgs")
  e = t.err(nil, select(2, c:call("orgs.list", { org = "no-such-org" })), "not_found")
  t.eq(err.exit_code(e), 4)
end)

t.test("odd app names are not found, and never something else", function()
  local c = open { limits = false }
  for _, name in ipairs {
    "my-app/machines", "../apps/my-app", "my-app/../my-app", "my app", "\u{1F600}", "my-app?x=1",
    "my-app%2Fmachines", "MY-APP ",
  } do
    local value, e = c:call("apps.get", { app = name })
    t.eq(value, nil, name)
    t.ok(e.status == 404 or e.status == 400, name)
  end
end)

t.test("a write under a lease reaches its state and leaves no lease behind", function()
  local c = open { limits = false }
  local machine = machine_in(c, "started")
  local at = { app = machine.app, id = machine.id }
  t.eq(c:call("simtest.do_stop", at).state, "stopped")
  t.eq(c:call("machines.get", at).state, "stopped")
  t.err(nil, select(2, c:call("leases.get", at)), "not_found")
  t.eq(c:call("simtest.do_start", at).state, "started")
  t.eq(c:call("simtest.do_destroy", at), nil, "a started one is refused")
  t.eq(c:call("simtest.do_stop", at).state, "stopped")
  t.eq(c:call("simtest.do_destroy", at).state, "destroyed")
end)

t.test("somebody else's lease is told with holder and end", function()
  local c = open { limits = false }
  local machine = machine_in(c, "started")
  local at = { app = machine.app, id = machine.id }
  local held = assert(c:call("leases.take", tbl.merge(at, { ttl = 60 })))
  local _, e = c:call("simtest.do_stop", at)
  t.eq(e.kind, "conflict")
  t.eq(err.exit_code(e), 5)
  t.ok(e.detail.lease.owner)
  t.has(e.hint, e.detail.lease.owner)
  t.ok(c:call("leases.release", at, { nonce = held.nonce }))
  t.eq(c:call("simtest.do_stop", at).state, "stopped")
end)

t.test("a cancelled write gives its lease back", function()
  local c = open { limits = false, fault = "GET /*/wait:latency=5000" }
  local machine = machine_in(c, "started")
  local at = { app = machine.app, id = machine.id }
  local running = task.spawn(function()
    c:call("simtest.do_stop", at)
  end)
  t.eventually(function()
    return c:call("leases.get", at)
  end)
  running:cancel()
  running:join()
  t.err(nil, select(2, c:call("leases.get", at)), "not_found")
end)

t.test("waiting gives up in its time and says what is instead", function()
  opkit.op {
    id = "simtest.await", title = "Wait for a machine", effect = "read", calls = {},
    params = MACHINE, returns = "any",
    run = function(ctx, args)
      return ctx.wait { app = args.app, id = args.id, state = "suspended", timeout = 1 }
    end,
  }
  local c = open { limits = false }
  local machine = machine_in(c, "started")
  local _, e = c:call("simtest.await", { app = machine.app, id = machine.id })
  t.eq(e.kind, "timeout")
  t.match(e.message, "it is started$")
end)

t.test("logs are read once, and followed through disconnects without loss", function()
  opkit.op {
    id = "simtest.follow", title = "Follow a log", effect = "read", calls = {},
    params = { MACHINE[1], { "count", "integer", "lines to read", default = 5 } },
    returns = { list = "any" },
    run = function(ctx, args)
      local lines = json.array {}
      local stopped, e = ctx.follow({ { app = args.app } }, function(line)
        lines[#lines + 1] = line
        return #lines < args.count
      end)
      return stopped and lines, e
    end,
  }
  opkit.op {
    id = "simtest.snapshot", title = "Read a log", effect = "read", calls = {},
    params = { MACHINE[1] }, returns = { list = "any" },
    run = function(ctx, args)
      return ctx.snapshot { app = args.app }
    end,
  }
  local c = open { limits = false, fault = "/api/v1/*:reset*3" }
  local lines = assert(c:call("simtest.snapshot", { app = "my-app" }))
  t.ok(#lines > 0)
  local followed = assert(c:call("simtest.follow", { app = "my-app", count = #lines }))
  t.eq(#followed, #lines)
  for i, line in ipairs(lines) do
    t.eq(followed[i].message, line.message)
  end
end)

t.test("raw of one reply is the server's own text", function()
  local c, running = open { limits = false }
  local text = assert(c:call("apps.get", { app = "my-app" }, { raw = true }))
  local reply = assert(http.request {
    url = running.url .. "/v1/apps/my-app",
    headers = { Authorization = "Bearer " .. running.token },
  })
  t.eq(text, reply.body)
  t.ok(json.decode(c:call("machines.list", {}, { raw = true }))[1].id)
end)
