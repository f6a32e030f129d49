-- What changes machines, end to end: leases, post-conditions, failures.

local err = require "base.err"
local t = require "kit"
local task = require "sys.task"
local tbl = require "base.tbl"
local worlds = require "writes.world"

-- The parts every failure must have.
local function whole(e, kind)
  t.ok(err.is(e), tostring(e))
  t.eq(e.kind, kind, e.message)
  t.ok(e.hint, "no next step: " .. e.message)
  t.ok(e.request_id, "no request id: " .. e.message)
  return e
end

t.test("while a machine is changed it is leased, afterwards not", function()
  local account = worlds.open()
  local id = account.machine("my-app", "started").id
  local inside = account.world:get("machine", id)
  local leased = {}
  account.world.on_change = (function(before)
    return function(...)
      leased[inside.state] = inside.lease ~= nil
      return before(...)
    end
  end)(account.world.on_change)
  account.expect("machines.stop", { app = "my-app", id = { id } })
  t.eq({ leased.stopping, inside.state }, { true, "stopped" })
  account.no_lease()
end)

t.test("a failing call leaves no lease behind", function()
  for _, fault in ipairs({ "500", "403=denied", "reset", "lost", "html", "429" }) do
    local account = worlds.open({ fault = "POST /v1/apps/my-app/machines/*/stop:" .. fault })
    local id = account.machine("my-app", "started").id
    local rows, e = account.call("machines.stop", { app = "my-app", id = { id } })
    t.eq(rows, nil, fault)
    t.ok(e.message ~= "" and e.hint, fault)
    account.no_lease()
  end
end)

t.test("a write that is canceled leaves no lease behind", function()
  local account = worlds.open({ seed = { pace = 100 } })
  local id = account.machine("my-app", "started").id
  local writing = task.spawn(function()
    account.call("machines.stop", { app = "my-app", id = { id } })
  end)
  local inside = account.world:get("machine", id)
  t.eventually(function()
    return inside.state == "stopping"
  end, 10)
  t.ok(inside.lease, "the lease lasts while it is waited for")
  writing:cancel()
  writing:join()
  account.no_lease()
end)

t.test("a lease of somebody else: who, until when, what to do", function()
  local account = worlds.open()
  local id = account.machine("my-app", "started").id
  account.expect("leases.take", { app = "my-app", id = id, ttl = 60 })
  for _, change in ipairs({
    { "machines.stop" }, { "machines.restart" }, { "machines.cordon" },
    { "machines.update", { image = "other" } }, { "machines.destroy", { force = true } },
  }) do
    local rows, e = account.call(change[1],
      tbl.merge({ app = "my-app", id = { id } }, change[2] or {}))
    t.eq(rows, nil)
    whole(e, "conflict")
    t.match(e.message, "held by [%w._-]+@example.com")
    t.match(e.message, "%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d")
    t.match(e.hint, "^wait until %d.*ask [%w._-]+@example.com to finish")
    t.ok(e.detail.lease.owner and e.detail.lease.expires_at)
  end
  t.eq(account.changes(), {}, "nothing was asked for")
  t.eq(account.world:get("machine", id).state, "started")
end)

t.test("an update that the platform took back is a failure", function()
  local account = worlds.open()
  local id = account.machine("my-app", "started").id
  local before = account.expect("machines.get", { app = "my-app", id = id })
  local rows, e = account.call("machines.update",
    { app = "my-app", id = { id }, image = "registry.example.com/app:broken" })
  t.eq(rows, nil)
  whole(e, "server")
  t.match(e.message, "put back")
  t.eq(account.expect("machines.get", { app = "my-app", id = id }).config.image,
    before.config.image)
  account.no_lease()
end)

t.test("checks that do not pass are a failure, unless nobody waits", function()
  local account = worlds.open({ client = { wall = worlds.clock(1000) } })
  local id = account.machine("my-app", "started").id
  local image = "registry.example.com/app:unhealthy"
  local rows, e = account.call("machines.update",
    { app = "my-app", id = { id }, image = image })
  t.eq(rows, nil)
  whole(e, "timeout")
  t.match(e.message, "checks of machine " .. id .. " did not pass.*critical")
  t.match(e.hint, "clanker fly logs")
  account.no_lease()
  rows, e = account.call("machines.restart", { app = "my-app", id = { id } })
  t.eq(rows, nil)
  whole(e, "timeout")
  rows = account.expect("machines.restart",
    { app = "my-app", id = { id }, no_wait = true })
  t.eq(rows[1].outcome, "requested")
  account.no_lease()
end)

