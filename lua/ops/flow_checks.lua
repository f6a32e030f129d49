--- Waiting until the health checks of a machine pass.
--- Waits in the injected context only.

local flow = require "ops.flow"
local tbl = require "base.tbl"

local M = {}

-- Seconds that checks are given, and between two looks.
local SECONDS, PAUSE = 300, 1

local function is_filled(value)
  return type(value) == "table" and next(value) ~= nil
end

--- Whether a machine has health checks: by its config, since a machine that
--- has just been started may not list them yet.
---@param machine table decoded
---@return boolean
function M.has_any(machine)
  local services = tbl.get(machine, "config.services")
  local of_service = tbl.find(type(services) == "table" and services or {},
    function(service)
      return type(service) == "table" and is_filled(service.checks)
    end)
  return of_service ~= nil or is_filled(tbl.get(machine, "config.checks"))
    or is_filled(machine.checks)
end

-- The first check that does not pass; nil when all do.
local function missing(machine)
  if not is_filled(machine.checks) then
    return "not reported yet"
  end
  local bad = tbl.find(machine.checks, function(check)
    return check.status ~= "passing"
  end)
  return bad and ("%s is %s"):format(bad.name or "one", bad.status or "unknown")
end

--- Waits until every check of the machine passes.
---@async
---@param ctx op.Context
---@param at ops.Target
---@param machine table as it was last seen
---@return true?
---@return err.Record?
function M.wait(ctx, at, machine)
  if not M.has_any(machine) then
    return true
  end
  local last
  local opts = {
    seconds = SECONDS, pause = PAUSE,
    what = ("the checks of machine %s did not pass"):format(at.id),
  }
  local done, e = flow.poll(ctx, opts, function()
    local now, why = ctx.call("machines.get", { app = at.app, id = at.id })
    if not now then
      return nil, why
    end
    last = missing(now)
    return last == nil or nil
  end)
  if not done and last then
    e.message = ("%s (%s)"):format(e.message, last)
    e.hint = ("see why: clanker fly logs --app %s --machine %s"):format(at.app, at.id)
  end
  return done, e
end

return M
