--- A Fly account: a request goes in, a status, headers and a body come out.
--- No sockets in here; the clock and the wait are injected. `handle` waits only
--- where the real service does (wait, exec, latency), through `opts.pause`.

local access = require "sim.access"
local addons = require "sim.addons"
local apps = require "sim.apps"
local fault = require "sim.fault"
local ids = require "sim.ids"
local limits = require "sim.limits"
local logs = require "sim.logs"
local postgres = require "sim.postgres"
local problem = require "sim.problem"
local regions = require "sim.regions"
local reply = require "sim.reply"
local request = require "sim.request"
local router = require "sim.router"
local routes = require "sim.routes"
local states = require "sim.machine.states"
local volumes = require "sim.volumes"
local world = require "sim.world"

local M = {}

---@class sim.AccountOptions
---@field now fun(): number seconds since 1970
---@field pause fun(seconds: number)? waits; sooner back when something changed
---@field seed integer? of the generator of ids
---@field limits boolean? false: nothing is rate limited
---@field faults sim.Faults?
---@field latency number? seconds before each reply
---@field sleep fun(seconds: number)? waits the whole time; needed with latency
---@field flush fun()? writes what changed; called before a reply goes out

---@class sim.Account
---@field world sim.World
---@field opts sim.AccountOptions
local Account = {}
Account.__index = Account

---@class sim.Context
---@field account sim.Account
---@field world sim.World
---@field route sim.Route
---@field params table<string, string>
---@field query table<string, string[]>
---@field headers table<string, string>
---@field body table?
---@field caller sim.Caller
---@field scheme string of the Authorization header
---@field app sim.App? of a path with {app}
---@field machine sim.Machine? of a path with {machine}
---@field nonce string? the lease nonce the caller sent
---@field is_gone fun(): boolean whether nobody waits for the answer any more
---@field may_write boolean? of GraphQL: whether mutations are allowed
---@field minted string? of GraphQL: id of the token this request made

-- What happens when a record's time has come.
local DUE = {
  addon = addons.due,
  app = apps.due,
  chatter = logs.chatter_due,
  cluster = postgres.due,
  machine = states.due,
  snapshot = volumes.snapshot_due,
  volume = volumes.due,
}

---@return sim.Router
local function make_router()
  local all = router.new()
  for _, route in ipairs(routes.ALL) do
    all:add(route)
  end
  return all
end

--- An account without anything in it; a seed fills its world.
---@param opts sim.AccountOptions
---@return sim.Account
function M.new(opts)
  return setmetatable({
    world = world.new({ now = opts.now, seed = opts.seed }),
    opts = opts,
    router = make_router(),
    -- Their own, so that the ids of what is created do not depend on reads.
    request_ids = ids.new(~(opts.seed or 1)),
    limits = opts.limits ~= false and limits.new() or nil,
  }, Account)
end

--- Makes every change whose time has come.
function Account:advance()
  self.world:run_due(DUE)
end

--- Waits for up to `seconds`, at least until the next planned change.
---@async
---@param seconds number
function Account:pause(seconds)
  local next_at = self.world.agenda:next_at()
  if next_at then
    seconds = math.min(seconds, math.max(next_at - self.world:now(), 0))
  end
  self.opts.pause(math.max(seconds, 0.001))
  self:advance()
end

-- Which bucket a route's requests count against.
local function limit_key(ctx)
  local route = ctx.route
  local subject
  if route.limit == "machine" or route.limit == "machine_get" then
    subject = ctx.params.machine
  elseif route.limit == "app" then
    subject = ctx.params.app or ctx.params.app_name
  else
    subject = ctx.caller.key
  end
  return route.method .. route.path .. "\0" .. subject
end

local function take(account, key, rate)
  local allowed = account.limits:take(key, rate, account.world:now())
  if not allowed then
    return problem.new(429, "rate limit exceeded")
  end
  return true
end

---@return boolean?
---@return sim.Problem?
function Account:limit(ctx)
  local route = ctx.route
  if not self.limits or route.limit == "none" then
    return true
  end
  local rate = route.limit == "machine_get" and limits.RATES.get_machine
    or limits.RATES.action
  local ok, wrong = take(self, limit_key(ctx), rate)
  if ok and route.method == "DELETE" and route.path == "/v1/apps/{app}" then
    return take(self, "app deletions\0" .. ctx.caller.key,
      limits.RATES.app_deletions)
  end
  return ok, wrong
end

