--- Types of add-ons, their providers and plans.
--- Declarations.

local json = require "base.json"
local providers = require "sim.providers"
local tbl = require "base.tbl"
local types = require "sim.graphql.types"

local always, member = types.always, types.member

local function declare_provider(schema)
  schema:object("AddOnProvider", {
    id = { "ID!", get = member("name") },
    name = "String",
    displayName = { "String", get = member("title") },
    resourceName = { "String!", get = member("resource") },
    tosUrl = { "String", get = member("tos") },
    tosAgreement = {
      "String",
      get = function(_, provider)
        return provider.tos
          and "By continuing you agree to " .. provider.tos or nil
      end,
    },
    excludedRegions = { "[Region!]", get = always({}) },
    asyncProvisioning = { "Boolean!", get = always(true) },
    autoProvision = { "Boolean!", get = always(false) },
    beta = { "Boolean!", get = always(false) },
    detectPlatform = { "Boolean!", get = always(false) },
    internal = { "Boolean!", get = always(false) },
    nameSuffix = { "String", get = always(nil) },
    provisioningInstructions = { "String", get = always(nil) },
    selectName = { "Boolean!", get = always(true) },
    selectRegion = { "Boolean!", get = member("selects_region") },
    selectReplicaRegions = {
      "Boolean!", get = member("selects_replicas"),
    },
  })
  schema:object("AddOnPlan", {
    id = "ID!", name = "String", description = "String",
    displayName = { "String", get = member("title") },
    maxDataSize = { "String", get = member("max_data") },
    pricePerMonth = { "Int", get = member("price") },
  })
  schema:connection("AddOnPlan")
end

local ADDON = {
  id = "ID!", name = "String", status = "String", hostname = "String",
  addOnPlan = {
    "AddOnPlan",
    get = function(_, addon)
      return addon.plan and providers.plan(addon.plan)
    end,
  },
  addOnPlanName = {
    "String",
    get = function(_, addon)
      local plan = addon.plan and providers.plan(addon.plan)
      return plan and plan.title
    end,
  },
  addOnProvider = {
    "AddOnProvider",
    get = function(_, addon)
      return providers.get(addon.type)
    end,
  },
  app = {
    "App",
    get = function(ctx, addon)
      return addon.app and ctx.world:get("app", addon.app)
    end,
  },
  organization = {
    "Organization!",
    get = function(ctx, addon)
      return ctx.world:get("org", addon.owner)
    end,
  },
  createdAt = { "ISO8601DateTime!", get = member("created_at") },
  updatedAt = { "ISO8601DateTime!", get = member("updated_at") },
  environment = "JSON",
  errorMessage = { "String", get = always(nil) },
  metadata = { "JSON", get = always(json.null) },
  options = {
    "JSON",
    get = function(_, addon)
      return addon.options or {}
    end,
  },
  primaryRegion = { "String", get = member("region") },
  privateIp = { "String", get = always(nil) },
  publicUrl = { "String", get = member("public_url") },
  readRegions = { "[String!]", get = member("read_regions") },
  ssoLink = {
    "String",
    get = function(_, addon)
      return "https://example.com/sso/" .. addon.id
    end,
  },
  stats = { "JSON", get = always(json.null) },
}

---@param schema graphql.Schema
return function(schema)
  schema:enum("AddOnType", tbl.map(providers.ALL, function(provider)
    return provider.name
  end))
  declare_provider(schema)
  schema:object("AddOn", ADDON)
  schema:connection("AddOn")
end
