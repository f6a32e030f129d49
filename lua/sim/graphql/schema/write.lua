--- What the mutations do.
--- Each takes the context and its input, and returns a payload or nil, problem.

local json = require "base.json"
local tbl = require "base.tbl"

local access = require "sim.access"
local addons = require "sim.addons"
local apps = require "sim.apps"
local certs = require "sim.certs"
local find = require "sim.graphql.schema.find"
local handlers = require "sim.handlers"
local ips = require "sim.ips"
local peers = require "sim.peers"
local problem = require "sim.problem"
local releases = require "sim.releases"
local secrets = require "sim.secrets"
local states = require "sim.machine.states"
local tokens = require "sim.tokens"

local M = {}

-- Wraps what changes one app.
local on_app = handlers.with(function(ctx, input)
  return find.app(ctx, input.appId, true)
end)

-- Wraps what changes one organization.
local on_org = handlers.with(function(ctx, input)
  return find.org(ctx, input.organizationId, true)
end)

M.create_app = on_org(function(ctx, input, org)
  local app, wrong = apps.create(ctx.world, org, {
    name = input.name, network = input.network,
    app_role_id = input.appRoleId,
  })
  if not app then
    return nil, wrong
  end
  return { app = app }
end)

M.delete_app = on_app(function(ctx, _, app)
  apps.destroy(ctx.world, app)
  return { organization = ctx.world:get("org", app.owner) }
end)

M.restart_app = on_app(function(ctx, _, app)
  for _, machine in ipairs(apps.live_machines(ctx.world, app)) do
    if machine.state == "started" then
      states.restart(ctx.world, machine)
    end
  end
  return { app = app }
end)

M.set_secrets = on_app(function(ctx, input, app)
  for _, secret in ipairs(input.secrets) do
    local ok, wrong = secrets.check_name(secret.key)
    if not ok then
      return nil, wrong
    end
  end
  if input.replaceAll then
    for _, secret in ipairs(ctx.world:snapshot("secret", app.id)) do
      secrets.unset(ctx.world, app, secret.name)
    end
  end
  for _, secret in ipairs(input.secrets) do
    secrets.set(ctx.world, app, secret.key, secret.value)
  end
  secrets.bump(ctx.world, app)
  return { app = app, release = releases.current(ctx.world, app) }
end)

M.unset_secrets = on_app(function(ctx, input, app)
  for _, name in ipairs(input.keys) do
    secrets.unset(ctx.world, app, name)
  end
  secrets.bump(ctx.world, app)
  return { app = app, release = releases.current(ctx.world, app) }
end)

M.add_certificate = on_app(function(ctx, input, app)
  local cert, wrong = certs.request_acme(ctx.world, app, input.hostname)
  if not cert then
    return nil, wrong
  end
  return { app = app, certificate = cert, errors = json.null }
end)

M.delete_certificate = on_app(function(ctx, input, app)
  local cert = certs.get(ctx.world, app, input.hostname)
  if not cert then
    return problem.new(404, "Could not find AppCertificate")
  end
  ctx.world:drop("cert", cert)
  return { app = app, certificate = cert, errors = json.null }
end)

M.create_addon = on_org(function(ctx, input, org)
  local app, wrong
  if input.appId then
    app, wrong = find.app(ctx, input.appId, true)
    if not app then
      return nil, wrong
    end
  end
  local addon
  addon, wrong = addons.create(ctx.world, org, {
    type = input.type, name = input.name, region = input.primaryRegion,
    read_regions = input.readRegions, plan = input.planId,
    app = app and app.id, options = input.options,
  })
  if not addon then
    return nil, wrong
  end
  return { addOn = addon }
end)

-- The add-on an input names, in an organization the caller may change.
local function find_addon(ctx, input)
  local addon
  if input.addOnId then
    addon = ctx.world:get("addon", input.addOnId)
  elseif input.name then
    addon = addons.find(ctx.world, input.name, input.provider)
  end
  if not addon or not access.org(ctx.world, ctx.caller, addon.owner, true) then
    return problem.new(404, "Could not find AddOn")
  end
  return addon
end

