--- The configuration file of a WireGuard peer: what the gateway answered and
--- the key that never left this machine.
--- Pure. Nothing of an answer gets in that is not what it should be, since the
--- tools that read the file run commands it names.

local cells = require "ops.cells"
local err = require "base.err"
local net = require "base.net"
local str = require "base.str"

local M = {}

--- UDP port of every gateway.
local PORT = 51820

--- Seconds between packets that keep the way back open.
local KEEPALIVE = 15

---@class ops.PeerReply
---@field ip string address of the peer
---@field endpoint string host of the gateway
---@field pubkey string of the gateway, in base64

local function bad(what, value)
  return nil, err.new({
    kind = "protocol",
    message = ("the gateway's %s is not one: %s"):format(what,
      tostring(value):sub(1, 60):gsub("%c", "?")),
  })
end

-- The /48 network that an address is in, without what follows the groups.
local function network_of(ip)
  local groups = str.split(cells.address(ip), ":")
  return table.concat(groups, ":", 1, 3) .. "::"
end

local function check(reply)
  if type(reply.ip) ~= "string" or not net.is_ipv6(reply.ip) then
    return bad("address", reply.ip)
  elseif type(reply.endpoint) ~= "string"
    or not reply.endpoint:find("^[%w:][%w.:-]*$") then
    return bad("host", reply.endpoint)
  elseif type(reply.pubkey) ~= "string" or #reply.pubkey ~= 44
    or not reply.pubkey:find("^[%w+/]+=$") then
    return bad("key", reply.pubkey)
  end
  return true
end

--- The pieces of the file, the private key one of them.
---@param reply ops.PeerReply
---@param private_key any in base64
---@return any[]? pieces texts and the key
---@return err.Record?
function M.pieces(reply, private_key)
  local ok, e = check(reply)
  if not ok then
    return nil, e
  end
  local network = network_of(reply.ip)
  local host = reply.endpoint:find(":", 1, true) and "[" .. reply.endpoint .. "]"
    or reply.endpoint
  return {
    "[Interface]\nPrivateKey = ", private_key,
    ("\nAddress = %s/120\nDNS = %s3\n"):format(reply.ip, network),
    ("\n[Peer]\nPublicKey = %s\nAllowedIPs = %s/48\n"):format(reply.pubkey, network),
    ("Endpoint = %s:%d\nPersistentKeepalive = %d\n"):format(host, PORT, KEEPALIVE),
  }
end

return M