local function find_machine(ctx)
  local machine = ctx.world:get("machine", ctx.params.machine)
  if not machine or machine.owner ~= ctx.app.id then
    return problem.new(404, "machine not found: " .. ctx.params.machine)
  end
  if machine.destroyed_at and ctx.route.method ~= "GET" then
    return problem.new(404, "machine not found, it was destroyed: "
      .. machine.id)
  end
  return machine
end

local function is_write(route)
  return route.method ~= "GET" and not route.reads
end

-- The app and the machine that the path names.
local function resolve(ctx)
  local wrong
  if ctx.params.app and not ctx.route.finds_app then
    ctx.app, wrong = access.app(ctx.world, ctx.caller, ctx.params.app,
      is_write(ctx.route))
    if not ctx.app then
      return nil, wrong
    end
  end
  if ctx.params.machine then
    ctx.machine, wrong = find_machine(ctx)
    if not ctx.machine then
      return nil, wrong
    end
  end
  return true
end

-- The checks every route shares, then the route.
local function serve(account, ctx, req)
  local ok, wrong = account:limit(ctx)
  if ok then
    ok, wrong = resolve(ctx)
  end
  if ok and ctx.route.body then
    ctx.body, wrong = request.body(req.body, ctx.route)
    ok = ctx.body
  end
  if not ok then
    return nil, wrong
  end
  return ctx.route.run(ctx)
end

-- The web API and GraphQL word a missing token in their own ways.
local function unauthorized(path)
  if path == "/graphql" then
    return 200, routes.UNAUTHORIZED
  end
  return nil, { status = 401, message = "unauthorized" }
end

local function dispatch(account, req, target)
  local route, params = account.router:find(req.method, target.segments)
  if not route then
    local status = params and 405 or 404
    return problem.new(status, status == 405 and "method not allowed"
      or "page not found")
  end
  local caller, scheme = access.caller(account.world,
    req.headers["authorization"])
  if not caller then
    return unauthorized(target.path)
  end
  return serve(account, {
    account = account, world = account.world, route = route,
    params = params, query = target.query, headers = req.headers,
    caller = caller, scheme = scheme,
    nonce = req.headers["fly-machine-lease-nonce"],
    is_gone = function()
      return req.is_gone ~= nil and req:is_gone()
    end,
  }, req)
end

local function headers_for(account, kind)
  return {
    ["content-type"] = kind,
    ["fly-request-id"] = account.request_ids:ulid(account.world:now())
      .. "-" .. regions.NEAREST,
  }
end

-- A handler's results as status, headers, text.
local function finish(account, path, status, body, extra)
  local headers = headers_for(account, reply.JSON)
  if status == nil then
    local wrong = body
    headers["retry-after"] = wrong.retry_after
      and tostring(wrong.retry_after) or nil
    return wrong.status, headers, reply.text(reply.problem(wrong, path))
  end
  for name, value in pairs(extra or {}) do
    headers[name] = value
  end
  if body == nil then
    headers["content-type"] = nil
  end
  return status, headers, reply.text(body)
end

function Account:answer(req, target)
  self:advance()
  local status, body, extra = dispatch(self, req, target)
  if self.opts.flush then
    self.opts.flush()
  end
  return finish(self, target.path, status, body, extra)
end

-- What a fault makes of a request.
local function misbehave(account, rule, req, target)
  local status, text, kind = fault.reply(rule)
  local headers
  if status and rule.ending ~= "lost" then
    headers = headers_for(account, kind)
    headers["retry-after"] = rule.retry_after and tostring(rule.retry_after)
  elseif rule.ending == "reset" then
    return 0, {}, "", "reset"
  else
    status, headers, text = account:answer(req, target)
    headers["retry-after"] = rule.retry_after and tostring(rule.retry_after)
      or headers["retry-after"]
  end
  if rule.ending == "lost" then
    return 0, {}, "", "reset"
  end
  return status, headers, text, rule.ending
end

--- Answers a request.
---@async
---@param req sim.Request
---@return integer status
---@return table<string, string> headers
---@return string body
---@return string? ending reset or truncate: how the connection shall fail
function Account:handle(req)
  local target = request.target(req.target)
  local latency = self.opts.latency or 0
  local rule = self.opts.faults
    and self.opts.faults:meet(req.method, target.path)
  if rule and rule.latency then
    latency = latency + rule.latency
  end
  if latency > 0 then
    self.opts.sleep(latency)
  end
  if rule then
    return misbehave(self, rule, req, target)
  end
  return self:answer(req, target)
end


return M
