--- Gives the machines of an app another config, one after another or as a
--- strategy says, and keeps the release's record.
--- Waits.

local err = require "base.err"
local flyctl = require "sim.flyctl"
local task = require "sys.task"
local tbl = require "base.tbl"
local values = require "sim.flyctl.values"

local M = {}

-- States in which a machine is left as it is.
local RESTING = tbl.set({ "created", "stopping", "stopped", "suspending", "suspended" })

local GONE = tbl.set({ "destroyed", "destroying", "replaced", "migrated" })

-- Seconds that a machine may take unless --wait-timeout says, and that one request
-- waits for it at most.
local LIMIT, WAIT = 60, 30

-- How long a machine that started must stay so, its checks may take to pass, and
-- the pause between two looks at them is: as multiples of the time in which it
-- started, since an account may be slower or faster than usual. A little is added
-- for what times in whole milliseconds leave out.
local SMOKE, HEALTH, PAUSE, ROUNDING = 1.2, 6, 0.5, 0.005

-- Seconds in which a machine started whose history does not tell.
local USUAL = 0.5

---@class sim.flyctl.Rollout
---@field app string
---@field image string? the new one; as it is when absent
---@field change (fun(config: table))? more changes of the config
---@field secrets integer? the version of the secrets to have
---@field strategy string? "rolling" unless told
---@field detach boolean? do not wait
---@field build integer? id of the build
---@field title string
---@field first (async fun(release: table): true?, err.Record?)? makes the first machines

--- The machines of an app that are there, by region and id.
---@async
---@param run sim.flyctl.Run
---@param app string
---@return table[]?
---@return err.Record?
function M.machines(run, app)
  local list, e = run.api:rest("GET", "/apps/%s/machines", app)
  if not list then
    return nil, e
  end
  list = tbl.filter(list, function(machine)
    return not GONE[machine.state]
  end)
  return tbl.sort_by(list, function(machine)
    return machine.region .. machine.id
  end)
end

--- The metadata of a machine, {} without any.
---@param machine table
---@return table<string, string>
function M.metadata(machine)
  local metadata = tbl.get(machine, "config.metadata")
  return type(metadata) == "table" and metadata or {}
end

--- The process group of a machine.
---@param machine table
---@return string
function M.group(machine)
  return M.metadata(machine).fly_process_group or "app"
end

--- How many checks of a machine pass: "1/2", "" without any.
---@param machine table
---@return string
function M.checks(machine)
  local checks = type(machine.checks) == "table" and machine.checks or {}
  local passing = tbl.filter(checks, function(check)
    return check.status == "passing"
  end)
  return #checks > 0 and ("%d/%d"):format(#passing, #checks) or ""
end

---@async
local function look(run, app, id)
  return run.api:rest("GET", "/apps/%s/machines/%s", app, id)
end

-- Whether all checks of a machine pass.
local function is_healthy(machine)
  for _, check in ipairs(type(machine.checks) == "table" and machine.checks or {}) do
    if check.status ~= "passing" then
      return false
    end
  end
  return true
end

-- Seconds from the last start of a machine to its being started.
local function start_time(machine)
  local started
  for _, event in ipairs(type(machine.events) == "table" and machine.events or {}) do
    if started and event.status == "starting" then
      return (started - event.timestamp) / 1000 + ROUNDING
    elseif event.status == "started" then
      started = event.timestamp
    end
  end
  return USUAL
end

-- The checks of a machine that started, for a while.
---@async
local function wait_for_checks(run, app, machine)
  local taken = start_time(machine)
  local deadline = task.now() + HEALTH * taken
  while not is_healthy(machine) do
    if task.now() > deadline then
      return flyctl.fail("timeout reached waiting for health checks to pass for machine %s",
        machine.id)
    end
    task.sleep(PAUSE * taken)
    local e
    machine, e = look(run, app, machine.id)
    if not machine then
      return nil, e
    end
  end
  return machine
end

