--- Stored credentials: in a backend when one is configured, else on this
--- machine. Both stores have the same functions. Waits.

local backend = require "fly.credentials.backend"
local err = require "base.err"
local here = require "fly.credentials.here"

local M = {}

--- Whose credentials can be stored.
M.PROVIDERS = { "flyio" }

--- What is stored for a provider.
---@class fly.Credential
---@field provider string
---@field token secret.Secret
---@field org string?

--- One line of what a store holds.
---@class fly.StoredCredential
---@field provider string
---@field org string?

---@class fly.CredentialStore
---@field where string for people: what keeps it, and how it is locked
---@field get fun(self, provider: string): fly.Credential?, err.Record? kind
--- "not_found" when there is none
---@field put fun(self, credential: fly.Credential): true?, err.Record?
---@field list fun(self): fly.StoredCredential[]?, err.Record?
---@field delete fun(self, provider: string): true?, err.Record?

---@class fly.CredentialOptions
---@field backend { url: string?, api_key: secret.Secret? } the configuration's section
---@field env fun(name: string): string?
---@field secret_env fun(name: string): secret.Secret?
---@field home fun(): string?
---@field backend_url string? --backend-url
---@field ca_file string?
---@field http fun(request: table): table?, err.Record? sys.http.request unless told

--- The store in force.
---@param options fly.CredentialOptions
---@return fly.CredentialStore? store
---@return err.Record?
function M.open(options)
  local remote, e = backend.configured(options)
  if remote or e then
    return remote, e
  end
  local home = options.home()
  if not home then
    return nil, err.new({
      kind = "config", message = "there is no home directory for credentials",
      hint = "set HOME, or configure a backend",
    })
  end
  return here.open(home)
end

return M
