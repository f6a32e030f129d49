--- Routes of apps.
--- Pure; part of the Machines API.

local json = require "base.json"
local tbl = require "base.tbl"

local access = require "sim.access"
local apps = require "sim.apps"
local bodies = require "sim.bodies.app"
local handlers = require "sim.handlers"
local pages = require "sim.pages"
local problem = require "sim.problem"
local reply = require "sim.reply"
local request = require "sim.request"

local M = {}

-- A token that is for single apps may not list.
local function may_list(ctx, org)
  for _, token in ipairs(ctx.caller.tokens) do
    if token.kind == "user" or token.org == org.id and not token.app then
      return true
    end
  end
  return problem.forbidden()
end

local function find_org(ctx)
  local slug = request.text(ctx.query, "org_slug")
  if not slug then
    return problem.new(400, "org_slug is required")
  end
  local org, wrong = access.org(ctx.world, ctx.caller, slug)
  if not org then
    -- An organization that is not there and one of others look alike here.
    return problem.new(403, "unauthorized: " .. wrong.message)
  end
  return org
end

local function list(ctx)
  local org, wrong = find_org(ctx)
  if not org then
    return nil, wrong
  end
  local ok
  ok, wrong = may_list(ctx, org)
  if not ok then
    return nil, wrong
  end
  local role = request.text(ctx.query, "app_role")
  local found = tbl.filter(ctx.world:list("app", org.id), function(app)
    return not role or app.role == role
  end)
  local page, next_cursor = pages.cut(found, ctx, 5000)
  if not page then
    return nil, next_cursor
  end
  return 200, {
    total_apps = #found,
    apps = json.raw(reply.list(tbl.map(page, function(app)
      return apps.text(ctx.world, app)
    end))),
    next_cursor = next_cursor,
  }
end

local function get(ctx)
  return 200, apps.text(ctx.world, ctx.app)
end

local function create(ctx)
  local org, wrong = access.org(ctx.world, ctx.caller, ctx.body.org_slug, true)
  if not org then
    return nil, wrong
  end
  local app
  app, wrong = apps.create(ctx.world, org, ctx.body)
  if not app then
    return nil, wrong
  end
  return 201, { id = app.hash, created_at = apps.created_ms(app) }
end

local function destroy(ctx)
  apps.destroy(ctx.world, ctx.app)
  return 202
end

local route, of_app = handlers.rows("caller"), handlers.rows("app")

---@type sim.Route[]
M.routes = {
  route("GET", "/v1/apps", list),
  route("POST", "/v1/apps", create, bodies.create),
  of_app("GET", "/v1/apps/{app}", get),
  of_app("DELETE", "/v1/apps/{app}", destroy),
}

return M
