--- Sealing with a key, and WireGuard's key pairs. Secrets are handles, sealed
--- and public things strings. To compare secrets use their `equals`, whose time
--- tells nothing. Nothing here waits.

local err = require "base.err"
local host = require "host.crypto"

local M = {}

--- A new random key.
---@return secret.Secret? key, err.Record?
function M.key()
  return err.outcome(host.key())
end

--- Seals a secret: nobody without the key can read or change it.
---@param key secret.Secret of `key`
---@param text secret.Secret
---@return string? sealed, err.Record?
function M.seal(key, text)
  return err.outcome(host.seal(key, text))
end

--- Opens what was sealed with this key; anything else is an error (EBADMSG).
---@param key secret.Secret
---@param sealed string
---@return secret.Secret? text, err.Record?
function M.open(key, sealed)
  return err.outcome(host.open(key, sealed))
end

--- A secret in base64.
---@type fun(bytes: secret.Secret): secret.Secret
M.base64 = host.base64

--- The bytes that strict base64 stands for.
---@param text secret.Secret
---@return secret.Secret? bytes, err.Record?
function M.from_base64(text)
  return err.outcome(host.from_base64(text))
end

--- A new X25519 key pair as WireGuard takes it, both keys in base64.
---@return secret.Secret? private_key, string|err.Record public_key
function M.key_pair()
  local private, public, code = host.key_pair()
  if not private then
    return nil, err.from_host(public, code)
  end
  return private, public
end

return M
