--- Command lines as they are typed, on an account that is looked at: what was
--- asked of it, what was changed.

local sim = require "sim"
local t = require "kit"
local tbl = require "base.tbl"
local world = require "face.world"

local M = {}

-- What the tests of changes count.
local KINDS = { "app", "machine", "volume", "snapshot", "ip", "cert" }

--- Opens an account and a command line that uses it, for the current test.
---@param opts table? for sim.start
---@return fun(line: string, options: table?): integer, face.World run
---@return table account
function M.open(opts)
  local running = assert(sim.start(tbl.merge({
    limits = false, seed = tbl.merge(require "sim.seeds.demo", { pace = 0.02 }),
  }, opts or {})))
  local inside = running.account
  local account = { requests = {}, world = inside.world }
  local handle = inside.handle
  function inside:handle(req)
    account.requests[#account.requests + 1] = req.method .. " " .. req.target
    return handle(self, req)
  end
  t.cleanup(function()
    require("sys.http").close()
    running.stop()
  end)

  --- Requests that may have changed something.
  function account.changes()
    return tbl.filter(account.requests, function(line)
      return not line:find("^GET ") and not line:find("/platform/", 1, true)
        and not line:find("^POST /graphql") and not line:find("/check$")
    end)
  end

  function account.forget()
    account.requests = {}
  end

  --- How many things there are.
  function account.count()
    local n = 0
    for _, kind in ipairs(KINDS) do
      n = n + #inside.world:list(kind)
    end
    return n
  end

  local env = { FLY_API_HOSTNAME = running.url, FLY_API_BASE_URL = running.url,
    FLY_API_TOKEN = running.token }
  return function(line, options)
    local words = { "fly" }
    for word in line:gmatch("%S+") do
      words[#words + 1] = word
    end
    return world.run(words, tbl.merge({ env = env, home = t.tmpdir() }, options or {}))
  end, account
end

return M
