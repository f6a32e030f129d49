--- IP addresses of apps.
--- Pure. Addresses come from ranges reserved for documentation and tests.

local json = require "base.json"
local tbl = require "base.tbl"
local time = require "base.time"

local problem = require "sim.problem"
local regions = require "sim.regions"

local M = {}

---@class sim.Ip: sim.Record
---@field owner string app name
---@field address string
---@field type string v4, v6, shared_v4, private_v6, egress_v4 or egress_v6
---@field region string
---@field node_id string
---@field service_name string
---@field network {name: string, org_slug: string}?
---@field created_at number

local SHARED = "198.18.0.1"

local function v4(world)
  local ids = world.ids
  return ("198.%d.%d.%d"):format(ids:between(18, 19), ids:between(1, 255),
    ids:between(1, 254))
end

local function v6(world)
  local ids = world.ids
  return ("2001:db8:%x::%x:%x"):format(ids:between(1, 0xffff),
    ids:between(1, 0xffff), ids:between(1, 0xffff))
end

local function private_v6(world)
  local ids = world.ids
  return ("fdaa:%x:%x:0:1::%x"):format(ids:between(1, 0xff),
    ids:between(1, 0xffff), ids:between(2, 0xff))
end

local MAKERS = {
  v4 = v4, v6 = v6, private_v6 = private_v6, egress_v4 = v4, egress_v6 = v6,
}

--- Every type an address can have.
M.TYPES = tbl.set(tbl.keys(MAKERS))
M.TYPES.shared_v4 = true

local function is_taken(world, address)
  for _, ip in ipairs(world:list("ip")) do
    if ip.address == address then
      return true
    end
  end
  return false
end

local function make_address(world, kind)
  if kind == "shared_v4" then
    return SHARED
  end
  local address
  repeat
    address = MAKERS[kind](world)
  until not is_taken(world, address)
  return address
end

---@class sim.IpSpec
---@field type string
---@field region string?
---@field service_name string?
---@field network {name: string, org_slug: string}?
---@field address string? made up unless given

--- A new address's record.
---@param world sim.World
---@param app table
---@param spec sim.IpSpec
---@return sim.Ip
function M.add(world, app, spec)
  local address = spec.address or make_address(world, spec.type)
  return world:add("ip", {
    id = app.id .. "/" .. address, owner = app.id, address = address,
    type = spec.type, region = spec.region or "global",
    node_id = "ip_" .. world.ids:alnum(16),
    service_name = spec.service_name or "", network = spec.network,
    created_at = world:now(),
  })
end

--- Assigns an address. A second shared one is the first one again.
---@param world sim.World
---@param app table
---@param spec sim.IpSpec
---@return sim.Ip?
---@return sim.Problem?
function M.assign(world, app, spec)
  local region = spec.region
  if region and region ~= "" and region ~= "global"
    and not regions.usable(region) then
    return problem.new(400, ("invalid region: %q"):format(region))
  end
  spec.region = region ~= "" and region or nil
  if spec.type == "shared_v4" then
    local shared = M.get(world, app, SHARED)
    if shared then
      return shared
    end
  end
  return M.add(world, app, spec)
end

---@param world sim.World
---@param app table a record
---@param address string
---@return sim.Ip?
function M.get(world, app, address)
  return world:get("ip", app.id .. "/" .. address)
end

--- Whether an address leaves machines rather than reaching them.
---@param ip sim.Ip
---@return boolean
function M.is_egress(ip)
  return ip.type:sub(1, 6) == "egress"
end

--- The address as the routes answer it.
---@param ip sim.Ip
---@return table
function M.view(ip)
  return {
    ip = ip.address, region = ip.region, service_name = ip.service_name,
    shared = ip.type == "shared_v4", egress = M.is_egress(ip),
    network = ip.network or json.null,
    created_at = time.format(ip.created_at),
  }
end

return M
