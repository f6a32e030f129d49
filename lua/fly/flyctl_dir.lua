--- Directories for flyctl alone: private, in memory where there is such a place,
--- wiped when they close. What a killed clanker left behind goes with the next
--- one. Waits for locks it gets at once.

local err = require "base.err"
local fs = require "sys.fs"
local scratch = require "sys.scratch"

local M = {}

local PREFIX = "fly-"

--- A directory in it, to run in: no fly.toml of another app is there.
local EMPTY = "/empty"

---@class fly.FlyctlDir
---@field path string
---@field cwd string an empty directory in it
---@field scratch sys.Scratch
local Dir = {}
Dir.__index = Dir

---@async
---@param places string[]
---@return fly.FlyctlDir?, err.Record?
local function make(places)
  local made, e = scratch.make(places, PREFIX)
  if not made then
    return nil, e
  end
  local ok
  ok, e = fs.mkdir(made.path .. EMPTY)
  if not ok then
    made.remove()
    return nil, e
  end
  return setmetatable({
    path = made.path, cwd = made.path .. EMPTY, scratch = made,
  }, Dir)
end

--- Whether there is a place in memory that can be written to.
---@async
---@return true?, err.Record?
function M.is_in_memory()
  local dir <close> = make(scratch.in_memory())
  if not dir then
    return nil, err.new {
      kind = "error",
      message = "flyctl would write the values into a log file on disk",
      hint = "use --via api, or set XDG_RUNTIME_DIR to a directory in memory",
    }
  end
  return true
end

--- A new one, in memory where that is possible. Close it.
---@async
---@return fly.FlyctlDir?, err.Record?
function M.open()
  local places = scratch.in_memory()
  places[#places + 1] = scratch.temporary()
  return make(places)
end

--- Wipes it.
function Dir:close()
  self.scratch.remove()
end

Dir.__close = Dir.close

return M
