--- What the states of a volume mean.
--- Pure.

local tbl = require "base.tbl"

local M = {}

-- On the way to a volume that can be used.
local COMING = tbl.set({
  "creating", "pending_create", "restoring", "recovering", "extending",
  "enabling_remote_export", "forking",
})

-- On the way out: no longer anybody's, though for a while Fly can bring it back.
local LEAVING = tbl.set({
  "scheduling_destroy", "fork_cleanup", "waiting_for_detach",
  "pending_destroy", "destroying", "destroyed",
})

--- Whether it cannot be used yet.
---@param volume { state: string }
---@return boolean
function M.is_coming(volume)
  return COMING[volume.state] or false
end

--- Whether it can be mounted already while its data is still copied.
---@param volume { state: string }
---@return boolean
function M.is_copying(volume)
  return volume.state == "hydrating"
end

---@param volume { state: string }
---@return boolean
function M.is_leaving(volume)
  return LEAVING[volume.state] or false
end

--- The machine that mounts it.
---@param volume { attached_machine_id: string? }
---@return string? id
function M.machine_of(volume)
  local id = volume.attached_machine_id
  return id ~= "" and id or nil
end

return M
