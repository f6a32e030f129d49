--- The desktop's keyring: one short secret per account. Waits, but not for long:
--- a keyring that asks its user something and gets no answer is a timeout.

local err = require "base.err"
local host = require "host.keyring"
local os = require "sys.os"
local fs = require "sys.fs"

local M = {}

--- Seconds for one question.
local TIMEOUT = 5

--- Whether there may be one: without a session bus, libsecret would start one.
---@return boolean
function M.is_likely()
  if os.env("DBUS_SESSION_BUS_ADDRESS") then
    return true
  end
  local runtime = os.env("XDG_RUNTIME_DIR")
  return runtime ~= nil and fs.exists(runtime .. "/bus")
end

--- The secret of an account. Codes: ENOENT when there is none, ENOSYS without
--- libsecret, ETIMEDOUT, EIO.
---@async
---@param account string
---@return secret.Secret?, err.Record?
function M.lookup(account)
  return err.outcome(host.lookup(account, nil, TIMEOUT))
end

--- Keeps a secret of at most 63 bytes.
---@async
---@param account string
---@param text secret.Secret
---@return true?, err.Record?
function M.store(account, text)
  return err.outcome(host.store(account, text, TIMEOUT))
end

return M
