--- Waiting asks again while the API says "not yet", and knows when to stop.

local err = require "base.err"
local t = require "kit"
local wait = require "fly.wait"

--- An API that answers in turn; the clock moves by the pauses and by `took`.
local function run(target, answers)
  local clock, calls = 0, {}
  local reached, e = wait.state({
    now = function() return clock end,
    random = function() return 0 end,
    sleep = function(seconds) clock = clock + seconds end,
    call = function(id, args, opts)
      calls[#calls + 1] = { id = id, args = args, opts = opts }
      local answer = answers[math.min(#calls, #answers)]
      clock = clock + (answer.took or 0)
      if err.is(answer.err) then
        return nil, answer.err
      end
      return answer
    end,
  }, { app = "web", id = "m1", state = target.state, version = target.version,
    timeout = target.timeout, launched = target.launched })
  return reached, e, calls
end

local function not_yet(current)
  return { took = 60, err = err.new {
    kind = "timeout", status = 408,
    message = "deadline_exceeded: machine failed to reach desired state, started, currently "
      .. current,
  } }
end

local function failure(kind, status)
  return { err = err.new { kind = kind, status = status, message = kind } }
end

t.test("a state that is reached is the result", function()
  local reached, _, calls = run({ state = "started" }, { { ok = true, state = "started" } })
  t.eq(reached.state, "started")
  t.eq(calls[1].args, { app = "web", id = "m1", state = { "started" }, timeout = 60 })
  t.eq(calls[1].opts, { final = 408 })
end)

t.test("\"not yet\" is asked again until the time is up", function()
  local reached, _, calls = run({ state = "started" },
    { not_yet "starting", not_yet "starting", { state = "started" } })
  t.eq(reached.state, "started")
  t.eq(#calls, 3)
  local _, e
  _, e, calls = run({ state = "started", timeout = 130 }, { not_yet "starting" })
  t.eq(e.kind, "timeout")
  t.match(e.message, "did not become started within 130 s, it is starting")
  t.eq(#calls, 3)
  t.ok(calls[3].args.timeout <= 10, "the last call asks for what is left only")
end)

t.test("waiting for stopped asks for the version first", function()
  local _, _, calls = run({ state = "stopped" },
    { { instance_id = "v1", state = "stopping" }, { state = "stopped" } })
  t.eq(calls[1].id, "machines.get")
  t.eq(calls[2].args.version, "v1")
  _, _, calls = run({ state = "stopped", version = "v2" }, { { state = "stopped" } })
  t.eq(#calls, 1)
end)

t.test("a replaced version is followed to the new one", function()
  local reached, _, calls = run({ state = "started", version = "v1" },
    { not_yet "replaced", { instance_id = "v2", state = "starting" }, { state = "started" } })
  t.eq(reached.state, "started")
  t.eq(calls[3].args.version, "v2")
end)

t.test("a state from which there is no way is an error at once", function()
  for _, state in ipairs { "failed", "destroyed", "migrated" } do
    local _, e, calls = run({ state = "started" }, { not_yet(state) })
    t.eq(e.kind, "conflict", state)
    t.match(e.message, "is " .. state .. " and will not become started")
    t.eq(#calls, 1)
  end
end)

t.test("a machine that is gone is destroyed", function()
  t.eq(run({ state = "destroyed" }, { failure("not_found", 404) }).state, "destroyed")
  local _, e = run({ state = "started" }, { failure("not_found", 404) })
  t.eq(e.kind, "not_found")
end)

t.test("passing failures are borne, several in a row are not", function()
  local reached = run({ state = "started" },
    { failure("server", 502), failure("network"), { state = "started" } })
  t.eq(reached.state, "started")
  local _, e, calls = run({ state = "started" }, { failure("server", 502) })
  t.eq(e.kind, "server")
  t.eq(#calls, 5)
end)

t.test("other failures are final", function()
  for _, kind in ipairs { "invalid", "auth", "forbidden", "usage" } do
    local _, e, calls = run({ state = "started" }, { failure(kind, 400) })
    t.eq(e.kind, kind)
    t.eq(#calls, 1)
  end
end)

t.test("what was told to start is not waited for once it failed", function()
  local reached, e, calls = run({ state = "started", launched = true },
    { { ok = true, state = "failed" } })
  t.err(reached, e, "conflict")
  t.match(e.message, "is failed and will not become started")
  t.eq(calls[1].args.state, { "started", "failed" })
end)
