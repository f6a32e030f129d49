--- Machines: creating and updating them, and what they look like.
--- Pure. A config is kept as its JSON text: most replies only copy it.

local json = require "base.json"
local tbl = require "base.tbl"

local configs = require "sim.machine.config"
local lease = require "sim.machine.lease"
local mounts = require "sim.machine.mounts"
local problem = require "sim.problem"
local regions = require "sim.regions"
local request = require "sim.request"
local states = require "sim.machine.states"

local M = {}

---@class sim.Machine: sim.Record
---@field owner string app name
---@field name string
---@field region string
---@field state string
---@field version string ULID, also called instance_id
---@field config string JSON text
---@field image string
---@field versions {version: string, config: string, image: string}[]
---@field events table[] newest first
---@field checks string[] names of health checks
---@field auto_destroy boolean? whether it goes when its process has ended
---@field private_ip string
---@field created_at number
---@field updated_at number
---@field cordoned boolean?
---@field lease sim.Lease?
---@field steps sim.Step[]? what will happen next
---@field destroyed_at number?

--- The decoded config; the caller's own copy.
---@param machine sim.Machine
---@return table
function M.config(machine)
  return assert(json.decode(machine.config))
end

--- Whether a machine counts: it is not destroyed.
---@param machine sim.Machine
---@return boolean
function M.is_live(machine)
  return machine.destroyed_at == nil
end

-- Versions remembered per machine; the oldest go first.
local MAX_VERSIONS = 50

local function set_config(world, machine, config)
  local versions = machine.versions
  machine.version = world.ids:ulid(world:now())
  machine.config = json.encode(config)
  machine.image = config.image
  machine.checks = configs.check_names(config)
  machine.auto_destroy = config.auto_destroy == true or nil
  versions[#versions + 1] = {
    version = machine.version, config = machine.config, image = config.image,
  }
  if #versions > MAX_VERSIONS then
    table.remove(versions, 1)
  end
end

local function check_name(world, app, name, but)
  for _, other in ipairs(world:list("machine", app)) do
    if other.name == name and other ~= but and M.is_live(other) then
      return problem.new(409, ("already_exists: unique machine name "
        .. "violation, machine ID %s already exists with name %q"):format(
        other.id, name))
    end
  end
  return true
end

-- Whether the organization may have one machine more.
local function check_quota(world, app)
  local org = world:get("org", app.owner)
  if not org.max_machines then
    return true
  end
  local count = 0
  for _, machine in ipairs(world:list("machine")) do
    local owner = M.is_live(machine) and world:get("app", machine.owner)
    if owner and owner.owner == org.id then
      count = count + 1
    end
  end
  if count >= org.max_machines then
    return problem.new(403, ("organization %s is over the allowed quota of "
      .. "%d machines"):format(org.slug, org.max_machines))
  end
  return true
end

local function check_place(world, app, region)
  if not regions.usable(region) then
    return problem.new(400,
      ("invalid_argument: region %q is not available"):format(region))
  end
  local ok, wrong = regions.check_room(world, region)
  if not ok then
    return nil, wrong
  end
  return check_quota(world, app)
end

local function check_secrets_version(app, version)
  if version and version > (app.secrets_version or 0) then
    return problem.new(400, ("min_secrets_version %d is not known, the app's "
      .. "secrets are at version %d"):format(version, app.secrets_version or 0))
  end
  return true
end

-- What bodies of both kinds ask for besides a config. No lease is asked for
-- with 0, what Go's clients send when they want none.
local function check_terms(app, body)
  local ttl = request.member(body, "lease_ttl") or 0
  local ok, wrong = true, nil
  if ttl ~= 0 then
    ok, wrong = lease.check_ttl(ttl)
  end
  if ok then
    ok, wrong = check_secrets_version(app,
      request.member(body, "min_secrets_version"))
  end
  return ok, wrong
end

-- The checks that a new machine must pass, cheapest first.
local function check_create(world, app, body, region, name)
  local ok, wrong = check_terms(app, body)
  if ok then
    ok, wrong = check_place(world, app, region)
  end
  if ok and name then
    ok, wrong = check_name(world, app.id, name)
  end
  return ok, wrong
end

--- Creates a machine from a create body.
---@param world sim.World
---@param app table
---@param body table
---@param owner string names the taker of a lease
---@return sim.Machine?
---@return sim.Problem?
function M.create(world, app, body, owner)
  local region = request.member(body, "region")
  region = region ~= "" and region or regions.NEAREST
  local name = request.member(body, "name")
  name = name ~= "" and name or nil
  local ok, wrong = check_create(world, app, body, region, name)
  if not ok then
    return nil, wrong
  end
  local config
  config, wrong = configs.normalize(body.config)
  if not config then
    return nil, wrong
  end
  local volumes
  volumes, wrong = mounts.resolve(world, app.id, config, region)
  if not volumes then
    return nil, wrong
  end
  local machine = M.new(world, app, { name = name, region = region })
  set_config(world, machine, config)
  mounts.attach(world, machine, volumes)
  states.record(world, machine, "launch", "user")
  machine.secrets_version = app.secrets_version
  M.lease_new(world, machine, body, owner)
  if request.member(body, "skip_launch") then
    states.prepare(world, machine)
  else
    states.launch(world, machine)
  end
  return machine
