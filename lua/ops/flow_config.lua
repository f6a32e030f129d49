--- Changing the config of a machine: read, change what was asked, send back all
--- else byte for byte, wait, and look whether it stayed so.
--- Waits in the injected context only.

local checks = require "ops.flow_checks"
local conform = require "base.conform"
local err = require "base.err"
local json = require "base.json"
local machine_shape = require "ops.schemas.machine"
local place = require "ops.flow_place"
local tbl = require "base.tbl"

local M = {}

--- What a row that uses `update` must name among its calls.
M.CALLS = tbl.flatten({ { "machines.get", "machines.update_once" }, place.ROOM })

--- A machine's config as it came.
---@class ops.Config
---@field machine table decoded
---@field text string of the config alone

--- Reads a machine with the text of its config.
---@async
---@param ctx op.Context
---@param at ops.Target
---@return ops.Config?
---@return err.Record?
function M.read(ctx, at)
  local text, e = ctx.call("machines.get", { app = at.app, id = at.id },
    { raw = true })
  if not text then
    return nil, e
  end
  local machine
  machine, e = json.decode(text)
  machine = conform.apply(machine, machine_shape, conform.report())
  if not machine then
    return nil, e or err.new({ kind = "protocol",
      message = ("machine %s is no object"):format(at.id) })
  end
  local config = json.get_raw(text, { "config" })
  if machine.host_status and machine.host_status ~= "ok" then
    return nil, err.new({
      kind = "conflict",
      message = ("the host of machine %s is %s; its config is not known now")
        :format(at.id, machine.host_status),
      hint = "try again when the host is back",
    })
  elseif not config or config == "null" then
    return nil, err.new({ kind = "protocol",
      message = ("machine %s came without its config"):format(at.id) })
  end
  return { machine = machine, text = config }
end

local function version_of(machine)
  return machine.instance_id or machine.version
end

-- The platform puts a machine back when its new version does not run.
local function check_kept(ctx, at, version)
  local machine, e = ctx.call("machines.get", { app = at.app, id = at.id })
  if not machine then
    return nil, e
  elseif version and version_of(machine) ~= version then
    return nil, err.new({
      kind = "server",
      message = ("machine %s was put back to its earlier version"):format(at.id),
      hint = ("its events tell why: clanker fly machines events %s --app %s")
        :format(at.id, at.app),
      detail = { wanted = version, version = version_of(machine) },
    })
  end
  return machine
end

local function outcome_of(at, machine, outcome)
  return {
    id = at.id, app = at.app, name = machine.name, region = machine.region,
    state = machine.state, outcome = outcome,
  }
end

-- Sends the changed config under the lease. A machine that does not run must
-- not start because of it.
local function send(ctx, at, read, text, more, lease)
  local is_running = read.machine.state == "started"
  local reply, e = ctx.call("machines.update_once", tbl.merge({
    app = at.app, id = at.id, config = json.raw(text),
    current_version = version_of(read.machine),
    skip_launch = not is_running or nil,
  }, more), { nonce = lease.nonce })
  if not reply and e.kind == "capacity" then
    local guest = json.decode(json.get_raw(text, { "guest" }) or "null")
    e = place.elsewhere(ctx, e, at, read.machine, type(guest) == "table" and guest or nil)
  end
  return reply, e
end

---@class ops.Update
---@field change fun(read: ops.Config): string?, err.Record? the new config text
---@field args table? more of the update's arguments
---@field always boolean? send it even when the config stays the same
---@field no_wait boolean?

-- Where a machine rests after an update: as before, but that what is suspended
-- cannot resume with another config.
local RESTS = { started = "started", stopped = "stopped", suspended = "stopped" }

-- Waits until the new version is there, runs as the old one did, passes its
-- checks, and is the one the platform kept.
local function settle(ctx, at, before, after)
  local version, state = version_of(after), RESTS[before.state]
  if state then
    local reached, why = ctx.wait({
      app = at.app, id = at.id, version = version, state = state,
    })
    if not reached then
      -- That it was put back says more than the state it is in.
      local _, reverted = check_kept(ctx, at, version)
      return nil, reverted or why
    end
  end
  local machine, e = check_kept(ctx, at, version)
  if not machine or state ~= "started" then
    return machine, e
  end
  local healthy, why = checks.wait(ctx, at, machine)
  return healthy and machine, why
end

-- Under the lease: what became of the machine.
local function update_leased(ctx, at, update, lease)
  local read, e = M.read(ctx, at)
  if not read then
    return nil, e
  end
  local text, why = update.change(read)
  if not text then
    return nil, why
  elseif text == read.text and not update.always then
    return outcome_of(at, read.machine, "unchanged")
  end
  local reply, failed = send(ctx, at, read, text, update.args or {}, lease)
  if not reply then
    return nil, failed
  elseif read.machine.state == "suspended" then
    ctx.notice(("machine %s was suspended; with its new config it is stopped,"
      .. " its memory is gone"):format(at.id))
  end
  if update.no_wait then
    return outcome_of(at, reply, "requested")
  end
  local machine, unkept = settle(ctx, at, read.machine, reply)
  return machine and outcome_of(at, machine, "done"), unkept
end

--- Updates one machine and waits until the new version runs (or, when it did
--- not run, is there). Success means that the platform kept it. The lease is
--- held until then.
---@async
---@param ctx op.Context
---@param at ops.Target
---@param update ops.Update
---@return table? outcome
---@return err.Record?
function M.update(ctx, at, update)
  return ctx.lease({ app = at.app, id = at.id }, function(lease)
    return update_leased(ctx, at, update, lease)
  end)
end

return M
