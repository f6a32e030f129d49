--- How a machine's state moves: every action is a list of timed steps.
--- Pure. Steps are plain data inside the record, so they survive a restart.

local tbl = require "base.tbl"

local images = require "sim.images"
local logs = require "sim.logs"
local problem = require "sim.problem"
local regions = require "sim.regions"

local M = {}

--- States a machine stays in until somebody acts.
M.LASTING = tbl.set { "created", "started", "stopped", "suspended", "failed" }

--- States nothing leads out of.
M.FINAL = tbl.set { "destroyed", "replaced", "migrated" }

--- Events kept per machine; the oldest go first.
M.MAX_EVENTS = 50

-- Seconds that a destroyed machine can still be looked at.
local KEPT = 3600

---@class sim.Step
---@field after number seconds after the step before
---@field state string? the state it leads to
---@field event string? the event's type; its status is the state
---@field source string? who caused it: user or flyd
---@field op string? what else happens, a key of OPS

local function timestamp(world)
  return math.floor(world:now() * 1000)
end

-- What the platform reports with the end of a machine's main process.
local function exit_request(world, machine, code, is_asked)
  return {
    exit_event = {
      exit_code = code, exited_at = timestamp(world), guest_exit_code = code,
      guest_signal = -1, oom_killed = false, requested_stop = is_asked,
      restarting = false, signal = -1,
    },
    restart_count = machine.restart_count or 0,
  }
end

--- Puts an event in front of a machine's history.
---@param world sim.World
---@param machine table
---@param kind string
---@param source string
---@param request table?
function M.record(world, machine, kind, source, request)
  local event = {
    id = world.ids:ulid(world:now()), type = kind, status = machine.state,
    source = source, timestamp = timestamp(world), request = request,
    version = machine.version,
  }
  table.insert(machine.events, 1, event)
  machine.events[M.MAX_EVENTS + 1] = nil
end

local OPS = {}

-- The main process ended as it was asked to.
function OPS.exited(world, machine)
  logs.add(world, machine, "app",
    "INFO Main child exited normally with code: 0")
  return exit_request(world, machine, 0, true)
end

-- The main process ended by itself.
function OPS.crashed(world, machine)
  logs.add(world, machine, "app",
    "INFO Main child exited with code: 1", { level = "error" })
  return exit_request(world, machine, 1, false)
end

function OPS.starting(world, machine)
  logs.add(world, machine, "runner",
    "Pulling container image " .. machine.image)
end

function OPS.started(world, machine)
  logs.add(world, machine, "runner", "Machine started")
end

function OPS.failed(world, machine)
  logs.add(world, machine, "runner",
    "Failed to start: main command not found", { level = "error" })
end

