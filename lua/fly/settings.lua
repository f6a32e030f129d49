--- Everything a client needs to know, resolved from flags, file and environment.
--- Touches disk and environment; a token is a secret handle from its first byte.

local config_file = require "fly.config_file"
local err = require "base.err"
local fs = require "sys.fs"
local hosts = require "fly.hosts"
local os = require "sys.os"
local secret = require "sys.secret"
local str = require "base.str"

local M = {}

---@class fly.Flags
---@field config string? --config
---@field api_token string|userdata? --api-token
---@field api_token_file string? --api-token-file, "-" is stdin
---@field org string? --org
---@field backend_url string? --backend-url
---@field allow_http boolean? --allow-http
---@field timeout number? --timeout, seconds
---@field ca_file string?

---@class fly.LoadOptions
---@field config_path string? read instead of ~/.clanker.yaml; must exist
---@field env fun(name: string): string? the environment, sys.os.env unless told
---@field secret_env fun(name: string): userdata? the environment as handles
---@field home (fun(): string?)? the home directory, sys.fs.home unless told
---@field flags fly.Flags?

---@class fly.Settings
---@field token userdata? secret; nil when none was given
---@field token_source string? "--api-token-file", "config", "FLY_API_TOKEN", …
---@field org string?
---@field org_source string?
---@field bases {machines: string, api: string} without trailing slash and /v1
---@field base_sources {machines: string, api: string} "FLY_API_HOSTNAME", "default", …
---@field allow_http boolean
---@field timeout number? seconds for a whole command
---@field ca_file string?
---@field warnings string[]
---@field path string of the configuration file, read or not
---@field config table what the file holds, section by section

--- A token file longer than this is something else.
local TOKEN_MAX = 64 * 1024

---@param value string?
---@return string?
local function present(value)
  value = value and str.trim(value)
  return value ~= "" and value or nil
end

---@param handle userdata?
---@return userdata?
local function present_secret(handle)
  if not handle then
    return nil
  end
  local trimmed = handle:trim()
  local is_empty = trimmed:len() == 0
  trimmed:close()
  return not is_empty and handle or nil
end

--- The first candidate that is there, and its name.
---@param candidates {[1]: string, [2]: any}[]
---@return any value, string? name
local function first(candidates)
  for _, row in ipairs(candidates) do
    if row[2] ~= nil then
      return row[2], row[1]
    end
  end
  return nil, nil
end

---@param path string
---@return userdata? token, table? err
local function token_from_file(path)
  local handle, e
  if path == "-" then
    handle, e = secret.from_fd(0, TOKEN_MAX)
  else
    handle, e = secret.from_file(path, TOKEN_MAX)
  end
  if not handle then
    return nil, err.new {
      kind = "auth",
      message = "--api-token-file: " .. e.message,
      code = e.code,
      hint = "name a readable file that holds the token, or - for standard input",
    }
  end
  if not present_secret(handle) then
    return nil, err.new {
      kind = "auth",
      message = ("--api-token-file: %s is empty"):format(path == "-" and "standard input" or path),
      hint = "the file must hold the token and nothing else",
    }
  end
  return handle
end

