--- Keeps an account in a database file.
--- Every call blocks, within the store's bounds. What a request changed is
--- written in one transaction before it is answered: a crash loses nothing
--- that anybody was told.

local err = require "base.err"
local json = require "base.json"

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
local Persist = {}
Persist.__index = Persist

--- Opens the file, which is made when there is none.
---@param path string
---@return sim.Persist?
---@return err.Record?
function M.open(path)
  local db, e = store.open(path)
  if not db then
    return nil, e
  end
  local version
  version, e = db:migrate(SCHEMA)
  if not version then
    db:close()
    return nil, e
  end
  return setmetatable({ db = db }, Persist)
end

-- One row back into the world.
local function restore(world, row)
  local saved, e = json.decode(row.body)
  if saved == nil then
    return nil, err.wrap(e, ("damaged record %s/%s"):format(row.kind, row.id))
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
end

return M
