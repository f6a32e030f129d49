--- Credentials in a backend: four endpoints over HTTPS, with an API key. Waits.
--- A reply's token becomes a handle as soon as the reply is read.

local bodies = require "fly.body"
local err = require "base.err"
local hosts = require "fly.hosts"
local json = require "base.json"
local secret = require "sys.secret"
local str = require "base.str"
local tbl = require "base.tbl"
local text = require "fly.text"

local M = {}

---@class fly.BackendStore: fly.CredentialStore
---@field url string
---@field key secret.Secret
---@field http fun(request: table): table?, err.Record?
---@field ca_file string?
local Store = {}
Store.__index = Store

local ALL = "/api/v1/cli/credentials"
local ONE = ALL .. "/%s"
local REMOVE = "/api/v1/secrets/%s"

--- Seconds for one request, and for its connection.
local TIMEOUT, CONNECT_TIMEOUT = 15, 5

--- No list of credentials is longer, in bytes.
local MAX_BODY = 1 << 20

local function present(value)
  value = type(value) == "string" and str.trim(value) or nil
  return value ~= "" and value or nil
end

-- The URL in force and where it is from.
local function find_url(options)
  local section = type(options.backend) == "table" and options.backend or {}
  for _, row in ipairs({
    { options.backend_url, "--backend-url" },
    { section.url, "backend.url" },
    { options.env("CLANKER_BACKEND_URL"), "CLANKER_BACKEND_URL" },
  }) do
    if present(row[1]) then
      return present(row[1]), row[2]
    end
  end
end

local function find_key(options)
  local section = type(options.backend) == "table" and options.backend or {}
  local from_file = secret.is(section.api_key) and section.api_key or nil
  local key = from_file or options.secret_env("CLANKER_BACKEND_API_KEY")
  key = key and key:trim()
  return key and key:len() > 0 and key or nil
end

-- A key sent in the clear is anybody's: only this machine itself may be http.
local function check_url(value, source)
  local host = value:match("^[hH][tT][tT][pP]://%[?([^/?#]*)") or ""
  host = host:gsub("%]?:%d+$", ""):gsub("%]$", ""):lower()
  if host ~= "" and not hosts.is_local(host) then
    return nil, err.new({
      kind = "config", message = ("%s: %s is not https"):format(source,
        text.line(value, 80)),
      hint = "an API key must not travel in the clear; give an https URL",
    })
  end
  return hosts.base(value, source, false)
end

--- The configured backend; nil without an error when there is none.
---@param options fly.CredentialOptions
---@return fly.BackendStore?
---@return err.Record?
function M.configured(options)
  local value, source = find_url(options)
  if not value then
    return nil, nil
  end
  local url, e = check_url(value, source)
  if not url then
    return nil, e
  end
  local key = find_key(options)
  if not key then
    return nil, err.new({
      kind = "auth", message = ("the backend %s needs an API key"):format(url),
      hint = "set backend.api_key in the configuration, or CLANKER_BACKEND_API_KEY",
    })
  end
  return setmetatable({
    url = url, key = key, where = "the backend " .. url,
    http = options.http or require("sys.http").request, ca_file = options.ca_file,
  }, Store)
end

local KINDS = {
  [401] = "auth", [403] = "forbidden", [404] = "not_found", [429] = "rate_limited",
}

local SAYS = {
  [401] = "does not accept the API key",
  [403] = "does not let this API key do that",
  [404] = "has no such credentials",
  [429] = "gets too many requests",
}

local HINTS = {
  [401] = "check backend.api_key or CLANKER_BACKEND_API_KEY",
  [404] = "clanker credentials store flyio",
}

-- What the backend says of its failure, on one line.
local function saying(reply)
  local value = json.decode(reply.body or "")
  local said = type(value) == "table" and (value.error or value.message)
  if type(said) == "table" then
    said = said.message
  end
  return type(said) == "string" and text.line(said, 200) or nil
end

