--- Types of users, organizations and tokens.
--- Declarations.

local tbl = require "base.tbl"

local access = require "sim.access"
local addons = require "sim.addons"
local json = require "base.json"
local find = require "sim.graphql.schema.find"
local peers = require "sim.peers"
local problem = require "sim.problem"
local tokens = require "sim.tokens"
local types = require "sim.graphql.types"

local always, paged = types.always, types.paged

local function avatar()
  return "https://example.com/avatar.png"
end

-- What a user and a macaroon have in common.
local function principal_fields()
  return {
    avatarUrl = { "String!", get = avatar },
    email = "String!",
    name = "String",
    trust = { "OrganizationTrust!", get = always("HIGH") },
  }
end

local function agreed(ctx, user, args)
  return addons.has_agreed(ctx.world, user.id, args.providerName)
end

local function declare_principals(schema)
  schema:enum("OrganizationTrust",
    { "BANNED", "HIGH", "LOW", "RESTRICTED", "UNKNOWN" })
  schema:interface("Principal", principal_fields(), function(value)
    return value.is_macaroon and "Macaroon" or "User"
  end)
  schema:object("Macaroon", principal_fields(), { "Principal" })
  schema:object("User", tbl.merge(principal_fields(), {
    id = {
      "ID!",
      get = function(_, user)
        return user.node_id
      end,
    },
    agreedToProviderTos = {
      "Boolean!", args = { providerName = "String!" }, get = agreed,
    },
    createdAt = {
      "ISO8601DateTime!",
      get = function(_, user)
        return user.created_at
      end,
    },
    emailVerified = { "Boolean!", get = always(true) },
    enablePaidHobby = { "Boolean!", get = always(false) },
    featureFlags = { "[String!]!", get = always({}) },
    hasNodeproxyApps = { "Boolean!", get = always(false) },
    hasRecoveryCodes = { "Boolean!", get = always(false) },
    internalNumericId = {
      "Int!",
      get = function(_, user)
        return user.seq
      end,
    },
    twoFactorProtection = { "Boolean!", get = always(false) },
    username = "String",
  }), { "Principal" })
end

local function tokens_of(keep)
  return function(ctx, owner)
    return tbl.filter(ctx.world:list("token"), function(token)
      return token.kind == "macaroon" and keep(token, owner)
    end)
  end
end

local function when(name)
  return function(_, record)
    return record[name]
  end
end

local function declare_tokens(schema)
  schema:object("LimitedAccessToken", {
    id = "ID!",
    name = "String!",
    profile = "String!",
    createdAt = { "ISO8601DateTime!", get = when("created_at") },
    expiresAt = {
      "ISO8601DateTime!",
      get = function(_, token)
        return token.expires_at or token.created_at + 175200 * 3600
      end,
    },
    revokedAt = { "ISO8601DateTime", get = when("revoked_at") },
    organization = {
      "Organization!",
      get = function(ctx, token)
        return ctx.world:get("org", token.org)
      end,
    },
    profileParams = {
      "JSON",
      get = function(_, token)
        return token.app and { app_id = token.app } or nil
      end,
    },
    revokedBy = "String",
    -- Only the answer that creates a token shows it.
    token = { "String!", get = always("") },
    tokenHeader = {
      "String",
      get = function(ctx, token)
        return ctx.minted == token.id and tokens.header(ctx.world, token)
          or nil
      end,
    },
    user = {
      "User!",
      get = function(ctx, token)
        return ctx.world:get("user", token.user)
      end,
    },
  })
  schema:connection("LimitedAccessToken")
  schema:enum("AccessTokenType",
    { "all", "flyctl", "grafana", "pat", "sentry", "token", "ui" })
  schema:object("AccessToken", {
    id = "ID!", name = "String!",
    createdAt = { "ISO8601DateTime!", get = when("created_at") },
    token = { "String!", get = always("") },
    type = { "AccessTokenType!", get = always("pat") },
  })
  schema:connection("AccessToken")
end

