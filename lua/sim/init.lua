--- Starts a simulated Fly account: from a seed or a file, on a port.
--- Both of Fly's base URLs are the one it gives.

local err = require "base.err"
local json = require "base.json"
local link = require "sim.flyctl.link"

local accounts = require "sim.account"
local fault = require "sim.fault"
local fs = require "sys.fs"
local logs = require "sim.logs"
local os = require "sys.os"
local persist = require "sim.persist"
local seed = require "sim.seed"
local seed_shape = require "sim.seed_shape"
local server = require "sim.server"
local shape = require "sim.shape"
local task = require "sys.task"
local tbl = require "base.tbl"
local tokens = require "sim.tokens"

local M = {}

--- Seeds that come with the program.
M.SEEDS = { "demo", "empty", "bench" }

-- A seed file longer than this is refused.
local MAX_SEED = 64 * 1024 * 1024

---@class sim.Options
---@field seed string|table|nil a name of M.SEEDS, a path, or a description
---@field db string? path of a file in which the account is kept
---@field listen string? "127.0.0.1:0" unless told
---@field background boolean? only this program will call
---@field token string? the user's token; made up unless told
---@field latency number? milliseconds before each reply
---@field fault string? see sim.fault
---@field now (fun(): number)? the clock, seconds since 1970
---@field limits boolean? false: nothing is rate limited
---@field on_error (fun(e: any))? told of a bug met while answering; without it
---  the simulator ends with the error
---@field chatter number? running machines log a line in so many seconds

---@class sim.Running
---@field url string "http://127.0.0.1:40000", without a slash at the end
---@field port integer
---@field token string
---@field account sim.Account
---@field restored boolean whether the account came from the file
---@field env table<string, string> what tells others where it is, and the token
---@field flyctl async fun(): string?, err.Record? path of a flyctl that acts on it,
--- in a directory of its own
---@field put_on_path async fun(): true?, err.Record? makes it the flyctl that this
--- process and its children find, until `stop`
---@field stop fun() closes everything; twice is once

local SEED_HINT = "a seed is demo, empty, bench, or the path of a JSON file"

local function usage(message, hint)
  return nil, err.new({ kind = "usage", message = message, hint = hint })
end

-- A member that is null is one that is not there; a config is kept as it is.
local function drop_nulls(value)
  for key, member in pairs(value) do
    if member == json.null then
      value[key] = nil
    elseif type(member) == "table" and key ~= "config" then
      drop_nulls(member)
    end
  end
end

local function read_seed_file(path)
  local text, e
  if path ~= "" then
    text, e = fs.read(path, MAX_SEED)
  end
  if not text then
    return usage("seed: " .. (e and e.message or "no name"), SEED_HINT)
  end
  local spec
  spec, e = json.decode(text)
  if e then
    return usage(("%s: %s"):format(path, e.message))
  elseif type(spec) ~= "table" or json.is_array(spec) then
    return usage(path .. ": a seed is a JSON object")
  end
  local wrong = shape.check(spec, seed_shape)
  if wrong then
    return usage(("%s: %s"):format(path, wrong))
  end
  drop_nulls(spec)
  return spec
end

-- The description that an option names.
local function find_seed(name)
  if type(name) == "table" then
    return name
  end
  for _, known in ipairs(M.SEEDS) do
    if name == known then
      return require("sim.seeds." .. known)
    end
  end
  return read_seed_file(name)
end

-- A wrong description is the user's mistake, not a bug: no traceback.
local function fill(account, spec, opts)
  local ok, result = pcall(seed.fill, account.world, spec, opts.token)
  if ok then
    return result
  end
  local message = type(result) == "string" and result:match("^seed: (.*)$")
  if message then
    local name = type(opts.seed) == "string" and opts.seed or "seed"
    return usage(name .. ": " .. message)
  end
  error(result, 0)
end

-- Gives the account's user another token than the file has.
local function change_token(world, secret)
  for _, token in ipairs(world:list("token")) do
    if token.secret == world.meta.token then
      token.secret = secret
      world:touch("token", token)
    end
  end
  world.meta.token = secret
end

local function check_token(token)
  local wrong = token and tokens.check_secret(token)
  if wrong then
    return usage("token: " .. wrong)
  end
  return true
end

-- Opens the file and fills the world from it; false when it held nothing.
---@async
local function restore(account, opts)
  local file, e = persist.open(opts.db)
  if not file then
    return nil, e
  end
  local found
  found, e = file:load(account.world)
  if found == nil then
    file:close()
    return nil, err.wrap(e, opts.db)
  end
  account.world.dirty = {}
  if found and opts.token then
    change_token(account.world, opts.token)
  end
  return found, file
end

local function flusher(account, file)
  return function()
    local ok, e = file:flush(account.world)
    if not ok then
      error(e, 0)
    end
  end
end

-- An account with its contents, and the file it is kept in, if any.
---@async
local function make_account(opts, faults, pause)
  local ok, e = check_token(opts.token)
  local spec
  if ok then
    spec, e = find_seed(opts.seed or "demo")
  end
  if not spec then
    return nil, e
  end
  spec = tbl.deep_copy(spec) -- filling writes into it, and seeds are shared
  local account = accounts.new({
    now = opts.now or os.wall, pause = pause, sleep = task.sleep,
    seed = spec.seed, limits = opts.limits, faults = faults,
    latency = (opts.latency or 0) / 1000,
  })
  local found, file = false, nil
  if opts.db then
    found, file = restore(account, opts)
    if found == nil then
      return nil, file
    end
    account.opts.flush = flusher(account, file)
  end
  if not found then
    local token
    token, e = fill(account, spec, opts)
    if not token then
      return nil, e
    end
  end
  if opts.chatter then
    logs.start_chatter(account.world, opts.chatter)
  end
  if file then
    account.opts.flush()
  end
  return account, file, found
end

-- The variables by which this program and flyctl find it.
local function environment(url, token)
  return {
    FLY_API_HOSTNAME = url, FLY_FLAPS_BASE_URL = url, FLY_API_BASE_URL = url,
    FLY_UIEX_BASE_URL = url, FLY_API_TOKEN = token, FLY_ACCESS_TOKEN = token,
  }
end

--- Starts a simulator beside the running task, whose end stops it too.
---@async
---@param opts sim.Options?
---@return sim.Running?
---@return err.Record?
function M.start(opts)
  opts = opts or {}
  local faults, message
  if opts.fault then
    faults, message = fault.parse(opts.fault)
    if not faults then
      return usage("fault: " .. message, "see `clanker sim --help`")
    end
  end
  local pause, notify = server.waiter()
  local account, file, found = make_account(opts, faults, pause)
  if not account then
    return nil, file
  end
  account.world.on_change = notify
  local srv, e = server.listen(account, opts)
  if not srv then
    if file then
      file:close()
    end
    return nil, e
  end
  local serving = task.spawn(srv.serve)
  local flyctl, token = link.new(), account.world.meta.token
  return {
    url = srv.url, port = srv.port, token = token,
    account = account, restored = found, serving = serving,
    env = environment(srv.url, token), put_on_path = flyctl.enter,
    flyctl = function()
      local directory, why = flyctl.directory()
      return directory and directory .. "/flyctl", why
    end,
    stop = function()
      flyctl.remove()
      srv.close()
      serving:join()
      if file then
        file:close()
      end
    end,
  }
end

return M
