--- Routes of leases. Answers come wrapped, as the real service's do.
--- Pure; part of the Machines API.

local bodies = require "sim.bodies.machine"
local handlers = require "sim.handlers"
local lease = require "sim.machine.lease"
local problem = require "sim.problem"
local request = require "sim.request"

local M = {}

local function wrapped(data)
  return { status = "success", data = data }
end

local function create(ctx)
  local ttl, wrong = request.integer(ctx.query, "ttl", 1, 86400)
  if wrong then
    return nil, wrong
  end
  local taken
  taken, wrong = lease.acquire(ctx.world, ctx.machine, {
    owner = ctx.caller.owner, nonce = ctx.nonce,
    ttl = request.member(ctx.body, "ttl") or ttl,
    description = request.member(ctx.body, "description"),
  })
  if not taken then
    return nil, wrong
  end
  return 201, wrapped(lease.view(taken, true))
end

local function get(ctx)
  local current = lease.current(ctx.world, ctx.machine)
  if not current then
    return problem.new(404, "lease not found")
  end
  return 200, wrapped(lease.view(current, ctx.nonce == current.nonce))
end

local function release(ctx)
  local ok, wrong = lease.release(ctx.world, ctx.machine, ctx.nonce)
  if not ok then
    return nil, wrong
  end
  return 200, wrapped({ ok = true })
end

local PATH = "/v1/apps/{app}/machines/{machine}/lease"

local route = handlers.rows("machine", PATH)

---@type sim.Route[]
M.routes = {
  route("POST", "", create, bodies.lease, true),
  route("GET", "", get),
  route("DELETE", "", release),
}

return M
