--- The API's rate limits: one bucket per action and what it acts on.
--- Pure: time comes in as an argument.

local M = {}

-- Requests sent exactly at the allowed pace may arrive a little closer
-- together than they left; so much is forgiven.
local JITTER = 0.05

-- Buckets kept before those that are full again are forgotten.
local MAX_BUCKETS = 8192

---@class sim.Rate
---@field per_second number
---@field burst integer

--- The published classes: every action, and Get Machine alone.
---@type table<string, sim.Rate>
M.RATES = {
  action = { per_second = 1, burst = 3 },
  get_machine = { per_second = 5, burst = 10 },
  app_deletions = { per_second = 100 / 60, burst = 100 },
}

---@class sim.Limits
---@field private buckets table<string, number> when each is full again
---@field private count integer
local Limits = {}
Limits.__index = Limits

---@return sim.Limits
function M.new()
  return setmetatable({ buckets = {}, count = 0 }, Limits)
end

local function forget_full(limits, now)
  local count = 0
  for key, full_at in pairs(limits.buckets) do
    if full_at <= now then
      limits.buckets[key] = nil
    else
      count = count + 1
    end
  end
  limits.count = count
end

--- Counts one request against the bucket `key`.
---@param key string
---@param rate sim.Rate
---@param now number
---@return boolean allowed
---@return number? seconds until the next one is
function Limits:take(key, rate, now)
  local step = 1 / rate.per_second
  local full_at = self.buckets[key]
  if not full_at then
    self.count = self.count + 1
    if self.count > MAX_BUCKETS then
      forget_full(self, now)
    end
  end
  full_at = math.max(full_at or now, now)
  local wait = full_at - (rate.burst - 1) * step - now
  if wait > JITTER then
    return false, wait
  end
  self.buckets[key] = full_at + step
  return true
end

return M
