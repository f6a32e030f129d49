--- Doing something to machines: under their lease, until it is true, one or
--- many at a time.
--- Waits in the injected context only.

local checks = require "ops.flow_checks"
local err = require "base.err"
local flow = require "ops.flow"
local kinds = require "base.json.kinds"
local place = require "ops.flow_place"
local str = require "base.str"
local tbl = require "base.tbl"

local M = {}

--- What a row that uses `act` must name among its calls, beside the action's.
M.CALLS = tbl.flatten({ { "machines.get" }, place.ROOM })

---@class ops.Target
---@field app string
---@field id string of the machine

--- Something to do to a machine.
---@class ops.Action
---@field call string operation that does it; takes app and id
---@field args table? more of its arguments
---@field state string? the state it leads to, waited for unless `no_wait`
---@field shows (fun(now: table, before: table): boolean)? whether the machine's
--- record shows that it happened; waited for as well, where the state tells too
--- little
---@field result string? what `shows` shows, in words: "restarted"
---@field done (fun(machine: table): boolean)? whether there is nothing to do
---@field refuse (fun(machine: table): err.Record?)? why it cannot be done
---@field no_wait boolean?

--- Whether a machine is in one of the states.
---@param states string[]?
---@return (fun(machine: table): boolean)?
function M.is_in(states)
  local wanted = states and tbl.set(states)
  return wanted and function(machine)
    return wanted[machine.state] == true
  end
end

-- What a machine's row says of it, with what became of it.
local function outcome_of(target, machine, outcome, state)
  return {
    id = target.id, app = target.app, name = machine.name,
    region = machine.region, state = state or machine.state, outcome = outcome,
  }
end

local function reach(ctx, at, machine, action)
  if not action.state then
    return true
  end
  return ctx.wait({
    app = at.app, id = at.id, state = action.state,
    version = machine.instance_id, launched = action.state == "started",
  })
end

-- A machine that did what it was told to, but is not so any more.
local function gone_wrong(at, machine, action)
  return err.new({
    kind = "conflict",
    message = ("machine %s was %s, but is %s now"):format(at.id, action.result,
      machine.state),
    hint = ("its events tell why: clanker fly machines events %s --app %s"):format(
      at.id, at.app),
  })
end

-- Seconds for the record to show it, once the state is reached; and between two
-- looks.
local SECONDS, PAUSE = 60, 1

-- Waits for the state, and until the machine's record shows the change.
local function until_shown(ctx, at, before, action)
  local opts = {
    seconds = SECONDS, pause = PAUSE,
    what = ("nothing shows that machine %s was %s"):format(at.id, action.result),
  }
  local now, e = flow.poll(ctx, opts, function()
    local reached, why = reach(ctx, at, before, action)
    local seen
    if reached then
      seen, why = ctx.call("machines.get", at)
    end
    return seen and action.shows(seen, before) and seen or nil, why
  end)
  if now and action.state and now.state ~= action.state then
    return nil, gone_wrong(at, now, action)
  end
  return now, e
end

-- Waits until it is so.
local function settle(ctx, at, machine, action)
  local reached, e
  if action.shows then
    reached, e = until_shown(ctx, at, machine, action)
  else
    reached, e = reach(ctx, at, machine, action)
  end
  if reached and action.state == "started" then
    return checks.wait(ctx, at, machine)
  end
  return reached ~= nil or nil, e
end

-- Under the lease, so that nobody else changes the machine meanwhile: asks for
-- it, waits until it is so, and says what became of the machine.
local function carry_out(ctx, at, machine, action, lease)
  local e
  if not machine then
    machine, e = ctx.call("machines.get", at)
  end
  if not machine then
    return nil, e
  end
  local reply, failed = ctx.call(action.call, tbl.merge(at, action.args or {}),
    { nonce = lease.nonce })
  if not reply then
    return nil, place.elsewhere(ctx, failed, at, machine)
  elseif action.no_wait then
    return outcome_of(at, machine, "requested")
  end
  local settled, why = settle(ctx, at, machine, action)
  return settled and outcome_of(at, machine, "done", action.state), why
end

--- Does it, and says what became of the machine.
---@async
---@param ctx op.Context its row calls M.CALLS
---@param target ops.Target
---@param action ops.Action
---@return table? outcome
---@return err.Record?
function M.act(ctx, target, action)
  local at = { app = target.app, id = target.id }
  local machine, e
  if action.done or action.refuse then -- what needs no change needs no lease
    machine, e = ctx.call("machines.get", at)
    if not machine then
      return nil, e
    elseif action.done and action.done(machine) then
      return outcome_of(target, machine, "unchanged")
    end
    local refused = action.refuse and action.refuse(machine)
    if refused then
      return nil, refused
    end
  end
  return ctx.lease(at, function(lease)
    return carry_out(ctx, at, machine, action, lease)
  end)
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

--- Why an app without machines has none: it was never deployed. nil for others.
---@async
---@param ctx op.Context its row calls M.CALLS
---@param name string of the app
---@return err.Record?
function M.pending(ctx, name)
  local app = ctx.call("apps.get", { app = name })
  if not app or app.status ~= "pending" then
    return nil
  end
  return err.new({
    kind = "conflict",
    message = ("app %s is pending: it has no machines yet"):format(name),
    hint = "deploy it: clanker fly deploy --app " .. name,
  })
end

--- The machines meant by the arguments: those named, or with `all` those of
--- the app that are in one of the states. An app that is pending has none.
---@async
---@param ctx op.Context its row calls M.CALLS
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
  local pending = count == 0 and M.pending(ctx, args.app)
  if not count or pending then
    return nil, e or pending
  end
  return tbl.sort_by(targets, function(target)
    return target.id
  end)
end

return M
