--- WireGuard peers of organizations.
--- Pure. Keys are the client's own; only public ones ever come here.

local problem = require "sim.problem"
local regions = require "sim.regions"

local M = {}

---@class sim.Peer: sim.Record
---@field owner string raw slug of its organization
---@field name string
---@field pubkey string base64
---@field region string
---@field peerip string
---@field network string

---@param world sim.World
---@param org table a record
---@param name string
---@return sim.Peer?
function M.get(world, org, name)
  return world:get("peer", org.id .. "/" .. name)
end

--- A new peer's record.
---@param world sim.World
---@param org table
---@param spec {name: string, pubkey: string, region: string?,
---  network: string?}
---@return sim.Peer
function M.add(world, org, spec)
  local ids = world.ids
  return world:add("peer", {
    id = org.id .. "/" .. spec.name, owner = org.id, name = spec.name,
    node_id = ids:alnum(20),
    pubkey = spec.pubkey, region = spec.region or regions.NEAREST,
    network = spec.network or "default",
    peerip = ("fdaa:0:%x:a7b:%x:0:a:%x"):format(
      org.network, ids:between(1, 0xffff), ids:between(2, 0xffff)),
  })
end

--- Adds a peer after looking at what was asked for.
---@param world sim.World
---@param org table a record
---@param spec table
---@return sim.Peer?
---@return sim.Problem?
function M.create(world, org, spec)
  local region = spec.region and spec.region ~= "" and spec.region
    or regions.NEAREST
  local row = regions.usable(region)
  if not row or not row.gateway then
    return problem.new(422, ("region %s has no gateway"):format(region))
  elseif M.get(world, org, spec.name) then
    return problem.new(422, "Name has already been taken")
  elseif not spec.pubkey:find("^[%w+/]+=*$") or #spec.pubkey ~= 44 then
    return problem.new(422, "Pubkey is not a WireGuard public key")
  elseif not spec.name:find("^[%w][%w%-_.]*$") then
    return problem.new(422, "Name is invalid")
  end
  spec.region = region
  return M.add(world, org, spec)
end

--- The gateway a peer talks to.
---@param peer sim.Peer
---@return string
function M.endpoint(peer)
  return ("%s1.gateway.example.com"):format(peer.region)
end

--- The gateway's public key.
M.GATEWAY_KEY = "c2ltdWxhdG9yLWdhdGV3YXktcHVibGljLWtleS0tLS0="

return M
