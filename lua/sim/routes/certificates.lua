--- Routes of certificates.
--- Pure; part of the Machines API.

local tbl = require "base.tbl"

local bodies = require "sim.bodies.app"
local certs = require "sim.certs"
local handlers = require "sim.handlers"
local pages = require "sim.pages"
local problem = require "sim.problem"
local reply = require "sim.reply"
local request = require "sim.request"

local M = {}

local function list(ctx)
  local filter = request.text(ctx.query, "filter")
  local found = tbl.filter(ctx.world:list("cert", ctx.app.id), function(cert)
    return not filter or cert.hostname:find(filter, 1, true) ~= nil
  end)
  local page, next_cursor = pages.cut(found, ctx, 500, 25)
  if not page then
    return nil, next_cursor
  end
  return 200, {
    certificates = reply.list_or_null(tbl.map(page, certs.summary)),
    next_cursor = next_cursor,
    total_count = #found,
  }
end

local function added(ctx, cert, wrong)
  if not cert then
    return nil, wrong
  end
  return 201, certs.detail(ctx.world, ctx.app, cert)
end

local function add_acme(ctx)
  return added(ctx, certs.request_acme(ctx.world, ctx.app, ctx.body.hostname))
end

local function add_custom(ctx)
  return added(ctx, certs.upload(ctx.world, ctx.app, ctx.body.hostname,
    ctx.body.fullchain, ctx.body.private_key))
end

local with_cert = handlers.with(function(ctx)
  local cert = certs.get(ctx.world, ctx.app, ctx.params.hostname)
  if not cert then
    return problem.not_found("certificate", ctx.params.hostname)
  end
  return cert
end)

local function get(ctx, cert)
  return 200, certs.detail(ctx.world, ctx.app, cert)
end

local function check(ctx, cert)
  certs.check_dns(ctx.world, cert)
  return 200, certs.check_view(ctx.world, ctx.app, cert)
end

local function remove(ctx, cert)
  ctx.world:drop("cert", cert)
  return 204
end

local function remove_source(source)
  return function(ctx, cert)
    local is_gone, wrong = certs.remove_source(ctx.world, cert, source)
    if is_gone == nil then
      return nil, wrong
    end
    local view = certs.detail(ctx.world, ctx.app, cert)
    if source == "custom" then
      view.rate_limited_until = nil
      view.warning = is_gone and "the hostname has no certificate now" or nil
    end
    return 200, view
  end
end

local ALL = "/v1/apps/{app}/certificates"
local ONE = ALL .. "/{hostname}"

local route = handlers.rows("app")

---@type sim.Route[]
M.routes = {
  route("GET", ALL, list),
  route("POST", ALL .. "/acme", add_acme, bodies.cert_acme),
  route("POST", ALL .. "/custom", add_custom, bodies.cert_custom),
  route("GET", ONE, with_cert(get)),
  route("DELETE", ONE, with_cert(remove)),
  route("POST", ONE .. "/check", with_cert(check)),
  route("DELETE", ONE .. "/acme", with_cert(remove_source("acme"))),
  route("DELETE", ONE .. "/custom", with_cert(remove_source("custom"))),
}

return M
