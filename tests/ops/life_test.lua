--- Doing something to machines: order of calls, leases, waits, many at a time.

local support = require "ops.support"
local t = require "kit"
local tbl = require "base.tbl"

local failure, pluck, run = support.failure, support.pluck, support.run

local STOPPED = { id = "1", name = "one", state = "stopped", region = "iad",
  instance_id = "v1" }

t.test("a start is looked up, leased, asked for, waited for, released", function()
  local rows, e, ctx = run("machines.start", { app = "web", id = { "1" } }, {
    ["machines.get"] = STOPPED, ["machines.start_once"] = {},
  })
  t.eq(e, nil)
  t.eq(rows, { { id = "1", app = "web", name = "one", region = "iad",
    state = "started", outcome = "done" } })
  t.eq(ctx.calls, { "machines.get web 1", "lease web 1", "machines.start_once web 1",
    "wait web 1 started", "release web 1" })
  t.eq(ctx.nonces[3], "nonce of 1")
end)

t.test("what is so already is left alone", function()
  local rows, _, ctx = run("machines.stop", { app = "web", id = { "1" } },
    { ["machines.get"] = STOPPED })
  t.eq(rows[1].outcome, "unchanged")
  t.eq(ctx.calls, { "machines.get web 1" })
end)

t.test("no_wait reports what was asked for as asked for", function()
  local rows, _, ctx = run("machines.start", { app = "web", id = { "1" }, no_wait = true },
    { ["machines.get"] = STOPPED, ["machines.start_once"] = {} })
  t.eq(rows[1].outcome, "requested")
  t.eq(rows[1].state, "stopped")
  t.eq(ctx.calls[#ctx.calls], "release web 1")
end)

t.test("signal and timeout go along", function()
  run("machines.stop", { app = "web", id = { "1" }, signal = "SIGINT", timeout = "90s" }, {
    ["machines.get"] = tbl.merge(STOPPED, { state = "started" }),
    ["machines.stop_once"] = function(args)
      t.eq({ args.signal, args.timeout }, { "SIGINT", 90 })
      return {}
    end,
  })
end)

t.test("cordon is done when the machine's record shows it, not before", function()
  local looks = 0
  local replies = {
    ["machines.cordon_once"] = {},
    ["machines.get"] = function()
      looks = looks + 1
      return tbl.merge(STOPPED, { cordoned = looks == 4 })
    end,
  }
  local rows, _, ctx = run("machines.cordon", { app = "web", id = { "1" } }, replies)
  t.eq({ rows[1].outcome, rows[1].state, looks }, { "done", "stopped", 4 })
  t.eq(ctx.calls[#ctx.calls], "release web 1")
  looks = -100
  local e
  rows, e, ctx = run("machines.cordon", { app = "web", id = { "1" } }, replies)
  t.err(rows, e, "timeout")
  t.match(e.message, "nothing shows that machine 1 was cordoned within 60 s")
  t.eq(ctx.calls[#ctx.calls], "release web 1")
  rows = run("machines.cordon", { app = "web", id = { "1" }, no_wait = true }, replies)
  t.eq(rows[1].outcome, "requested")
end)

t.test("what is cordoned, or is not, needs no lease to be so", function()
  for verb, machine in pairs({ cordon = { state = "started", cordoned = true },
    uncordon = { state = "started", cordoned = false } }) do
    local rows, _, ctx = run("machines." .. verb, { app = "web", id = { "1" } },
      { ["machines.get"] = machine })
    t.eq(rows[1].outcome, "unchanged")
    t.eq(ctx.calls, { "machines.get web 1" })
  end
end)

t.test("a machine that does not say whether it is cordoned is uncordoned", function()
  local asked = 0
  local rows = run("machines.uncordon", { app = "web", id = { "1" } }, {
    ["machines.get"] = STOPPED,
    ["machines.uncordon_once"] = function()
      asked = asked + 1
      return {}
    end,
  })
  t.eq({ rows[1].outcome, asked }, { "done", 1 })
end)

local OLD_RUN = { { id = "e2", type = "start", status = "started" },
  { id = "e1", type = "launch", status = "created" } }

local function events(...)
  return tbl.flatten({ { ... }, OLD_RUN })
end

-- Restarts a machine that looks so, one look after the other (the last stays).
local function restart(looks, replies)
  local at = 0
  return run("machines.restart", { app = "web", id = { "1" } }, tbl.merge({
    ["machines.restart_once"] = {},
    ["machines.get"] = function()
      at = at + 1
      return tbl.merge({ id = "1", state = "started" }, looks[math.min(at, #looks)])
    end,
  }, replies or {}))
end

t.test("that it is started does not prove a restart: its events do", function()
  local asked = { id = "e3", type = "restart", status = "restarting" }
  local rows, e, ctx = restart({
    { events = OLD_RUN }, { events = OLD_RUN }, { events = events(asked) },
    { events = events({ id = "e4", type = "start", status = "started" }, asked) },
  })
  t.eq(e, nil)
  t.eq({ rows[1].outcome, rows[1].state }, { "done", "started" })
  t.eq(ctx.calls, { "lease web 1", "machines.get web 1", "machines.restart_once web 1",
    "wait web 1 started", "machines.get web 1", "wait web 1 started", "machines.get web 1",
    "wait web 1 started", "machines.get web 1", "release web 1" })
end)

t.test("a restart that nothing shows is a failure", function()
  local rows, e, ctx = restart({ { events = OLD_RUN } })
  t.err(rows, e, "timeout")
  t.match(e.message, "nothing shows that machine 1 was restarted within 60 s")
  t.eq(ctx.calls[#ctx.calls], "release web 1")
end)

t.test("a machine that ended right after its restart is a failure", function()
  local rows, e = restart({ { events = OLD_RUN }, { state = "stopped", events = events(
    { id = "e4", type = "exit", status = "stopped" },
    { id = "e3", type = "start", status = "started" }) } })
  t.err(rows, e, "conflict")
  t.eq(e.message, "machine 1 was restarted, but is stopped now")
  t.match(e.hint, "machines events 1 %-%-app web")
end)

t.test("no room where a machine is: regions to copy it to", function()
  local replies = {
    ["machines.get"] = tbl.merge(STOPPED,
      { config = { guest = { cpus = 2 }, mounts = { { volume = "vol_1" } } } }),
    ["machines.start_once"] = failure("capacity", 412),
    ["apps.get"] = { name = "web", organization = { slug = "acme" } },
    ["regions.placements"] = function(args)
      t.eq({ args.org, args.guest.cpus }, { "acme", 2 })
      return { { region = "fra" }, { region = "iad" }, { region = "ams" } }
    end,
  }
  local rows, e, ctx = run("machines.start", { app = "web", id = { "1" } }, replies)
  t.err(rows, e, "capacity")
  t.eq(e.hint, "there is room in iad, ams and fra; a machine stays on its host; try again"
    .. " later, or copy it: clanker fly clone 1 --region iad --app web (with empty volumes)")
  t.eq(ctx.calls[#ctx.calls], "release web 1")
  replies["regions.placements"] = {}
  replies["machines.get"] = STOPPED
  rows, e = run("machines.start", { app = "web", id = { "1" } }, replies)
  t.eq(rows, nil)
  t.eq(e.hint, "a machine stays on its host; try again later, or copy it: clanker fly clone 1"
    .. " --region REGION --app web")
end)

t.test("a lease held by somebody else is the error, and nothing is asked", function()
  local rows, e, ctx = run("machines.start", { app = "web", id = { "1" } }, {
    ["machines.get"] = STOPPED, ["lease web 1"] = failure("conflict", 409),
  })
  t.err(rows, e, "conflict")
  t.eq(ctx.calls, { "machines.get web 1", "lease web 1" })
end)

t.test("a failing call gives the lease back", function()
  local rows, e, ctx = run("machines.start", { app = "web", id = { "1" } }, {
    ["machines.get"] = STOPPED, ["machines.start_once"] = failure("capacity", 500),
  })
  t.err(rows, e, "capacity")
  t.eq(ctx.calls[#ctx.calls], "release web 1")
end)

t.test("a machine that does not get there is a failure", function()
  local rows, e = run("machines.start", { app = "web", id = { "1" } }, {
    ["machines.get"] = STOPPED, ["machines.start_once"] = {},
    ["wait 1"] = failure("timeout"),
  })
  t.err(rows, e, "timeout")
end)

t.test("machines are named, or all are meant: one of the two", function()
  for _, args in ipairs({ {}, { id = { "1" }, all = true } }) do
    local rows, e, ctx = run("machines.stop", tbl.merge(args, { app = "web" }), {})
    t.err(rows, e, "usage")
    t.eq(ctx.calls, {})
  end
end)

local APP = {
  { id = "3", state = "started" }, { id = "1", state = "started" },
  { id = "2", state = "stopped" }, { id = "4", state = "destroyed" },
}

t.test("all means those the verb is for", function()
  local replies = { ["machines.list_app"] = APP, ["machines.stop_once"] = {},
    ["machines.get"] = { state = "started" } }
  t.eq(pluck(run("machines.stop", { app = "web", all = true }, replies), "id"), { "1", "3" })
  replies["machines.list_app"] = {}
  t.eq(#run("machines.stop", { app = "web", all = true }, replies), 0)
end)

t.test("after a failure no new machine is begun, and each is accounted for", function()
  local rows, e = run("machines.restart", { app = "web", id = { "1", "2", "3" } }, {
    ["machines.get"] = support.restarting({ region = "iad" }),
    ["machines.restart_once web 1"] = {},
    ["machines.restart_once web 2"] = failure("server", 500),
  })
  t.err(rows, e, "partial")
  t.eq(e.message, "1 of 3 machines done; 1 failed (2: refused: server); 1 not tried")
  t.eq(pluck(e.detail.results, "outcome"), { "done", "failed", "skipped" })
  t.eq(e.detail.results[2].error, "refused: server")
end)

t.test("only what does not run is destroyed without force", function()
  local replies = {
    ["machines.get"] = { id = "1", state = "started" }, ["machines.destroy_once"] = {},
  }
  local rows, e, ctx = run("machines.destroy", { app = "web", id = { "1" } }, replies)
  t.err(rows, e, "conflict")
  t.match(e.hint, "%-%-force")
  t.eq(#ctx.calls, 1)
  rows, e, ctx = run("machines.destroy", { app = "web", id = { "1" }, force = true }, replies)
  t.eq(e, nil)
  t.eq(rows[1].state, "destroyed")
  t.eq(ctx.calls[#ctx.calls - 1], "wait web 1 destroyed")
end)

t.test("wait passes on what it was told", function()
  local reached, _, ctx = run("machines.wait", { app = "web", id = "1", state = "stopped" }, {})
  t.eq(reached.state, "stopped")
  t.eq(ctx.calls, { "wait web 1 stopped" })
end)

t.test("results keep to their shape", function()
  local opkit = require "opkit"
  local ops = require "ops"
  local schema = require "base.schema"
  local rows = run("machines.start", { app = "web", id = { "1" } },
    { ["machines.get"] = STOPPED, ["machines.start_once"] = {} })
  t.ok(schema.validate(rows, opkit.returns(ops.get("machines.start"))))
end)