-- Looks at a machine that started until it has been so for long enough. That a
-- look began late enough is what counts: its answer is not older.
---@async
local function smoke_check(run, app, machine)
  local since = task.now()
  local began
  repeat
    local e
    task.sleep(math.max(0, since + SMOKE * start_time(machine) - task.now()))
    began = task.now()
    machine, e = look(run, app, machine.id)
    if not machine then
      return nil, e
    elseif machine.state ~= "started" then
      return flyctl.fail("smoke checks for %s failed: the app appears to be crashing", machine.id)
    end
  until began - since >= SMOKE * start_time(machine)
  return machine
end

-- Has the account wait until a machine is in a state, or cannot get there.
---@async
local function await_state(run, app, id, state, version)
  local limit = values.seconds(run.flags["wait-timeout"]) or LIMIT
  local deadline = task.now() + limit
  local query = ("?state=%s,failed&timeout=%d&version=%s"):format(state,
    math.max(1, math.min(WAIT, math.ceil(limit))), version)
  while true do
    local reply, e = run.api:rest("GET", "/apps/%s/machines/%s/wait" .. query, app, id)
    if reply then
      return true
    elseif e.status ~= 408 then
      return nil, e
    elseif e.message:find("currently replaced", 1, true) then
      return flyctl.fail("machine %s failed to start and was rolled back", id)
    elseif task.now() >= deadline then
      return flyctl.fail("timeout reached waiting for machine's state to change\nThe machine %s"
        .. " took more than %gs to reach %q", id, limit, state)
    end
  end
end

--- Waits until a machine is in a state.
---@async
---@param run sim.flyctl.Run
---@param app string
---@param id string
---@param state string
---@param version string it must be this one
---@return table? machine
---@return err.Record?
function M.wait(run, app, id, state, version)
  local done, e = await_state(run, app, id, state, version)
  local machine
  if done then
    machine, e = look(run, app, id)
  end
  if not machine then
    return nil, e
  elseif machine.state == "failed" then
    return flyctl.fail("machine %s failed to start", id)
  end
  return machine
end

-- The config a machine is to have.
local function new_config(machine, plan, release)
  local config = machine.config
  config.image = plan.image or config.image
  config.metadata = type(config.metadata) == "table" and config.metadata or {}
  config.metadata.fly_release_version = release and tostring(release.version)
    or config.metadata.fly_release_version
  if plan.change then
    plan.change(config)
  end
  return config
end

--- Updates a machine under its lease. A machine that did not run stays so.
---@async
---@param run sim.flyctl.Run
---@param plan sim.flyctl.Rollout
---@param machine table
---@param release table?
---@return true?
---@return err.Record?
function M.update(run, plan, machine, release)
  local is_running = not RESTING[machine.state]
  local updated, e = run.api:leased(plan.app, machine.id, function()
    return run.api:rest("POST", "/apps/%s/machines/%s", plan.app, machine.id, {
      config = new_config(machine, plan, release), region = machine.region,
      min_secrets_version = plan.secrets, skip_launch = not is_running or nil,
    })
  end)
  if not updated then
    return nil, err.wrap(e, "failed to update machine " .. machine.id)
  elseif plan.detach then
    return true
  end
  local settled = is_running and "started" or "stopped"
  if machine.state == "created" or not updated.instance_id then
    return true
  end
  local kept
  kept, e = M.wait(run, plan.app, machine.id, settled, updated.instance_id)
  if kept and settled == "started" then
    kept, e = smoke_check(run, plan.app, kept)
    if kept then
      kept, e = wait_for_checks(run, plan.app, kept)
    end
  end
  return kept and true, e
end

