--- Waiting for a machine to reach a state, for as long as it takes.
--- Waits; the API waits a minute at a time, so this asks again and again.

local err = require "base.err"

local M = {}

---@class fly.WaitDeps
---@field call fun(id: string, args: table, opts: table?): any, table? carries out an operation
---@field now fun(): number monotonic seconds
---@field sleep fun(seconds: number)
---@field random fun(): number 0 <= x < 1

---@class fly.WaitTarget
---@field app string
---@field id string of the machine
---@field state string started, stopped, suspended, destroyed, failed or settled
---@field version string? of the machine; looked up when it must be known
---@field timeout number? seconds for all of it
---@field launched boolean? it was told to start: that it failed is an end too

--- As long as flyctl waits.
local TIMEOUT = 300

--- The API waits at most this long, in whole seconds.
local MOST = 60

--- Failures in a row that are taken for a passing disturbance.
local PATIENCE = 5

local PASSING = { network = true, server = true, rate_limited = true, timeout = true }

-- From these a machine does not get anywhere else by itself.
local HOPELESS = { destroyed = true, destroying = true, failed = true, migrated = true }

--- The API's own "not yet", which is no reason to send the same again at once.
local NOT_YET = 408

---@class fly.WaitState
---@field deps fly.WaitDeps
---@field target fly.WaitTarget
---@field version string?
---@field deadline number
---@field current string? the state last heard of
---@field failures integer in a row

---@param target fly.WaitTarget
---@return string
local function subject(target)
  return ("machine %s of app %s"):format(target.id, target.app)
end

---@param w fly.WaitState
---@return table err
local function timed_out(w)
  local target = w.target
  return err.new {
    kind = "timeout",
    code = "ETIMEDOUT",
    message = ("%s did not become %s within %g s%s"):format(subject(target), target.state,
      target.timeout or TIMEOUT, w.current and (", it is " .. w.current) or ""),
    hint = ("it may still get there: `clanker fly get machine %s --app %s`"):format(
      target.id, target.app),
    detail = { state = w.current },
  }
end

---@param w fly.WaitState
---@return table err
local function hopeless(w)
  local target = w.target
  return err.new {
    kind = "conflict",
    message = ("%s is %s and will not become %s"):format(
      subject(target), w.current, target.state),
    hint = ("its events tell why: `clanker fly machines events %s --app %s`"):format(
      target.id, target.app),
    detail = { state = w.current },
  }
end

--- Looks the machine up: its version now, and its state.
---@async
---@param w fly.WaitState
---@return boolean? found, table? err
local function look(w)
  local machine, e = w.deps.call("machines.get", { app = w.target.app, id = w.target.id })
  if not machine then
    return nil, e
  end
  w.version = machine.instance_id or machine.version
  w.current = machine.state
  return true
end

--- What is asked for is reached when the machine is no more.
---@param w fly.WaitState
---@param e table
---@return table? reached, table? err
local function when_gone(w, e)
  if w.target.state == "destroyed" then
    return { ok = true, state = "destroyed" }
  end
  return nil, e
end

---@param w fly.WaitState
---@return boolean
local function is_hopeless(w)
  return HOPELESS[w.current] and w.current ~= w.target.state
    and w.target.state ~= "destroyed" and w.target.state ~= "settled"
end

--- The API answered "not yet".
---@async
---@param w fly.WaitState
---@param e table
---@return table? reached, table? err nil, nil: ask again
local function not_yet(w, e)
  w.failures = 0
  w.current = e.message:match("currently (%l+)") or w.current
  if w.current == "replaced" then
    local found, why = look(w)
    if not found then
      return when_gone(w, why)
    end
  end
  if is_hopeless(w) then
    return nil, hopeless(w)
  end
  return nil, nil
end

---@async
---@param w fly.WaitState
---@param e table
---@return table? reached, table? err nil, nil: ask again
local function failed(w, e)
  if e.status == NOT_YET then
    return not_yet(w, e)
  elseif e.kind == "not_found" then
    return when_gone(w, e)
  elseif not PASSING[e.kind] then
    return nil, e
  end
  w.failures = w.failures + 1
  if w.failures >= PATIENCE then
    return nil, e
  end
  return nil, nil
end

---@async
---@param w fly.WaitState
---@param remaining number seconds
---@return table? reached, table? err nil, nil: not yet
local function ask(w, remaining)
  local target = w.target
  local reached, e = w.deps.call("machines.wait_once", {
    app = target.app, id = target.id, version = w.version,
    state = target.launched and { target.state, "failed" } or { target.state },
    timeout = math.max(1, math.min(MOST, math.floor(remaining))),
  }, { final = NOT_YET })
  if not reached then
    return failed(w, e)
  elseif reached.state == "failed" and target.state ~= "failed" and target.launched then
    w.current = reached.state
    return nil, hopeless(w)
  end
  return reached
end

--- Waits until the machine has the state. The error says which one it has
--- instead, when that can be known.
---@async
---@param deps fly.WaitDeps
---@param target fly.WaitTarget
---@return {state: string, version: string?}? reached, table? err
function M.state(deps, target)
  local w = {
    deps = deps, target = target, version = target.version, failures = 0,
    deadline = deps.now() + (target.timeout or TIMEOUT),
  }
  if target.state == "stopped" and not w.version then
    local found, e = look(w)
    if not found then
      return nil, e
    end
  end
  while true do
    local remaining = w.deadline - deps.now()
    if remaining <= 0 then
      return nil, timed_out(w)
    end
    local reached, e = ask(w, remaining)
    if reached or e then
      return reached, e
    end
    deps.sleep(math.max(0, math.min(0.5 + 1.5 * deps.random(), w.deadline - deps.now())))
  end
end

return M
