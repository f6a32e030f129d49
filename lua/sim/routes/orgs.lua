--- Routes that list what a whole organization has.
--- Pure; part of the Machines API.

local json = require "base.json"
local tbl = require "base.tbl"
local time = require "base.time"

local access = require "sim.access"
local handlers = require "sim.handlers"
local machine_routes = require "sim.routes.machines"
local pages = require "sim.pages"
local problem = require "sim.problem"
local reply = require "sim.reply"
local request = require "sim.request"
local views = require "sim.machine.view"
local volumes = require "sim.volumes"

local M = {}

local PAGE = 1000

-- The names of the organization's apps that the caller sees.
local function apps_of(ctx, org)
  local seen = {}
  for _, app in ipairs(ctx.world:list("app", org.id)) do
    seen[app.id] = access.may_use_app(ctx.world, ctx.caller, app) or nil
  end
  return seen
end

-- The records of a kind in the apps that the caller sees, in order.
local function records_of(ctx, org, kind)
  local seen = apps_of(ctx, org)
  return tbl.filter(ctx.world:list(kind), function(record)
    return seen[record.owner]
  end)
end

local function updated_after(ctx)
  local text = request.text(ctx.query, "updated_after")
  if not text then
    return -math.huge
  end
  local seconds = time.parse(text)
  if not seconds then
    return problem.new(400, ("invalid updated_after: %q"):format(text))
  end
  return seconds
end

-- A page of an organization's records that pass the filters.
local function page_of(ctx, kind, keep)
  local org, wrong = access.org(ctx.world, ctx.caller, ctx.params.org)
  if not org then
    return nil, wrong
  end
  local after
  after, wrong = updated_after(ctx)
  if not after then
    return nil, wrong
  end
  local page, next_cursor = pages.cut(records_of(ctx, org, kind), ctx, PAGE,
    PAGE)
  if not page then
    return nil, next_cursor
  end
  return tbl.filter(page, function(record)
    return (record.updated_at or record.created_at) > after and keep(record)
  end), next_cursor
end

local function list_machines(ctx)
  local keep, wrong = machine_routes.filter(ctx.query)
  if not keep then
    return nil, wrong
  end
  local page, next_cursor = page_of(ctx, "machine", keep)
  if not page then
    return nil, next_cursor
  end
  local last = page[#page]
  return 200, {
    machines = json.raw(reply.list(tbl.map(page, function(machine)
      return views.overview(ctx.world, machine)
    end))),
    next_cursor = next_cursor,
    last_machine_id = last and last.id,
    last_updated_at = last and time.format(last.updated_at),
    error_regions = json.null,
  }
end

local function volume_filter(query)
  local region = request.text(query, "region")
  local state = request.text(query, "state")
  return function(volume)
    return (not region or volume.region == region)
      and (not state or volume.state == state)
  end
end

local function list_volumes(ctx)
  local page, next_cursor = page_of(ctx, "volume", volume_filter(ctx.query))
  if not page then
    return nil, next_cursor
  end
  local last = page[#page]
  return 200, {
    volumes = json.array(tbl.map(page, function(volume)
      local view = volumes.view(volume)
      view.app_name = volume.owner
      view.updated_at = view.created_at
      view.host_dedication_id = nil
      return view
    end)),
    next_cursor = next_cursor,
    last_volume_id = last and last.id,
    last_updated_at = last and time.format(last.created_at),
  }
end

local route = handlers.rows("caller", "/v1/orgs/{org}")

---@type sim.Route[]
M.routes = {
  route("GET", "/machines", list_machines),
  route("GET", "/volumes", list_volumes),
}

return M