-- Gives up a failed update: the version before it runs again.
function OPS.reverted(world, machine)
  local versions = machine.versions
  local old = versions[#versions - 1]
  if old then
    machine.config, machine.image = old.config, old.image
    machine.version = world.ids:ulid(world:now())
    versions[#versions + 1] = {
      version = machine.version, config = old.config, image = old.image,
    }
  end
end

-- The volumes of a machine that is gone are free again.
function OPS.gone(world, machine)
  for _, volume in ipairs(world:list("volume", machine.owner)) do
    if volume.attached_machine_id == machine.id then
      volume.attached_machine_id = nil
      world:touch("volume", volume)
    end
  end
  machine.lease = nil
  machine.destroyed_at = world:now()
end

local function apply(world, machine, step)
  machine.state = step.state or machine.state
  machine.updated_at = world:now()
  local request = step.op and OPS[step.op](world, machine)
  if step.event then
    M.record(world, machine, step.event, step.source or "flyd", request)
  end
end

-- How a machine goes, from whatever state.
local function ending()
  return {
    { after = 0, state = "destroying", event = "destroy", source = "user" },
    { after = 0.3, state = "destroyed", event = "destroy", op = "gone" },
  }
end

-- Makes the steps whose time is now and plans the one after them.
local function advance(world, machine)
  local steps = machine.steps
  while steps and steps[1] and steps[1].after <= 0 do
    local step = table.remove(steps, 1)
    apply(world, machine, step)
    if step.event == "exit" and machine.auto_destroy then
      machine.steps = ending()
      steps = machine.steps
    end
  end
  if steps and steps[1] then
    local pace = world.meta.pace or 1
    world:plan("machine", machine, steps[1].after * pace)
  else
    machine.steps, machine.due = nil, nil
    if machine.destroyed_at then
      world:plan("machine", machine, KEPT)
    end
  end
  world:touch("machine", machine)
end

--- Starts a list of steps; whatever was under way is given up.
---@param world sim.World
---@param machine table
---@param steps sim.Step[]
function M.begin(world, machine, steps)
  machine.steps = steps
  advance(world, machine)
end

--- The agenda's handler: the time of the first step has come.
---@param world sim.World
---@param machine table
function M.due(world, machine)
  if not machine.steps then
    world:drop("machine", machine)
    return
  end
  machine.steps[1].after = 0
  advance(world, machine)
end

-- From "something runs it" to its final state, as its image behaves.
local function boot(machine, delay)
  local behavior = images.behavior(machine.image)
  local steps = {
    { after = delay, state = "starting", event = "start", op = "starting" },
  }
  if behavior == "broken" then
    table.insert(steps, {
      after = 0.4, state = "failed", event = "launch", op = "failed",
    })
    return steps
  end
  table.insert(steps, {
    after = 0.5, state = "started", event = "start", op = "started",
  })
  if behavior == "crash" then
    table.insert(steps, {
      after = 0.5, state = "stopped", event = "exit", op = "crashed",
    })
  end
  return steps
end

--- Launches a machine just created.
---@param world sim.World
---@param machine table
function M.launch(world, machine)
  M.begin(world, machine, boot(machine, 0.3))
end

--- Prepares a machine that shall not run yet.
---@param world sim.World
---@param machine table
function M.prepare(world, machine)
  M.begin(world, machine, { { after = 0.3, state = "stopped" } })
end

local function cannot(verb, machine)
  return problem.precondition(
    ("unable to %s machine from current state: '%s'"):format(
      verb, machine.state))
end

local RUNNING = tbl.set { "starting", "started", "restarting" }

---@param world sim.World
---@param machine table
---@return string? previous state
---@return sim.Problem?
function M.start(world, machine)
  local previous = machine.state
  if RUNNING[previous] then
    return previous
  end
  local is_resting = M.LASTING[previous] and not machine.steps
  if not is_resting then
    return cannot("start", machine)
  end
  -- What does not run holds no CPUs and no memory.
  local ok, wrong = regions.check_room(world, machine.region)
  if not ok then
    return nil, wrong
  end
  local steps = boot(machine, 0)
  if previous == "suspended" then
    steps[2].after = 0.2
  end
  steps[1].source = "user"
  M.begin(world, machine, steps)
  return previous
end

---@param world sim.World
---@param machine table
---@param signal string?
---@return boolean?
---@return sim.Problem?
function M.stop(world, machine, signal)
  local state = machine.state
  if state == "stopped" or state == "stopping" or state == "failed" then
    return true
  elseif state == "created" or state == "suspended" then
    M.begin(world, machine, {
      { after = 0, state = "stopped", event = "stop", source = "user" },
    })
    return true
  elseif not RUNNING[state] then
    return cannot("stop", machine)
  end
  signal = signal or "SIGINT"
  logs.add(world, machine, "runner",
    ("Sending signal %s to main child process"):format(signal))
  M.begin(world, machine, {
    { after = 0, state = "stopping", event = "stop", source = "user" },
    {
      after = signal == "SIGKILL" and 0.1 or 0.4,
      state = "stopped", event = "exit", op = "exited",
    },
  })
  return true
end

---@param world sim.World
---@param machine table
---@return boolean?
---@return sim.Problem?
function M.suspend(world, machine)
  if machine.state == "suspended" or machine.state == "suspending" then
    return true
  elseif machine.state ~= "started" then
    return cannot("suspend", machine)
  end
  M.begin(world, machine, {
    { after = 0, state = "suspending", event = "suspend", source = "user" },
    { after = 0.4, state = "suspended", event = "suspend" },
  })
  return true
end

---@param world sim.World
---@param machine table
---@return boolean?
---@return sim.Problem?
function M.restart(world, machine)
  if machine.state ~= "started" then
    return problem.precondition(
      "unable to restart machine not currently in started state, "
      .. "current state: " .. machine.state)
  end
  machine.restart_count = (machine.restart_count or 0) + 1
  local steps = boot(machine, 0.3)
  table.insert(steps, 1, {
    after = 0, state = "restarting", event = "restart", source = "user",
  })
  M.begin(world, machine, steps)
  return true
end

---@param world sim.World
---@param machine table
---@param is_forced boolean
---@return boolean?
---@return sim.Problem?
function M.destroy(world, machine, is_forced)
  local state = machine.state
  if state == "destroying" then
    return true
  end
  local rests = M.LASTING[state] and state ~= "started" and not machine.steps
  if not rests and not is_forced then
    return problem.new(409, "failed_precondition: unable to destroy machine, "
      .. "not currently stopped, current state: " .. state)
  end
  M.begin(world, machine, ending())
  return true
end

--- Moves a machine to the version it was just given.
---@param world sim.World
---@param machine table
---@param is_launched boolean
function M.replace(world, machine, is_launched)
  local steps
  if is_launched then
    steps = boot(machine, 0.2)
  else
    steps = { { after = 0.2, state = "stopped" } }
  end
  if is_launched and images.behavior(machine.image) == "broken" then
    steps[#steps] = {
      after = 0.4, state = "failed", event = "update", op = "reverted",
    }
    table.insert(steps, {
      after = 0.4, state = "started", event = "start", op = "started",
    })
  end
  table.insert(steps, 1, {
    after = 0, state = "replacing", event = "update", source = "user",
  })
  M.begin(world, machine, steps)
end

local ENDING = tbl.set {
  "SIGABRT", "SIGINT", "SIGKILL", "SIGQUIT", "SIGSEGV", "SIGTERM",
}

--- Delivers a signal to the main process.
---@param world sim.World
---@param machine table
---@param signal string|integer
---@return boolean?
---@return sim.Problem?
function M.signal(world, machine, signal)
  if machine.state ~= "started" then
    return cannot("signal", machine)
  end
  logs.add(world, machine, "runner",
    ("Sending signal %s to main child process"):format(signal))
  if ENDING[signal] or signal == 9 or signal == 15 then
    M.begin(world, machine, {
      { after = 0.2, state = "stopped", event = "exit", op = "exited" },
    })
  end
  return true
end

return M
