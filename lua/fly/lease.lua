--- A machine's lease: taken, kept alive while work goes on, given back whatever
--- happens. Waits; everything it calls is injected.

local err = require "base.err"

local M = {}

---@class fly.LeaseDeps
---@field call fun(id: string, args: table, opts: table?): any, table? carries out an operation
---@field task table sys.task
---@field notice fun(text: string)

---@class fly.LeaseTarget
---@field app string
---@field id string of the machine
---@field ttl integer? seconds a lease lives without being renewed
---@field wait number? seconds to wait for somebody else's lease to end
---@field description string?

---@class fly.Lease
---@field nonce string? while it is held
---@field lost table? the error that took it away

--- Seconds a lease lives. Short, so that one nobody could give back (power
--- failure, lost network) does not block the machine for long.
local TTL = 30

--- Seconds that taking and giving back may take, also when being cancelled:
--- a lease whose nonce was never seen could not be given back.
local TAKE_TIMEOUT = 10
local RENEW_TIMEOUT = 5
local RELEASE_TIMEOUT = 5

--- Seconds between two looks at somebody else's lease.
local LOOK_PAUSE = 1

-- Failures after which the lease is no longer ours; others may pass.
local FINAL = { conflict = true, not_found = true, auth = true, forbidden = true, invalid = true }

---@param target fly.LeaseTarget
---@return table args
local function args_of(target)
  return {
    app = target.app, id = target.id, ttl = target.ttl or TTL, description = target.description,
  }
end

--- Runs fn to its end, within a time, even when this task is being cancelled.
---@async
local function shielded(deps, seconds, fn)
  local value, e = deps.task.shield(deps.task.timeout, seconds, fn)
  if value == nil and not err.is(e) then
    e = err.new { kind = "timeout", code = "ETIMEDOUT", message = "no answer about the lease" }
  end
  return value, e
end

-- Whether the server may have given a lease in spite of the error: then nobody
-- knows its nonce.
local function explain(e, target)
  if e.kind == "network" and e.sent ~= false or e.kind == "timeout" or e.kind == "server" then
    e.hint = ("nothing was changed; a lease that was given all the same ends by itself within"
      .. " %d s, try again then"):format(target.ttl or TTL)
  end
  return e
end

--- Asks for the lease. What comes is noted where it came, inside the shield:
--- an interrupt finds the lease either not asked for or to be given back.
---@async
---@param deps fly.LeaseDeps
---@param target fly.LeaseTarget
---@param lease fly.Lease
---@return true? taken, table? err
local function take_once(deps, target, lease)
  local taken, e = shielded(deps, TAKE_TIMEOUT, function()
    local reply, why = deps.call("leases.take", args_of(target))
    if reply and type(reply.nonce) == "string" and reply.nonce ~= "" then
      lease.nonce = reply.nonce
      return true
    end
    return nil, why or err.new { kind = "protocol", message = "the lease came without its nonce" }
  end)
  return taken, e and explain(e, target)
end

---@async
---@param deps fly.LeaseDeps
---@param target fly.LeaseTarget
---@param lease fly.Lease
---@return true? taken, table? err
local function take(deps, target, lease)
  local deadline = deps.task.now() + (target.wait or 0)
  while true do
    local taken, e = take_once(deps, target, lease)
    local is_held = not taken and e.kind == "conflict"
    if not is_held or deps.task.now() + LOOK_PAUSE > deadline then
      return taken, e
    end
    deps.task.sleep(LOOK_PAUSE)
  end
end

--- Renews until it is cancelled or the lease is lost. A renewal under way is
--- ended, not dropped: coming in after the release, it would be a new lease.
---@async
---@param deps fly.LeaseDeps
---@param target fly.LeaseTarget
---@param lease fly.Lease
local function keep(deps, target, lease)
  local ttl = target.ttl or TTL
  local pause, ends = ttl / 3, deps.task.now() + ttl
  while true do
    deps.task.sleep(pause)
    local started = deps.task.now()
    local renewed, e = shielded(deps, RENEW_TIMEOUT, function()
      local reply, why = deps.call("leases.take", args_of(target), { nonce = lease.nonce })
      if reply and type(reply.nonce) == "string" and reply.nonce ~= "" then
        lease.nonce = reply.nonce
      end
      return reply, why
    end)
    if renewed then
      ends = started + ttl
    elseif FINAL[e.kind] or deps.task.now() >= ends then
      lease.lost = e
      return
    end
  end
end

---@async
---@param deps fly.LeaseDeps
---@param target fly.LeaseTarget
---@param lease fly.Lease
local function give_back(deps, target, lease)
  if lease.lost then
    deps.notice(("the lease of machine %s was lost meanwhile: %s"):format(
      target.id, lease.lost.message))
    return
  end
  local ok, e = shielded(deps, RELEASE_TIMEOUT, function()
    return deps.call("leases.release", { app = target.app, id = target.id },
      { nonce = lease.nonce })
  end)
  -- Not found: it has ended, or the machine is gone.
  if not ok and e.kind ~= "not_found" then
    deps.notice(("the lease of machine %s was not given back (%s), it ends by itself within %d s")
      :format(target.id, e.message, target.ttl or TTL))
  end
end

--- Calls fn with the lease held and renewed, and gives it back on every way out:
--- a return, an error, a cancellation, an interrupt between two instructions.
---@async
---@param deps fly.LeaseDeps
---@param target fly.LeaseTarget
---@param fn fun(lease: fly.Lease): any, table? its `nonce` goes into each call's options
---@return any value, table? err
function M.with(deps, target, fn)
  local lease, keeper = {}, nil
  local _ <close> = deps.task.defer(function()
    if keeper then
      keeper:cancel()
      keeper:join()
    end
    if lease.nonce then
      give_back(deps, target, lease)
    end
  end)
  local taken, e = take(deps, target, lease)
  if not taken then
    return nil, e
  end
  keeper = deps.task.spawn(keep, deps, target, lease)
  return fn(lease)
end

return M
