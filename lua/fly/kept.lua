--- Answers that are asked for again and again: one request serves all who ask at
--- the same time, and its result is kept for a while. Waits in the given function.

local M = {}

---@class fly.Kept
---@field task table sys.task
---@field now fun(): number monotonic seconds
local Kept = {}
Kept.__index = Kept

---@param task table sys.task
---@param now fun(): number
---@return fly.Kept
function M.new(task, now)
  return setmetatable({ task = task, now = now, values = {}, running = {} }, Kept)
end

--- Waits for whoever is already asking.
---@async
---@param self fly.Kept
---@param key string
---@return table? other what it found; nil when nobody is asking
local function join(self, key)
  local other = self.running[key]
  while other do
    other.ended:wait()
    if other.value ~= nil or other.err ~= nil then
      return other
    end
    other = self.running[key] -- it was cancelled: perhaps somebody else tries
  end
  return nil
end

---@async
---@param self fly.Kept
---@param key string
---@param fn fun(): any, table?
---@return any value, table? err
local function ask(self, key, fn)
  local other = join(self, key)
  if other then
    return other.value, other.err
  end
  local mine = { ended = self.task.event() }
  self.running[key] = mine
  local _ <close> = setmetatable({}, { __close = function()
    self.running[key] = nil
    mine.ended:set()
  end })
  mine.value, mine.err = fn()
  return mine.value, mine.err
end

--- The value of fn, asked for at most once within `seconds`. Failures are not
--- kept. Callers share the value: they must not change it.
---@async
---@param key string
---@param seconds number
---@param fn fun(): any, table?
---@return any value, table? err
function Kept:get(key, seconds, fn)
  local known = self.values[key]
  if known and self.now() - known.at < seconds then
    return known.value
  end
  local value, e = ask(self, key, fn)
  if value ~= nil then
    self.values[key] = { value = value, at = self.now() }
  end
  return value, e
end

--- Forgets everything kept.
function Kept:clear()
  self.values = {}
end

return M
