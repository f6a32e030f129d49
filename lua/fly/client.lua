--- Carries out operations on a Fly account: one door for every face.
--- Waits. Holds the credentials, the limits and what was learned meanwhile.

local auth = require "fly.auth"
local collect = require "fly.collect"
local context = require "fly.context"
local err = require "base.err"
local fetch = require "fly.fetch"
local hints = require "fly.hints"
local kept = require "fly.kept"
local opkit = require "opkit"
local registry = require "opkit.registry"
local transport = require "fly.transport"

local M = {}

---@class fly.ClientOptions
---@field settings fly.Settings
---@field http fun(request: table): table?, table? sys.http.request unless told
---@field limiter table? sys.rate limiter; one of this client's own unless told
---@field task table? sys.task
---@field now (fun(): number)? monotonic seconds
---@field wall (fun(): number)? seconds since 1970
---@field random (fun(): number)? 0 <= x < 1
---@field sleep fun(seconds: number)?
---@field log fun(line: string)? debug lines
---@field version string? of the program, for the User-Agent
---@field concurrency integer? requests in flight at once
---@field process table? sys.process, for flyctl
---@field memo table<string, any>? hints of earlier clients; filled with new ones

---@class fly.CallOptions
---@field raw boolean? the value is the server's JSON text
---@field each (fun(item: table): boolean?)? gets items as they come; value = count
---@field timeout number? seconds for the whole call
---@field face op.Face? in whose words arguments are refused
---@field nonce string? of a lease that is held
---@field final integer? a status that is an answer here and never repeated
---@field cwd string? where flyctl runs
---@field color boolean? what flyctl writes goes to a terminal
---@field on_stdout fun(chunk: string)? gets what flyctl writes as it comes
---@field on_stderr fun(chunk: string)?

---@class fly.Info
---@field requests integer
---@field warnings string[]
---@field request_id string?
---@field made table? of a raw call: the result whose credentials the text lacks

--- A change that was asked for; who is interrupted then wants to know.
---@class fly.Begun
---@field op op.Row
---@field made string? id of what it made, once that is known

---@class fly.Client
---@field settings fly.Settings
---@field concurrency integer
---@field memo table<string, any> what `run` rows learned
---@field begun fly.Begun? the last change that was asked for
---@field kept fly.Kept
---@field deps table
local Client = {}
Client.__index = Client
Client.__name = "fly.client"

--- Enough for a request per app of a large organization at once: over HTTP/2
--- they share a connection.
local CONCURRENCY = 128

--- Lists that `run` rows ask for again and again, kept for a while in seconds:
--- other operations ask for them first, and they hardly change.
local KEPT = { ["orgs.list_all"] = 60, ["regions.list_all"] = 60 }

---@param options fly.ClientOptions
---@return table deps
local function with_defaults(options)
  local task = options.task or require "sys.task"
  return {
    task = task,
    http = options.http or require("sys.http").request,
    now = options.now or task.now,
    wall = options.wall or require("sys.os").wall,
    random = options.random or math.random,
    sleep = options.sleep or task.sleep,
    log = options.log,
    settings = options.settings,
    user_agent = "clanker/" .. (options.version or "dev"),
    process = options.process,
    limiter = options.limiter,
  }
end

--- A client. A missing token is an error of its calls, not of this.
---@param options fly.ClientOptions
---@return fly.Client
function M.new(options)
  local self = setmetatable({
    settings = options.settings,
    concurrency = options.concurrency or CONCURRENCY,
    deps = with_defaults(options),
    memo = options.memo or {},
  }, Client)
  self.kept = kept.new(self.deps.task, self.deps.now)
  self.deps.slots = self.deps.task.semaphore(self.concurrency)
  return self
end

---@param self fly.Client
---@return fly.Auth? auth, table? err
local function credentials(self)
  if not self.deps.auth then
    local found, e = auth.new(self.settings.token, self.settings.token_source)
    if not found then
      return nil, e
    end
    self.deps.auth = found
  end
  return self.deps.auth
