--- Routes of IP addresses.
--- Pure; part of the Machines API.

local json = require "base.json"
local tbl = require "base.tbl"

local bodies = require "sim.bodies.app"
local handlers = require "sim.handlers"
local ips = require "sim.ips"
local problem = require "sim.problem"
local reply = require "sim.reply"
local request = require "sim.request"

local M = {}

local function list(ctx)
  return 200, {
    ips = reply.list_or_null(tbl.map(ctx.world:list("ip", ctx.app.id),
      ips.view)),
  }
end

local function assign_pair(ctx, spec)
  local four, wrong = ips.assign(ctx.world, ctx.app,
    tbl.merge(spec, { type = "egress_v4" }))
  if not four then
    return nil, wrong
  end
  local six = assert(ips.assign(ctx.world, ctx.app,
    tbl.merge(spec, { type = "egress_v6" })))
  local view = ips.view(four)
  view.ip_pair = { v4 = four.address, v6 = six.address }
  return 200, view
end

local function assign(ctx)
  local body = ctx.body
  local network = request.member(body, "network")
  local spec = {
    type = body.type, region = request.member(body, "region"),
    service_name = request.member(body, "service_name"),
    network = network and {
      name = network, org_slug = request.member(body, "org_slug") or "",
    },
  }
  if body.type == "egress_pair" then
    return assign_pair(ctx, spec)
  end
  local ip, wrong = ips.assign(ctx.world, ctx.app, spec)
  if not ip then
    return nil, wrong
  end
  return 200, ips.view(ip)
end

local function release(ctx)
  local ip = ips.get(ctx.world, ctx.app, ctx.params.ip)
  if not ip then
    return problem.not_found("ip address", ctx.params.ip)
  end
  ctx.world:drop("ip", ip)
  return 204
end

-- api.fly.io: makes an egress address of a machine one of the app.
local function promote(ctx)
  local ip = ips.get(ctx.world, ctx.app, ctx.params.ip)
  if not ip or not ips.is_egress(ip) then
    return problem.not_found("egress ip", ctx.params.ip)
  end
  return 201, json.raw("{}")
end

local ALL = "/v1/apps/{app}/ip_assignments"

local route = handlers.rows("app", ALL)
local web = handlers.rows("none", "/api/v1")

---@type sim.Route[]
M.routes = {
  route("GET", "", list),
  route("POST", "", assign, bodies.ip_assign),
  route("DELETE", "/{ip}", release),
  web("POST", "/apps/{app}/egress_ips/{ip}/promote", promote),
}

return M