t.test("a machine that does not start is a failure", function()
  local account = worlds.open()
  local machine, e = account.call("machines.create",
    { app = "my-app", image = "registry.example.com/app:broken", region = "iad" })
  t.eq(machine, nil)
  whole(e, "conflict")
  t.match(e.message, "^machine %x+ was created, but: .*failed")
  machine, e = account.call("machines.create",
    { app = "my-app", image = "registry.example.com/app:missing", region = "iad" })
  t.eq(machine, nil)
  t.eq(e.kind, "invalid")
  t.ok(e.request_id)
end)

t.test("a version that is not the latest is a conflict, and nothing is done", function()
  local id = "585189504ea5e3"
  local account = worlds.open({
    fault = ("POST /v1/apps/my-app/machines/%s:409=aborted: machine is at version X")
      :format(id),
  })
  local version = account.world:get("machine", id).version
  local rows, e = account.call("machines.update",
    { app = "my-app", id = { id }, image = "other" })
  t.eq(rows, nil)
  whole(e, "conflict")
  t.eq(account.world:get("machine", id).version, version)
  account.no_lease()
end)

t.test("a machine that is gone between list and stop is told as such", function()
  local account, gone = worlds.open(), false
  local victim = account.machine("my-app", "started")
  local list = account.client.nested
  function account.client:nested(outer, id, args, opts)
    local value, e = list(self, outer, id, args, opts)
    if id == "machines.list_app" and not gone then
      gone = true
      local inside = account.world:get("machine", victim.id)
      inside.destroyed_at, inside.state = account.world:now(), "destroyed"
      account.world:drop("machine", inside)
    end
    return value, e
  end
  local rows, e = account.call("machines.stop",
    { app = "my-app", all = true, parallel = 1 })
  t.eq(rows, nil)
  whole(e, "partial")
  t.match(e.message, victim.id .. ": machine not found")
  local of = {}
  for _, row in ipairs(e.detail.results) do
    of[row.id] = row.outcome
  end
  t.eq(of[victim.id], "failed")
  account.no_lease()
end)

t.test("a quota is told as one, and nothing is made", function()
  local account = worlds.open({
    fault = "POST /v1/apps/my-app/machines:403=organization personal is over the"
      .. " allowed quota of 3 machines",
  })
  local machine, e = account.call("machines.create", { app = "my-app", image = "nginx" })
  t.eq(machine, nil)
  whole(e, "quota")
  t.match(e.hint, "billing")
end)

t.test("where there is no room, other regions are offered", function()
  local account = worlds.open({ seed = { full_regions = { "iad", "fra" } } })
  local id = account.machine("my-app", "started").id
  for _, try in ipairs({
    { "machines.create", { image = "nginx", region = "iad" } },
    { "machines.clone", { id = id, region = "fra" } },
    { "volumes.create", { name = "more", region = "fra" } },
  }) do
    local made, e = account.call(try[1], tbl.merge({ app = "my-app" }, try[2]))
    t.eq(made, nil)
    whole(e, "capacity")
    t.match(e.hint, "there is room in .*ams")
    t.lacks(e.hint, try[2].region)
  end
  t.ok(tbl.contains(account.requests, "POST /v1/platform/placements"))
end)

t.test("where a machine cannot start for want of room, a copy elsewhere is offered", function()
  local account = worlds.open({ seed = { full_regions = { "iad", "fra" } } })
  local function refused(op, args)
    local rows, e = account.call(op, tbl.merge({ app = "my-app" }, args))
    t.eq(rows, nil)
    whole(e, "capacity")
    t.match(e.hint, "^there is room in ams.*copy it: clanker fly clone %x+ %-%-region ams"
      .. " %-%-app my%-app")
    t.lacks(e.hint, "fra")
    account.no_lease()
  end
  local id = account.machine("my-app", "started").id
  account.expect("machines.stop", { app = "my-app", id = { id } })
  refused("machines.start", { id = { id } })
  t.eq(account.world:get("machine", id).state, "stopped")
  refused("machines.update", { id = { id }, memory = 2048 })
  account.expect("machines.update", { app = "my-app", id = { id }, env = { A = "1" } })
end)