--- Gives an add-on another plan, other options or regions.
---@param ctx table the caller and the world
---@param input table as the schema declares it
---@return table? payload
---@return sim.Problem?
function M.update_addon(ctx, input)
  local addon, wrong = find_addon(ctx, input)
  if not addon then
    return nil, wrong
  end
  addon.plan = input.planId or addon.plan
  addon.options = input.options or addon.options
  addon.read_regions = input.readRegions or addon.read_regions
  addon.updated_at = ctx.world:now()
  ctx.world:touch("addon", addon)
  return { addOn = addon }
end

--- Takes an add-on away.
---@param ctx table the caller and the world
---@param input table as the schema declares it
---@return table? payload
---@return sim.Problem?
function M.delete_addon(ctx, input)
  local addon, wrong = find_addon(ctx, input)
  if not addon then
    return nil, wrong
  end
  ctx.world:drop("addon", addon)
  return { deletedAddOnName = addon.name }
end

--- Notes that a provider's terms were agreed to; a user does, no other token.
---@param ctx table the caller and the world
---@param input table as the schema declares it
---@return table? payload
---@return sim.Problem?
function M.agree_to_terms(ctx, input)
  if not ctx.caller.is_user then
    return problem.new(403,
      "Not authorized to access this createextensiontosagreement")
  end
  local who = ctx.caller.user.id
  if input.organizationId then
    local org, wrong = find.org(ctx, input.organizationId, true)
    if not org then
      return nil, wrong
    end
    who = org.id
  end
  addons.agree(ctx.world, who, input.addOnProviderName)
  return {}
end

-- The one app that a token's parameters name, if any.
local function token_app(ctx, params)
  local id = params and params.app_id
  if not id or id == json.null then
    return nil
  end
  return find.app(ctx, tostring(id), true)
end

M.create_token = on_org(function(ctx, input, org)
  if not ctx.caller.is_user then
    return problem.new(403, "Not authorized to create a limited access token")
  elseif not tokens.PROFILES[input.profile] then
    return problem.new(422, "Profile is invalid: " .. input.profile)
  end
  local expires_at, wrong = tokens.expires_at(ctx.world, input.expiry)
  if not expires_at then
    return nil, wrong
  end
  local app
  app, wrong = token_app(ctx, input.profileParams)
  if wrong then
    return nil, wrong
  elseif input.profile == "deploy" and not app then
    return problem.new(422, "profile deploy needs an app_id")
  end
  local token = tokens.add(ctx.world, {
    kind = "macaroon", name = input.name, profile = input.profile,
    user = ctx.caller.user.id, org = org.id, app = app and app.id,
    is_readonly = input.profile == "readonly" or nil,
    expires_at = expires_at,
  })
  ctx.minted = token.id
  return { limitedAccessToken = token }
end)

local function find_token(ctx, id, kind)
  local token = id and ctx.world:get("token", id)
  if not token or token.kind ~= kind or token.revoked_at then
    return problem.new(404, "Could not find token")
  end
  local is_own = kind == "user" and token.user == ctx.caller.user.id
    or kind == "macaroon"
      and access.org(ctx.world, ctx.caller, token.org, true) ~= nil
  if not is_own then
    return problem.new(404, "Could not find token")
  end
  return token
end

-- Revokes a token of this kind, if the caller may.
local function revoke(ctx, id, kind)
  local token, wrong = find_token(ctx, id, kind)
  if not token then
    return nil, wrong
  end
  tokens.revoke(ctx.world, token)
  return { token = json.null, revokedBy = ctx.caller.owner }
end

--- Revokes an app's or organization's token.
---@param ctx table the caller and the world
---@param input table as the schema declares it
---@return table? payload
---@return sim.Problem?
function M.revoke_token(ctx, input)
  return revoke(ctx, input.id, "macaroon")
end

--- Revokes a user's own token.
---@param ctx table the caller and the world
---@param input table as the schema declares it
---@return table? payload
---@return sim.Problem?
function M.delete_access_token(ctx, input)
  return revoke(ctx, input.accessTokenId, "user")
end

M.add_peer = on_org(function(ctx, input, org)
  local peer, wrong = peers.create(ctx.world, org, {
    name = input.name, pubkey = input.pubkey, region = input.region,
    network = input.network,
  })
  if not peer then
    return nil, wrong
  end
  return {
    peerip = peer.peerip, network = peer.network,
    endpointip = peers.endpoint(peer), pubkey = peers.GATEWAY_KEY,
  }
end)

