--- Doing something to machines: under their lease, until it is true, one or
--- many at a time.
--- Waits in the injected context only.

local checks = require "ops.flow_checks"
local err = require "base.err"
local kinds = require "base.json.kinds"
local str = require "base.str"
local tbl = require "base.tbl"

local M = {}

---@class ops.Target
---@field app string
---@field id string of the machine

--- Something to do to a machine.
---@class ops.Action
---@field call string operation that does it; takes app and id
---@field args table? more of its arguments
---@field state string? the state it leads to, waited for unless `no_wait`
---@field done table<string, true>? states in which there is nothing to do
---@field refuse (fun(machine: table): err.Record?)? why it cannot be done
---@field no_wait boolean?

-- What a machine's row says of it, with what became of it.
local function outcome_of(target, machine, outcome, state)
  return {
    id = target.id, app = target.app, name = machine.name,
    region = machine.region, state = state or machine.state, outcome = outcome,
  }
end

-- Asks for it under the lease, and waits until it is so: nobody else changes
-- the machine meanwhile.
local function carry_out(ctx, at, machine, action, lease)
  local reply, e = ctx.call(action.call, tbl.merge(at, action.args or {}),
    { nonce = lease.nonce })
  if not reply then
    return nil, e
  elseif not action.state or action.no_wait then
    return true
  end
  local reached, why = ctx.wait({
    app = at.app, id = at.id, state = action.state,
    version = machine.instance_id, launched = action.state == "started",
  })
  if reached and action.state == "started" then
    return checks.wait(ctx, at, machine)
  end
  return reached ~= nil or nil, why
end

--- Does it, and says what became of the machine.
---@async
---@param ctx op.Context
---@param target ops.Target
---@param action ops.Action
---@return table? outcome
---@return err.Record?
function M.act(ctx, target, action)
  local at = { app = target.app, id = target.id }
  local machine, e = ctx.call("machines.get", at)
  if not machine then
    return nil, e
  elseif action.done and action.done[machine.state] then
    return outcome_of(target, machine, "unchanged")
  end
  local refused = action.refuse and action.refuse(machine)
  if refused then
    return nil, refused
  end
  local done, failed = ctx.lease(at, function(lease)
    return carry_out(ctx, at, machine, action, lease)
  end)
  if not done then
    return nil, failed
  elseif not action.state then
    return outcome_of(target, machine, "done")
  elseif action.no_wait then
    return outcome_of(target, machine, "requested")
  end
  return outcome_of(target, machine, "done", action.state)
end

-- "2 of 5 machines done; 1 failed (machine 1: lease held); 2 not tried"
local function partial(rows, noun, cause)
  local count = { done = 0, failed = 0, skipped = 0 }
  local first
  for _, row in ipairs(rows) do
    local key = count[row.outcome] and row.outcome or "done"
    count[key] = count[key] + 1
    first = first or (row.outcome == "failed" and row)
  end
  local message = ("%d of %s done; %d failed (%s: %s)"):format(count.done,
    str.count(#rows, noun), count.failed, first.id, first.error)
  if count.skipped > 0 then
    message = message .. ("; %d not tried"):format(count.skipped)
  end
  return err.new({
    kind = "partial", message = message, hint = cause.hint,
    status = cause.status, request_id = cause.request_id,
    detail = { results = rows },
  })
end

--- Does fn to every target, some at a time. After the first failure no new one
--- is begun; what was begun is ended. A failure of one target alone is its own
--- error; else it is "partial", with a row for each target in its detail.
---@async
---@param ctx op.Context
---@param targets ops.Target[]
---@param parallel integer? how many at a time; 1 unless told
---@param fn fun(target: ops.Target): table?, err.Record?
---@return table[]? rows
---@return err.Record?
function M.each(ctx, targets, parallel, fn)
  local failure
  local rows, e = ctx.map(targets, function(target)
    local row = { id = target.id, app = target.app, outcome = "skipped" }
    if failure then
      return row
    end
    local made, why = fn(target)
    if made then
      return made
    end
    failure = failure or why
    row.outcome, row.error = "failed", why.message
    return row
  end, parallel or 1)
  if not rows then
    return nil, e
  elseif failure and #targets == 1 then
    return nil, failure
  elseif failure then
    return nil, partial(rows, "machine", failure)
  end
  return kinds.array(rows)
end

--- The machines meant by the arguments: those named, or with `all` those of
--- the app that are in one of the states.
---@async
---@param ctx op.Context
---@param args { app: string, id: string[]?, all: boolean? }
---@param states table<string, true>
---@return ops.Target[]?
---@return err.Record?
function M.targets(ctx, args, states)
  local ids = args.id or {}
  if (#ids > 0) == (args.all == true) then
    return nil, err.new({
      kind = "usage",
      message = "name the machines, or say all: one of the two",
      hint = "give ids, or --all",
    })
  elseif #ids > 0 then
    return tbl.map(ids, function(id)
      return { app = args.app, id = id }
    end)
  end
  local targets = {}
  local count, e = ctx.call("machines.list_app", { app = args.app }, {
    each = function(machine)
      if states[machine.state] then
        targets[#targets + 1] = { app = args.app, id = machine.id }
      end
    end,
  })
  if not count then
    return nil, e
  end
  return tbl.sort_by(targets, function(target)
    return target.id
  end)
end

return M
