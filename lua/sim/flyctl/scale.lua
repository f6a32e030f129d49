--- The simulated flyctl's `scale`: show, count, vm, memory.
--- Waits.

local flyctl = require "sim.flyctl"
local fmt = require "base.fmt"
local json = require "base.json"
local rollout = require "sim.flyctl.rollout"
local sizes = require "sim.flyctl.sizes"
local tbl = require "base.tbl"

local M = {}

-- The app and its machines, of one process group if told.
---@async
local function machines_of(run, group)
  local app, e = run:app()
  local machines
  if app then
    machines, e = rollout.machines(run, app)
  end
  if not machines then
    return nil, e
  end
  return app, tbl.filter(machines, function(machine)
    return not group or rollout.group(machine) == group
  end)
end

-- Machines of one group and size, counted.
local function tally(machines)
  local rows = {}
  for _, machine in ipairs(machines) do
    local guest, group = machine.config.guest, rollout.group(machine)
    local key = ("%s %s %d"):format(group, sizes.name(guest), guest.memory_mb)
    local row = rows[key] or { group = group, guest = guest, count = 0, regions = {} }
    row.count = row.count + 1
    row.regions[machine.region] = (row.regions[machine.region] or 0) + 1
    rows[key] = row
  end
  local list = {}
  for _, row in tbl.sorted(rows) do
    list[#list + 1] = row
  end
  return list
end

local function regions_text(regions)
  local words = {}
  for region, count in tbl.sorted(regions) do
    words[#words + 1] = count > 1 and ("%s(%d)"):format(region, count) or region
  end
  return table.concat(words, ",")
end

---@async
---@param run sim.flyctl.Run
---@return any done nil when it failed, an exit code when that is not 0
---@return err.Record?
function M.scale_show(run)
  local app, machines = machines_of(run)
  if not app then
    return nil, machines
  end
  local rows = tally(machines)
  if run.flags.json then
    run:json(json.array(tbl.map(rows, function(row)
      return {
        Process = row.group, Count = row.count, CPUKind = row.guest.cpu_kind,
        CPUs = row.guest.cpus, Memory = row.guest.memory_mb, Regions = row.regions,
      }
    end)))
    return true
  end
  run:say("VM Resources for app: %s\n\nGroups", app)
  run:table({ "NAME", "COUNT", "KIND", "CPUS", "MEMORY", "REGIONS" },
    tbl.map(rows, function(row)
      return {
        row.group, row.count, row.guest.cpu_kind, row.guest.cpus,
        row.guest.memory_mb .. " MB", regions_text(row.regions),
      }
    end))
  return true
end

-- Gives the machines of the group in the flags another size.
---@async
local function resize(run, flags)
  local group = run.flags["process-group"]
  local app, machines = machines_of(run, group)
  if not app then
    return nil, machines
  elseif #machines == 0 then
    return flyctl.fail("No active machines in process group '%s', check `fly status`"
      .. " output", group or "app")
  end
  local guest
  for _, machine in ipairs(machines) do
    local e
    guest, e = sizes.resolve(flags, machine.config.guest)
    if not guest then
      return nil, e
    end
  end
  for _, machine in ipairs(machines) do
    run:say("Updating machine %s", machine.id)
    local ok, e = rollout.update(run, {
      app = app, change = function(config)
        config.guest = sizes.resolve(flags, config.guest)
      end,
    }, machine)
    if not ok then
      return nil, e
    end
  end
  run:say("Scaled VM Type to '%s'", sizes.name(guest))
  run:say("%15s: %d\n%15s: %s", "CPU Cores", guest.cpus, "Memory",
    fmt.bytes(guest.memory_mb * 2 ^ 20))
  return true
end

---@async
---@param run sim.flyctl.Run
---@return any done nil when it failed, an exit code when that is not 0
---@return err.Record?
function M.scale_vm(run)
  return resize(run, {
    ["vm-size"] = run.args[1], ["vm-memory"] = run.flags["vm-memory"],
  })
end

---@async
---@param run sim.flyctl.Run
---@return any done nil when it failed, an exit code when that is not 0
---@return err.Record?
function M.scale_memory(run)
  return resize(run, { ["vm-memory"] = run.args[1] })
end

-- "3", "+1", "-1" or "web=2" for each group: how many there shall be.
local function read_counts(run, machines)
  local counts, have, known = {}, {}, { app = true }
  for _, machine in ipairs(machines) do
    local group = rollout.group(machine)
    known[group] = true
    if not run.flags.region or machine.region == run.flags.region then
      have[group] = (have[group] or 0) + 1
    end
  end
  for _, arg in ipairs(run.args) do
    local group, text = arg:match("^([%w_-]+)=(.*)$")
    group, text = group or run.flags["process-group"] or "app", text or arg
    if not known[group] then
      return flyctl.fail("process group '%s' not found", group)
    end
    local sign, digits = text:match("^([+-]?)(%d+)$")
    local n = digits and math.tointeger(tonumber(digits))
    if not n then
      return flyctl.fail("%s is not a valid count", text)
    end
    local now = have[group] or 0
    counts[group] = sign == "+" and now + n or sign == "-" and math.max(0, now - n) or n
  end
  return counts
end

---@class sim.flyctl.Plan what happens to a group
---@field group string
---@field region string
---@field create integer
---@field destroy table[] machines

-- How far a group is from its count, in the region asked for or where it is.
local function plan_group(run, group, count, machines)
  local region = run.flags.region
  local mine = tbl.filter(machines, function(machine)
    return rollout.group(machine) == group
      and (not region or machine.region == region)
  end)
  -- Those that do not run go first.
  mine = tbl.sort_by(mine, function(machine)
    return (machine.state == "started" and "1" or "0") .. machine.id
  end)
  return {
    group = group, region = region or (mine[#mine] and mine[#mine].region) or "iad",
    create = math.max(0, count - #mine),
    destroy = table.move(mine, 1, math.max(0, #mine - count), 1, {}),
  }
end

-- The volumes a new machine's config needs: made as the template's are.
---@async
local function mounts_for(run, app, config, region)
  for _, mount in ipairs(type(config.mounts) == "table" and config.mounts or {}) do
    local size = 1
    local old = run.api:rest("GET", "/apps/%s/volumes/%s", app, mount.volume)
    if old then
      size = old.size_gb
    end
    local made, e = run.api:rest("POST", "/apps/%s/volumes", app, {
      name = mount.name, region = region, size_gb = size,
      encrypted = mount.encrypted,
    })
    if not made then
      return nil, e
    end
    mount.volume = made.id
    run:say("  Created volume %s in %s", made.id, region)
  end
  return true
end

---@async
local function grow(run, app, plan, template)
  for _ = 1, plan.create do
    local config = tbl.deep_copy(template.config)
    config.metadata = type(config.metadata) == "table" and config.metadata or {}
    config.metadata.fly_process_group = plan.group
    local ok, e = mounts_for(run, app, config, plan.region)
    local made
    if ok then
      if sizes.is_asked(run.flags) then
        config.guest = assert(sizes.resolve(run.flags, config.guest))
      end
      made, e = rollout.create(run, app, config, plan.region, true)
    end
    if not made then
      return nil, e
    end
    run:say("  Created %s group:%s region:%s size:%s", made.id, plan.group, plan.region,
      sizes.name(config.guest))
  end
  return true
end

---@async
local function shrink(run, app, plan)
  for _, machine in ipairs(plan.destroy) do
    local ok, e = run.api:rest("DELETE", "/apps/%s/machines/%s?force=true", app,
      machine.id)
    if not ok then
      return nil, e
    end
    run:say("  Destroyed %s group:%s region:%s", machine.id, plan.group, machine.region)
  end
  return true
end

local function describe(run, app, plans)
  run:say("App '%s' is going to be scaled according to this plan:", app)
  for _, plan in ipairs(plans) do
    local change = plan.create - #plan.destroy
    run:say("  %+4d machines for group '%s' on region '%s'", change, plan.group, plan.region)
  end
end

---@async
---@param run sim.flyctl.Run
---@return any done nil when it failed, an exit code when that is not 0
---@return err.Record?
function M.scale_count(run)
  local app, machines = machines_of(run)
  if not app then
    return nil, machines
  end
  local counts, e = read_counts(run, machines)
  if counts and run.flags.region then
    local known
    known, e = flyctl.check_region(run, run.flags.region)
    counts = known and counts
  end
  if not counts then
    return nil, e
  elseif #machines == 0 then
    return flyctl.fail("there are no machines to scale: run `fly deploy` first")
  end
  local plans, is_change = {}, false
  for group, count in tbl.sorted(counts) do
    local plan = plan_group(run, group, count, machines)
    plans[#plans + 1] = plan
    is_change = is_change or plan.create > 0 or #plan.destroy > 0
  end
  if not is_change then
    run:say("App already scaled to desired state. No need for changes")
    return true
  end
  describe(run, app, plans)
  if not run.flags.yes then
    return flyctl.fail("--yes flag must be specified when not running interactively")
  end
  run:say("Executing scale plan")
  for _, plan in ipairs(plans) do
    local template = tbl.find(machines, function(machine)
      return rollout.group(machine) == plan.group
    end) or machines[1]
    local ok, why = grow(run, app, plan, template)
    if ok then
      ok, why = shrink(run, app, plan)
    end
    if not ok then
      return nil, why
    end
  end
  return true
end

return M