M.remove_peer = on_org(function(ctx, input, org)
  local peer = peers.get(ctx.world, org, input.name)
  if not peer then
    return problem.new(404, "Could not find WireGuardPeer")
  end
  ctx.world:drop("peer", peer)
  return { organization = org }
end)

M.attach_postgres = on_app(function(ctx, input, app)
  local cluster, wrong = find.app(ctx, input.postgresClusterAppId, true)
  if not cluster then
    return nil, wrong
  elseif cluster.role ~= "postgres_cluster" then
    return problem.new(422, cluster.id .. " is not a postgres app")
  end
  local variable = input.variableName or "DATABASE_URL"
  local name = app.id:gsub("-", "_")
  local attachment = ctx.world:add("attachment", {
    id = ctx.world.ids:alnum(20), owner = cluster.id, app = app.id,
    database = input.databaseName or name, user = input.databaseUser or name,
    variable = variable,
  })
  return {
    app = app, postgresClusterApp = cluster,
    environmentVariableName = variable,
    connectionString = ("postgres://%s:sim%s@%s.flycast:5432/%s"):format(
      attachment.user, ctx.world.ids:alnum(15), cluster.id,
      attachment.database),
  }
end)

M.detach_postgres = on_app(function(ctx, input, app)
  local cluster, wrong = find.app(ctx, input.postgresClusterAppId, true)
  if not cluster then
    return nil, wrong
  end
  local one = tbl.find(ctx.world:list("attachment", cluster.id),
    function(attachment)
      local id = input.postgresClusterAttachmentId
      return attachment.app == app.id and (not id or attachment.id == id)
    end)
  if not one then
    return problem.new(404, "Could not find PostgresClusterAttachment")
  end
  ctx.world:drop("attachment", one)
  return { app = app, postgresClusterApp = cluster }
end)

M.allocate_ip = on_app(function(ctx, input, app)
  local org = input.organizationId and find.org(ctx, input.organizationId)
  local ip, wrong = ips.assign(ctx.world, app, {
    type = input.type, region = input.region,
    service_name = input.serviceName,
    network = input.network and {
      name = input.network, org_slug = org and org.slug or "",
    },
  })
  if not ip then
    return nil, wrong
  end
  -- A shared address is not the app's own: it shows in sharedIpAddress only.
  return {
    app = app, ipAddress = ip.type ~= "shared_v4" and ip or json.null,
  }
end)

-- The address that an input names: by its id, or as one of an app's.
local function find_ip(ctx, input)
  local ip
  if input.ipAddressId then
    ip = tbl.find(ctx.world:list("ip"), function(one)
      return one.node_id == input.ipAddressId
    end)
  elseif input.appId and input.ip then
    local app, wrong = find.app(ctx, input.appId, true)
    if not app then
      return nil, wrong
    end
    ip = ips.get(ctx.world, app, input.ip)
  end
  if not ip then
    return problem.new(404, "Could not find IPAddress")
  end
  return ip
end

--- Takes an address away from its app.
---@param ctx table the caller and the world
---@param input table as the schema declares it
---@return table? payload
---@return sim.Problem?
function M.release_ip(ctx, input)
  local ip, wrong = find_ip(ctx, input)
  local app
  if ip then
    app, wrong = find.app(ctx, ip.owner, true)
  end
  if not app then
    return nil, wrong
  end
  ctx.world:drop("ip", ip)
  return { app = app }
end

M.create_release = on_app(function(ctx, input, app)
  return {
    app = app, release = releases.add(ctx.world, app, {
      image_ref = input.image, strategy = input.strategy,
      status = "running", stable = false, user = ctx.caller.user.id,
      definition = input.definition,
    }),
  }
end)

--- Says what became of a release.
---@param ctx table the caller and the world
---@param input table as the schema declares it
---@return table? payload
---@return sim.Problem?
function M.update_release(ctx, input)
  local release = ctx.world:get("release", input.releaseId)
  local app = release and find.app(ctx, release.owner, true)
  if not app then
    return problem.new(404, "Could not find Release")
  end
  if input.status then
    local ok, wrong = releases.set_status(ctx.world, release, input.status)
    if not ok then
      return nil, wrong
    end
  end
  return { release = release }
end

return M
