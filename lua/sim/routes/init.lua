--- Every route of the simulator, and what goes with them.
--- Data, put together.

local tbl = require "base.tbl"

local graphql = require "sim.routes.graphql"

local M = {}

local FILES = {
  require "sim.routes.actions",
  require "sim.routes.apps",
  require "sim.routes.certificates",
  require "sim.routes.exec",
  graphql,
  require "sim.routes.ips",
  require "sim.routes.leases",
  require "sim.routes.logs",
  require "sim.routes.machines",
  require "sim.routes.metadata",
  require "sim.routes.mpg",
  require "sim.routes.mpg_inner",
  require "sim.routes.organizations",
  require "sim.routes.orgs",
  require "sim.routes.platform",
  require "sim.routes.postgres",
  require "sim.routes.postgres_inner",
  require "sim.routes.releases",
  require "sim.routes.secretkeys",
  require "sim.routes.secrets",
  require "sim.routes.tokens",
  require "sim.routes.volumes",
  require "sim.routes.wait",
}

---@type sim.Route[]
M.ALL = tbl.flatten(tbl.map(FILES, function(file)
  return file.routes
end))

--- GraphQL's answer to a request without a valid token.
M.UNAUTHORIZED = graphql.UNAUTHORIZED

return M
