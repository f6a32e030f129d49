--- The GraphQL endpoint.
--- Pure; part of the web API of api.fly.io.

local bodies = require "sim.bodies.app"
local graphql = require "sim.graphql"
local request = require "sim.request"

local M = {}

-- Whether any of the caller's tokens may change something.
local function may_write(caller)
  for _, token in ipairs(caller.tokens) do
    if not token.is_readonly then
      return true
    end
  end
  return false
end

local function run(ctx)
  ctx.may_write = may_write(ctx.caller)
  return 200, graphql.answer(ctx, {
    query = ctx.body.query,
    variables = request.member(ctx.body, "variables"),
    operation_name = request.member(ctx.body, "operationName"),
  })
end

--- What a request without a valid token is answered.
M.UNAUTHORIZED = graphql.error(
  "You must be authenticated to view this.", "UNAUTHORIZED")

---@type sim.Route[]
M.routes = {
  {
    method = "POST", path = "/graphql", limit = "none", reads = true,
    body = bodies.graphql, run = run,
  },
}

return M
