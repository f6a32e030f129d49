--- Tokens: minting, describing and revoking them.
--- Pure. A minted token works at once, within what it is for.

local tbl = require "base.tbl"
local time = require "base.time"

local problem = require "sim.problem"

local M = {}

-- Hours a token lives when its maker does not say: twenty years.
local DEFAULT_EXPIRY = 175200 * 3600

--- What a minted token can be for.
M.PROFILES = tbl.set {
  "deploy", "deploy_organization", "litefs_cloud", "org", "readonly",
}

--- What is wrong with a token's text; nil when a header can carry it.
---@param text string
---@return string?
function M.check_secret(text)
  if not text:find("^[%g]+$") or text:find(",", 1, true) then
    return "a token has no spaces and no commas, and is not empty"
  end
end

---@class sim.TokenSpec
---@field kind "user"|"macaroon"
---@field name string
---@field profile string
---@field user string id of the user
---@field org string? id of the organization
---@field app string?
---@field is_readonly boolean?
---@field secret string? made up unless given
---@field expires_at number?

--- A new token's record.
---@param world sim.World
---@param spec sim.TokenSpec
---@return sim.Token
function M.add(world, spec)
  local prefix = spec.kind == "user" and "fo1_" or "fm2_"
  return world:add("token", {
    id = world.ids:alnum(22),
    secret = spec.secret or prefix .. "sim" .. world.ids:alnum(40),
    kind = spec.kind, name = spec.name, profile = spec.profile,
    user = spec.user, org = spec.org, app = spec.app,
    is_readonly = spec.is_readonly,
    created_at = world:now(), expires_at = spec.expires_at,
  })
end

--- When a token with this expiry ends; "" and nil mean the default.
---@param world sim.World
---@param expiry string? a duration such as 24h
---@return number?
---@return sim.Problem?
function M.expires_at(world, expiry)
  if not expiry or expiry == "" then
    return world:now() + DEFAULT_EXPIRY
  end
  local seconds = time.parse_duration(expiry)
  if not seconds or seconds <= 0 then
    return problem.new(400, ("invalid expiry: %q"):format(expiry))
  end
  return world:now() + seconds
end

--- The token as its maker gets it, ready for a header. Macaroons come with a
--- discharge, which the simulator does not look at.
---@param world sim.World
---@param token sim.Token
---@return string
function M.header(world, token)
  if token.kind == "user" then
    return token.secret
  end
  return ("FlyV1 %s,fm2_simdischarge%s"):format(
    token.secret, world.ids:alnum(24))
end

--- The token as `GET /v1/tokens/current` answers it.
---@param world sim.World
---@param token sim.Token
---@return table
function M.view(world, token)
  local org = token.org and world:get("org", token.org)
  local user = world:get("user", token.user)
  return {
    token_id = token.id,
    organization = org and org.node_id or "",
    org_slug = org and org.slug or "",
    apps = { token.app or "*" },
    user = user.email,
    restricted_to_machine = "",
    source_machine_id = "",
  }
end

---@param world sim.World
---@param token sim.Token
function M.revoke(world, token)
  token.revoked_at = token.revoked_at or world:now()
  world:touch("token", token)
end

return M
