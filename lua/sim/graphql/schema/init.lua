--- The part of Fly's GraphQL schema that the simulator models.
--- Declarations; names and types are the real schema's, which a test holds.

local time = require "base.time"

local types = require "sim.graphql.types"

local schema = types.new()

local function same(value)
  return value
end

schema:scalar("ID", tostring)
schema:scalar("String", tostring)
schema:scalar("Int", same)
schema:scalar("Float", same)
schema:scalar("Boolean", same)
schema:scalar("BigInt", tostring)
schema:scalar("JSON", same)
schema:scalar("ISO8601DateTime", function(value)
  return type(value) == "number" and time.format(value) or value
end)

schema:object("PageInfo", {
  endCursor = "String", startCursor = "String",
  hasNextPage = "Boolean!", hasPreviousPage = "Boolean!",
})

require("sim.graphql.schema.people")(schema)
require("sim.graphql.schema.app")(schema)
require("sim.graphql.schema.machine")(schema)
require("sim.graphql.schema.addon")(schema)
require("sim.graphql.schema.network")(schema)
require("sim.graphql.schema.queries")(schema)
require("sim.graphql.schema.mutations")(schema)
schema:finish()

return schema
