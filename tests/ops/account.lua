--- The demo account over real HTTP, with a client that is logged in to it.

require "ops"

local client = require "fly.client"
local http = require "sys.http"
local opkit = require "opkit"
local ops = require "ops"
local schema = require "base.schema"
local secret = require "sys.secret"
local sim = require "sim"
local t = require "kit"
local task = require "sys.task"
local tbl = require "base.tbl"

local M = {}

-- Everything in the account, and the client's patience, is this much faster.
local PACE = 0.02

--- The same pace for other seeds and clocks.
M.PACE = PACE

local HURRIED = tbl.merge(require "sim.seeds.demo", { pace = PACE })

-- Nothing to wait for: limits have tests of their own.
M.UNLIMITED = {
  acquire = function()
    return true
  end,
  delay = function()
    return 0
  end,
  penalize = function()
  end,
}

--- Opens an account for the current test; closed with it.
---@param opts table? for sim.start; `client` holds more of the client's options
---@return table account { call, client, running }
function M.open(opts)
  local options = { seed = HURRIED, limits = false }
  for key, value in pairs(opts or {}) do
    options[key] = value
  end
  local running = assert(sim.start(options))
  local made = client.new(tbl.merge({
    settings = {
      token = secret.new(running.token), token_source = "test",
      bases = { machines = running.url, api = running.url },
    },
    version = "test", limiter = M.UNLIMITED,
    sleep = function(seconds)
      task.sleep(seconds * PACE)
    end,
  }, options.client or {}))
  t.cleanup(function()
    made:close()
    http.close()
    running.stop()
  end)
  local account = { client = made, running = running, used = {} }

  --- Calls an operation; what it returns must keep to the declared shape.
  function account.call(id, args, call_opts)
    account.used[id] = true
    local value, e = made:call(id, args or {}, call_opts)
    local shape = opkit.returns(ops.get(id))
    if value ~= nil and shape and not call_opts then
      local ok, why = schema.validate(value, shape)
      t.ok(ok, ("%s: %s"):format(id, tostring(why)))
    end
    return value, e
  end

  --- The same, where a failure fails the test.
  function account.expect(id, args, call_opts)
    local value, e = account.call(id, args, call_opts)
    t.ok(value ~= nil, ("%s: %s"):format(id, tostring(e)))
    return value
  end

  return account
end

return M
