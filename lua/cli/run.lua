--- `clanker run FILE.lua [args…]`: hands a script and an account to its face.
--- Waits until the script has ended.

local os = require "sys.os"
local session = require "cli.session"
local task = require "sys.task"

local M = {}

-- Children that the script starts shall find the simulated account, and the
-- flyctl that acts on it, instead of the user's own.
local function tell_children(simulator)
  for name, value in pairs(simulator.env) do
    os.setenv(name, value)
  end
end

---@async
---@param call cli.Call
---@return integer? exit_code
---@return err.Record?
function M.run(call)
  local account
  local _ <close> = setmetatable({}, { __close = function()
    if account then
      account:close()
    end
  end })
  local function open()
    local opened, e = session.open(call)
    account = opened
    return opened, e
  end
  -- Else the account is opened when the script first asks for it: one that only
  -- computes needs no token. But a token on standard input is not the script's.
  if call.globals.sim or call.globals.api_token_file then
    local opened, e = open()
    if not opened then
      return nil, e
    elseif opened.simulator then
      tell_children(opened.simulator)
    end
  end
  local turn = task.semaphore(1) -- opening waits, and several tasks may ask
  return call.faces.script().run(call.args.file, call.args.argument or {}, {
    args = call.args.argument or {}, is_simulated = call.globals.sim == true,
    tell = call.out.is_json and function(e)
      call.out:fail(e)
    end or nil,
    client = function()
      return turn:with(function()
        local opened, e = account, nil
        if not opened then
          opened, e = open()
        end
        if not opened then
          error(e, 0)
        end
        return opened.client
      end)
    end,
  })
end

return M
