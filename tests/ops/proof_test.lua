--- What a machine's record shows of a change that its state does not tell.

local proof = require "ops.flow_proof"
local t = require "kit"

local function event(id, kind, status)
  return { id = id, type = kind, status = status }
end

local BEFORE = { state = "started", updated_at = "t1",
  events = { event("b", "start", "started"), event("a", "launch", "created") } }

local function now(state, ...)
  local list = { ... }
  table.move(BEFORE.events, 1, 2, #list + 1, list)
  return { state = state, updated_at = "t2", events = list }
end

t.test("a run that began since is a restart; an order to restart is none", function()
  for _, case in ipairs({
    { false, now("started") },
    { false, now("started", event("c", "restart", "restarting")) },
    { false, now("starting", event("d", "start", "starting"), event("c", "exit", "stopped")) },
    { false, now("stopped", event("c", "exit", "stopped")) },
    { true, now("started", event("d", "start", "started"), event("c", "exit", "stopped")) },
    { true, now("started", event("c", "exit", "stopped")) },
    { true, now("started", event("c", "restart", "started")) },
    { true, now("stopped", event("d", "exit", "stopped"), event("c", "start", "started")) },
  }) do
    t.eq(proof.restarted(case[2], BEFORE), case[1], t.show(case[2].events))
  end
end)

t.test("a shorter list, or older events behind the known ones, prove nothing", function()
  t.eq(proof.restarted({ state = "started", events = { BEFORE.events[1] } }, BEFORE), false)
  t.eq(proof.restarted({ state = "started", events = { BEFORE.events[1],
    event("older", "start", "started") } }, BEFORE), false)
end)

t.test("events without ids are told apart by what they say", function()
  local start = { type = "start", status = "started", timestamp = 5 }
  local before = { state = "started", events = { start } }
  t.eq(proof.restarted({ state = "started", events = { start } }, before), false)
  t.eq(proof.restarted({ state = "started", events = {
    { type = "start", status = "started", timestamp = 9 }, start } }, before), true)
end)

t.test("a record without events shows it by its date", function()
  local before = { state = "started", updated_at = "t1" }
  t.eq(proof.restarted({ state = "started", updated_at = "t1" }, before), false)
  t.eq(proof.restarted({ state = "starting", updated_at = "t2" }, before), false)
  t.eq(proof.restarted({ state = "started", updated_at = "t2" }, before), true)
end)

t.test("a machine without the field is not cordoned", function()
  t.eq({ proof.cordoned({}), proof.uncordoned({}) }, { false, true })
  t.eq({ proof.surely_uncordoned({}), proof.surely_uncordoned({ cordoned = false }) },
    { false, true })
  t.eq({ proof.cordoned({ cordoned = true }), proof.uncordoned({ cordoned = true }) },
    { true, false })
end)
