--- Routes of volumes and snapshots.
--- Pure; part of the Machines API.

local tbl = require "base.tbl"

local bodies = require "sim.bodies.app"
local handlers = require "sim.handlers"
local pages = require "sim.pages"
local problem = require "sim.problem"
local reply = require "sim.reply"
local volumes = require "sim.volumes"

local M = {}

local with_volume = handlers.with(function(ctx)
  local volume = ctx.world:get("volume", ctx.params.volume)
  if not volume or volume.owner ~= ctx.app.id then
    return problem.not_found("volume", ctx.params.volume)
  end
  return volume
end)

local function list(ctx)
  local page, next_cursor = pages.cut(
    ctx.world:list("volume", ctx.app.id), ctx, 1000)
  if not page then
    return nil, next_cursor
  end
  return 200, reply.list(tbl.map(page, function(volume)
    return volumes.text(ctx.world, volume)
  end)), { ["fly-next-cursor"] = next_cursor }
end

local function create(ctx)
  local volume, wrong = volumes.create(ctx.world, ctx.app, ctx.body)
  if not volume then
    return nil, wrong
  end
  return 200, volumes.text(ctx.world, volume)
end

local function get(ctx, volume)
  return 200, volumes.text(ctx.world, volume)
end

local function update(ctx, volume)
  local ok, wrong = volumes.update(ctx.world, volume, ctx.body)
  if not ok then
    return nil, wrong
  end
  return get(ctx, volume)
end

local function destroy(ctx, volume)
  local ok, wrong = volumes.destroy(ctx.world, volume)
  if not ok then
    return nil, wrong
  end
  return get(ctx, volume)
end

local function extend(ctx, volume)
  local needs_restart, wrong = volumes.extend(ctx.world, volume,
    ctx.body.size_gb)
  if needs_restart == nil then
    return nil, wrong
  end
  return 200, {
    volume = volumes.view(volume), needs_restart = needs_restart,
  }
end

local function snapshots(ctx, volume)
  local views = tbl.map(volumes.snapshots(ctx.world, volume),
    volumes.view_snapshot)
  return 200, reply.list_or_null(views)
end

-- The real answer has no body.
local function snapshot(ctx, volume)
  local made, wrong = volumes.snapshot(ctx.world, volume)
  if not made then
    return nil, wrong
  end
  return 200
end

local ALL = "/v1/apps/{app}/volumes"
local ONE = ALL .. "/{volume}"

local route = handlers.rows("app")

---@type sim.Route[]
M.routes = {
  route("GET", ALL, list),
  route("POST", ALL, create, bodies.volume_create),
  route("GET", ONE, with_volume(get)),
  route("PUT", ONE, with_volume(update), bodies.volume_update),
  route("DELETE", ONE, with_volume(destroy)),
  route("PUT", ONE .. "/extend", with_volume(extend), bodies.volume_extend),
  route("GET", ONE .. "/snapshots", with_volume(snapshots)),
  route("POST", ONE .. "/snapshots", with_volume(snapshot)),
}

return M
