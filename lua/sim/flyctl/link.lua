--- Makes programs named flyctl and fly out of this one: symbolic links, in a
--- directory that goes with whoever asked for it.
--- Waits for a lock it gets at once.

local err = require "base.err"
local fs = require "sys.fs"
local os = require "sys.os"
local scratch = require "sys.scratch"
local tbl = require "base.tbl"

local M = {}

-- Both names that flyctl has: where one were missing, the real one would be
-- found behind it.
local NAMES = { "flyctl", "fly" }

-- What is searched when nothing is told.
local NO_PATH = "/usr/bin:/bin"

-- Where the links may be: in memory first, which is quicker. A colon would end the
-- directory within a PATH.
local function places()
  local all = scratch.in_memory()
  all[#all + 1] = scratch.temporary()
  return tbl.filter(all, function(place)
    return not place:find(":", 1, true)
  end)
end

-- This program under the other names, in a new directory.
---@async
local function make()
  local program, message, code = os.program()
  if not program then
    return nil, err.from_host(message, code)
  end
  local place, e = scratch.make(places(), "flyctl-")
  if not place then
    return nil, e
  end
  for _, name in ipairs(NAMES) do
    local ok, why = fs.symlink(program, place.path .. "/" .. name)
    if not ok then
      place.remove()
      return nil, why
    end
  end
  return place
end

-- Takes one directory out of our PATH, whatever else has come into it.
local function leave_path(directory)
  local rest = {}
  for one in (os.env("PATH") or ""):gmatch("[^:]+") do
    if one ~= directory then
      rest[#rest + 1] = one
    end
  end
  os.setenv("PATH", table.concat(rest, ":"))
end

---@class sim.flyctl.Link
---@field directory async fun(): string?, err.Record? of the programs, made when
---  first asked
---@field enter async fun(): true?, err.Record? puts it in front of our PATH: what
---  this process and its children call flyctl is the simulated one
---@field remove fun() takes it out again

---@return sim.flyctl.Link
function M.new()
  local place, is_entered
  local function directory()
    local e
    if not place then
      place, e = make()
    end
    return place and place.path, e
  end
  return {
    directory = directory,
    enter = function()
      local path, e = directory()
      if not path then
        return nil, e
      end
      is_entered = true
      os.setenv("PATH", path .. ":" .. (os.env("PATH") or NO_PATH))
      return true
    end,
    remove = function()
      if is_entered then
        leave_path(place.path)
      end
      if place then
        place.remove()
      end
      place, is_entered = nil, nil
    end,
  }
end

return M
