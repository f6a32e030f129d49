--- The route that waits for a machine to reach a state.
--- Waits through the account; part of the Machines API.

local tbl = require "base.tbl"

local machines = require "sim.machine"
local problem = require "sim.problem"
local request = require "sim.request"
local states = require "sim.machine.states"

local M = {}

local MAX_TIMEOUT = 60

-- Seconds after which a wait looks whether its client is still there.
local LOOK = 5

local WAITABLE = tbl.set {
  "started", "stopped", "suspended", "destroyed", "failed", "settled",
}

---@class sim.Wait
---@field wanted table<string, boolean> states
---@field label string as the error names them
---@field version string? that the machine must be in
---@field from_event_id string?
---@field deadline number

-- "state=a&state=b" as well as "state=a,b".
local function wanted_states(query)
  local wanted, names = {}, {}
  for _, value in ipairs(query.state or {}) do
    for name in value:gmatch("[^,%s]+") do
      if not WAITABLE[name] then
        return problem.new(400, "invalid state: " .. name)
      end
      wanted[name] = true
      names[#names + 1] = name
    end
  end
  if #names == 0 then
    wanted.started, names[1] = true, "started"
  end
  return wanted, table.concat(names, ",")
end

local function has_version(machine, version)
  return tbl.find(machine.versions, function(one)
    return one.version == version
  end) ~= nil
end

local function read_query(ctx)
  local wanted, label = wanted_states(ctx.query)
  if not wanted then
    return nil, label
  end
  local timeout, wrong = request.integer(ctx.query, "timeout", 1, MAX_TIMEOUT,
    MAX_TIMEOUT)
  if wrong then
    return nil, wrong
  end
  local version = request.text(ctx.query, "version")
    or request.text(ctx.query, "instance_id")
  if wanted.stopped and not version then
    return problem.new(400,
      "version is required when waiting for the stopped state")
  elseif version and not has_version(ctx.machine, version) then
    return problem.new(400, "unknown version: " .. version)
  end
  return {
    wanted = wanted, label = label, version = version,
    from_event_id = request.text(ctx.query, "from_event_id"),
    deadline = ctx.world:now() + timeout,
  }
end

-- The state in which the machine is, seen from the version waited for.
local function state_of(machine, wait)
  if wait.version and wait.version ~= machine.version
    and machines.is_live(machine) then
    return "replaced"
  end
  return machine.state
end

local function is_settled(machine, state)
  return states.FINAL[state] or states.LASTING[state] and not machine.steps
end

-- Whether an event later than the one named has brought a wanted state.
local function came_after(machine, wait)
  for _, event in ipairs(machine.events) do
    if event.id == wait.from_event_id then
      return false
    end
    if wait.wanted[event.status] then
      return true
    end
  end
  return false
end

local function is_reached(machine, state, wait)
  if wait.from_event_id then
    return came_after(machine, wait)
  end
  return wait.wanted[state]
    or wait.wanted.settled and is_settled(machine, state)
end

local function timed_out(wait, state)
  return problem.new(408, ("deadline_exceeded: machine failed to reach "
    .. "desired state, %s, currently %s"):format(wait.label, state))
end

local function reached(machine, state)
  local event = machine.events[1]
  return 200, {
    ok = true, state = state, version = machine.version,
    event_id = event and event.id,
  }
end

---@async
local function run(ctx)
  local wait, wrong = read_query(ctx)
  if not wait then
    return nil, wrong
  end
  local machine = ctx.machine
  while true do
    local state = state_of(machine, wait)
    if is_reached(machine, state, wait) then
      return reached(machine, state)
    elseif states.FINAL[state] or ctx.world:now() >= wait.deadline
      or ctx.is_gone() then
      return timed_out(wait, state)
    end
    ctx.account:pause(math.min(wait.deadline - ctx.world:now(), LOOK))
  end
end

---@type sim.Route[]
M.routes = {
  {
    method = "GET", path = "/v1/apps/{app}/machines/{machine}/wait",
    limit = "machine", run = run,
  },
}

return M
