--- What a user's script can require: clanker.fly, clanker.http,
--- clanker.process, clanker.task.
--- Functions raise error records ({kind, message, hint, status, request_id}).

local err = require "base.err"
local str = require "base.str"
local task = require "sys.task"
local tbl = require "base.tbl"

local M = {}

---@class script.Deps
---@field client fun(): fly.Client made at the first use, shared afterwards
---@field args string[] the script's own arguments
---@field is_simulated boolean? the account is in this process

--- Raises the second value when the first is nil, as typed error.
local function unwrap(value, e, ...)
  if value == nil and e ~= nil then
    error(e, 3)
  end
  return value, e, ...
end

local function unknown(what, prefix, name, known)
  name = tostring(name)
  local near = str.did_you_mean(name, known)
  return err.new {
    kind = "usage",
    message = ("clanker.fly has no %s %q"):format(what, prefix .. name),
    hint = near and ("did you mean %q?"):format(prefix .. near),
  }
end

--- resource -> verb -> operation id, from the operation table.
local function index_operations()
  require "ops"
  local registry = require "opkit.registry"
  local resources = {}
  for _, op in ipairs(registry.all()) do
    local resource, verb = op.id:match("^([^.]+)%.(.+)$")
    if resource and not op.hidden then
      resources[resource] = resources[resource] or {}
      resources[resource][verb] = op.id
    end
  end
  return resources
end

--- One resource of clanker.fly: its verbs are functions of one argument table.
local function resource_module(deps, name, verbs)
  local module = {}
  for verb, id in pairs(verbs) do
    module[verb] = function(args, opts)
      if args ~= nil and type(args) ~= "table" then
        error(("bad argument #1 to '%s.%s' (table expected, got %s)"):format(
          name, verb, type(args)), 2)
      end
      return unwrap(deps.client():call(id, args or {}, opts))
    end
  end
  return setmetatable(module, { __index = function(_, verb)
    error(unknown("operation", name .. ".", verb, tbl.keys(verbs)), 2)
  end })
end

--- The module clanker.fly: every operation as `fly.RESOURCE.VERB{ … }`.
---@param deps script.Deps
---@return table
function M.fly(deps)
  local resources = index_operations()
  local module = {}
  for name, verbs in pairs(resources) do
    module[name] = resource_module(deps, name, verbs)
  end
  return setmetatable(module, { __index = function(_, name)
    error(unknown("resource", "", name, tbl.keys(resources)), 2)
  end })
end

--- The module clanker.task: the house's tasks as they are.
---@return table
function M.task()
  return {
    all = task.all, event = task.event, is_canceled = task.is_canceled, map = task.map,
    now = task.now, queue = task.queue, race = task.race, semaphore = task.semaphore,
    shield = task.shield, sleep = task.sleep, spawn = task.spawn, timeout = task.timeout,
  }
end

local HTTP_HINTS = {
  E2BIG = "give a larger max_body, in bytes",
  EAI_NONAME = "check the name, the network and the proxy variables",
  ECONNREFUSED = "check the host and port, and that something listens there",
  EPERM = "use https://, or allow_http = true if the network itself is trusted",
  ETIMEDOUT = "give it a longer timeout, in seconds",
  ETLS = "for an authority of your own give cafile, or set SSL_CERT_FILE",
}

local function check_table(value, number, name)
  if type(value) ~= "table" then
    error(("bad argument #%d to '%s' (table expected, got %s)"):format(
      number, name, type(value)), 3)
  end
end

--- The module clanker.http: plain requests that return {status, headers, body}.
---@return table
function M.http()
  local http, hosts = require "sys.http", require "fly.hosts"
  local module = {}

  local function send(opts)
    local reply, e = http.request(tbl.merge({ http_hosts = { hosts.INTERNAL } }, opts))
    if e then
      e.hint = e.hint or HTTP_HINTS[e.code]
    end
    return reply, e
  end

  --- Sends a request; any HTTP status is a reply, not an error.
  function module.request(opts)
    check_table(opts, 1, "request")
    return unwrap(send(opts))
  end

  --- GET.
  function module.get(url, opts)
    if opts ~= nil then
      check_table(opts, 2, "get")
    end
    return unwrap(send(tbl.merge({ url = url, method = "GET" }, opts or {})))
  end

  return module
end

--- The module clanker.process: programs, without a shell.
---@return table
function M.process()
  local process, os = require "sys.process", require "sys.os"
  return {
    --- Runs a program to its end while other tasks go on: `argv`, and if wanted
    --- `stdin` (text or secret), `env` (ours unless told), `cwd`, `timeout`.
    --- How it ended is a result: {code, signal, stdout, stderr}.
    run = function(opts)
      return unwrap(process.run(tbl.merge({ env = os.environ() }, opts)))
    end,
  }
end

--- Makes the modules known to `require`. They load at their first use.
---@param deps script.Deps
function M.provide(deps)
  for _, name in ipairs { "fly", "http", "process", "task" } do
    package.preload["clanker." .. name] = function()
      return M[name](deps)
    end
  end
end

return M
