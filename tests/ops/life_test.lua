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

t.test("cordon has nothing to wait for", function()
  local rows, _, ctx = run("machines.cordon", { app = "web", id = { "1" } },
    { ["machines.get"] = STOPPED, ["machines.cordon_once"] = {} })
  t.eq(rows[1].outcome, "done")
  t.eq(ctx.calls[#ctx.calls], "release web 1")
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
    ["machines.get"] = { state = "started", region = "iad" },
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
