--- Directories for as long as a process needs them: private, wiped by their
--- user, and by the next one where a crash left them.
--- Waits for locks it gets at once; `nil, err` where there is no place.

local err = require "base.err"
local fs = require "sys.fs"
local os = require "sys.os"

local M = {}

---@class sys.Scratch
---@field path string
---@field remove fun() also what it contains; once more does nothing

local PRIVATE = tonumber("700", 8)

-- Names looked at for what was left behind, and tries for a place that goes
-- while it is entered: whoever was alone there takes it along.
local MOST, TRIES = 1000, 50

-- Tries to empty a directory.
local WIPES = 4

-- All scratch directories of a user are in one, so that those left behind are
-- found without a look at everything else. nil when that is not ours alone; the
-- second result: because somebody has just removed it.
local function common(base)
  local path = ("%s/clanker-%d"):format(base, os.uid())
  local made, e = fs.mkdir(path, PRIVATE)
  local stat = fs.stat(path, true)
  local is_ours = stat and stat.type == "directory" and stat.uid == os.uid()
    and stat.mode & tonumber("077", 8) == 0
  return is_ours and path or nil, not stat and (made or e.code == "EEXIST")
end

local function random_name(prefix)
  local bytes, message, code = os.random(12)
  if not bytes then
    return nil, err.from_host(message, code)
  end
  return prefix .. bytes:gsub(".", function(c)
    return ("%02x"):format(c:byte())
  end)
end

-- Removes a directory whose lock is held, the lock last: what still has one is
-- found by the next sweep.
local function discard(path, lock)
  for _ = 1, WIPES do -- somebody who is being killed may still write there
    if fs.wipe(path) or not fs.exists(path) then
      break
    end
  end
  if not fs.exists(path) then
    fs.remove(path .. ".lock")
  end
  lock:release()
end

-- A directory whose lock nobody holds belongs to a process that is no more.
---@async
local function sweep(place)
  for _, name in ipairs(fs.list(place, MOST) or {}) do
    local stem = name:match("^(.+)%.lock$")
    local lock = stem and fs.lock(place .. "/" .. name, { timeout = 0 })
    if lock then
      discard(place .. "/" .. stem, lock)
    end
  end
end

-- The lock comes first: a directory without one would be nobody's.
---@async
local function enter(place, name)
  local path = place .. "/" .. name
  local lock, e = fs.lock(path .. ".lock")
  local made
  if lock then
    made, e = fs.mkdir(path, PRIVATE)
  end
  if made then
    return path, lock
  elseif lock then
    discard(path, lock)
  end
  return nil, e
end

---@async
local function make_in(base, name)
  local e
  for _ = 1, TRIES do
    local place, is_gone = common(base)
    if not place and not is_gone then
      return nil, err.new({
        kind = "error", code = "EACCES",
        message = ("%s: no place for a private directory"):format(base),
      })
    end
    local path, lock
    if place then
      sweep(place)
      path, lock = enter(place, name)
    end
    if path then
      return { path = path, remove = function()
        if lock then
          discard(path, lock)
          fs.remove(place) -- the last one out; else it is not empty
          lock = nil
        end
      end }
    end
    e = lock
  end
  return nil, e
end

--- Makes a directory in the first of these places where that is possible.
---@async
---@param bases string[] directories
---@param prefix string of its name
---@return sys.Scratch?
---@return err.Record?
function M.make(bases, prefix)
  local name, e = random_name(prefix)
  for _, base in ipairs(name and bases or {}) do
    local made
    made, e = make_in(base, name)
    if made then
      return made
    end
  end
  return nil, e
end

--- Where temporary files go.
---@return string
function M.temporary()
  local path = os.env("TMPDIR")
  return path and path:find("^/") and path:gsub("(.)/+$", "%1") or "/tmp"
end

--- Where files are in memory: what is removed there was never on a disk. Whatever
--- the places are called, they are looked at.
---@return string[]
function M.in_memory()
  local found = {}
  for _, place in ipairs({ os.env("XDG_RUNTIME_DIR") or "", "/dev/shm" }) do
    if place:find("^/") and fs.in_memory(place) then
      found[#found + 1] = place
    end
  end
  return found
end

return M
