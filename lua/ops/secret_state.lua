--- Whether machines have an app's secrets as they are now.
--- Pure. The API does not say it; the time a machine's version was made does: a
--- version has the secrets as they were then.

local tbl = require "base.tbl"
local time = require "base.time"

local M = {}

local GONE = tbl.set({ "destroyed", "destroying", "replaced", "migrated" })

--- A ULID begins with its time: milliseconds in 10 digits of 5 bits.
local DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
local TIME_DIGITS = 10

--- Whether a machine is one of those an app runs on: not gone, and not made by
--- flyctl for a single command.
---@param machine table
---@return boolean
function M.is_lasting(machine)
  local group = tbl.get(machine, "config.metadata.fly_process_group")
  return not GONE[machine.state]
    and not (type(group) == "string" and group:find("^fly_app_"))
end

--- The version of an app's secrets that a reply to a change names.
---@param reply table
---@return integer?
function M.version_of(reply)
  local version = reply.version or reply.Version
  return math.type(version) == "integer" and version or nil
end

--- When a machine's version was made, in seconds; nil when its id does not tell.
---@param machine table
---@return number?
function M.made_at(machine)
  local id = machine.instance_id or machine.version
  if type(id) ~= "string" or not id:find("^%w+$") or #id ~= 26 then
    return nil
  end
  local ms = 0
  for i = 1, TIME_DIGITS do
    local digit = DIGITS:find(id:sub(i, i):upper(), 1, true)
    if not digit then
      return nil
    end
    ms = ms * 32 + digit - 1
  end
  return ms / 1000
end

--- "deployed" when all machines have a secret as it is, "staged" when none has,
--- else "partial"; nil when that cannot be known.
---@param secret { updated_at: string? }
---@param made_at number[] of the machines' versions
---@return "deployed"|"staged"|"partial"|nil
function M.status(secret, made_at)
  local changed = secret.updated_at and time.parse(secret.updated_at)
  if not changed then
    return nil
  end
  local have = 0
  for _, made in ipairs(made_at) do
    have = have + (made >= changed and 1 or 0)
  end
  if have == 0 then
    return "staged"
  end
  return have == #made_at and "deployed" or "partial"
end

return M
