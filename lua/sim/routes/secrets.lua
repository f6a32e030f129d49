--- Routes of app secrets.
--- Pure; part of the Machines API. Setting stages: no machine is restarted.

local json = require "base.json"
local tbl = require "base.tbl"

local bodies = require "sim.bodies.app"
local handlers = require "sim.handlers"
local problem = require "sim.problem"
local reply = require "sim.reply"
local request = require "sim.request"
local secrets = require "sim.secrets"

local M = {}

local function check_version(ctx)
  for _, name in ipairs { "min_version", "version" } do
    local version, wrong = request.integer(ctx.query, name, 0,
      math.maxinteger, 0)
    if not version then
      return nil, wrong
    end
    if version > ctx.app.secrets_version then
      return problem.new(400, ("secrets version %d is not known"):format(
        version))
    end
  end
  return request.flag(ctx.query, "show_secrets")
end

local function list(ctx)
  local shows, wrong = check_version(ctx)
  if shows == nil then
    return nil, wrong
  end
  local found = tbl.sort_by(ctx.world:list("secret", ctx.app.id),
    function(secret)
      return secret.name
    end)
  return 200, {
    secrets = reply.list_or_null(tbl.map(found, function(secret)
      return secrets.view(ctx.world, secret, shows)
    end)),
  }
end

local function get(ctx)
  local shows, wrong = check_version(ctx)
  if shows == nil then
    return nil, wrong
  end
  local secret = secrets.get(ctx.world, ctx.app, ctx.params.name)
  if not secret then
    return problem.not_found("secret", ctx.params.name)
  end
  return 200, secrets.view(ctx.world, secret, shows)
end

local function check_names(values)
  for _, name in ipairs(tbl.keys(values)) do
    local ok, wrong = secrets.check_name(name)
    if not ok then
      return nil, wrong
    end
  end
  return true
end

-- Every name with its new value; null takes the secret away.
local function update(ctx)
  local values = ctx.body.values
  local ok, wrong = check_names(values)
  if not ok then
    return nil, wrong
  end
  local views = {}
  for name, value in tbl.sorted(values) do
    if value == json.null then
      secrets.unset(ctx.world, ctx.app, name)
    else
      local secret = secrets.set(ctx.world, ctx.app, name, value)
      views[#views + 1] = secrets.view(ctx.world, secret)
    end
  end
  local version = secrets.bump(ctx.world, ctx.app)
  return 200, {
    secrets = reply.list_or_null(views), version = version, Version = version,
  }
end

local function set(ctx)
  local ok, wrong = secrets.check_name(ctx.params.name)
  if not ok then
    return nil, wrong
  end
  local secret = secrets.set(ctx.world, ctx.app, ctx.params.name,
    ctx.body.value)
  local view = secrets.view(ctx.world, secret)
  view.version = secrets.bump(ctx.world, ctx.app)
  view.Version = view.version
  return 201, view
end

local function unset(ctx)
  if not secrets.get(ctx.world, ctx.app, ctx.params.name) then
    return problem.not_found("secret", ctx.params.name)
  end
  secrets.unset(ctx.world, ctx.app, ctx.params.name)
  local version = secrets.bump(ctx.world, ctx.app)
  return 200, { version = version, Version = version }
end

local ALL = "/v1/apps/{app}/secrets"
local ONE = ALL .. "/{name}"

local route = handlers.rows("app")

---@type sim.Route[]
M.routes = {
  route("GET", ALL, list),
  route("POST", ALL, update, bodies.secrets_update),
  route("GET", ONE, get),
  route("POST", ONE, set, bodies.secret_create),
  route("DELETE", ONE, unset),
}

return M