end

--- Credentials, limiter and transport, made when the first request needs them.
---@param self fly.Client
---@return fly.Fetch? fetch, table? err
local function connect(self)
  if self.fetch then
    return self.fetch
  end
  local found, e = credentials(self)
  if not found then
    return nil, e
  end
  if not self.deps.limiter then
    local limiter, why = require("sys.rate").open(nil)
    if not limiter then
      return nil, why
    end
    self.own_limiter, self.deps.limiter = limiter, limiter
  end
  self.fetch = fetch.new(transport.new(self.deps), self.settings, found)
  return self.fetch
end

---@param self fly.Client
---@return fly.FlyctlDeps? deps, table? err
local function flyctl_deps(self)
  local found, e = credentials(self)
  if not found then
    return nil, e
  end
  return {
    process = self.deps.process or require "sys.process",
    fs = require "sys.fs",
    os = require "sys.os",
    settings = self.settings,
    auth = found,
    log = self.deps.log,
    memo = self.memo,
  }
end

---@async
---@param self fly.Client
---@param call fly.Call
---@return any value, table? err
local function flyctl(self, call)
  local deps, e = flyctl_deps(self)
  if not deps then
    return nil, e
  end
  return require("fly.flyctl").call(deps, call)
end

--- Whether flyctl can be told a secret: it is there, and the directory it logs
--- into is in memory.
---@return true? yes, table? err
function Client:flyctl_is_safe()
  local deps, e = flyctl_deps(self)
  if not deps then
    return nil, e
  end
  return require("fly.flyctl").is_safe(deps)
end

--- Whether there is a flyctl to run, for who would ask other things first.
---@return true? yes, table? err
function Client:has_flyctl()
  local path, e = require("fly.flyctl").find({
    process = self.deps.process or require "sys.process",
    os = require "sys.os", settings = self.settings,
  })
  return path and true, e
end

--- The version of flyctl, when it is one that can be used.
---@async
---@return string? version "0.4.69"
---@return table? err
function Client:flyctl_version()
  local tool = require "fly.flyctl"
  local path, e = tool.find({
    process = self.deps.process or require "sys.process",
    os = require "sys.os", settings = self.settings,
  })
  if not path then
    return nil, e
  end
  local deps, why = flyctl_deps(self)
  if not deps then
    return nil, why
  end
  local version, untold = tool.version(deps)
  local refused = version and tool.too_old(version)
  if not version or refused then
    return nil, untold or refused
  end
  return table.concat(version, ".")
end

--- Carries out a row that stands for one request or one run of flyctl.
---@async
---@param self fly.Client
---@param call fly.Call
---@return any value, table? err
local function ask(self, call)
  if call.op.flyctl then
    return flyctl(self, call)
  end
  local connected, e = connect(self)
  if not connected then
    return nil, e
  end
  return connected:run(call)
end

--- Carries out a row in the way it names, and keeps in mind what it changes.
--- A lease is no change: it is given back.
---@async
---@param self fly.Client
---@param call fly.Call
---@return any value, table? err
local function execute(self, call)
  local op = call.op
  if op.run then
    return context.run(self, call)
  elseif op.effect == "read" or op.resource == "leases" then
    return ask(self, call)
  end
  local begun = { op = op }
  self.begun = begun
  local value, e = ask(self, call)
  if type(value) == "table" and type(value.id) == "string" and not call.args.id then
    begun.made = value.id
  end
  return value, e
end

---@param id string
---@param args table
---@param face op.Face?
---@return op.Row? op, table args_or_err
local function look_up(id, args, face)
  local op = registry.get(id)
  if not op then
    return nil, err.new { kind = "usage", message = ("there is no operation %q"):format(id) }
  end
  local checked, e = opkit.check(op, args, face)
  if not checked then
    return nil, e
  end
  return op, checked
