--- `clanker sim`: the simulator in the foreground, until it is interrupted.
--- Prints where it is and how to use it; returns the exit code.

local sim = require "sim"
local tbl = require "base.tbl"

local term = require "sys.term"

local M = {}

-- Seconds between the log lines of a running machine, so that following a log
-- shows something.
local CHATTER = 5

local TEXT = [[
A simulated Fly account is at %s
(Machines API and GraphQL; only this computer reaches it).

  export FLY_API_HOSTNAME=%s
  export FLY_FLAPS_BASE_URL=%s
  export FLY_API_BASE_URL=%s
  export FLY_API_TOKEN=%s

Try:  curl -H "Authorization: Bearer $FLY_API_TOKEN" \
        "$FLY_API_HOSTNAME/v1/apps?org_slug=personal"
%s
]]

local function greeting(running, opts)
  local url = running.url
  local origin = "Interrupt (Ctrl-C) ends it; what was changed is lost."
  if opts.db then
    origin = (running.restored and "Resumed from %s." or "Kept in %s.")
      :format(opts.db)
  end
  return TEXT:format(url, url, url, url, running.token, origin)
end

-- A bug in one answer is told and does not end the others.
local function report(e)
  term.write(2, ("sim: %s\n"):format(term.sanitize(tostring(e))))
end

--- Runs the simulator until the task is cancelled. It is of no use to somebody
--- who cannot be told where it is: when `write` fails it ends with that error.
---@async
---@param opts sim.Options|{write: fun(text: string): boolean?, err.Record?}
---@return integer? exit_code
---@return err.Record?
function M.run(opts)
  local running, e = sim.start(tbl.merge({
    chatter = CHATTER, on_error = report,
  }, opts))
  if not running then
    return nil, e
  end
  local told, problem = opts.write(greeting(running, opts))
  if not told then
    running.stop()
    return nil, problem
  end
  running.serving:await()
  return 0
end

return M
