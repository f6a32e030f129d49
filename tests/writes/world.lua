--- An account whose insides can be looked at: leases left, requests made.

local accounts = require "ops.account"
local http = require "sys.http"
local os = require "sys.os"
local t = require "kit"
local tbl = require "base.tbl"

local M = {}

M.PACE = accounts.PACE

--- A clock that goes so many times as fast as the real one.
function M.clock(speed)
  local started = os.wall()
  return function()
    return started + (os.wall() - started) * speed
  end
end

--- Opens an account. `requests` of the result are those sent, as "POST /v1/…";
--- `world` is the simulator's inside.
---@param opts table? for the simulator; `seed` is merged into the demo account
function M.open(opts)
  opts = tbl.copy(opts or {})
  local requests = {}
  opts.seed = tbl.merge(require "sim.seeds.demo", { pace = M.PACE }, opts.seed or {})
  opts.client = tbl.merge({
    wall = M.clock(1 / M.PACE),
    http = function(request)
      requests[#requests + 1] = request.method .. " "
        .. request.url:gsub("^%a+://[^/]+", "")
      return http.request(request)
    end,
  }, opts.client or {})
  local account = accounts.open(opts)
  account.requests, account.world = requests, account.running.account.world

  --- Requests that may change something, without leases.
  function account.changes()
    return tbl.filter(requests, function(line)
      return not line:find("^GET ") and not line:find("/lease", 1, true)
        and not line:find("/platform/", 1, true) and line ~= "POST /graphql"
    end)
  end

  --- Fails when any machine is still leased.
  function account.no_lease()
    for _, machine in ipairs(account.world:list("machine")) do
      t.eq(machine.lease, nil, "machine " .. machine.id .. " is still leased")
    end
  end

  --- A machine of the app in that state.
  function account.machine(app, state)
    local list = account.expect("machines.list", { app = app, state = state })
    return t.ok(list[1], "no such machine")
  end

  return account
end

return M
