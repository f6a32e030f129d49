--- Token buckets that tasks, and processes side by side, share.
--- acquire() waits; open() touches the file. Everything else returns at once.

local err = require "base.err"
local host = require "host.rate"

local M = {}

---@class rate.Limiter
---@field private handle host.rate.Limiter
local Limiter = {}
Limiter.__index = Limiter

--- Opens the buckets in the file at `path`, shared by every process that opens
--- it, or (without a path) buckets of this process alone. `jitter` is how many
--- seconds later than it was granted a request may reach the server; what is
--- asked for always leaves that much room.
---@param path string?
---@param opts { jitter: number? }?
---@return rate.Limiter?
---@return err.Record?
function M.open(path, opts)
  local handle, message, code = host.open(path, opts and opts.jitter)
  if not handle then
    return nil, err.from_host(message, code)
  end
  return setmetatable({ handle = handle }, Limiter)
end

--- Waits until `n` (1) requests of the kind `key` may start. Call it right before
--- sending. One key is always used with one limit.
---@async
---@param key string
---@param per_second number
---@param burst integer
---@param n integer?
---@return true?
---@return err.Record?
function Limiter:acquire(key, per_second, burst, n)
  return err.outcome(self.handle:acquire(key, per_second, burst, n))
end

--- Seconds until `n` (1) requests could start; takes nothing.
---@param key string
---@param per_second number
---@param burst integer
---@param n integer?
---@return number
function Limiter:delay(key, per_second, burst, n)
  return self.handle:delay(key, per_second, burst, n)
end

--- Lets nothing of that kind start for some seconds (at most an hour): the server
--- refused. For all processes that share the file.
---@param key string
---@param seconds number
function Limiter:penalize(key, seconds)
  self.handle:penalize(key, seconds)
end

--- Ends all waits (they return an error) and closes the file.
function Limiter:close()
  self.handle:close()
end

Limiter.__close = Limiter.close

return M
