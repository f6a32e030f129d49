--- Leases: who alone may change a machine, and until when.
--- Pure. An expired lease is as good as none.

local time = require "base.time"

local problem = require "sim.problem"

local M = {}

--- Seconds a lease lasts when its taker does not say.
M.DEFAULT_TTL = 30

local MAX_TTL = 24 * 3600

---@class sim.Lease
---@field nonce string
---@field expires_at number
---@field owner string
---@field description string
---@field version string

--- The lease in force.
---@param world sim.World
---@param machine table
---@return sim.Lease?
function M.current(world, machine)
  local lease = machine.lease
  if lease and lease.expires_at > world:now() then
    return lease
  end
end

local function held(machine, lease)
  return problem.new(409,
    ("machine ID %s lease currently held by %s, expires at %s"):format(
      machine.id, lease.owner, time.format(lease.expires_at)))
end

--- Whether a change that comes with `nonce` is allowed.
---@param world sim.World
---@param machine table
---@param nonce string?
---@return boolean?
---@return sim.Problem?
function M.check(world, machine, nonce)
  local lease = M.current(world, machine)
  if not lease then
    if nonce then
      return problem.new(409,
        ("machine ID %s lease not found: it expired or was released"):format(
          machine.id))
    end
    return true
  end
  if lease.nonce ~= nonce then
    return held(machine, lease)
  end
  return true
end

--- Whether a lease can last so many seconds.
---@param ttl integer
---@return boolean?
---@return sim.Problem?
function M.check_ttl(ttl)
  if ttl < 1 or ttl > MAX_TTL then
    return problem.new(400,
      ("invalid ttl: %d is not from 1 to %d seconds"):format(ttl, MAX_TTL))
  end
  return true
end

---@class sim.LeaseTerms
---@field owner string
---@field nonce string? of the lease to renew
---@field ttl integer?
---@field description string?

--- Takes a lease, or renews the one whose nonce is given.
---@param world sim.World
---@param machine table
---@param terms sim.LeaseTerms
---@return sim.Lease?
---@return sim.Problem?
function M.acquire(world, machine, terms)
  local ttl = terms.ttl or M.DEFAULT_TTL
  local ok, wrong = M.check_ttl(ttl)
  if not ok then
    return nil, wrong
  end
  local lease = M.current(world, machine)
  if lease and lease.nonce ~= terms.nonce then
    return held(machine, lease)
  end
  lease = lease or {
    nonce = world.ids:hex(12), owner = terms.owner,
    description = terms.description or "", version = machine.version,
  }
  lease.expires_at = world:now() + ttl
  machine.lease = lease
  world:touch("machine", machine)
  return lease
end

--- Gives a lease back.
---@param world sim.World
---@param machine table
---@param nonce string?
---@return boolean?
---@return sim.Problem?
function M.release(world, machine, nonce)
  if not nonce then
    return problem.new(400, "header fly-machine-lease-nonce is required")
  end
  local lease = M.current(world, machine)
  if not lease then
    return problem.new(404, "lease not found")
  elseif lease.nonce ~= nonce then
    return held(machine, lease)
  end
  machine.lease = nil
  world:touch("machine", machine)
  return true
end

--- The lease as the lease routes answer it; only its taker learns the nonce.
---@param lease sim.Lease
---@param is_taker boolean
---@return table
function M.view(lease, is_taker)
  return {
    nonce = is_taker and lease.nonce or nil,
    expires_at = math.floor(lease.expires_at),
    owner = lease.owner,
    description = lease.description,
    version = lease.version,
  }
end

return M
