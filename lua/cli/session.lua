--- The account a command works on: Fly.io's, or a simulated one started here.
--- Waits when it calls. Close it: it wipes the token and stops the simulator.

local client = require "fly.client"
local os = require "sys.os"
local secret = require "sys.secret"

local M = {}

---@class cli.Session
---@field settings fly.Settings
---@field client fly.Client
local Session = {}
Session.__index = Session

-- Settings of a simulated account: nothing of the user's own gets in.
local function simulated(call)
  local simulator, e = call.faces.sim().start({
    seed = "demo", now = call.world.now, background = true,
  })
  if not simulator then
    return nil, e
  end
  local entered, why = simulator.put_on_path()
  if not entered then
    simulator.stop()
    return nil, why
  end
  return {
    token = secret.new(simulator.token), token_source = "the simulator",
    org = call.globals.org, org_source = "--org",
    bases = { machines = simulator.url, api = simulator.url },
    allow_http = false, timeout = call.globals.timeout, warnings = {},
    path = "", config = {},
  }, nil, simulator
end

--- The settings of the user's own account, from flags, file and environment.
---@param call cli.Call
---@return fly.Settings?
---@return err.Record?
function M.settings(call)
  local settings = require "fly.settings"
  local world, globals = call.world, call.globals
  return settings.load({
    env = world.env, secret_env = world.secret_env, home = world.home,
    flags = {
      config = globals.config, api_token = globals.api_token,
      api_token_file = globals.api_token_file,
      org = call.is_every_org and "" or globals.org,
      allow_http = globals.allow_http, timeout = globals.timeout,
      backend_url = globals.backend_url,
    },
  })
end

--- What the store of credentials needs to know.
---@param call cli.Call
---@return fly.CredentialOptions?
---@return err.Record?
function M.credential_options(call)
  local world, globals = call.world, call.globals
  return require("fly.settings").credential_options({
    env = world.env, secret_env = world.secret_env, home = world.home,
    flags = { config = globals.config, backend_url = globals.backend_url },
  })
end

-- The limits are shared with other clankers of this user; where their file
-- cannot be had, this process keeps to them alone.
local function shared_limiter(call)
  local home = call.world.home()
  if not home then
    return nil
  end
  local fs, rate = require "sys.fs", require "sys.rate"
  local directory = home .. "/.clanker"
  local ok, e = fs.mkdir(directory, 448, true) -- 0700
  local limiter
  if ok then
    limiter, e = rate.open(directory .. "/limits")
  end
  if not limiter and call.globals.debug then
    call.out:note("debug: limits are this process's own: " .. e.message)
  end
  return limiter
end

local function debug_log(call)
  if not call.globals.debug then
    return nil
  end
  return function(line)
    call.out:note("debug: " .. line)
  end
end

-- Salt of the name under which hints are kept.
local HINTS_KEY = "clanker hints"

-- Where hints are kept and for whom; nil for a simulated account, which is
-- another one at every start.
local function hints_of(call, settings, is_sim)
  local home = call.world.home()
  if is_sim or not home or not settings.token then
    return nil
  end
  return {
    path = home .. "/.clanker/hints.json", now = call.world.now or os.wall,
    identity = settings.token:digest(HINTS_KEY) .. "@" .. settings.bases.machines,
  }
end

--- Opens the account, with this credential if one is given.
---@async
---@param call cli.Call
---@param credential fly.Credential?
---@param source string? where it is from
---@return cli.Session?
---@return err.Record?
function M.open(call, credential, source)
  local is_sim = call.globals.sim == true
  local settings, e, simulator = (is_sim and simulated or M.settings)(call)
  if not settings then
    return nil, e
  end
  for _, warning in ipairs(settings.warnings) do
    call.out:warn(warning)
  end
  if credential and not is_sim then
    settings.token, settings.token_source = credential.token, source
  end
  local limiter = not is_sim and shared_limiter(call) or nil
  local hints = hints_of(call, settings, is_sim)
  return setmetatable({
    settings = settings, simulator = simulator, limiter = limiter,
    out = call.out, hints = hints,
    client = client.new({
      settings = settings, limiter = limiter, log = debug_log(call),
      version = os.VERSION, wall = call.world.now,
      memo = hints and require("cli.hints").load(hints.path, hints.identity, hints.now()),
    }),
  }, Session)
end

--- Carries out an operation and passes its warnings on.
---@async
---@param id string
---@param args table<string, any>
---@param opts fly.CallOptions?
---@return any value
---@return err.Record|fly.Info
function Session:call(id, args, opts)
  local value, info = self.client:call(id, args, opts)
  if value == nil then
    return nil, info
  end
  self.request_id = info.request_id or self.request_id
  for _, warning in ipairs(info.warnings or {}) do
    self.out:warn(warning)
  end
  return value, info
end

function Session:close()
  local hints = self.hints
  if hints then
    require("cli.hints").save(hints.path, hints.identity, self.client.memo, hints.now())
  end
  self.client:close()
  if self.limiter then
    self.limiter:close()
  end
  if self.simulator then
    self.simulator.stop()
  end
end

Session.__close = Session.close

return M
