--- Volumes and their snapshots.
--- Pure.

local json = require "base.json"
local tbl = require "base.tbl"
local time = require "base.time"

local problem = require "sim.problem"
local regions = require "sim.regions"
local request = require "sim.request"

local M = {}

local MAX_GB = 500
local DEFAULT_GB = 3
local BLOCK = 4096
local GB = 1024 * 1024 * 1024

-- Seconds a volume takes to be made, or for a step of being copied; and a
-- snapshot.
local STEP_TIME, SNAPSHOT_TIME = 0.2, 0.5

-- A destroyed volume can be brought back for a day; its snapshots outlive it.
local DESTROY_TIME = 24 * 3600

-- The states that lead to a usable volume, by what it is a copy of.
local STEPS = {
  none = { creating = "created", extending = "created" },
  volume = {
    creating = "enabling_remote_export", enabling_remote_export = "hydrating",
    hydrating = "created", extending = "created",
  },
  snapshot = {
    creating = "restoring", restoring = "created", extending = "created",
  },
}

---@class sim.Volume: sim.Record
---@field owner string app name
---@field name string
---@field region string
---@field zone string
---@field state string
---@field size_gb integer
---@field used_bytes integer
---@field encrypted boolean
---@field fstype string
---@field snapshot_retention integer
---@field auto_backup_enabled boolean
---@field attached_machine_id string?
---@field copied_from "volume"|"snapshot"|nil
---@field created_at number

--- The volume as the volume routes answer it.
---@param volume sim.Volume
---@return table
function M.view(volume)
  local blocks = volume.size_gb * GB // BLOCK
  local free = blocks - volume.used_bytes // BLOCK
  return {
    id = volume.id,
    name = volume.name,
    state = volume.state,
    region = volume.region,
    zone = volume.zone,
    size_gb = volume.size_gb,
    encrypted = volume.encrypted,
    fstype = volume.fstype,
    type = "local",
    attached_machine_id = volume.attached_machine_id or json.null,
    attached_alloc_id = json.null,
    created_at = time.format(volume.created_at),
    blocks = blocks, block_size = BLOCK,
    blocks_free = free, blocks_avail = free * 95 // 100,
    bytes_used = volume.used_bytes, bytes_total = volume.size_gb * GB,
    snapshot_retention = volume.snapshot_retention,
    auto_backup_enabled = volume.auto_backup_enabled,
    host_status = "ok",
    host_dedication_id = "",
  }
end

local function make_text(_, volume)
  return json.encode(M.view(volume))
end

--- The volume as JSON, from the cache where possible.
---@param world sim.World
---@param volume sim.Volume
---@return string
function M.text(world, volume)
  return world:text(volume, make_text)
end

local function check_size(gb)
  if gb < 1 or gb > MAX_GB then
    return problem.new(400, ("invalid_argument: size_gb must be from 1 to %d")
      :format(MAX_GB))
  end
  return true
end

local function find_source(world, org, id)
  local source = world:get("volume", id)
  local app = source and world:get("app", source.owner)
  if not app or app.owner ~= org then
    return problem.not_found("volume", id)
  elseif source.state ~= "created" then
    return problem.precondition("volume is in state " .. source.state)
  end
  return source
end

local function find_snapshot(world, org, id)
  local snapshot = world:get("snapshot", id)
  local app = snapshot and world:get("app", snapshot.owner)
  if not app or app.owner ~= org then
    return problem.not_found("snapshot", id)
  end
  return snapshot
end

-- What a new volume is a copy of: nothing, a volume, or a snapshot.
local function find_origin(world, app, body)
  local source_id = request.member(body, "source_volume_id")
  local snapshot_id = request.member(body, "snapshot_id")
  if source_id and source_id ~= "" then
    local source, wrong = find_source(world, app.owner, source_id)
    return source and {
      region = source.region, size_gb = source.size_gb,
      used = source.used_bytes, kind = "volume",
    }, wrong
  elseif snapshot_id and snapshot_id ~= "" then
    local snapshot, wrong = find_snapshot(world, app.owner, snapshot_id)
    return snapshot and {
      region = snapshot.region, size_gb = snapshot.size_gb,
      used = snapshot.size, kind = "snapshot",
    }, wrong
  end
  return { used = 0 }
end

local function check_name(name)
  if #name > 30 or not name:find("^[a-z0-9_]+$") then
    return problem.new(400, "invalid_argument: name must consist of at most "
      .. "30 lower-case letters, digits and underscores")
  end
  return true
end

local function check_region(world, region)
  if not regions.usable(region) then
    return problem.new(400,
      ("invalid_argument: region %q is not available"):format(region))
  elseif regions.capacity(world, region) < 1 then
    return problem.new(400, "no capacity", "volume_placement_capacity")
  end
  return true
end

-- Size and region of a new volume, once all is found to be in order.
local function settle(world, app, body)
  local origin, wrong = find_origin(world, app, body)
  if not origin then
    return nil, wrong
  end
  local region = request.member(body, "region")
  region = region ~= "" and region or origin.region or regions.NEAREST
  local gb = request.member(body, "size_gb") or origin.size_gb or DEFAULT_GB
  local ok
  ok, wrong = check_name(body.name)
  if ok then
    ok, wrong = check_region(world, region)
  end
  if ok then
    ok, wrong = check_size(gb)
  end
  if not ok then
    return nil, wrong
  end
  if origin.size_gb and gb < origin.size_gb then
    return problem.new(400, ("invalid_argument: size_gb must be at least %d, "
      .. "the size of what is copied"):format(origin.size_gb))
  end
  return { region = region, gb = gb, origin = origin }
end

local function flag(body, name, default)
  local value = request.member(body, name)
  if value == nil then
    return default
  end
  return value
