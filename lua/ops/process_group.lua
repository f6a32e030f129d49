--- Process groups: what a deploy made a machine for.
--- Pure.

local tbl = require "base.tbl"

local M = {}

--- Machines that nobody counts: they are gone, or nearly.
M.GONE = tbl.set({ "destroyed", "destroying", "replaced", "migrated" })

--- The group of a machine whose deploy named none.
M.DEFAULT = "app"

local function metadata_of(machine)
  local metadata = tbl.get(machine, "config.metadata")
  return type(metadata) == "table" and metadata or {}
end

--- The process group of a machine.
---@param machine table decoded
---@return string
function M.of(machine)
  return metadata_of(machine).fly_process_group or M.DEFAULT
end

--- Whether a deploy made it: flyctl scales no other machines.
---@param machine table decoded
---@return boolean
function M.is_deployed(machine)
  return metadata_of(machine).fly_platform_version == "v2"
end

return M
