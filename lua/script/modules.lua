--- What a user's script can require: clanker.fly, clanker.http, clanker.json,
--- clanker.process, clanker.task.
--- Functions raise error records ({kind, message, hint, status, request_id}).

local err = require "base.err"
local str = require "base.str"
local task = require "sys.task"
local tbl = require "base.tbl"

local M = {}

---@class script.Deps
---@field client async fun(): fly.Client made at the first use, shared afterwards
---@field args string[] the script's own arguments
---@field is_simulated boolean? the account is in this process
---@field tell fun(e: err.Record)? tells programs what the script ended with

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

-- Raises at the caller of our function when an argument has another type.
local function check_type(value, expected, position, name)
  if type(value) ~= expected then
    error(("bad argument #%d to '%s' (%s expected, got %s)"):format(
      position, name, expected, type(value)), 3)
  end
end

-- Misuse is told at the line of the script, not of the module that found it.
local function at_caller(ok, e, ...)
  if ok then
    return e, ...
  elseif type(e) == "string" then
    error((e:gsub("^lua/[%w_/]+%.lua:%d+: ", "")), 3)
  end
  error(e, 0)
end

--- What may stand in the second argument of an operation.
local CALL_OPTIONS = {
  cwd = "string", each = "function", on_stderr = "function", on_stdout = "function",
  raw = "boolean", timeout = "number",
}

local function check_options(id, opts)
  for name, value in tbl.sorted(opts) do
    local expected, e = CALL_OPTIONS[name], nil
    if not expected then
      local near = str.did_you_mean(tostring(name), tbl.keys(CALL_OPTIONS))
      e = ("unknown option %q%s"):format(tostring(name),
        near and (" (did you mean %s?)"):format(near) or "")
    elseif type(value) ~= expected then
      e = ("option %s must be a %s, got a %s"):format(name, expected, type(value))
    elseif name == "timeout" and (value < 0 or value ~= value) then
      e = "option timeout must not be negative"
    end
    if e then
      error(err.new { kind = "usage", op = id, message = id .. ": " .. e }, 3)
    end
  end
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
      local called = name .. "." .. verb
      check_type(args or {}, "table", 1, called)
      check_type(opts or {}, "table", 2, called)
      check_options(called, opts or {})
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
    all = task.all, defer = task.defer, event = task.event,
    is_canceled = task.is_canceled, map = task.map, now = task.now,
    queue = task.queue, race = task.race, semaphore = task.semaphore,
    shield = task.shield, sleep = task.sleep, spawn = task.spawn,
    timeout = task.timeout,
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

--- The module clanker.http: plain requests that return {status, headers, body}.
---@return table
function M.http()
  local http, hosts = require "sys.http", require "fly.hosts"
  local module = {}

  local plain_hosts = { hosts.INTERNAL }

  local function send(opts, url)
    local request = { url = url, http_hosts = plain_hosts }
    for name, value in pairs(opts) do
      request[name] = value
    end
    request.url = url or opts.url
    local reply, e = http.request(request)
    if e then
      e.hint = e.hint or HTTP_HINTS[e.code]
    end
    return reply, e
  end

  --- Sends a request; any HTTP status is a reply, not an error.
  function module.request(opts)
    check_type(opts, "table", 1, "request")
    return unwrap(at_caller(pcall(send, opts)))
  end

  --- GET.
  function module.get(url, opts)
    check_type(url, "string", 1, "get")
    check_type(opts or {}, "table", 2, "get")
    return unwrap(at_caller(pcall(send, opts or {}, url)))
  end

  return module
end

--- The module clanker.json: between JSON and tables.
---@return table
function M.json()
  local json = require "base.json"
  return {
    array = json.array, null = json.null,
    --- The value of a JSON text: arrays stay arrays and integers integers, null
    --- is `json.null`.
    decode = function(text)
      check_type(text, "string", 1, "decode")
      return unwrap(json.decode(text))
    end,
    --- The JSON text of a value, keys sorted; on several lines with `indent`,
    --- the spaces of a level.
    encode = function(value, opts)
      check_type(opts or {}, "table", 2, "encode")
      return (at_caller(pcall(json.encode, value, opts)))
    end,
  }
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
      check_type(opts, "table", 1, "run")
      local options = tbl.merge({ env = os.environ() }, opts)
      return unwrap(at_caller(pcall(process.run, options)))
    end,
  }
end

--- Makes the modules known to `require`. They load at their first use.
---@param deps script.Deps
function M.provide(deps)
  for _, name in ipairs { "fly", "http", "json", "process", "task" } do
    package.preload["clanker." .. name] = function()
      return M[name](deps)
    end
  end
end

return M
