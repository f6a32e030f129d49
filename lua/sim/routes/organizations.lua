--- Routes of organizations.
--- Pure; part of the web API of api.fly.io.

local json = require "base.json"
local tbl = require "base.tbl"

local access = require "sim.access"
local handlers = require "sim.handlers"

local M = {}

local function view(org)
  return {
    id = org.node_id, internal_numeric_id = org.internal_numeric_id,
    slug = org.slug, raw_slug = org.id, name = org.name,
    personal = org.type == "PERSONAL", paid_plan = org.paid_plan,
    billing_status = "CURRENT", billable = true,
    provisions_beta_extensions = false,
    remote_builder_image = "registry.example.com/builder:latest",
  }
end

local function list(ctx)
  return 200, {
    organizations = json.array(tbl.map(
      access.orgs(ctx.world, ctx.caller), view)),
  }
end

local function get(ctx)
  local org, wrong = access.org(ctx.world, ctx.caller, ctx.params.org)
  if not org then
    return nil, { status = 404, message = wrong.message }
  end
  return 200, { organization = view(org) }
end

local route = handlers.rows("none", "/api/v1/organizations")

---@type sim.Route[]
M.routes = {
  route("GET", "", list),
  route("GET", "/{org}", get),
}

return M
