--- Sizes of machines as flyctl's flags name them.
--- Pure.

local flyctl = require "sim.flyctl"
local guests = require "sim.guests"
local tbl = require "base.tbl"

local M = {}

--- Whether a size is asked for.
---@param flags table<string, any>
---@return boolean
function M.is_asked(flags)
  return (flags["vm-size"] or flags["vm-memory"] or flags["vm-cpus"]
    or flags["vm-cpu-kind"]) ~= nil
end

-- "512", "512mb", "2gb" → megabytes.
local function megabytes(text)
  local number, unit = tostring(text):lower():match("^(%d+)%s*(%a*)$")
  local factor = ({ [""] = 1, mb = 1, gb = 1024 })[unit]
  return number and factor and math.tointeger(tonumber(number)) * factor
end

--- The guest that the flags ask for, over the one there is.
---@param flags table<string, any>
---@param current table?
---@return table? guest
---@return err.Record?
function M.resolve(flags, current)
  local guest = tbl.copy(current or guests.preset("shared-cpu-1x"))
  local size = flags["vm-size"]
  if size then
    guest = guests.preset(size)
    if not guest then
      return flyctl.fail("machine size %q is not valid", size)
    end
  end
  guest.cpus = flags["vm-cpus"] or guest.cpus
  guest.cpu_kind = flags["vm-cpu-kind"] or guest.cpu_kind
  if flags["vm-memory"] then
    guest.memory_mb = megabytes(flags["vm-memory"])
    if not guest.memory_mb then
      return flyctl.fail("invalid memory size %q", tostring(flags["vm-memory"]))
    end
  end
  local checked, wrong = guests.normalize(guest)
  if not checked then
    return flyctl.fail("%s", wrong.message)
  end
  return checked
end

--- The name of a guest's size: its preset's.
---@param guest table
---@return string
function M.name(guest)
  local prefix = guest.cpu_kind == "performance" and "performance" or "shared-cpu"
  return ("%s-%dx"):format(prefix, guest.cpus)
end

return M
