--- What the simulated flyctl asks the simulated account: over HTTP, with every
--- body kept in a log file, as the real one does.
--- Waits. It talks to this computer only, so that it never acts on Fly.

local err = require "base.err"
local fs = require "sys.fs"
local http = require "sys.http"
local json = require "base.json"
local os = require "sys.os"
local secret = require "sys.secret"
local str = require "base.str"
local task = require "sys.task"
local tbl = require "base.tbl"
local time = require "base.time"

local M = {}

---@class sim.flyctl.Api
---@field flaps string base URL of the Machines API
---@field web string base URL of GraphQL and of the web API
---@field headers table<string, any>
---@field log_path string?
---@field nonce string? of the lease that is held
local Api = {}
Api.__index = Api

local TIMEOUT = 60

-- How often a request that came too soon is sent again.
local TRIES = 8

-- Hosts that are this computer.
local LOCAL = {
  "^http://127%.%d+%.%d+%.%d+:%d+$", "^http://localhost:%d+$", "^http://%[::1%]:%d+$",
}

local function is_local(base)
  for _, pattern in ipairs(LOCAL) do
    if base:find(pattern) then
      return true
    end
  end
  return false
end

local function local_base(world, name)
  local base = world.env(name)
  if not base then
    return nil, err.new({
      kind = "config",
      message = "this flyctl is a simulated one and needs a simulated account: "
        .. name .. " is not set",
    })
  end
  base = base:gsub("/+$", "")
  if not is_local(base) then
    return nil, err.new({
      kind = "config",
      message = "this flyctl is a simulated one and never leaves this computer: "
        .. name .. " is another's address",
    })
  end
  return base
end

-- The token in flyctl's order: the flag, then its two variables.
local function find_token(world, flag)
  if flag and flag ~= "" then
    return secret.new(flag)
  end
  for _, name in ipairs({ "FLY_ACCESS_TOKEN", "FLY_API_TOKEN" }) do
    if world.env(name) then
      return world.secret_env(name)
    end
  end
  return nil, err.new({
    kind = "auth",
    message = "no access token available. Please login with 'flyctl auth login'",
  })
end

-- The log file of this run, or nil where there is no place for it.
local function open_log(world)
  local directory = world.env("FLY_CONFIG_DIR")
  local home = not directory and world.home()
  directory = directory or (home and home .. "/.fly")
  if not directory or not fs.mkdir(directory .. "/logs", 448, true) then -- 0700
    return nil
  end
  return ("%s/logs/flyctl-%s-%d.log"):format(directory,
    time.format(os.wall(), 3):gsub("[^%w]", ""), os.pid())
end

--- Opens the account.
---@param world sim.flyctl.Surroundings
---@param token string? of the flag --access-token
---@return sim.flyctl.Api?
---@return err.Record?
function M.open(world, token)
  local flaps, e = local_base(world, "FLY_FLAPS_BASE_URL")
  local web
  if flaps then
    web, e = local_base(world, "FLY_API_BASE_URL")
  end
  local found
  if web then
    found, e = find_token(world, token)
  end
  if not found then
    return nil, e
  end
  return setmetatable({
    flaps = flaps, web = web, log_path = open_log(world), headers = {
      Authorization = secret.concat({
        found:starts_with("fm2_") and "FlyV1 " or "Bearer ", found,
      }),
      ["Content-Type"] = "application/json",
      ["User-Agent"] = "flyctl/" .. M.VERSION,
    },
  }, Api)
end

--- The version it says it has.
M.VERSION = "0.4.9"

--- Adds a line to the log file.
---@param text string
function Api:log(text)
  if self.log_path then
    fs.append(self.log_path, ("%s %s\n"):format(time.format(os.wall(), 3), text))
  end
end