end

--- A bare record; whoever makes it gives it a config.
---@param world sim.World
---@param app table
---@param spec {name: string?, region: string, id: string?}
---@return sim.Machine
function M.new(world, app, spec)
  local now = world:now()
  local org = world:get("org", app.owner)
  return world:add("machine", {
    id = spec.id or world:fresh("machine", function()
      return world.ids:machine()
    end),
    owner = app.id,
    name = spec.name or world.ids:name(),
    region = spec.region,
    state = "created",
    private_ip = world.ids:private_ip(org.network),
    created_at = now, updated_at = now,
    events = {}, versions = {}, checks = {},
  })
end

--- Gives a machine a config without any check: how seeds do it.
---@param world sim.World
---@param machine sim.Machine
---@param config table
---@return boolean? ok
---@return sim.Problem?
function M.seed_config(world, machine, config)
  local full, wrong = configs.normalize(config)
  if not full then
    return nil, wrong
  end
  local volumes
  volumes, wrong = mounts.resolve(world, machine.owner, full, machine.region,
    machine.id)
  if not volumes then
    return nil, wrong
  end
  set_config(world, machine, full)
  mounts.attach(world, machine, volumes)
  world:touch("machine", machine)
  return true
end

--- Leases a machine to the one who created or updated it, if asked to.
---@param world sim.World
---@param machine sim.Machine
---@param body table
---@param owner string
function M.lease_new(world, machine, body, owner)
  local ttl = request.member(body, "lease_ttl")
  if ttl and ttl ~= 0 then
    lease.acquire(world, machine, {
      owner = owner, ttl = ttl,
      nonce = machine.lease and machine.lease.nonce,
    })
  end
end

local BUSY = tbl.set {
  "destroying", "destroyed", "replacing", "updating", "creating",
}

local function check_update(world, app, machine, body)
  local expected = request.member(body, "current_version")
  if expected and expected ~= "" and expected ~= machine.version then
    return problem.new(409, ("aborted: machine %s is at version %s, "
      .. "not %s"):format(machine.id, machine.version, expected))
  end
  if BUSY[machine.state] then
    return problem.precondition(("unable to update machine from current "
      .. "state: '%s'"):format(machine.state))
  end
  local region = request.member(body, "region")
  if region and region ~= "" and region ~= machine.region then
    return problem.new(400, ("invalid_argument: machine %s is in region %s "
      .. "and cannot move to %s"):format(machine.id, machine.region, region))
  end
  local ok, wrong = check_terms(app, body)
  local name = request.member(body, "name")
  if ok and name and name ~= "" then
    ok, wrong = check_name(world, machine.owner, name, machine)
  end
  return ok, wrong
end

-- A machine that grows needs room for more.
local function check_growth(world, machine, config)
  local function guest_of(value)
    local guest = request.member(value, "guest")
    return request.member(guest, "cpus") or 0, request.member(guest, "memory_mb") or 0
  end
  local cpus, memory = guest_of(config)
  local old_cpus, old_memory = guest_of(M.config(machine))
  if cpus > old_cpus or memory > old_memory then
    return regions.check_room(world, machine.region)
  end
  return true
end

--- Replaces a machine's config from an update body.
---@param world sim.World
---@param machine sim.Machine
---@param body table
---@param owner string
---@return sim.Machine?
---@return sim.Problem?
function M.update(world, machine, body, owner)
  local app = world:get("app", machine.owner)
  local ok, wrong = check_update(world, app, machine, body)
  if not ok then
    return nil, wrong
  end
  local config
  config, wrong = configs.normalize(body.config)
  if not config then
    return nil, wrong
  end
  ok, wrong = check_growth(world, machine, config)
  if not ok then
    return nil, wrong
  end
  local volumes
  volumes, wrong = mounts.resolve(world, machine.owner, config,
    machine.region, machine.id)
  if not volumes then
    return nil, wrong
  end
  local name = request.member(body, "name")
  machine.name = name and name ~= "" and name or machine.name
  set_config(world, machine, config)
  mounts.attach(world, machine, volumes)
  if not request.member(body, "skip_secrets") then
    machine.secrets_version = app.secrets_version
  end
  M.lease_new(world, machine, body, owner)
  states.replace(world, machine, not request.member(body, "skip_launch"))
  return machine
end

--- Changes a machine's config in place: its version stays.
---@param world sim.World
---@param machine sim.Machine
---@param change fun(config: table)
function M.amend(world, machine, change)
  local config = M.config(machine)
  change(config)
  machine.config = json.encode(config)
  machine.versions[#machine.versions].config = machine.config
  machine.updated_at = world:now()
  world:touch("machine", machine)
end

return M
