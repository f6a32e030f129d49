--- Routes of tokens.
--- Pure; part of the Machines API.

local json = require "base.json"
local tbl = require "base.tbl"

local access = require "sim.access"
local bodies = require "sim.bodies.app"
local problem = require "sim.problem"
local request = require "sim.request"
local tokens = require "sim.tokens"

local M = {}

local function current(ctx)
  return 200, {
    tokens = tbl.map(ctx.caller.tokens, function(token)
      return tokens.view(ctx.world, token)
    end),
  }
end

local function create_deploy_token(ctx)
  local expires_at, wrong = tokens.expires_at(ctx.world,
    request.member(ctx.body, "expiry"))
  if not expires_at then
    return nil, wrong
  end
  if not ctx.caller.is_user then
    return problem.new(403, "a scoped token cannot create tokens")
  end
  local token = tokens.add(ctx.world, {
    kind = "macaroon", name = "deploy", profile = "deploy",
    user = ctx.caller.user.id, org = ctx.app.owner, app = ctx.app.id,
    expires_at = expires_at,
  })
  return 200, { token = tokens.header(ctx.world, token) }
end

-- What the platform's own services learn about a token.
local function verified(header)
  return {
    header = header, caveats = { caveats = json.array() },
    nonce = { kid = json.array(), proof = false, rnd = json.array() },
    permission_token = json.array(),
  }
end

local function caller_of(ctx)
  local header = request.member(ctx.body, "header") or ""
  local caller = access.caller(ctx.world, header)
    or access.caller(ctx.world, "FlyV1 " .. header)
  if not caller then
    return problem.new(401, "the token is not valid")
  end
  return caller, header
end

local function authenticate(ctx)
  local caller, header = caller_of(ctx)
  if not caller then
    return nil, header
  end
  return 200, json.array({ verified(header) })
end

local function authorize(ctx)
  local caller, header = caller_of(ctx)
  if not caller then
    return nil, header
  end
  local asked = request.member(ctx.body, "access") or {}
  local ok, wrong = true, nil
  if request.member(asked, "app_name") then
    ok, wrong = access.app(ctx.world, caller, asked.app_name)
  elseif request.member(asked, "org_slug") then
    ok, wrong = access.org(ctx.world, caller, asked.org_slug)
  end
  if not ok then
    return nil, { status = 401, message = wrong.message }
  end
  return 200, {
    verified_token = verified(header),
    access = { action = request.member(asked, "action") or 0 },
  }
end

-- Identity tokens are for machines, which ask over their own socket.
local function machines_only()
  return problem.new(403, "this token is given to a machine only")
end

local function route(name, run, body)
  return {
    method = "POST", path = "/v1/tokens/" .. name, limit = "caller",
    body = body, is_body_optional = true, reads = true, run = run,
  }
end

---@type sim.Route[]
M.routes = {
  {
    method = "GET", path = "/v1/tokens/current", limit = "caller",
    run = current,
  },
  {
    method = "POST", path = "/v1/apps/{app}/deploy_token", limit = "app",
    body = bodies.deploy_token, is_body_optional = true,
    run = create_deploy_token,
  },
  route("authenticate", authenticate, bodies.tokens_authenticate),
  route("authorize", authorize, bodies.tokens_authorize),
  route("oidc", machines_only, bodies.tokens_oidc),
  route("kms", machines_only),
}

return M
