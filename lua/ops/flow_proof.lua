--- What a machine's record shows of a change that its state does not tell.
--- Pure.

local tbl = require "base.tbl"

local M = {}

-- An event's name: its id, or where it has none what it says.
local function key_of(event)
  return event.id or ("%s %s %s"):format(event.timestamp, event.type, event.status)
end

local function events_of(machine)
  return type(machine.events) == "table" and machine.events or {}
end

-- A run of it has begun: it came to be started, or is since it ended or started.
local function begins_run(event, now)
  return event.status == "started"
    or (event.type == "start" or event.type == "exit") and now.state == "started"
end

--- Whether a machine was restarted since it was looked at before: "started"
--- alone was true then as well. A record without events shows it by its date.
---@param now table
---@param before table
---@return boolean
function M.restarted(now, before)
  local events = events_of(now)
  if #events == 0 then
    return now.state == "started" and now.updated_at ~= before.updated_at
  end
  local known = tbl.set(tbl.map(events_of(before), key_of))
  for _, event in ipairs(events) do -- newest first
    if known[key_of(event)] then
      return false
    elseif begins_run(event, now) then
      return true
    end
  end
  return false
end

--- Whether the proxy sends no requests to the machine.
---@param now table
---@return boolean
function M.cordoned(now)
  return now.cordoned == true
end

--- Whether it is certain that nothing has to be done for that.
---@param now table
---@return boolean
function M.surely_uncordoned(now)
  return now.cordoned == false
end

--- Whether the proxy sends requests to the machine. A machine that is not
--- cordoned may come without the field.
---@param now table
---@return boolean
function M.uncordoned(now)
  return now.cordoned ~= true
end

return M
