--- What a machine looks like to those who ask for it.
--- Pure.

local json = require "base.json"
local tbl = require "base.tbl"
local time = require "base.time"

local images = require "sim.images"

local M = {}

--- The metadata that tells what a Postgres machine is to its cluster; it shows
--- in the output of the check named so, as a real one's does.
M.ROLE = "sim_role"

-- Events that come with the machine itself; its events route has them all.
local EVENTS = 10

local function check_status(machine)
  if machine.state ~= "started" then
    return "critical", "the machine is not running"
  elseif images.behavior(machine.image) == "unhealthy" then
    return "critical", "HTTP GET http://192.0.2.1:8080/: 500"
  end
  return "passing", "HTTP GET http://192.0.2.1:8080/: 200 OK"
end

-- What a machine is to its cluster.
local function role_of(machine)
  local config = assert(json.decode(machine.config))
  return tbl.get(config, "metadata." .. M.ROLE)
end

local function view_checks(machine)
  if #machine.checks == 0 then
    return nil
  end
  local status, output = check_status(machine)
  return tbl.map(machine.checks, function(name)
    local is_role = name == "role" and status == "passing"
    return {
      name = name, status = status, output = is_role and role_of(machine) or output,
      updated_at = time.format(machine.updated_at),
    }
  end)
end

--- An event as the events routes answer it.
---@param event table
---@return table
function M.event(event)
  return {
    id = event.id, type = event.type, status = event.status,
    source = event.source, timestamp = event.timestamp,
    request = event.request,
  }
end

local function recent_events(machine)
  local events = {}
  for i = 1, math.min(#machine.events, EVENTS) do
    events[i] = M.event(machine.events[i])
  end
  return events
end

--- The machine as a table, all but what depends on who asks.
---@param machine sim.Machine
---@return table
function M.machine(machine)
  return {
    id = machine.id,
    name = machine.name,
    state = machine.state,
    region = machine.region,
    instance_id = machine.version,
    version = machine.version,
    private_ip = machine.private_ip,
    config = json.raw(machine.config),
    incomplete_config = json.null,
    image_ref = images.ref(machine.image),
    created_at = time.format(machine.created_at),
    updated_at = time.format(machine.updated_at),
    events = json.array(recent_events(machine)),
    checks = view_checks(machine),
    host_status = machine.host_status or "ok",
    cordoned = machine.cordoned == true,
  }
end

local function make_text(_, machine)
  return json.encode(M.machine(machine))
end

--- The machine as JSON, from the cache where possible.
---@param world sim.World
---@param machine sim.Machine
---@return string
function M.text(world, machine)
  return world:text(machine, make_text)
end

--- The machine in an older version of its own, as JSON; nil if it had none.
---@param machine sim.Machine
---@param version string
---@return string?
function M.text_of_version(machine, version)
  local old = tbl.find(machine.versions, function(one)
    return one.version == version
  end)
  if not old then
    return nil
  end
  local view = M.machine(machine)
  view.instance_id, view.version = old.version, old.version
  view.config = json.raw(old.config)
  view.image_ref = images.ref(old.image)
  if old.version ~= machine.version then
    view.state = "replaced"
  end
  return json.encode(view)
end

local function make_summary(_, machine)
  return json.encode({
    id = machine.id, name = machine.name, state = machine.state,
    region = machine.region, instance_id = machine.version,
    version = machine.version, private_ip = machine.private_ip,
    image_ref = images.ref(machine.image),
    created_at = time.format(machine.created_at),
    updated_at = time.format(machine.updated_at),
  })
end

--- The machine without its config, events and checks, as JSON.
---@param world sim.World
---@param machine sim.Machine
---@return string
function M.summary(world, machine)
  return world:text(machine, make_summary)
end

local function make_overview(_, machine)
  local config = assert(json.decode(machine.config))
  return json.encode({
    app_name = machine.owner, id = machine.id, name = machine.name,
    state = machine.state, region = machine.region,
    version = machine.version, private_ip = machine.private_ip,
    created_at = time.format(machine.created_at),
    updated_at = time.format(machine.updated_at),
    config = {
      guest = config.guest, image = config.image,
      metadata = config.metadata ~= json.null and config.metadata or nil,
    },
  })
end

--- The machine as the organization's list has it, as JSON.
---@param world sim.World
---@param machine sim.Machine
---@return string
function M.overview(world, machine)
  return world:text(machine, make_overview)
end

return M