end

--- What to do when the time was up.
---@param op op.Row
---@return string
local function longer(op)
  if op.effect == "read" then
    return "try again, or give it longer with --timeout"
  end
  return "what was begun may have been done all the same: look before you repeat it;"
    .. " --timeout gives it longer" .. (op.param.no_wait and ", --no-wait does not wait" or "")
end

--- Runs fn until it ends or the time is up.
---@async
---@param self fly.Client
---@param op op.Row
---@param seconds number?
---@param fn fun(): any, table?
---@return any value, table? err
local function within(self, op, seconds, fn)
  if not seconds then
    return fn()
  end
  local value, e = self.deps.task.timeout(seconds, fn)
  if value == nil and e ~= nil and e.code == "ETIMEDOUT" then
    e.hint = e.hint or longer(op)
  end
  return value, e
end

--- Carries out an operation.
--- Lists come as arrays, details as objects; `raw` and `each` change that.
---@async
---@param id string "machines.list"
---@param args table<string, any>?
---@param opts fly.CallOptions?
---@return any value, fly.Info|table info_or_err
function Client:call(id, args, opts)
  opts = opts or {}
  local op, checked = look_up(id, args or {}, opts.face)
  if not op then
    return nil, checked
  end
  local seconds = opts.timeout or self.settings.timeout
  local call = {
    op = op, args = checked, opts = opts,
    deadline = seconds and self.deps.now() + seconds,
    tally = { requests = 0, warnings = {} },
    origins = opts.raw and op.run and collect.origins() or nil,
  }
  local value, e = within(self, op, seconds, function()
    return execute(self, call)
  end)
  if value == nil and e ~= nil then
    -- An error that was found out here came of what was last answered.
    e.request_id = e.request_id or call.tally.request_id
    e.warnings = call.tally.warnings
    return nil, e
  end
  return value, call.tally
end

--- A nested call's argument that its caller was not given came out of a reply: that
--- it does not fit is no mistake of the user.
---@param outer fly.Call
---@param args table<string, any>
---@param e table err of kind "usage"
---@return table err
local function blame(outer, args, e)
  if not e.param then
    return e
  end
  for _, given in pairs(outer.args) do
    if given == args[e.param] then
      return e
    end
  end
  return err.new {
    kind = "protocol",
    message = "a reply lacks what the next request needs: " .. e.message,
    hint = hints.for_bad_reply { can_write = outer.op.effect ~= "read" },
    request_id = outer.tally.request_id,
  }
end

--- A call that a `run` row makes: under its caller's deadline and tally.
---@async
---@param outer fly.Call
---@param id string
---@param args table<string, any>
---@param opts fly.CallOptions
---@return any value, table? err
function Client:nested(outer, id, args, opts)
  local op, checked = look_up(id, args)
  if not op then
    return nil, blame(outer, args, checked)
  end
  local call = {
    op = op, args = checked,
    opts = {
      each = opts.each, nonce = opts.nonce, final = opts.final, raw = opts.raw,
      cwd = outer.opts.cwd, color = outer.opts.color,
      on_stdout = opts.on_stdout or outer.opts.on_stdout,
      on_stderr = outer.opts.on_stderr,
    },
    deadline = outer.deadline,
    tally = outer.tally,
    is_nested = true,
  }
  if KEPT[id] and next(checked) == nil and not opts.each then
    return self.kept:get(id, KEPT[id], function()
      return execute(self, call)
    end)
  end
  call.origins = outer.origins
  return execute(self, call)
end

--- Wipes the credentials; calls after this fail.
function Client:close()
  if self.deps.auth then
    self.deps.auth:close()
    self.deps.auth = nil
  end
  if self.own_limiter then
    self.own_limiter:close()
    self.own_limiter = nil
  end
  self.fetch = nil
  self.kept:clear()
end

return M