t.test("a restart is done when the machine ran anew, a cordon when it is one", function()
  local account = worlds.open()
  local id = account.machine("my-app", "started").id
  local inside = account.world:get("machine", id)
  local started = inside.events[1].id
  account.expect("machines.restart", { app = "my-app", id = { id } })
  t.ok(inside.events[1].id > started)
  t.eq({ inside.events[1].type, inside.state }, { "start", "started" })
  account.expect("machines.cordon", { app = "my-app", id = { id } })
  t.eq(inside.cordoned, true)
  account.no_lease()
end)

-- A platform that says yes and then does nothing.
t.test("what was accepted and never happens is a failure", function()
  for _, verb in ipairs({ "restart", "cordon" }) do
    local account = worlds.open({
      fault = "POST /v1/apps/my-app/machines/*/" .. verb .. ":200=done",
      client = { wall = worlds.clock(1000) },
    })
    local id = account.machine("my-app", "started").id
    local rows, e = account.call("machines." .. verb, { app = "my-app", id = { id } })
    t.eq(rows, nil)
    t.eq(e.kind, "timeout")
    t.match(e.message, "nothing shows that machine " .. id .. " was " .. verb .. "e?d within")
    t.ok(e.hint)
    account.no_lease()
    rows = account.expect("machines." .. verb, { app = "my-app", id = { id }, no_wait = true })
    t.eq(rows[1].outcome, "requested")
  end
end)

t.test("a failed copy leaves no volume behind that it does not tell", function()
  local id = "585189504ea5e3" -- has a volume
  local function copy(answer)
    local account = worlds.open({ fault = "POST /v1/apps/my-app/machines:" .. answer })
    local before = #account.world:list("volume", "my-app")
    local made, e = account.call("machines.clone", { app = "my-app", id = id })
    t.eq(made, nil)
    local states = tbl.map(account.world:list("volume", "my-app"), function(volume)
      return volume.state
    end)
    t.eq(#states, before + 1, "a volume was made for the copy")
    return e, tbl.contains(states, "pending_destroy")
  end
  local e, is_gone = copy("422=no such thing")
  t.eq({ e.kind, is_gone, #e.warnings }, { "invalid", true, 0 })
  e, is_gone = copy("500=perhaps")
  whole(e, "server")
  t.eq(is_gone, false)
  t.match(e.warnings[1], "^volume vol_%w+ was made for the copy and is still there")
end)

t.test("all at once, some at a time, none after a failure", function()
  local machines = {}
  for i = 1, 12 do
    machines[i] = { name = "m" .. i, region = "iad", id = ("%014x"):format(i),
      config = { image = "nginx" } }
  end
  local account = worlds.open({
    seed = { tokens = {}, addons = {},
      apps = { { name = "many", org = "acme", machines = machines } } },
    fault = ("POST /v1/apps/many/machines/%014x/stop:500=no"):format(3),
  })
  local most, now = 0, 0
  local nested = account.client.nested
  function account.client:nested(outer, id, ...)
    local is_stop = id == "machines.stop_once"
    now = now + (is_stop and 1 or 0)
    most = math.max(most, now)
    local value, e = nested(self, outer, id, ...)
    now = now - (is_stop and 1 or 0)
    return value, e
  end
  local rows, e = account.call("machines.stop", { app = "many", all = true, parallel = 4 })
  t.eq(rows, nil)
  whole(e, "partial")
  t.eq(err.exit_code(e), 10)
  t.eq(#e.detail.results, 12)
  local count = {}
  for _, row in ipairs(e.detail.results) do
    count[row.outcome] = (count[row.outcome] or 0) + 1
  end
  t.eq(count.failed, 1)
  t.ok(count.skipped >= 4, "begun after the failure")
  t.ok(most > 1 and most <= 4, "at a time: " .. most)
  account.no_lease()
end)

t.test("a command's exit code and output come back", function()
  local account = worlds.open()
  local id = account.machine("my-app", "started").id
  local done = account.expect("machines.exec",
    { app = "my-app", id = id, command = { "sh", "-c", "exit 7" } })
  t.eq(done.exit_code, 7)
end)
