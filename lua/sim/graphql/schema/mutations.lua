--- The mutations, with their inputs and payloads.
--- Declarations; each takes one `input`, as the real ones do.

local payloads = require "sim.graphql.schema.payloads"
local write = require "sim.graphql.schema.write"

-- name → input's members beyond clientMutationId, payload's beyond it, what
-- it does.
local MUTATIONS = {
  createApp = {
    input = {
      appRoleId = "String", enableSubdomains = "Boolean",
      heroku = "Boolean", machines = "Boolean", name = "String",
      network = "String", organizationId = "ID!",
      preferredRegion = "String", runtime = "RuntimeType",
    },
    payload = { app = "App!" },
    run = write.create_app,
  },
  restartApp = {
    input = { appId = "ID!" }, payload = { app = "App!" },
    run = write.restart_app,
  },
  setSecrets = {
    input = {
      appId = "ID!", replaceAll = "Boolean", secrets = "[SecretInput!]!",
    },
    payload = { app = "App!", release = "Release" },
    run = write.set_secrets,
  },
  unsetSecrets = {
    input = { appId = "ID!", keys = "[String!]!" },
    payload = { app = "App!", release = "Release" },
    run = write.unset_secrets,
  },
  createAddOn = {
    input = {
      appId = "ID", name = "String", options = "JSON",
      organizationId = "ID", organizationPlanId = "String", planId = "ID",
      primaryRegion = "String", readRegions = "[String!]",
      type = "AddOnType!",
    },
    payload = { addOn = "AddOn!" },
    run = write.create_addon,
  },
  updateAddOn = {
    input = {
      addOnId = "ID", metadata = "JSON", name = "String", options = "JSON",
      planId = "ID", prodPack = "Boolean", provider = "String",
      readRegions = "[String!]",
    },
    payload = { addOn = "AddOn!" },
    run = write.update_addon,
  },
  deleteAddOn = {
    input = { addOnId = "ID", name = "String", provider = "String" },
    payload = { deletedAddOnName = "String" },
    run = write.delete_addon,
  },
  createExtensionTosAgreement = {
    input = { addOnProviderName = "String!", organizationId = "ID" },
    payload = {},
    run = write.agree_to_terms,
  },
  createLimitedAccessToken = {
    input = {
      expiry = "String", name = "String!", optInThirdParties = "[String!]",
      optOutThirdParties = "[String!]", organizationId = "ID!",
      profile = "String!", profileParams = "JSON",
    },
    payload = { limitedAccessToken = "LimitedAccessToken!" },
    run = write.create_token,
  },
  deleteLimitedAccessToken = {
    input = { id = "ID", revokedBy = "String", token = "String" },
    payload = { revokedBy = "String", token = "String" },
    run = write.revoke_token,
  },
  deleteAccessToken = {
    input = { accessTokenId = "ID!" }, payload = {},
    run = write.delete_access_token,
  },
  addWireGuardPeer = {
    input = {
      ephemeral = "Boolean", gwname = "String", name = "String!",
      nats = "Boolean", network = "String", organizationId = "ID!",
      pubkey = "String!", region = "String",
    },
    payload = {
      endpointip = "String!", network = "String", peerip = "String!",
      pubkey = "String!",
    },
    run = write.add_peer,
  },
  removeWireGuardPeer = {
    input = { name = "String!", nats = "Boolean", organizationId = "ID!" },
    payload = { organization = "Organization!" },
    run = write.remove_peer,
  },
  attachPostgresCluster = {
    input = {
      appId = "ID!", databaseName = "String", databaseUser = "String",
      manualEntry = "Boolean", postgresClusterAppId = "ID!",
      variableName = "String",
    },
    payload = {
      app = "App!", connectionString = "String!",
      environmentVariableName = "String!", postgresClusterApp = "App!",
    },
    run = write.attach_postgres,
  },
  detachPostgresCluster = {
    input = {
      appId = "ID!", postgresClusterAppId = "ID!",
      postgresClusterAttachmentId = "ID",
    },
    payload = { app = "App!", postgresClusterApp = "App!" },
    run = write.detach_postgres,
  },
  allocateIpAddress = {
    name = "AllocateIPAddress",
    input = {
      appId = "ID!", network = "String", organizationId = "ID",
      region = "String", serviceName = "String", type = "IPAddressType!",
    },
    payload = { app = "App!", ipAddress = "IPAddress" },
    run = write.allocate_ip,
  },
  releaseIpAddress = {
    name = "ReleaseIPAddress",
    input = {
      appId = "ID", ip = "String", ipAddressId = "ID",
      serviceName = "String",
    },
    payload = { app = "App!" },
    run = write.release_ip,
  },
  createRelease = {
    input = {
      appId = "ID!", buildId = "ID", definition = "JSON!",
      image = "String!", platformVersion = "String!",
      strategy = "DeploymentStrategy!",
    },
    payload = { app = "App!", release = "Release" },
    run = write.create_release,
  },
  updateRelease = {
    input = { metadata = "JSON", releaseId = "ID!", status = "String" },
    payload = { release = "Release!" },
    run = write.update_release,
  },
}

---@param schema graphql.Schema
return function(schema)
  schema:input("SecretInput", { key = "String!", value = "String!" })
  local fields = payloads.plain(schema)
  for name, spec in pairs(MUTATIONS) do
    local base = spec.name or name:sub(1, 1):upper() .. name:sub(2)
    fields[name] = payloads.declare(schema, base, spec)
  end
  schema:object("Mutations", fields)
end
