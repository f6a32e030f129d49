--- Routes about the platform: regions and placements.
--- Pure; part of the Machines API.

local json = require "base.json"
local tbl = require "base.tbl"

local access = require "sim.access"
local bodies = require "sim.bodies.app"
local guests = require "sim.guests"
local problem = require "sim.problem"
local regions = require "sim.regions"
local request = require "sim.request"

local M = {}

local function view(world, region)
  return {
    code = region.code, name = region.name, geo_region = region.geo,
    latitude = region.latitude, longitude = region.longitude,
    gateway_available = region.gateway, mpg_available = region.mpg,
    requires_paid_plan = false, deprecated = region.deprecated,
    capacity = region.deprecated and 0
      or regions.capacity(world, region.code),
  }
end

local function list(ctx)
  return 200, {
    nearest = regions.NEAREST,
    regions = tbl.map(regions.ALL, function(region)
      return view(ctx.world, region)
    end),
  }
end

-- The regions a placement may use: those named, "" or "any" for all.
local function candidates(text)
  if not text or text == "" or text == "any" then
    return tbl.filter(regions.ALL, function(region)
      return not region.deprecated
    end)
  end
  local out = {}
  for code in text:gmatch("[^,%s]+") do
    local region = regions.usable(code)
    if not region then
      return problem.new(400, ("invalid region: %q"):format(code))
    end
    out[#out + 1] = region
  end
  return out
end

local function placements(ctx)
  local org = access.org(ctx.world, ctx.caller, ctx.body.org_slug)
  if not org then
    return problem.forbidden() -- this route tells nobody which there are
  end
  local found, wrong = candidates(request.member(ctx.body, "region"))
  local guest
  if found then
    guest, wrong = guests.normalize(ctx.body.compute)
  end
  if not guest then
    return nil, wrong
  end
  local wanted = request.member(ctx.body, "count") or 1
  local rows = {}
  for _, region in ipairs(found) do
    local free = regions.capacity(ctx.world, region.code)
    if free > 0 then
      rows[#rows + 1] = {
        region = region.code, count = math.min(wanted, free), concurrency = 1,
      }
    end
  end
  return 200, { regions = json.array(rows) }
end

---@type sim.Route[]
M.routes = {
  {
    method = "GET", path = "/v1/platform/regions", limit = "caller",
    run = list,
  },
  {
    method = "POST", path = "/v1/platform/placements", limit = "caller",
    body = bodies.placements, reads = true, run = placements,
  },
}

return M
