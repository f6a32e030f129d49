--- Types of addresses, WireGuard peers and Postgres attachments.
--- Declarations.

local types = require "sim.graphql.types"

local member = types.member

local function declare_addresses(schema)
  schema:enum("IPAddressType", { "private_v6", "shared_v4", "v4", "v6" })
  schema:object("Network", {
    id = "ID!", name = "String!",
    organization = {
      "Organization!",
      get = function(ctx, network)
        return ctx.world:get("org", network.org)
      end,
    },
  })
  schema:object("IPAddress", {
    id = { "ID!", get = member("node_id") },
    address = "String!", region = "String", type = "IPAddressType!",
    createdAt = { "ISO8601DateTime!", get = member("created_at") },
    serviceName = { "String", get = member("service_name") },
    network = {
      "Network",
      get = function(ctx, ip)
        local app = ctx.world:get("app", ip.owner)
        return ip.network and {
          id = "network_" .. ip.network.name, name = ip.network.name,
          org = app.owner,
        } or nil
      end,
    },
  })
  schema:connection("IPAddress")
  schema:object("EgressIPAddress", {
    id = { "ID!", get = member("node_id") },
    ip = { "String!", get = member("address") },
    region = "String!",
    updatedAt = { "ISO8601DateTime!", get = member("created_at") },
    version = {
      "Int!",
      get = function(_, ip)
        return ip.type == "egress_v4" and 4 or 6
      end,
    },
  })
  schema:connection("EgressIPAddress")
end

---@param schema graphql.Schema
return function(schema)
  declare_addresses(schema)
  schema:object("WireGuardPeer", {
    id = { "ID!", get = member("node_id") },
    name = "String!", network = "String", peerip = "String!",
    pubkey = "String!", region = "String!",
  })
  schema:connection("WireGuardPeer")
  schema:object("PostgresClusterAttachment", {
    id = "ID!",
    databaseName = { "String!", get = member("database") },
    databaseUser = { "String!", get = member("user") },
    environmentVariableName = { "String!", get = member("variable") },
  })
  schema:connection("PostgresClusterAttachment")
end
