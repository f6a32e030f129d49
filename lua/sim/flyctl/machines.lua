--- The simulated flyctl's `machine` and `ssh console`.
--- Waits.

local flyctl = require "sim.flyctl"
local json = require "base.json"
local rollout = require "sim.flyctl.rollout"
local sizes = require "sim.flyctl.sizes"
local tbl = require "base.tbl"

local M = {}

local COLUMNS = { "ID", "NAME", "STATE", "REGION", "IMAGE", "CREATED" }

local function cells(machine)
  return {
    machine.id, machine.name, machine.state, machine.region,
    type(machine.config) == "table" and machine.config.image, machine.created_at,
  }
end

---@async
---@param run sim.flyctl.Run
---@return any done nil when it failed, an exit code when that is not 0
---@return err.Record?
function M.machine_list(run)
  local app, e = run:app()
  local machines
  if app then
    machines, e = rollout.machines(run, app)
  end
  if not machines then
    return nil, e
  elseif run.flags.json then
    run:json(json.array(machines))
  elseif run.flags.quiet then
    for _, machine in ipairs(machines) do
      run:say("%s", machine.id)
    end
  elseif #machines == 0 then
    run:say("No machines are available on this app %s", app)
  else
    run:say("%d machines have been retrieved from app %s.\nView them in the UI here"
      .. " (\u{200b}https://fly.io/apps/%s/machines/)\n", #machines, app, app)
    run:table(COLUMNS, tbl.map(machines, cells))
  end
  return true
end

-- The one machine of the arguments; where flyctl would let choose, it fails.
---@async
local function one_machine(run)
  local app, e = run:app()
  if not app then
    return nil, e
  elseif not run.args[1] then
    return run:cannot_ask()
  end
  local machine
  machine, e = run.api:rest("GET", "/apps/%s/machines/%s", app, run.args[1])
  return machine, machine and app or e
end

---@async
---@param run sim.flyctl.Run
---@return any done nil when it failed, an exit code when that is not 0
---@return err.Record?
function M.machine_status(run)
  local machine, e = one_machine(run)
  if not machine then
    return nil, e
  end
  run:say("Machine ID: %s\nInstance ID: %s\nState: %s\n", machine.id, machine.instance_id,
    machine.state)
  run:table(COLUMNS, { cells(machine) })
  if run.flags["display-config"] then
    run:json(machine.config)
  end
  return true
end

---@class sim.flyctl.Action
---@field method string?
---@field path string below the machine
---@field state string? it leads to
---@field body (fun(run: sim.flyctl.Run): table)?
---@field doing string
---@field done string? after the machine's id
---@field refuse (fun(run: sim.flyctl.Run, machine: table): string?)?

-- A command that does the same to every machine it is given.
---@param action sim.flyctl.Action
local function each(action)
  return function(run)
    local app, e = run:app()
    if not app then
      return nil, e
    elseif #run.args == 0 then
      return run:cannot_ask()
    end
    for _, id in ipairs(run.args) do
      local machine, why = run.api:rest("GET", "/apps/%s/machines/%s", app, id)
      local refused = machine and action.refuse and action.refuse(run, machine)
      local ok
      if refused then
        return flyctl.fail("%s", refused)
      elseif machine then
        run:say("%s %s...", action.doing, id)
        ok, why = run.api:leased(app, id, function()
          return run.api:rest(action.method or "POST", "/apps/%s/machines/%s" .. action.path,
            app, id, action.body and action.body(run))
        end)
      end
      if ok and action.state then
        ok, why = rollout.wait(run, app, id, action.state, machine.instance_id)
      end
      if not ok then
        return nil, why
      end
      run:say(action.done and "%s %s" or "done!", id, action.done)
    end
    return true
  end
end

M.machine_start = each({
  path = "/start", doing = "Starting", done = "has been started", state = "started",
})
M.machine_stop = each({
  path = "/stop", doing = "Sending kill signal to machine", done = "has been successfully stopped",
  state = "stopped",
  body = function(run)
    return {
      signal = run.flags.signal,
      timeout = run.flags.timeout and run.flags.timeout .. "s",
    }
  end,
})
M.machine_suspend = each({
  path = "/suspend", doing = "Suspending", done = "has been suspended", state = "suspended",
})
M.machine_restart = each({
  path = "/restart", doing = "Restarting machine", done = "has been restarted", state = "started",
})
M.machine_cordon = each({ path = "/cordon", doing = "Activating cordon on machine" })
M.machine_uncordon = each({ path = "/uncordon", doing = "Deactivating cordon on machine" })

---@async
---@param run sim.flyctl.Run
---@return any done nil when it failed, an exit code when that is not 0
---@return err.Record?
function M.machine_destroy(run)
  local app, e = run:app()
  if not app then
    return nil, e
  end
  for _, id in ipairs(run.args) do
    local machine, why = run.api:rest("GET", "/apps/%s/machines/%s", app, id)
    if machine and machine.state == "started" and not run.flags.force then
      return flyctl.fail("machine %s currently started, either stop first or use --force flag",
        id)
    end
    local gone = machine
    if machine then
      gone, why = run.api:rest("DELETE", "/apps/%s/machines/%s?force=true", app, id)
    end
    if not gone then
      return nil, why
    end
    run:say("machine %s was found and is currently in %s state, attempting to destroy..."
      .. "\n%s has been destroyed", id, machine.state, id)
  end
  return true
end

---@async
---@param run sim.flyctl.Run
---@return any done nil when it failed, an exit code when that is not 0
---@return err.Record?
function M.machine_run(run)
  local app, e = run:app()
  if not app then
    return nil, e
  elseif not run.args[1] then
    return flyctl.fail("image argument can't be an empty string")
  end
  local guest
  guest, e = sizes.resolve(run.flags, nil)
  local made
  if guest then
    made, e = run.api:rest("POST", "/apps/%s/machines", app, {
      name = run.flags.name, region = run.flags.region, config = {
        image = run.args[1], guest = guest, env = flyctl.pairs(run.flags.env),
        metadata = flyctl.pairs(run.flags.metadata),
        init = run.args[2] and { cmd = table.move(run.args, 2, #run.args, 1, json.array({})) },
      },
    })
  end
  if not made then
    return nil, e
  end
  run:say("Success! A machine has been successfully launched in app %s\n Machine ID: %s"
    .. "\n Instance ID: %s\n State: %s", app, made.id, made.instance_id, made.state)
  if run.flags.detach then
    return true
  end
  local started
  started, e = rollout.wait(run, app, made.id, "started", made.instance_id)
  return started and true, e
end

---@async
---@param run sim.flyctl.Run
---@return any done nil when it failed, an exit code when that is not 0
---@return err.Record?
function M.machine_update(run)
  local machine, app = one_machine(run)
  if not machine then
    return nil, app
  end
  local guest, e = sizes.resolve(run.flags, machine.config.guest)
  local agreed
  if guest then
    agreed, e = run:confirmed()
  end
  if not agreed then
    return nil, e
  end
  run:say("Updating machine %s", machine.id)
  local ok
  ok, e = rollout.update(run, {
    app = app, image = run.flags.image, detach = run.flags.detach,
    change = function(config)
      config.guest = guest
      config.env = tbl.merge(config.env or {}, flyctl.pairs(run.flags.env))
      config.metadata = tbl.merge(config.metadata, flyctl.pairs(run.flags.metadata))
    end,
  }, machine)
  if not ok then
    return nil, e
  end
  run:say("Machine %s updated successfully!", machine.id)
  return true
end

-- Runs a line in a machine; what it writes is ours.
---@async
local function exec(run, app, id, line, timeout)
  local reply, e = run.api:rest("POST", "/apps/%s/machines/%s/exec", app, id,
    { cmd = line, timeout = timeout })
  if not reply then
    return nil, e
  end
  run.world.write(1, reply.stdout or "")
  run.world.write(2, reply.stderr or "")
  return reply.exit_code or 0
end

---@async
---@param run sim.flyctl.Run
---@return any done nil when it failed, an exit code when that is not 0
---@return err.Record?
function M.machine_exec(run)
  local app, e = run:app()
  if not app then
    return nil, e
  end
  local id, line = run.args[1], run.args[2]
  if not line then
    return run:cannot_ask()
  end
  local code
  code, e = exec(run, app, id, line, run.flags.timeout)
  if code and code ~= 0 then
    return flyctl.fail("Exit code: %d", code)
  end
  return code and true, e
end

-- The first started machine that the flags mean.
---@async
local function console_machine(run, app)
  local machines, e = rollout.machines(run, app)
  if not machines then
    return nil, e
  end
  local flags = run.flags
  local found = tbl.find(machines, function(machine)
    return machine.state == "started"
      and (not flags.machine or machine.id == flags.machine)
      and (not flags.region or machine.region == flags.region)
      and (not flags["process-group"] or rollout.group(machine) == flags["process-group"])
  end)
  if not found then
    return flyctl.fail("app %s has no started VMs.\nIt may be unhealthy or not have been"
      .. " deployed yet.", app)
  end
  return found
end

---@async
---@param run sim.flyctl.Run
---@return any done nil when it failed, an exit code when that is not 0
---@return err.Record?
function M.ssh_console(run)
  local app, e = run:app()
  if not app then
    return nil, e
  elseif not run.flags.command then
    return run:cannot_ask() -- a shell is for a terminal
  end
  local machine
  machine, e = console_machine(run, app)
  if not machine then
    return nil, e
  end
  if not run.flags.quiet then
    run:tell("Connecting to %s... complete", machine.private_ip)
  end
  local code
  code, e = exec(run, app, machine.id, run.flags.command)
  if code and code ~= 0 then
    return flyctl.fail("ssh shell: Process exited with status %d", code)
  end
  return code and true, e
end

return M
