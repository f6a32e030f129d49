--- Volumes that machines mount: which one is meant, and what a mount changes.
--- Waits in the injected context only.

local err = require "base.err"
local flow = require "ops.flow"
local json = require "base.json"
local spec = require "ops.machine_spec"
local tbl = require "base.tbl"

local M = {}

local function is_free(volume)
  return (volume.attached_machine_id or "") == ""
end

-- The volume a mount means: by id, or by name one that is free and in the
-- region (any, when none is asked for). With a machine that is there already.
local function find_volume(volumes, wanted, region, app, machine)
  local by_id = spec.is_volume_id(wanted)
  local named = tbl.filter(volumes, function(volume)
    return (by_id and volume.id or volume.name) == wanted
  end)
  local free = tbl.find(named, function(volume)
    return is_free(volume) and (not region or volume.region == region)
  end)
  if free then
    return free
  end
  local other = tbl.find(named, is_free) or named[1]
  if not other then
    return nil, err.new({ kind = "not_found",
      message = ("app %s has no volume %s"):format(app, wanted),
      hint = "clanker fly list volumes --app " .. app })
  elseif not is_free(other) then
    return nil, err.new({ kind = "conflict",
      message = ("volume %s is mounted by machine %s"):format(other.id,
        other.attached_machine_id),
      hint = "a volume has one machine: clanker fly list volumes --unattached --app "
        .. app })
  end
  return nil, err.new({
    kind = "invalid",
    message = ("volume %s is in %s, the machine %s in %s"):format(other.id,
      other.region, machine and "is" or "would be", region),
    hint = (machine and "" or ("give --region %s, or "):format(other.region))
      .. "create a volume in " .. region,
  })
end

local function volumes_of(ctx, app)
  return flow.collect(ctx, "volumes.list_app", { app = app }, function(volume)
    return volume
  end)
end

--- The mounts asked for a new machine, and the region they force.
---@async
---@param ctx op.Context
---@param args table
---@return table[]? mounts
---@return string? region
---@return err.Record?
function M.of_new(ctx, args)
  if not args.volume then
    return nil, args.region
  end
  local volumes, e = volumes_of(ctx, args.app)
  if not volumes then
    return nil, nil, e
  end
  local list, region = json.array(), args.region
  for i, text in ipairs(args.volume) do
    local mount, why = spec.mount(text)
    if not mount then
      return nil, nil, why
    end
    local volume
    volume, why = find_volume(volumes, mount.volume, region, args.app)
    if not volume then
      return nil, nil, why
    end
    volume.attached_machine_id = "to be made" -- two mounts do not share a volume
    region = volume.region
    list[i] = { volume = volume.id, path = mount.path }
  end
  return list, region
end

-- The change that one mount asks for: of the mount at that path, else of the
-- volume's own, else one more.
local function change_of(mounted, volume, path)
  for i, mount in ipairs(mounted) do
    if mount.path == path then
      mount.volume = volume.id
      return { { "mounts", i, "volume" }, volume.id }
    end
  end
  for i, mount in ipairs(mounted) do
    if mount.volume == volume.id then
      mount.path = path
      return { { "mounts", i, "path" }, path }
    end
  end
  local mount = { volume = volume.id, path = path }
  mounted[#mounted + 1] = mount
  if #mounted == 1 then
    return { { "mounts" }, json.array({ mount }) }
  end
  return { { "mounts", #mounted }, mount }
end

-- The machine's own volume of that id or name, else one that is free there.
local function volume_for(volumes, wanted, machine, app)
  local own = tbl.find(volumes, function(volume)
    return volume.attached_machine_id == machine.id
      and (volume.id == wanted or volume.name == wanted)
  end)
  if own then
    return own
  end
  return find_volume(volumes, wanted, machine.region, app, machine)
end

-- Adds to the changes those that the mounts asked for need.
local function add_changes(volumes, args, machine, changes)
  local config = tbl.get(machine, "config.mounts")
  local mounted = type(config) == "table" and tbl.deep_copy(config) or {}
  for _, text in ipairs(args.volume) do
    local mount, e = spec.mount(text)
    local volume
    if mount then
      volume, e = volume_for(volumes, mount.volume, machine, args.app)
    end
    if not volume then
      return nil, e
    end
    changes[#changes + 1] = change_of(mounted, volume, mount.path)
  end
  return changes
end

--- How the mounts asked for change the config of a machine that is there: a
--- function that adds to the changes of its text.
---@async
---@param ctx op.Context
---@param args table
---@param targets ops.Target[]
---@return (fun(machine: table, changes: table[]): table[]?, err.Record?)?
---@return err.Record?
function M.for_old(ctx, args, targets)
  if not args.volume then
    return function(_, changes)
      return changes
    end
  elseif #targets > 1 then
    return nil, err.new({
      kind = "usage", message = "--volume is for one machine at a time",
      hint = "a volume has one machine: name that one alone",
    })
  end
  local volumes, e = volumes_of(ctx, args.app)
  if not volumes then
    return nil, e
  end
  return function(machine, changes)
    return add_changes(volumes, args, machine, changes)
  end
end

return M
