--- Routes of releases.
--- Pure; part of the web API of api.fly.io.

local json = require "base.json"
local tbl = require "base.tbl"
local time = require "base.time"

local access = require "sim.access"
local bodies = require "sim.bodies.app"
local handlers = require "sim.handlers"
local problem = require "sim.problem"
local releases = require "sim.releases"
local request = require "sim.request"

local M = {}

local function list(ctx)
  local limit, wrong = request.integer(ctx.query, "limit", 1, 1000, 25)
  if wrong then
    return nil, wrong
  end
  local out = {}
  for i, release in ipairs(releases.newest_first(ctx.world, ctx.app)) do
    if i > limit then
      break
    end
    out[i] = releases.view(ctx.world, release)
  end
  return 200, { releases = json.array(out) }
end

local function current(ctx)
  local release = releases.current(ctx.world, ctx.app)
  if not release then
    return problem.new(404, "there is no release")
  end
  return 200, releases.view(ctx.world, release)
end

local function all_current(ctx)
  local out = {}
  for _, app in ipairs(access.apps(ctx.world, ctx.caller)) do
    local release = releases.current(ctx.world, app)
    out[app.id] = release and time.format(release.created_at)
  end
  return 200, out
end

local function create(ctx)
  local app, wrong = access.app(ctx.world, ctx.caller, ctx.body.app_name, true)
  if not app then
    return nil, wrong
  end
  local release = releases.add(ctx.world, app, {
    image_ref = ctx.body.image, strategy = ctx.body.strategy,
    status = "running", stable = false, user = ctx.caller.user.id,
    definition = ctx.body.definition,
  })
  return 201, { release = releases.view(ctx.world, release) }
end

local function update(ctx)
  local release = ctx.world:get("release", ctx.params.release)
  local app = release and access.app(ctx.world, ctx.caller, release.owner,
    true)
  if not app then
    return problem.not_found("release", ctx.params.release)
  end
  local ok, wrong = releases.set_status(ctx.world, release, ctx.body.status)
  if not ok then
    return nil, wrong
  end
  return 200, releases.view(ctx.world, release)
end

local function build(ctx)
  ctx.world.meta.builds = (ctx.world.meta.builds or 0) + 1
  return { id = ctx.world.meta.builds, status = "running",
    wallclock_time_ms = 0 }
end

local function create_build(ctx)
  return 200, build(ctx)
end

local function finish_build(ctx)
  return 200, {
    id = ctx.body.build_id, status = ctx.body.status, wallclock_time_ms = 0,
  }
end

local function depot_builder(ctx)
  return 200, {
    build_id = tostring(build(ctx).id), build_token = "sim-build-token",
  }
end

local route = handlers.rows("none", "/api/v1")

---@type sim.Route[]
M.routes = tbl.flatten {
  {
    route("GET", "/apps/{app}/releases", list),
    route("GET", "/apps/{app}/releases/current", current),
    route("GET", "/releases/all_current", all_current),
    route("POST", "/releases", create, bodies.release_create),
    route("PATCH", "/releases/{release}", update, bodies.release_update),
  },
  {
    route("POST", "/builds", create_build, bodies.build_create),
    route("POST", "/builds/finish", finish_build, bodies.build_finish),
    route("POST", "/builds/depot_builder", depot_builder,
      bodies.build_depot),
  },
}

return M
