--- Keeps an account in a database file.
--- Every call blocks, within the store's bounds. What a request changed is
--- written in one transaction before it is answered: a crash loses nothing
--- that anybody was told.

local err = require "base.err"
local json = require "base.json"

local fs = require "sys.fs"
local store = require "sys.store"

local M = {}

local SCHEMA = {
  [[CREATE TABLE record (
      kind TEXT NOT NULL,
      id TEXT NOT NULL,
      body TEXT NOT NULL,
      PRIMARY KEY (kind, id)
    ) WITHOUT ROWID]],
}

-- The row that holds what is not a record.
local META = "meta"

---@class sim.Persist
---@field private db store.Db
---@field private lock fs.Lock
local Persist = {}
Persist.__index = Persist

-- Two accounts in one file would each overwrite what the other changed. The
-- kernel gives the lock back however the process ends.
---@async
local function lock_file(path)
  local lock, e = fs.lock((fs.realpath(path) or path) .. ".lock",
    { timeout = 0 })
  if not lock and e.code == "ETIMEDOUT" then
    return nil, err.new({
      kind = "conflict", code = "EBUSY",
      message = path .. ": another simulator keeps its account in this file",
      hint = "stop that one, or give this one a file of its own",
    })
  end
  return lock, e
end

-- A database of another program is left as it is.
local function check_tables(db, path)
  local tables, e = db:query(
    "SELECT name FROM sqlite_schema WHERE type = 'table'")
  if not tables then
    return nil, e
  end
  if #tables > 1 or tables[1] and tables[1].name ~= "record" then
    return nil, err.new({
      kind = "usage",
      message = path .. ": a database, but not one of a simulator",
      hint = "name a file that does not exist yet",
    })
  end
  return true
end

--- Opens the file, which is made when there is none. While it is open no other
--- simulator can have it.
---@async
---@param path string
---@return sim.Persist?
---@return err.Record?
function M.open(path)
  local db, e = store.open(path)
  if not db then
    return nil, e
  end
  local ok, lock
  ok, e = check_tables(db, path)
  if ok then
    lock, e = lock_file(path)
  end
  ok = nil
  if lock then
    ok, e = db:migrate(SCHEMA)
  end
  if ok then
    return setmetatable({ db = db, lock = lock }, Persist)
  end
  db:close()
  if lock then
    lock:release()
  end
  return nil, e
end

local function is_object(value)
  return type(value) == "table" and not json.is_array(value)
end

-- What is missing in a row's body; nil when it is whole.
local function flaw(row, saved)
  if not is_object(saved) then
    return "not an object"
  elseif row.kind == META then
    return not (is_object(saved.meta) and saved.meta.token
      and math.type(saved.meta.seq) == "integer" and saved.ids)
      and "incomplete" or nil
  elseif saved.id ~= row.id or math.type(saved.seq) ~= "integer" then
    return "incomplete"
  end
end

local function damaged(row, why)
  return nil, err.new({
    kind = "error",
    message = ("damaged record %s/%s: %s"):format(row.kind, row.id, why),
    hint = "remove the file; a new one starts from the seed",
  })
end

-- One row back into the world.
local function restore(world, row)
  local saved, e = json.decode(row.body)
  local why = e and e.message or flaw(row, saved)
  if why then
    return damaged(row, why)
  end
  if row.kind == META then
    world.meta = saved.meta
    world.ids.state = saved.ids
  else
    world:adopt(row.kind, saved)
  end
  return true
end

--- Fills an empty world with what the file holds.
---@param world sim.World
---@return boolean? found false when there is nothing in it
---@return err.Record?
function Persist:load(world)
  local rows, e = self.db:query("SELECT kind, id, body FROM record")
  if not rows then
    return nil, e
  end
  for _, row in ipairs(rows) do
    local ok
    ok, e = restore(world, row)
    if not ok then
      return nil, e
    end
  end
  if #rows > 0 and not world.meta.token then
    return damaged({ kind = META, id = META }, "missing")
  end
  return #rows > 0
end

local PUT = "INSERT OR REPLACE INTO record (kind, id, body) VALUES (?, ?, ?)"
local DELETE = "DELETE FROM record WHERE kind = ? AND id = ?"

local function write_kind(db, world, kind, ids)
  for id in pairs(ids) do
    local record = world:get(kind, id)
    local ok, e
    if record then
      ok, e = db:exec(PUT, { kind, id, json.encode(record) })
    else
      ok, e = db:exec(DELETE, { kind, id })
    end
    if not ok then
      return nil, e
    end
  end
  return true
end

local function write_all(db, world, dirty)
  for kind, ids in pairs(dirty) do
    local ok, e = write_kind(db, world, kind, ids)
    if not ok then
      return nil, e
    end
  end
  return db:exec(PUT, { META, META, json.encode({
    meta = world.meta, ids = world.ids.state,
  }) })
end

--- Writes what changed since the last call.
---@param world sim.World
---@return boolean? ok
---@return err.Record?
function Persist:flush(world)
  local dirty = world.dirty
  if dirty and next(dirty) == nil then
    return true
  end
  local ok, e = self.db:transaction(function(db)
    return write_all(db, world, dirty)
  end)
  if not ok then
    return nil, e
  end
  world.dirty = {}
  return true
end

--- Closes the file; twice is once.
function Persist:close()
  self.db:close()
  self.lock:release()
end

return M
