--- `clanker run FILE.lua [args…]`: hands a script and an account to its face.
--- Waits until the script has ended.

local session = require "cli.session"

local M = {}

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
  -- The account is opened when the script first asks for it: one that only
  -- computes needs no token.
  return call.faces.script().run(call.args.file, call.args.argument or {}, {
    args = call.args.argument or {},
    client = function()
      if not account then
        local opened, e = session.open(call)
        if not opened then
          error(e, 0)
        end
        account = opened
      end
      return account.client
    end,
  })
end

return M
