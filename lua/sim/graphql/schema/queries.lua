--- The queries.
--- Declarations.

local tbl = require "base.tbl"

local access = require "sim.access"
local addons = require "sim.addons"
local find = require "sim.graphql.schema.find"
local introspect = require "sim.graphql.introspect"
local problem = require "sim.problem"
local providers = require "sim.providers"
local regions = require "sim.regions"
local types = require "sim.graphql.types"

local always, paged = types.always, types.paged

local function viewer(ctx)
  if ctx.caller.is_user then
    return ctx.caller.user
  end
  return {
    is_macaroon = true, email = ctx.caller.owner,
    name = ctx.caller.tokens[1].name,
  }
end

local function app(ctx, _, args)
  local name = find.arg(args, "name") or find.arg(args, "internalId")
  return find.app(ctx, name)
end

local function apps(ctx, _, args)
  local role = find.arg(args, "role")
  local id = find.arg(args, "organizationId")
  local org, wrong
  if id then
    org, wrong = find.org(ctx, id)
    if not org then
      return nil, wrong
    end
  end
  return tbl.filter(access.apps(ctx.world, ctx.caller), function(one)
    return (not org or one.owner == org.id)
      and (not role or one.role == role)
  end)
end

local function organization(ctx, _, args)
  return find.org(ctx, find.arg(args, "slug") or find.arg(args, "id")
    or find.arg(args, "name"))
end

local function organizations(ctx, _, args)
  local kind = find.arg(args, "type")
  return tbl.filter(access.orgs(ctx.world, ctx.caller), function(org)
    return not kind or org.type == kind
  end)
end

local function addon_list(ctx, _, args)
  local wanted = find.arg(args, "type")
  return find.in_orgs(ctx, "addon", function(addon)
    return not wanted or addon.type == wanted
  end)
end

local function addon(ctx, _, args)
  local id = find.arg(args, "id")
  local one = id and ctx.world:get("addon", id)
    or not id and addons.find(ctx.world, find.arg(args, "name"),
      find.arg(args, "provider"))
  if not one or not access.org(ctx.world, ctx.caller, one.owner) then
    return problem.new(404, "Could not find AddOn")
  end
  return one
end

local function plans(_, _, args)
  local wanted = find.arg(args, "type")
  return tbl.filter(providers.PLANS, function(plan)
    return not wanted or plan.provider == wanted
  end)
end

local function provider(_, _, args)
  local one = providers.get(args.name)
  if not one then
    return problem.new(404, "Could not find AddOnProvider")
  end
  return one
end

local function access_tokens(ctx)
  return tbl.filter(ctx.world:list("token"), function(token)
    return token.kind == "user" and token.user == ctx.caller.user.id
      and not token.revoked_at
  end)
end

local function attachments(ctx, _, args)
  local cluster, wrong = find.app(ctx, args.postgresAppName)
  if not cluster then
    return nil, wrong
  end
  local name = find.arg(args, "appName")
  return tbl.filter(ctx.world:list("attachment", cluster.id), function(one)
    return not name or one.app == name
  end)
end

local function machine(ctx, _, args)
  local one = ctx.world:get("machine", args.machineId)
  local owner = one and ctx.world:get("app", one.owner)
  if not owner or not access.may_use_app(ctx.world, ctx.caller, owner) then
    return problem.new(404, "Could not find Machine")
  end
  return one
end

---@param schema graphql.Schema
return function(schema)
  schema:object("Queries", tbl.merge(introspect.declare(schema), {
    viewer = { "Principal!", get = viewer },
    app = {
      "App", args = { name = "String", internalId = "String" }, get = app,
    },
    apps = paged("AppConnection!", apps, {
      active = "Boolean", organizationId = "ID", platform = "String",
      role = "String",
    }),
    appNameAvailable = {
      "Boolean!", args = { name = "String!" },
      get = function(ctx, _, args)
        local foreign = ctx.world.meta.foreign or {}
        return not ctx.world:get("app", args.name)
          and not foreign[args.name]
      end,
    },
    organization = {
      "Organization", args = { id = "ID", name = "String", slug = "String" },
      get = organization,
    },
    organizations = paged("OrganizationConnection!", organizations, {
      admin = "Boolean", type = "OrganizationType",
      withBillingIssuesOnly = "Boolean",
    }),
    personalOrganization = {
      "Organization!",
      get = function(ctx)
        return find.org(ctx, "personal")
      end,
    },
    addOn = {
      "AddOn", args = { id = "ID", name = "String", provider = "String" },
      get = addon,
    },
    addOns = paged("AddOnConnection!", addon_list, { type = "AddOnType" }),
    addOnPlans = paged("AddOnPlanConnection!", plans,
      { type = "AddOnType" }),
    addOnProvider = {
      "AddOnProvider!", args = { name = "String!" }, get = provider,
    },
    accessTokens = paged("AccessTokenConnection!", access_tokens,
      { type = { "AccessTokenType", default = "pat" } }),
    postgresAttachments = paged("PostgresClusterAttachmentConnection!",
      attachments, { appName = "String", postgresAppName = "String!" }),
    machine = {
      "Machine!", args = { machineId = "String!" }, get = machine,
    },
    nearestRegion = {
      "Region!", args = { wireguardGateway = "Boolean" },
      get = function()
        return regions.get(regions.NEAREST)
      end,
    },
    platform = { "FlyPlatform!", get = always({}) },
    flapsAuthzCheck = { "Boolean!", get = always(true) },
    canPerformBluegreenDeployment = {
      "Boolean!", args = { name = "String!" }, get = always(true),
    },
    userOnlyToken = {
      "Boolean!",
      get = function(ctx)
        return ctx.caller.is_user
      end,
    },
  }))
end
