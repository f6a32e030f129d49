--- A SQLite database: prepared statements, transactions, schema versions.
--- Nothing here waits for other tasks, but every call blocks, within bounds.

local err = require "base.err"
local host = require "host.store"

local M = {}

---@class store.Db
---@field private handle host.store.Db
local Db = {}
Db.__index = Db

--- Opens the database in the file at `path` (created with mode 0600), or one in
--- memory for ":memory:". Codes: ECORRUPT, EBUSY, ENOENT, EACCES, EISDIR, …
---@param path string
---@param opts { max_steps: integer?, busy_ms: integer? }? bounds below the usual
---@return store.Db?
---@return err.Record?
function M.open(path, opts)
  local handle, message, code = host.open(path, opts)
  if not handle then
    return nil, err.from_host(message, code)
  end
  return setmetatable({ handle = handle }, Db)
end

--- Marks a string to be stored as a blob instead of text.
---@type fun(bytes: string): host.store.Blob
M.blob = host.blob

--- Runs one statement: the number of rows it changed and the row id it inserted.
--- Codes: ECONSTRAINT, EBUSY, ECORRUPT, ETIMEDOUT, E2BIG, EINVAL.
---@param sql string
---@param params table? by position, or by name without the sign; absent is NULL
---@return integer?
---@return integer|err.Record
function Db:exec(sql, params)
  local changes, rowid, code = self.handle:exec(sql, params)
  if not changes then
    return nil, err.from_host(rowid, code)
  end
  return changes, rowid
end

--- The rows one statement gives, as name → value; a NULL column is absent.
---@param sql string
---@param params table?
---@return table[]?
---@return err.Record?
function Db:query(sql, params)
  return err.outcome(self.handle:query(sql, params))
end

--- The first row of a query: a table, false when there is none, or nil and the
--- error.
---@param sql string
---@param params table?
---@return table|false|nil
---@return err.Record?
function Db:row(sql, params)
  local rows, e = self:query(sql, params)
  if not rows then
    return nil, e
  end
  return rows[1] or false
end

--- Calls `fn(db)` in a transaction and returns what it returns (true for
--- nothing). An error, or `nil, err` returned, rolls back. Inside, nothing may
--- wait and no other transaction begin.
---@param fn fun(db: store.Db): ...
---@return any ...
function Db:transaction(fn)
  local function settle(value, e, code, ...)
    if value == nil and type(e) == "string" and type(code) == "string" then
      return nil, err.from_host(e, code)
    end
    return value, e, code, ...
  end
  return settle(self.handle:transaction(function()
    return fn(self)
  end))
end

--- Brings the schema up to date. Step i is a script that makes version i of
--- version i - 1; a step that was released is never changed again.
---@param steps string[]
---@return integer? version
---@return err.Record?
function Db:migrate(steps)
  return err.outcome(self.handle:migrate(steps))
end

--- Closes the database; twice is once.
function Db:close()
  self.handle:close()
end

Db.__close = Db.close

return M