---@param from fly.LoadOptions
---@param file fly.ConfigFile
---@param warnings string[]
---@return userdata? token, string? source, table? err
local function resolve_token(from, file, warnings)
  local flags = from.flags
  if flags.api_token_file then
    local token, e = token_from_file(flags.api_token_file)
    return token, "--api-token-file", e
  end
  local from_flag = flags.api_token
  if type(from_flag) == "string" then
    warnings[#warnings + 1] = "--api-token shows the token to every user who can list processes:"
      .. " use --api-token-file"
    from_flag = present(from_flag) and secret.new(from_flag)
  end
  local flyio = file.values.flyio or {}
  local token, source = first {
    { "--api-token", from_flag or nil },
    { "flyio.api_token in " .. file.path, present_secret(flyio.api_token) },
    { "FLY_API_TOKEN", present_secret(from.secret_env("FLY_API_TOKEN")) },
    { "FLY_ACCESS_TOKEN", present_secret(from.secret_env("FLY_ACCESS_TOKEN")) },
  }
  return token, source, nil
end

--- How to find stored credentials.
---@param from fly.LoadOptions with nothing left out
---@param file fly.ConfigFile
---@return fly.CredentialOptions
local function store_options(from, file)
  local flyio = file.values.flyio or {}
  return {
    backend = file.values.backend, backend_url = from.flags.backend_url,
    env = from.env, secret_env = from.secret_env, home = from.home,
    ca_file = from.flags.ca_file or flyio.ca_file,
  }
end

--- What is stored, when nothing else gives a token. That the store fails is told
--- and no more: not every command needs a token.
---@async
---@param from fly.LoadOptions
---@param file fly.ConfigFile
---@param warnings string[]
---@return fly.Credential? stored, string? source
local function resolve_stored(from, file, warnings)
  local store, e = require("fly.credentials").open(store_options(from, file))
  local stored
  if store then
    stored, e = store:get("flyio")
  end
  if not stored and e.kind ~= "not_found" then
    warnings[#warnings + 1] = "stored credentials: " .. e.message
  end
  return stored, stored and store.where
end

---@param from fly.LoadOptions
---@param flyio table
---@param name "machines"|"api"
---@param candidates {[1]: string, [2]: string?}[]
---@return string? url, table? err, string? source
local function resolve_base(from, flyio, name, candidates)
  local allow_http = from.flags.allow_http or flyio.allow_http
  local value, source = first(candidates)
  if not value then
    return hosts.DEFAULTS[name], nil, "default"
  end
  local url, e = hosts.base(value, source, allow_http)
  return url, e, source
end

---@param from fly.LoadOptions
---@param flyio table
---@return table? bases, table? err, table? sources
local function resolve_bases(from, flyio)
  local env = from.env
  local machines, e, machines_source = resolve_base(from, flyio, "machines", {
    { "flyio.api_hostname", present(flyio.api_hostname) },
    { "FLY_API_HOSTNAME", present(env("FLY_API_HOSTNAME")) },
    { "FLY_FLAPS_BASE_URL", present(env("FLY_FLAPS_BASE_URL")) },
  })
  if not machines then
    return nil, e
  end
  local api, bad, api_source = resolve_base(from, flyio, "api", {
    { "flyio.api_base_url", present(flyio.api_base_url) },
    { "FLY_API_BASE_URL", present(env("FLY_API_BASE_URL")) },
  })
  if not api then
    return nil, bad
  end
  return { machines = machines, api = api }, nil,
    { machines = machines_source, api = api_source }
end

---@param options fly.LoadOptions?
---@return fly.LoadOptions
local function with_defaults(options)
  options = options or {}
  return {
    config_path = options.config_path,
    env = options.env or os.env,
    secret_env = options.secret_env or secret.from_env,
    home = options.home or fs.home,
    flags = options.flags or {},
  }
end

---@param from fly.LoadOptions
---@return fly.ConfigFile? file, table? err
local function read_file(from)
  local named = from.flags.config or from.config_path
  if named then
    return config_file.load(named, true)
  end
  local home = from.home()
  if not home then
    return { path = "~/" .. config_file.NAME, values = {}, warnings = {} }
  end
  return config_file.load(home .. "/" .. config_file.NAME, false)
end

--- An empty --org is a choice too: every organization, whatever the file says.
---@param from fly.LoadOptions
---@param flyio table
---@param stored fly.Credential?
---@return string? org, string? source
local function resolve_org(from, flyio, stored)
  if from.flags.org then
    return present(from.flags.org), "--org"
  end
  return first {
    { "flyio.org_slug", present(flyio.org_slug) },
    { "FLY_ORG", present(from.env("FLY_ORG")) },
    { "FLY_ORG_SLUG", present(from.env("FLY_ORG_SLUG")) },
    { "stored credentials", present(stored and stored.org) },
  }
end

--- How to find stored credentials, whether a token is needed or not.
---@param options fly.LoadOptions?
---@return fly.CredentialOptions? options, table? err
function M.credential_options(options)
  local from = with_defaults(options)
  local file, e = read_file(from)
  return file and store_options(from, file), e
end

--- Resolves the settings. A missing token is no error here: not every command
--- needs one.
---@param options fly.LoadOptions?
---@return fly.Settings? settings, table? err
function M.load(options)
  local from = with_defaults(options)
  local file, e = read_file(from)
  if not file then
    return nil, e
  end
  local flyio, flags = file.values.flyio or {}, from.flags
  local bases, bad_base, base_sources = resolve_bases(from, flyio)
  if not bases then
    return nil, bad_base
  end
  local warnings = file.warnings
  local token, token_source, bad_token = resolve_token(from, file, warnings)
  if bad_token then
    return nil, bad_token
  end
  local stored
  if not token then
    stored, token_source = resolve_stored(from, file, warnings)
    token = stored and stored.token
  end
  local org, org_source = resolve_org(from, flyio, stored)
  return {
    token = token, token_source = token_source,
    org = org, org_source = org_source,
    bases = bases, base_sources = base_sources,
    allow_http = (flags.allow_http or flyio.allow_http) and true or false,
    timeout = flags.timeout or flyio.timeout,
    ca_file = flags.ca_file or flyio.ca_file,
    warnings = warnings,
    path = file.path,
    config = file.values,
  }
end

return M