local function members(ctx, org)
  return {
    items = org.members,
    node = function(member)
      return ctx.world:get("user", member.user)
    end,
  }
end

local function viewer_role(ctx, org)
  for _, member in ipairs(org.members) do
    if member.user == ctx.caller.user.id then
      return member.role:lower()
    end
  end
  return "member"
end

local function org_addons(ctx, org, args)
  local wanted = find.arg(args, "type")
  return tbl.filter(ctx.world:list("addon", org.id), function(addon)
    return not wanted or addon.type == wanted
  end)
end

local function org_apps(ctx, org)
  return tbl.filter(ctx.world:list("app", org.id), function(app)
    return access.may_use_app(ctx.world, ctx.caller, app)
  end)
end

local function org_peer(ctx, org, args)
  local peer = peers.get(ctx.world, org, args.name)
  if not peer then
    return problem.new(404, "Could not find WireGuardPeer")
  end
  return peer
end

local ORGANIZATION = {
  id = {
    "ID!",
    get = function(_, org)
      return org.node_id
    end,
  },
  slug = "String!",
  rawSlug = {
    "String!",
    get = function(_, org)
      return org.id
    end,
  },
  name = "String!",
  type = "OrganizationType!",
  internalNumericId = {
    "BigInt!",
    get = function(_, org)
      return org.internal_numeric_id
    end,
  },
  paidPlan = {
    "Boolean!",
    get = function(_, org)
      return org.paid_plan
    end,
  },
  viewerRole = { "String!", get = viewer_role },
  agreedToProviderTos = {
    "Boolean!", args = { providerName = "String!" }, get = agreed,
  },
  addOns = paged("AddOnConnection!", org_addons, { type = "AddOnType" }),
  apps = paged("AppConnection!", org_apps),
  limitedAccessTokens = paged("LimitedAccessTokenConnection!",
    tokens_of(function(token, org)
      return token.org == org.id
    end)),
  members = paged("OrganizationMembershipsConnection!", members),
  wireGuardPeer = {
    "WireGuardPeer!", args = { name = "String!" }, get = org_peer,
  },
  wireGuardPeers = paged("WireGuardPeerConnection!", function(ctx, org)
    return ctx.world:list("peer", org.id)
  end),
  allowAllCrossNetworkReplays = { "Boolean!", get = always(false) },
  billable = { "Boolean!", get = always(true) },
  billingStatus = { "BillingStatus!", get = always("CURRENT") },
  creditBalance = { "Int!", get = always(0) },
  highRisk = { "Boolean!", get = always(false) },
  isCreditCardSaved = { "Boolean!", get = always(true) },
  provisionsBetaExtensions = { "Boolean!", get = always(false) },
  remoteBuilderApp = { "App", get = always(nil) },
  remoteBuilderImage = {
    "String!", get = always("registry.example.com/builder:latest"),
  },
  settings = { "JSON", get = always(json.null) },
  trust = { "OrganizationTrust!", get = always("HIGH") },
}

local function declare_organization(schema)
  schema:enum("OrganizationType", { "PERSONAL", "SHARED" })
  schema:enum("OrganizationMemberRole", { "ADMIN", "MEMBER" })
  schema:enum("BillingStatus", {
    "CURRENT", "DELINQUENT", "PAST_DUE", "SOURCE_REQUIRED", "SUSPENDED",
    "TRIAL_ACTIVE", "TRIAL_ENDED",
  })
  schema:connection("User", {
    name = "OrganizationMemberships",
    edge = {
      role = {
        "OrganizationMemberRole!",
        get = function(_, edge)
          return edge.item.role
        end,
      },
      joinedAt = {
        "ISO8601DateTime!",
        get = function(_, edge)
          return edge.node.created_at
        end,
      },
    },
  })
  schema:object("Organization", ORGANIZATION)
  schema:connection("Organization")
end

---@param schema graphql.Schema
return function(schema)
  declare_principals(schema)
  declare_tokens(schema)
  declare_organization(schema)
end