-- One machine after another, saying which.
---@async
local function rolling(run, plan, machines, release)
  for i, machine in ipairs(machines) do
    run:say("> [%d/%d] Updating %s [%s]", i, #machines, machine.id, M.group(machine))
    local ok, e = M.update(run, plan, machine, release)
    if not ok then
      run:tell("✖ [%d/%d] Machine %s [%s] update failed: %s", i, #machines,
        machine.id, M.group(machine), e.message)
      return nil, e
    end
    run:say("✔ [%d/%d] Machine %s [%s] update succeeded", i, #machines,
      machine.id, M.group(machine))
  end
  return true
end

-- All at once, without a look at what becomes of them.
---@async
local function immediate(run, plan, machines, release)
  return rolling(run, tbl.merge(plan, { detach = true }), machines, release)
end

--- Creates a machine, and sees it run for a while unless detached.
---@async
---@param run sim.flyctl.Run
---@param app string
---@param config table
---@param region string
---@param is_detached boolean?
---@return table? machine
---@return err.Record?
function M.create(run, app, config, region, is_detached)
  local made, e = run.api:rest("POST", "/apps/%s/machines", app,
    { config = config, region = region })
  if not made then
    return nil, e
  elseif is_detached then
    return made
  end
  local started
  started, e = M.wait(run, app, made.id, "started", made.instance_id)
  if not started then
    return nil, e
  end
  return smoke_check(run, app, started)
end

-- New machines beside the old ones, which go when all of them run.
---@async
local function bluegreen(run, plan, machines, release)
  for _, machine in ipairs(machines) do
    if type(machine.config.mounts) == "table" and machine.config.mounts[1] then
      return flyctl.fail("bluegreen strategy does not work with volumes")
    end
  end
  for _, machine in ipairs(machines) do
    local made, e = M.create(run, plan.app, new_config(machine, plan, release),
      machine.region)
    if not made then
      return nil, e
    end
    run:say("  Created green machine %s [%s]", made.id, M.group(machine))
  end
  for _, machine in ipairs(machines) do
    local ok, e = run.api:rest("DELETE", "/apps/%s/machines/%s?force=true", plan.app,
      machine.id)
    if not ok then
      return nil, e
    end
    run:say("  Destroyed blue machine %s", machine.id)
  end
  return true
end

local STRATEGIES = {
  rolling = rolling, canary = rolling, immediate = immediate, bluegreen = bluegreen,
}

--- Whether there is such a strategy.
---@param name string
---@return boolean
function M.is_strategy(name)
  return STRATEGIES[name] ~= nil
end

-- The release's record, "running" until it is closed.
---@async
local function open_release(run, plan, image)
  local reply, e = run.api:web_call("POST", "/releases", {
    app_name = plan.app, build_id = plan.build or 0, definition = {},
    image = image, strategy = (plan.strategy or "rolling"):upper(),
  })
  if not reply then
    return nil, e
  end
  return reply.release
end

--- Rolls a plan out as a release, which ends up "complete" or "failed".
---@async
---@param run sim.flyctl.Run
---@param plan sim.flyctl.Rollout
---@param machines table[]
---@return true?
---@return err.Record?
function M.release(run, plan, machines)
  local image = plan.image or (machines[1] and machines[1].config.image) or ""
  local release, e = open_release(run, plan, image)
  if not release then
    return nil, e
  end
  local ok, failed
  if #machines == 0 then
    ok, failed = plan.first(release)
  else
    run:say("\n-------\n%s '%s' with %s strategy\n-------", plan.title, plan.app,
      plan.strategy or "rolling")
    ok, failed = STRATEGIES[plan.strategy or "rolling"](run, plan, machines, release)
  end
  local closed
  closed, e = run.api:web_call("PATCH", "/releases/" .. release.id,
    { status = ok and "complete" or "failed" })
  if not ok then
    return nil, failed
  end
  run:say("-------")
  return closed and true, e
end

--- Gives all machines the secrets as they are now.
---@async
---@param run sim.flyctl.Run
---@param app string
---@param machines table[]
---@param version integer?
---@return true?
---@return err.Record?
function M.secrets(run, app, machines, version)
  return M.release(run, {
    app = app, secrets = version, title = "Updating existing machines in",
    detach = run.flags.detach,
  }, machines)
end

return M
