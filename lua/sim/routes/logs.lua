--- The route of an app's logs.
--- Pure; part of the web API of api.fly.io.

local json = require "base.json"
local tbl = require "base.tbl"

local access = require "sim.access"
local logs = require "sim.logs"
local problem = require "sim.problem"
local request = require "sim.request"

local M = {}

-- A macaroon has to come with its own scheme here.
local function check_scheme(ctx)
  if ctx.scheme == "bearer" and not ctx.caller.is_user then
    return problem.new(401, "unauthorized")
  end
  return true
end

-- This route tells nobody whether an app of others exists.
local function find_app(ctx)
  local app = access.app(ctx.world, ctx.caller, ctx.params.app)
  if not app then
    return problem.no_app(ctx.params.app)
  end
  return app
end

local function position(ctx)
  local token = request.text(ctx.query, "next_token")
  if not token then
    return nil
  end
  local ns = token:match("^%d+$") and math.tointeger(tonumber(token))
  if not ns then
    return nil, select(2, problem.new(400, "invalid next_token"))
  end
  return ns
end

local function read(ctx)
  local ok, wrong = check_scheme(ctx)
  local app
  if ok then
    app, wrong = find_app(ctx)
  end
  if not app then
    return nil, wrong
  end
  local after
  after, wrong = position(ctx)
  if wrong then
    return nil, wrong
  end
  local lines, next_ns = logs.read(ctx.world, app.id, {
    after = after,
    instance = request.text(ctx.query, "instance"),
    region = request.text(ctx.query, "region"),
  })
  return 200, {
    data = json.array(tbl.map(lines, logs.view)),
    meta = { next_token = next_ns and tostring(next_ns) or "" },
  }
end

---@type sim.Route[]
M.routes = {
  {
    method = "GET", path = "/api/v1/apps/{app}/logs", limit = "none",
    finds_app = true, run = read,
  },
}

return M
