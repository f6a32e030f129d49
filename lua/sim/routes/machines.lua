--- Routes that list, show, create, update and destroy machines.
--- Pure; part of the Machines API.

local json = require "base.json"
local tbl = require "base.tbl"

local bodies = require "sim.bodies.machine"
local handlers = require "sim.handlers"
local lease = require "sim.machine.lease"
local machines = require "sim.machine"
local pages = require "sim.pages"
local problem = require "sim.problem"
local reply = require "sim.reply"
local request = require "sim.request"
local states = require "sim.machine.states"
local views = require "sim.machine.view"

local M = {}

-- "metadata.role=web" and so on.
local function metadata_filter(query)
  local wanted
  for name, values in pairs(query) do
    local key = name:match("^metadata%.(.+)$")
    if key then
      wanted = wanted or {}
      wanted[key] = values[1]
    end
  end
  return wanted
end

local function has_metadata(machine, wanted)
  local metadata = request.member(machines.config(machine), "metadata")
  return metadata ~= nil and tbl.matches(metadata, wanted)
end

--- The filters of a list's query, as a predicate.
---@param query table<string, string[]>
---@return (fun(machine: sim.Machine): boolean)? keep
---@return sim.Problem?
function M.filter(query)
  local include_deleted, wrong = request.flag(query, "include_deleted")
  if wrong then
    return nil, wrong
  end
  local region = request.text(query, "region")
  local state = request.text(query, "state")
  local metadata = metadata_filter(query)
  return function(machine)
    return (include_deleted or machines.is_live(machine))
      and (not region or machine.region == region)
      and (not state or machine.state == state)
      and (not metadata or has_metadata(machine, metadata))
  end
end

local function lease_seen(ctx, machine)
  local current = lease.current(ctx.world, machine)
  return current and {
    description = current.description, owner = current.owner,
    expires_at = math.floor(current.expires_at),
  }
end

-- What one machine looks like in this answer: the flags ask for more or less.
local function text_of(ctx, machine, with_leases, is_summary)
  if is_summary then
    return views.summary(ctx.world, machine)
  end
  local seen = with_leases and lease_seen(ctx, machine)
  if not seen then
    return views.text(ctx.world, machine)
  end
  local view = views.machine(machine)
  view.lease = seen
  return json.encode(view)
end

local function list(ctx)
  local keep, wrong = M.filter(ctx.query)
  local with_leases, is_summary
  if keep then
    with_leases, wrong = request.flag(ctx.query, "include_leases")
  end
  if keep and not wrong then
    is_summary, wrong = request.flag(ctx.query, "summary")
  end
  if wrong then
    return nil, wrong
  end
  local page, next_cursor = pages.cut(
    ctx.world:list("machine", ctx.app.id), ctx, 1000)
  if not page then
    return nil, next_cursor
  end
  local texts = {}
  for _, machine in ipairs(page) do
    if keep(machine) then
      texts[#texts + 1] = text_of(ctx, machine, with_leases, is_summary)
    end
  end
  return 200, reply.list(texts), { ["fly-next-cursor"] = next_cursor }
end

local function get(ctx)
  local version = request.text(ctx.query, "version")
  local with_leases, wrong = request.flag(ctx.query, "include_leases")
  if wrong then
    return nil, wrong
  end
  if version and version ~= ctx.machine.version then
    local text = views.text_of_version(ctx.machine, version)
    if not text then
      return problem.not_found("machine version", version)
    end
    return 200, text
  end
  return 200, text_of(ctx, ctx.machine, with_leases, false)
end

-- A machine just created or updated; its taker learns the nonce of the lease.
local function changed(ctx, machine)
  local current = lease.current(ctx.world, machine)
  if not current or not request.member(ctx.body, "lease_ttl") then
    return 200, views.text(ctx.world, machine)
  end
  local view = views.machine(machine)
  view.nonce = current.nonce
  return 200, json.encode(view)
end

local function create(ctx)
  if ctx.app.is_going then
    return problem.no_app(ctx.app.id)
  end
  local machine, wrong = machines.create(ctx.world, ctx.app, ctx.body,
    ctx.caller.owner)
  if not machine then
    return nil, wrong
  end
  return changed(ctx, machine)
end

local function update(ctx)
  local ok, wrong = lease.check(ctx.world, ctx.machine, ctx.nonce)
  if not ok then
    return nil, wrong
  end
  local machine
  machine, wrong = machines.update(ctx.world, ctx.machine, ctx.body,
    ctx.caller.owner)
  if not machine then
    return nil, wrong
  end
  return changed(ctx, machine)
end

local function destroy(ctx)
  local is_forced, wrong = request.flag(ctx.query, "force")
  local is_killed
  if not wrong then
    is_killed, wrong = request.flag(ctx.query, "kill")
  end
  if wrong then
    return nil, wrong
  end
  local ok
  ok, wrong = lease.check(ctx.world, ctx.machine, ctx.nonce)
  if ok then
    ok, wrong = states.destroy(ctx.world, ctx.machine, is_forced or is_killed)
  end
  if not ok then
    return nil, wrong
  end
  return 200, { ok = true }
end

local function versions(ctx)
  local out = {}
  for _, version in ipairs(ctx.machine.versions) do
    table.insert(out, 1, {
      version = version.version, user_config = json.raw(version.config),
    })
  end
  return 200, json.array(out)
end

local function events(ctx)
  local limit, wrong = request.integer(ctx.query, "limit", 1, 50, 20)
  if wrong then
    return nil, wrong
  end
  local out = {}
  for i = 1, math.min(limit, #ctx.machine.events) do
    out[i] = views.event(ctx.machine.events[i])
  end
  return 200, json.array(out)
end

local ALL = "/v1/apps/{app}/machines"
local ONE = ALL .. "/{machine}"

local of_app = handlers.rows("app", ALL)
local route = handlers.rows("machine", ONE)
local often = handlers.rows("machine_get", ONE)

---@type sim.Route[]
M.routes = {
  of_app("GET", "", list),
  of_app("POST", "", create, bodies.create),
  often("GET", "", get),
  route("POST", "", update, bodies.update),
  route("DELETE", "", destroy),
  route("GET", "/versions", versions),
  route("GET", "/events", events),
}

return M
