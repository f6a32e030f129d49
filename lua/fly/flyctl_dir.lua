--- Directories for flyctl alone: private, in memory where there is such a place,
--- wiped when they close. What a killed clanker left behind goes with the next
--- one. Waits for nobody.

local err = require "base.err"
local fs = require "sys.fs"
local os = require "sys.os"

local M = {}

--- Places that may be in memory: what is wiped there was never on a disk.
local MEMORY = { "XDG_RUNTIME_DIR", "/dev/shm" }

local PREFIX = "clanker-fly-"
local PRIVATE = tonumber("700", 8)

--- Held while the directory is in use; the kernel releases it with the process.
local LOCK = ".clanker"

--- A directory in it, to run in: no fly.toml of another app is there.
local EMPTY = "empty"

--- Seconds in which whoever makes a directory has locked it.
local YOUNG = 60

--- Names that are tried: another clanker may sweep one before it is locked.
local TRIES = 3

---@class fly.FlyctlDir
---@field path string
---@field cwd string an empty directory in it
---@field lock fs.Lock?
local Dir = {}
Dir.__index = Dir

---@return string? base
local function memory_place()
  for _, place in ipairs(MEMORY) do
    local base = place:find("^/") and place or os.env(place)
    if base and base:find("^/") and fs.in_memory(base) then
      return base
    end
  end
end

---@param base string
---@return string? path, err.Record?
local function new_path(base)
  local bytes, e = os.random(12)
  local path = bytes and base .. "/" .. PREFIX .. bytes:gsub(".", function(c)
    return ("%02x"):format(c:byte())
  end)
  local made
  if path then
    made, e = fs.mkdir(path, PRIVATE)
  end
  return made and path, e
end

-- One in that place; in the directory for temporary files if it is nil.
---@async
---@param base string?
---@return fly.FlyctlDir?, err.Record?
local function make(base)
  local path, e
  if base then
    path, e = new_path(base)
  else
    path, e = fs.tmpdir(PREFIX)
  end
  if not path then
    return nil, e
  end
  local dir = setmetatable({ path = path, cwd = path .. "/" .. EMPTY }, Dir)
  local made
  dir.lock, e = fs.lock(path .. "/" .. LOCK, { timeout = 0 })
  if dir.lock then
    made, e = fs.mkdir(dir.cwd, PRIVATE)
  end
  if not made then
    dir:close()
    return nil, e
  end
  return dir
end

-- Whether nobody has the directory any more.
---@async
local function is_left(path)
  local stat = fs.stat(path, true)
  if not stat or stat.type ~= "directory" or stat.uid ~= os.uid() then
    return false
  elseif not fs.exists(path .. "/" .. LOCK) then
    return os.wall() - stat.mtime > YOUNG
  end
  local lock = fs.lock(path .. "/" .. LOCK, { timeout = 0 })
  if lock then
    lock:release()
  end
  return lock ~= nil
end

-- Wipes what other clankers of this user left beside it when they were killed.
---@async
---@param dir fly.FlyctlDir
local function sweep(dir)
  local base = dir.path:match("^(.*)/")
  for _, name in ipairs(fs.list(base) or {}) do
    local path = base .. "/" .. name
    if name:find("^clanker%-fly%-%w+$") and path ~= dir.path and is_left(path) then
      fs.wipe(path)
    end
  end
end

--- Whether there is a place in memory that can be written to.
---@async
---@return true?, err.Record?
function M.is_in_memory()
  local base = memory_place()
  local dir = base and make(base)
  if not dir then
    return nil, err.new {
      kind = "error",
      message = "flyctl would write the values into a log file on disk",
      hint = "use --via api, or set XDG_RUNTIME_DIR to a directory in memory",
    }
  end
  dir:close()
  return true
end

--- A new one, in memory where that is possible. Close it.
---@async
---@return fly.FlyctlDir?, err.Record?
function M.open()
  local base = memory_place()
  local dir, e
  for _ = 1, TRIES do
    dir = base and make(base)
    if not dir then
      dir, e = make(nil)
    end
    if dir then
      sweep(dir)
      return dir
    end
  end
  return nil, e
end

--- Wipes it.
function Dir:close()
  fs.wipe(self.path)
  if self.lock then
    self.lock:release()
  end
end

Dir.__close = Dir.close

return M
