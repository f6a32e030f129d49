--- The simulated flyctl's `volumes`.
--- Waits.

local flyctl = require "sim.flyctl"
local json = require "base.json"
local task = require "sys.task"
local tbl = require "base.tbl"

local M = {}

-- Seconds between two looks at a new volume, and it may take.
local PAUSE, LIMIT = 0.1, 30

local NO_ID = "volume ID must be specified when not running interactively"

-- The app, and what a request about it answers.
---@async
local function ask(run, method, path, ...)
  local app, e = run:app()
  if not app then
    return nil, e
  end
  return run.api:rest(method, "/apps/%s" .. path, app, ...)
end

---@async
---@param run sim.flyctl.Run
---@return any done nil when it failed, an exit code when that is not 0
---@return err.Record?
function M.volumes_list(run)
  local volumes, e = ask(run, "GET", "/volumes")
  if not volumes then
    return nil, e
  elseif run.flags.json then
    run:json(json.array(volumes))
    return true
  end
  run:table({ "ID", "STATE", "NAME", "SIZE", "REGION", "ZONE", "ENCRYPTED", "ATTACHED VM",
    "CREATED AT" },
    tbl.map(volumes, function(volume)
      local attached = volume.attached_machine_id
      return {
        volume.id, volume.state, volume.name, volume.size_gb .. "GB", volume.region,
        volume.zone, tostring(volume.encrypted), attached ~= json.null and attached or "",
        run:ago(volume.created_at),
      }
    end))
  return true
end

local function show(run, volume)
  if run.flags.json then
    run:json(volume)
    return true
  end
  for _, row in ipairs({
    { "ID", volume.id }, { "Name", volume.name }, { "App", run:app() },
    { "Region", volume.region }, { "Zone", volume.zone }, { "Size GB", volume.size_gb },
    { "Encrypted", tostring(volume.encrypted) }, { "Created at", volume.created_at },
    { "Snapshot retention", volume.snapshot_retention },
    { "Scheduled snapshots", tostring(volume.auto_backup_enabled) },
  }) do
    run:say("%20s: %s", row[1], row[2])
  end
  return true
end

---@async
---@param run sim.flyctl.Run
---@return any done nil when it failed, an exit code when that is not 0
---@return err.Record?
function M.volumes_show(run)
  if not run.args[1] then
    return flyctl.fail(NO_ID)
  end
  local volume, e = ask(run, "GET", "/volumes/%s", run.args[1])
  if not volume then
    return nil, e
  end
  return show(run, volume)
end

-- A volume that is there, not only about to be.
---@async
local function created(run, made)
  local deadline = task.now() + LIMIT
  while made and made.state == "creating" and task.now() < deadline do
    task.sleep(PAUSE)
    made = ask(run, "GET", "/volumes/%s", made.id)
  end
  return made
end

---@async
---@param run sim.flyctl.Run
---@return any done nil when it failed, an exit code when that is not 0
---@return err.Record?
function M.volumes_create(run)
  local flags = run.flags
  if not flags.region then
    return flyctl.fail("region code must be specified when not running interactively")
  elseif not flags.yes then
    return run:confirmed() -- it warns that one volume is not enough
  end
  for _ = 1, flags.count or 1 do
    local volume, e = ask(run, "POST", "/volumes", {
      name = run.args[1], region = flags.region, size_gb = flags.size or 1,
      encrypted = not flags["no-encryption"], snapshot_id = flags["snapshot-id"],
      snapshot_retention = flags["snapshot-retention"],
    })
    volume = volume and created(run, volume)
    if not volume then
      return nil, e
    end
    show(run, volume)
  end
  return true
end

---@async
---@param run sim.flyctl.Run
---@return any done nil when it failed, an exit code when that is not 0
---@return err.Record?
function M.volumes_destroy(run)
  if #run.args == 0 then
    return flyctl.fail(NO_ID)
  end
  local agreed, e = run:confirmed()
  if not agreed then
    return nil, e
  end
  local app
  app, e = run:app()
  for _, id in ipairs(app and run.args or {}) do
    local gone
    gone, e = run.api:rest("DELETE", "/apps/%s/volumes/%s", app, id)
    if not gone then
      return nil, e
    end
    run:say("Destroyed volume ID: %s name: %s", id, gone.name)
  end
  return app and true, e
end

---@async
---@param run sim.flyctl.Run
---@return any done nil when it failed, an exit code when that is not 0
---@return err.Record?
function M.volumes_extend(run)
  local volume, e
  if not run.args[1] then
    return flyctl.fail(NO_ID)
  elseif not run.flags.size then
    return flyctl.fail("Volume size must be specified")
  end
  volume, e = ask(run, "GET", "/volumes/%s", run.args[1])
  if not volume then
    return nil, e
  end
  local sign, digits = run.flags.size:match("^(%+?)(%d+)$")
  local size = digits and math.tointeger(tonumber(digits))
  if not size then
    return flyctl.fail("Volume size is invalid: %s", run.flags.size)
  end
  local reply
  reply, e = ask(run, "PUT", "/volumes/%s/extend", run.args[1],
    { size_gb = sign == "+" and volume.size_gb + size or size })
  if not reply then
    return nil, e
  end
  return show(run, reply.volume or reply)
end

return M
