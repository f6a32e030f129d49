--- Routes that start, stop, suspend, restart, cordon and signal machines.
--- Pure; part of the Machines API. All honour leases, as the real ones do.

local time = require "base.time"

local bodies = require "sim.bodies.machine"
local handlers = require "sim.handlers"
local lease = require "sim.machine.lease"
local problem = require "sim.problem"
local request = require "sim.request"
local shape = require "sim.shape"
local states = require "sim.machine.states"

local M = {}

-- Wraps an action: first the lease, then the action, then its answer.
local function leased(action)
  return function(ctx)
    local ok, wrong = lease.check(ctx.world, ctx.machine, ctx.nonce)
    if not ok then
      return nil, wrong
    end
    local result
    result, wrong = action(ctx)
    if not result then
      return nil, wrong
    end
    return 200, result
  end
end

local OK = { ok = true }

local function answer_ok(done, wrong)
  if not done then
    return nil, wrong
  end
  return OK
end

local function check_duration(text, name)
  if text and not time.parse_duration(text) then
    return problem.new(400, ("invalid %s: %q is not a duration such as 10s")
      :format(name, text))
  end
  return true
end

local function start(ctx)
  local previous, wrong = states.start(ctx.world, ctx.machine)
  if not previous then
    return nil, wrong
  end
  return { previous_state = previous, migrated = false, new_host = "" }
end

local function stop(ctx)
  local ok, wrong = check_duration(request.member(ctx.body, "timeout"),
    "timeout")
  if not ok then
    return nil, wrong
  end
  return answer_ok(states.stop(ctx.world, ctx.machine,
    request.member(ctx.body, "signal")))
end

local function suspend(ctx)
  return answer_ok(states.suspend(ctx.world, ctx.machine))
end

local function restart(ctx)
  local signal = request.text(ctx.query, "signal")
  local bad = signal and shape.check(signal, bodies.restart_signal)
  if bad then
    return problem.new(400, "signal: " .. bad)
  end
  local ok, wrong = check_duration(request.text(ctx.query, "timeout"),
    "timeout")
  if not ok then
    return nil, wrong
  end
  local force_stop
  force_stop, wrong = request.flag(ctx.query, "force_stop")
  if force_stop == nil then
    return nil, wrong
  end
  return answer_ok(states.restart(ctx.world, ctx.machine))
end

local function cordon(is_cordoned)
  return function(ctx)
    ctx.machine.cordoned = is_cordoned or nil
    ctx.world:touch("machine", ctx.machine)
    return OK
  end
end

local function signal(ctx)
  local done, wrong = states.signal(ctx.world, ctx.machine, ctx.body.signal)
  if not done then
    return nil, wrong
  end
  return 200, OK
end

local route = handlers.rows("machine", "/v1/apps/{app}/machines/{machine}")

---@type sim.Route[]
M.routes = {
  route("POST", "/start", leased(start)),
  route("POST", "/stop", leased(stop), bodies.stop, true),
  route("POST", "/suspend", leased(suspend)),
  route("POST", "/restart", leased(restart)),
  route("POST", "/cordon", leased(cordon(true))),
  route("POST", "/uncordon", leased(cordon(false))),
  route("POST", "/signal", signal, bodies.signal),
}

return M