-- What Go calls the statuses of replies that say nothing themselves.
local STATUSES = {
  [400] = "Bad Request", [401] = "Unauthorized", [403] = "Forbidden", [404] = "Not Found",
  [429] = "Too Many Requests", [500] = "Internal Server Error", [502] = "Bad Gateway",
  [503] = "Service Unavailable",
}

-- The server's own words of what is wrong.
local function failure(reply, value)
  local message = type(value) == "table" and value.error
  if type(message) ~= "string" then
    message = ("%d %s"):format(reply.status, STATUSES[reply.status] or "")
  end
  local id = reply.headers["fly-request-id"]
  return err.new({
    kind = reply.status == 404 and "not_found" or "error", status = reply.status,
    message = id and ("%s (Request ID: %s)"):format(message, id) or message,
  })
end

---@async
local function send(request)
  for try = 1, TRIES do
    local reply, e = http.request(request)
    if not reply then
      return nil, e
    elseif reply.status ~= 429 or try == TRIES then
      return reply
    end
    task.sleep(tonumber(reply.headers["retry-after"]) or 0.2 * try)
  end
end

---@async
local function ask(self, method, url, body)
  local text = body ~= nil and json.encode(body) or nil
  self:log(("DEBUG --> %s %s %s"):format(method, url, text or ""))
  local headers = tbl.merge(self.headers, { ["fly-machine-lease-nonce"] = self.nonce })
  local reply, e = send({
    method = method, url = url, body = text, headers = headers, timeout = TIMEOUT,
  })
  if not reply then
    return nil, e
  end
  self:log(("DEBUG <-- %d %s %s"):format(reply.status, url, reply.body))
  local value, bad
  if reply.body ~= "" then
    value, bad = json.decode(reply.body)
  end
  if reply.status >= 300 then
    return nil, failure(reply, value)
  elseif bad then
    return nil, bad
  end
  return value == nil and true or value
end

--- A call of the Machines API.
---@async
---@param method string
---@param path string below /v1, its slots as %s
---@param ... any for the slots: strings are escaped; a table last is the body
---@return any value true when the reply is empty
---@return err.Record?
function Api:rest(method, path, ...)
  local slots = table.pack(...)
  local body = type(slots[slots.n]) == "table" and table.remove(slots, slots.n) or nil
  for i, slot in ipairs(slots) do
    slots[i] = str.url_escape(tostring(slot))
  end
  return ask(self, method, self.flaps .. "/v1" .. path:format(table.unpack(slots)), body)
end

--- The same of the web API, below /api/v1.
---@async
function Api:web_call(method, path, body)
  return ask(self, method, self.web .. "/api/v1" .. path, body)
end

--- A GraphQL operation's data.
---@async
---@param query string
---@param variables table?
---@return table? data
---@return err.Record?
function Api:graphql(query, variables)
  local reply, e = ask(self, "POST", self.web .. "/graphql",
    { query = query, variables = variables })
  if not reply then
    return nil, e
  end
  local first = type(reply.errors) == "table" and reply.errors[1]
  if first then
    return nil, err.new({ kind = "error", message = first.message })
  end
  return reply.data
end

-- Takes a lease and keeps its nonce.
local function take_lease(self, app, id)
  local lease, e = self:rest("POST", "/apps/%s/machines/%s/lease", app, id,
    { ttl = 60, description = "flyctl" })
  self.nonce = lease and lease.data.nonce
  return e
end

--- Runs fn while a machine's lease is held, and gives it back on every way out.
---@async
---@param app string
---@param id string of the machine
---@param fn async fun(): any, err.Record?
---@return any value
---@return err.Record?
function Api:leased(app, id, fn)
  local _ <close> = task.defer(function()
    if self.nonce then
      self:rest("DELETE", "/apps/%s/machines/%s/lease", app, id)
    end
    self.nonce = nil
  end)
  local e = task.shield(take_lease, self, app, id)
  if e then
    return nil, err.wrap(e, "failed to obtain lease")
  end
  return fn()
end

return M
