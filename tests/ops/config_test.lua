--- Changing configs: lease, current version, byte-exact texts, versions kept.

local json = require "base.json"
local support = require "ops.support"
local t = require "kit"
local tbl = require "base.tbl"

local failure, run = support.failure, support.run

local CONFIG = '{"image":"nginx","guest":{"cpu_kind":"shared","cpus":1, "memory_mb":256},'
  .. '"big":123456789012345678901234567890,"list":[ ],"env":{ }}'

local function machine(fields)
  local parts = { '"id":"1","region":"iad","host_status":"ok"' }
  for key, value in tbl.sorted(fields) do
    parts[#parts + 1] = json.encode(key) .. ":" .. json.encode(value)
  end
  return "{" .. table.concat(parts, ",") .. ',"config":' .. CONFIG .. "}"
end

-- Replies of an update that works: the version is v1 before and v2 after.
local function working(state, sent)
  local version = "v1"
  return {
    ["machines.get"] = function()
      return machine({ state = state, instance_id = version })
    end,
    ["machines.update_once"] = function(args)
      version = "v2"
      sent[#sent + 1] = args
      return { id = "1", state = "starting", instance_id = "v2", region = "iad" }
    end,
  }
end

t.test("an update sends the whole config back, all else byte for byte", function()
  local sent = {}
  local rows, e, ctx = run("machines.update", { app = "web", id = { "1" }, memory = "512MB" },
    working("started", sent))
  t.eq(e, nil)
  t.eq(rows[1].outcome, "done")
  t.eq(tostring(sent[1].config), (CONFIG:gsub("256", "512")))
  t.eq(sent[1].current_version, "v1")
  t.eq(sent[1].skip_launch, nil)
  t.eq(ctx.calls, { "lease web 1", "machines.get web 1", "machines.update_once web 1",
    "wait web 1 started", "machines.get web 1", "release web 1" })
  t.eq(ctx.nonces[3], "nonce of 1")
end)

t.test("a machine that is stopped stays stopped", function()
  local sent = {}
  local _, _, ctx = run("machines.update", { app = "web", id = { "1" }, image = "new" },
    working("stopped", sent))
  t.eq(sent[1].skip_launch, true)
  t.ok(tbl.contains(ctx.calls, "wait web 1 stopped"))
end)

t.test("a change that changes nothing sends nothing", function()
  local sent = {}
  local rows, _, ctx = run("machines.update", { app = "web", id = { "1" }, image = "nginx" },
    working("started", sent))
  t.eq(rows[1].outcome, "unchanged")
  t.eq(#sent, 0)
  t.eq(ctx.calls, { "lease web 1", "machines.get web 1", "release web 1" })
end)

t.test("a version the platform took back is a failure", function()
  local replies = working("started", {})
  replies["machines.get"] = machine({ state = "started", instance_id = "v1" })
  local rows, e = run("machines.update", { app = "web", id = { "1" }, image = "bad" }, replies)
  t.err(rows, e, "server")
  t.match(e.message, "was put back to its earlier version")
  t.match(e.hint, "machines events 1")
end)

t.test("a size that does not fit is refused before anything is sent", function()
  local sent = {}
  local rows, e = run("machines.update", { app = "web", id = { "1" }, cpus = 8 },
    working("started", sent))
  t.err(rows, e, "invalid")
  t.eq(#sent, 0)
end)

t.test("a machine on an unreachable host is left alone", function()
  local text = machine({ state = "started" }):gsub('"host_status":"ok"',
    '"host_status":"unreachable"')
  local rows, e, ctx = run("machines.update", { app = "web", id = { "1" }, image = "x" },
    { ["machines.get"] = text })
  t.err(rows, e, "host of machine 1 is unreachable")
  t.eq(ctx.calls[#ctx.calls], "release web 1")
end)

t.test("a stale version is a conflict, and the lease goes back", function()
  local replies = working("started", {})
  replies["machines.update_once"] = failure("conflict", 409)
  local rows, e, ctx = run("machines.update", { app = "web", id = { "1" }, image = "x" }, replies)
  t.err(rows, e, "conflict")
  t.eq(ctx.calls[#ctx.calls], "release web 1")
end)

t.test("scaling resizes every machine of the group, one after another", function()
  local sent = {}
  local replies = working("stopped", sent)
  replies["machines.list_app"] = {
    { id = "2", state = "stopped", config = { metadata = { fly_process_group = "web" } } },
    { id = "1", state = "stopped", config = { metadata = { fly_process_group = "web" } } },
    { id = "3", state = "stopped", config = { metadata = { fly_process_group = "worker" } } },
    { id = "4", state = "destroyed" },
  }
  local rows = run("scale.memory", { app = "web", memory = 512, group = "web" }, replies)
  t.eq(support.pluck(rows, "id"), { "1", "2" })
  rows = run("scale.vm", { app = "web", size = "performance-1x" }, replies)
  t.eq(#rows, 3)
  t.match(tostring(sent[3].config), '"cpu_kind":"performance","cpus":1, "memory_mb":2048')
  local none, e = run("scale.cpu", { app = "web", cpus = 2, group = "nope" }, replies)
  t.err(none, e, "has no machines in group nope")
end)

t.test("deploying secrets updates machines with their own config", function()
  local sent = {}
  local replies = working("started", sent)
  replies["machines.list_app"] = { { id = "1", state = "started" } }
  run("secrets.deploy", { app = "web", version = 7 }, replies)
  t.eq(tostring(sent[1].config), CONFIG)
  t.eq(sent[1].min_secrets_version, 7)
end)
