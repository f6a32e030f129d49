--- Releases of apps: what was deployed, when, by whom.
--- Pure. Machines do not make releases; who deploys says so.

local problem = require "sim.problem"
local tbl = require "base.tbl"
local time = require "base.time"

local M = {}

---@class sim.Release: sim.Record
---@field owner string app name
---@field version integer
---@field status string
---@field stable boolean
---@field strategy string
---@field description string
---@field reason string
---@field image_ref string
---@field user string id
---@field created_at number
---@field updated_at number

--- An app's newest release.
---@param world sim.World
---@param app table a record
---@return sim.Release?
function M.current(world, app)
  local all = world:list("release", app.id)
  return all[#all]
end

---@class sim.ReleaseSpec
---@field image_ref string
---@field status string?
---@field stable boolean?
---@field strategy string?
---@field description string?
---@field user string
---@field definition any?

--- Adds a release with the next version.
---@param world sim.World
---@param app table a record
---@param spec table
---@return sim.Release
function M.add(world, app, spec)
  local last = M.current(world, app)
  return world:add("release", {
    id = world.ids:alnum(20), owner = app.id,
    version = (last and last.version or 0) + 1,
    status = spec.status or "complete",
    stable = spec.stable ~= false,
    strategy = spec.strategy or "ROLLING",
    description = spec.description or "Release",
    reason = "Deploy",
    image_ref = spec.image_ref, user = spec.user,
    definition = spec.definition,
    created_at = world:now(), updated_at = world:now(),
  })
end

---@param world sim.World
---@param release table a record
---@param status string
---@return sim.Release?
---@return sim.Problem?
function M.set_status(world, release, status)
  if not status:find("^[%l_]+$") then
    return problem.new(400, "invalid status: " .. status)
  end
  release.status = status
  release.stable = status == "complete"
  release.updated_at = world:now()
  world:touch("release", release)
  return release
end

--- Newest first.
---@param world sim.World
---@param app table a record
---@return sim.Release[]
function M.newest_first(world, app)
  local all = world:list("release", app.id)
  local out = {}
  for i = #all, 1, -1 do
    out[#out + 1] = all[i]
  end
  return out
end

local BUSY = tbl.set { "running", "pending" }

---@param release table a record
---@return boolean
function M.in_progress(release)
  return BUSY[release.status] or false
end

--- The release as the web API answers it.
---@param world sim.World
---@param release table a record
---@return table
function M.view(world, release)
  return {
    id = release.id, version = release.version, stable = release.stable,
    in_progress = M.in_progress(release), status = release.status,
    strategy = release.strategy, image_ref = release.image_ref,
    user = world:get("user", release.user).email,
    created_at = time.format(release.created_at),
  }
end

return M
