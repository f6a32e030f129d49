--- Volumes and the machines they are mounted in.
--- Pure.

local json = require "base.json"

local problem = require "sim.problem"

local M = {}

local function free_volume(world, app, name, region)
  for _, volume in ipairs(world:list("volume", app)) do
    if volume.name == name and volume.region == region
      and not volume.attached_machine_id and volume.state == "created" then
      return volume
    end
  end
end

local function find_volume(world, app, mount, region)
  local id = mount.volume
  if id == nil or id == json.null or id == "" then
    if not mount.name then
      return problem.new(400, "invalid_argument: a mount needs a volume")
    end
    local volume = free_volume(world, app, mount.name, region)
    if not volume then
      return problem.new(400,
        ("no unattached volume named %q in region %s"):format(
          mount.name, region))
    end
    return volume
  end
  local volume = world:get("volume", id)
  if not volume or volume.owner ~= app then
    return problem.new(400, "volume not found: " .. id)
  end
  return volume
end

local function check(volume, region, machine_id)
  if volume.region ~= region then
    return problem.new(400, ("volume %s is in region %s, the machine in %s")
      :format(volume.id, volume.region, region))
  elseif volume.state == "pending_destroy" then
    return problem.precondition("volume is in state " .. volume.state)
  end
  local holder = volume.attached_machine_id
  if holder and holder ~= machine_id then
    return problem.new(412,
      ("failed_precondition: volume %s is attached to machine %s"):format(
        volume.id, holder))
  end
  return volume
end

--- The volumes that a config mounts, each free or the machine's own. Names
--- in the config become ids.
---@param world sim.World
---@param app string
---@param config table
---@param region string
---@param machine_id string? nil for a new machine
---@return table[]? volumes
---@return sim.Problem?
function M.resolve(world, app, config, region, machine_id)
  local mounts, volumes = config.mounts, {}
  if mounts == nil or mounts == json.null then
    return volumes
  end
  for i, mount in ipairs(mounts) do
    local volume, wrong = find_volume(world, app, mount, region)
    if not volume then
      return nil, wrong
    end
    volume, wrong = check(volume, region, machine_id)
    if not volume then
      return nil, wrong
    end
    mount.volume = volume.id
    volumes[i] = volume
  end
  return volumes
end

--- Makes `volumes` the ones attached to a machine; others it had are freed.
---@param world sim.World
---@param machine table
---@param volumes table[]
function M.attach(world, machine, volumes)
  local wanted = {}
  for _, volume in ipairs(volumes) do
    wanted[volume.id] = true
  end
  for _, volume in ipairs(world:list("volume", machine.owner)) do
    if wanted[volume.id] then
      volume.attached_machine_id = machine.id
      world:touch("volume", volume)
    elseif volume.attached_machine_id == machine.id then
      volume.attached_machine_id = nil
      world:touch("volume", volume)
    end
  end
end

return M
