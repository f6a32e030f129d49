--- Runs an operation: `clanker fly …`.
--- Waits.

local consent = require "cli.consent"
local list = require "cli.list"
local opkit = require "opkit"
local progress = require "cli.progress"
local registry = require "opkit.registry"
local result = require "cli.result"
local session = require "cli.session"
local stream = require "cli.stream"
local target = require "cli.target"
local task = require "sys.task"

local M = {}

-- Operations with arguments that this face makes out of others.
local READERS = {
  ["certs.add"] = "cli.cert_files", ["secrets.set"] = "cli.secret_values",
}

-- Operations whose lists are printed in a way of their own.
local PRINTERS = { ["logs.show"] = "cli.logs" }

---@async
local function read_values(call)
  local reader = READERS[call.row.id]
  if not reader then
    return true
  end
  return require(reader).read(call)
end

-- Where credentials go that the operation makes; nil when it makes none.
local function credentials_place(call)
  if call.row.sensitive then
    return require("cli.once").place(call)
  end
end

-- Names the target, asks where that is needed, and does it.
---@async
local function carry_out(call, account, selection, place)
  local named, missing = target.name(call, account)
  if not named then
    return nil, missing
  end
  local agreed, refusal = consent.check(call, account)
  if not agreed then
    return nil, refusal
  end
  if stream.is_streamed(call.row) then
    return stream.run(call, account)
  end
  local printer = selection and PRINTERS[call.row.id]
  if printer then
    return require(printer).print(call, account, selection)
  end
  local _ <close> = progress.start(call.out, opkit.paths(call.row)[1])
  if place then
    return require("cli.once").print(call, account, place)
  end
  return result.print(call, account, selection)
end

-- Says, when it is interrupted, what a change may have come to by then.
local function watch_interrupt(call, account)
  return setmetatable({}, { __close = function(_, e)
    local begun = account.client.begun
    if not begun or not task.is_canceled(e) then
      return
    end
    local made = begun.made and registry.resource(begun.op.resource).singular
    call.out:note(made and ("interrupted: %s %s is there already"):format(made, begun.made)
      or "interrupted: what was begun may be done all the same, look before you repeat it")
  end })
end

--- Runs the operation of the call.
---@async
---@param call cli.Call
---@return integer|true|nil exit_code
---@return err.Record?
function M.run(call)
  local ready, wrong = read_values(call)
  if not ready then
    return nil, wrong
  end
  local selection, unfit = list.selection(call)
  if unfit then
    return nil, unfit
  end
  local place <close>, unplaced = credentials_place(call)
  if unplaced then
    return nil, unplaced
  end
  local account <close>, e = session.open(call)
  if not account then
    return nil, e
  end
  local _ <close> = watch_interrupt(call, account)
  local code, failure = carry_out(call, account, selection, place)
  if failure and call.row.effect ~= "read" and failure.kind ~= "declined" then
    -- What keeps a change from being made came of what was last answered.
    failure.request_id = failure.request_id or account.request_id
  end
  return code, failure
end

return M