end

-- A while from now the volume will be a state further.
local function take_a_step(world, volume)
  world:plan("volume", volume, STEP_TIME * (world.meta.pace or 1))
end

--- Creates a volume from a create body: empty, a fork, or from a snapshot.
---@param world sim.World
---@param app table
---@param body table
---@return sim.Volume?
---@return sim.Problem?
function M.create(world, app, body)
  local place, wrong = settle(world, app, body)
  if not place then
    return nil, wrong
  end
  local volume = M.add(world, app, {
    name = body.name, region = place.region, size_gb = place.gb,
    used_bytes = place.origin.used,
    state = "creating", copied_from = place.origin.kind,
    encrypted = flag(body, "encrypted", true),
    fstype = flag(body, "fstype", "ext4"),
    snapshot_retention = flag(body, "snapshot_retention", 5),
    auto_backup_enabled = flag(body, "auto_backup_enabled", true),
  })
  take_a_step(world, volume)
  return volume
end

--- A new volume's record.
---@param world sim.World
---@param app table
---@param spec table what the record starts with
---@return sim.Volume
function M.add(world, app, spec)
  return world:add("volume", tbl.merge({
    id = world:fresh("volume", function()
      return world.ids:volume()
    end),
    owner = app.id, zone = world.ids:hex(4), state = "created",
    used_bytes = 0, encrypted = true, fstype = "ext4",
    snapshot_retention = 5, auto_backup_enabled = true,
    created_at = world:now(),
  }, spec))
end

--- The agenda's handler: a state further, or gone.
---@param world sim.World
---@param volume sim.Volume
function M.due(world, volume)
  if volume.state == "pending_destroy" then
    world:drop("volume", volume)
    return
  end
  local steps = STEPS[volume.copied_from or "none"]
  local state = steps[volume.state] or volume.state
  volume.state = state
  world:touch("volume", volume)
  if steps[state] then
    take_a_step(world, volume)
  end
end

local function is_usable(volume)
  return volume.state == "created"
end

--- Starts to destroy a volume; an attached one is refused.
---@param world sim.World
---@param volume sim.Volume
---@return boolean?
---@return sim.Problem?
function M.destroy(world, volume)
  if volume.attached_machine_id then
    return problem.new(409, ("failed_precondition: volume %s is attached to "
      .. "machine %s"):format(volume.id, volume.attached_machine_id))
  end
  if volume.state ~= "pending_destroy" then
    volume.state = "pending_destroy"
    world:plan("volume", volume, DESTROY_TIME * (world.meta.pace or 1))
    world:touch("volume", volume)
  end
  return true
end

--- Makes a volume larger; the size is the new total.
---@param world sim.World
---@param volume sim.Volume
---@param gb integer
---@return boolean? needs_restart
---@return sim.Problem?
function M.extend(world, volume, gb)
  if not is_usable(volume) then
    return problem.precondition("volume is in state " .. volume.state)
  elseif gb <= volume.size_gb then
    return problem.new(400, ("invalid_argument: size_gb must be greater than "
      .. "the current size, %d"):format(volume.size_gb))
  end
  local ok, wrong = check_size(gb)
  if not ok then
    return nil, wrong
  end
  volume.size_gb, volume.state = gb, "extending"
  world:touch("volume", volume)
  take_a_step(world, volume)
  local machine = volume.attached_machine_id
    and world:get("machine", volume.attached_machine_id)
  return machine ~= nil and machine.state == "started"
end

--- Changes what may be changed in place.
---@param world sim.World
---@param volume sim.Volume
---@param body table
---@return boolean?
---@return sim.Problem?
function M.update(world, volume, body)
  local days = request.member(body, "snapshot_retention")
  if days and (days < 1 or days > 60) then
    return problem.new(400,
      "invalid_argument: snapshot_retention must be from 1 to 60 days")
  end
  volume.snapshot_retention = days or volume.snapshot_retention
  volume.auto_backup_enabled = flag(body, "auto_backup_enabled",
    volume.auto_backup_enabled)
  world:touch("volume", volume)
  return true
end

--- Starts a snapshot.
---@param world sim.World
---@param volume sim.Volume
---@return table? snapshot
---@return sim.Problem?
function M.snapshot(world, volume)
  if not is_usable(volume) then
    return problem.precondition("volume is in state " .. volume.state)
  end
  local snapshot = world:add("snapshot", {
    id = "vs_" .. world.ids:alnum(16), owner = volume.owner,
    volume = volume.id, region = volume.region, state = "waiting",
    size = volume.used_bytes, size_gb = volume.size_gb,
    digest = world.ids:hex(64), retention = volume.snapshot_retention,
    created_at = world:now(),
  })
  world:plan("snapshot", snapshot, SNAPSHOT_TIME * (world.meta.pace or 1))
  return snapshot
end

--- The agenda's handler: a snapshot is complete.
---@param world sim.World
---@param snapshot table
function M.snapshot_due(world, snapshot)
  snapshot.state = "created"
  world:touch("snapshot", snapshot)
end

---@param snapshot table
---@return table
function M.view_snapshot(snapshot)
  return {
    id = snapshot.id, status = snapshot.state, digest = snapshot.digest,
    size = snapshot.size, volume_size = snapshot.size_gb * GB,
    retention_days = snapshot.retention,
    created_at = time.format(snapshot.created_at),
  }
end

--- The snapshots of a volume, newest first.
---@param world sim.World
---@param volume sim.Volume
---@return table[]
function M.snapshots(world, volume)
  local out = {}
  for _, snapshot in ipairs(world:list("snapshot", volume.owner)) do
    if snapshot.volume == volume.id then
      table.insert(out, 1, snapshot)
    end
  end
  return out
end

return M