local function refusal(store, reply)
  local status = math.tointeger(reply.status)
  local kind = KINDS[status] or (status >= 500 and "server" or "invalid")
  local said = saying(reply)
  local what = SAYS[status] or (status >= 500 and "failed" or "refused the request")
  return err.new({
    kind = kind, status = status, hint = HINTS[status],
    message = ("%s %s%s"):format(store.where, what,
      said and said ~= "" and ": " .. said or (" (status %d)"):format(status)),
  })
end

local function bad_reply(store, reply)
  return err.new({
    kind = "protocol", status = math.tointeger(reply.status),
    message = store.where .. " answered something else than credentials",
    hint = "check its URL",
  })
end

---@async
---@param store fly.BackendStore
---@param method string
---@param path string
---@param body table?
---@return table? data, err.Record?
local function ask(store, method, path, body)
  local sent, wrong
  if body then
    sent, wrong = bodies.encode(body)
    if not sent then
      return nil, wrong
    end
  end
  local reply, e = store.http({
    method = method, url = store.url .. path, body = sent,
    headers = {
      ["Accept"] = "application/json", ["X-API-Key"] = store.key,
      ["Content-Type"] = sent and "application/json" or nil,
    },
    timeout = TIMEOUT, connect_timeout = CONNECT_TIMEOUT, max_body = MAX_BODY,
    repeatable = method == "GET", cafile = store.ca_file,
  })
  if not reply then
    return nil, err.wrap(e, store.where)
  elseif reply.status < 200 or reply.status > 299 then
    return nil, refusal(store, reply)
  elseif method == "DELETE" and not (reply.body or ""):find("%S") then
    return {}
  end
  local value = json.decode(reply.body)
  if type(value) ~= "table" then
    return nil, bad_reply(store, reply)
  elseif value.success == false then
    return nil, err.new({
      kind = "error", message = ("%s refused: %s"):format(store.where,
        saying(reply) or "it does not say why"),
    })
  end
  return value.data ~= nil and value.data ~= json.null and value.data or {}, nil, reply
end

---@async
---@param provider string
---@return fly.Credential?
---@return err.Record?
function Store:get(provider)
  local data, e, reply = ask(self, "GET", ONE:format(provider))
  if not data then
    return nil, e
  end
  local found = type(data) == "table" and data.credentials
  local token = type(found) == "table" and found.api_token
  if type(token) ~= "string" or str.trim(token) == "" then
    return nil, bad_reply(self, reply or { status = 200 })
  end
  return {
    provider = provider, token = secret.new(str.trim(token)),
    org = present(found.org_slug),
  }
end

---@async
---@param credential fly.Credential
---@return true?
---@return err.Record?
function Store:put(credential)
  local done, e = ask(self, "PUT", ONE:format(credential.provider), {
    provider = credential.provider,
    credentials = { api_token = credential.token, org_slug = credential.org },
  })
  return done and true, e
end

-- The backend masks tokens; whatever it sends of them is left out here.
local function listed(item)
  local org = type(item.credentials) == "table" and item.credentials.org_slug
    or item.org_slug
  return { provider = text.line(tostring(item.provider), 60), org = present(org) }
end

---@async
---@return fly.StoredCredential[]?
---@return err.Record?
function Store:list()
  local data, e, reply = ask(self, "GET", ALL)
  if not data then
    return nil, e
  end
  local items = data.credentials or data
  if type(items) ~= "table" or (items[1] == nil and next(items) ~= nil) then
    return nil, bad_reply(self, reply)
  end
  local list = {}
  for i, item in ipairs(items) do
    if type(item) ~= "table" or type(item.provider) ~= "string" then
      return nil, bad_reply(self, reply)
    end
    list[i] = listed(item)
  end
  return tbl.sort_by(list, function(item)
    return item.provider
  end)
end

---@async
---@param provider string
---@return true?
---@return err.Record?
function Store:delete(provider)
  local done, e = ask(self, "DELETE", REMOVE:format(provider))
  return done and true, e
end

--- How the tokens are locked, for people.
---@return string
function Store:lock_text()
  return "kept by the backend"
end

return M
