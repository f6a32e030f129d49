--- Runs an operation: `clanker fly …`. Waits.

local consent = require "cli.consent"
local opkit = require "opkit"
local progress = require "cli.progress"
local result = require "cli.result"
local session = require "cli.session"

local M = {}

--- Runs the operation of the call.
---@async
---@param call cli.Call
---@return integer|true|nil exit_code
---@return err.Record?
function M.run(call)
  local account <close>, e = session.open(call)
  if not account then
    return nil, e
  end
  local agreed, refusal = consent.check(call, account)
  if not agreed then
    return nil, refusal
  end
  local _ <close> = progress.start(call.out, opkit.paths(call.row)[1])
  return result.print(call, account)
end

return M
