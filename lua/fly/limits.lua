--- Which token bucket a request draws from, and waiting for it.
--- The buckets live in an injected limiter; keys name no token and no secret.

local err = require "base.err"
local hints = require "fly.hints"

local M = {}

---@class fly.Bucket
---@field key string
---@field rate number requests per second
---@field burst integer

-- The published limits. That requests arrive less evenly than they leave is the
-- limiter's business, not a reason for other figures here.
local PLAIN = { rate = 1, burst = 3 }
local GENEROUS = { rate = 5, burst = 10 }

--- The row's `limit` field: its rate, and the argument that has its own bucket.
local CLASSES = {
  caller = { rates = PLAIN },
  app = { rates = PLAIN, args = { "app" } },
  machine = { rates = PLAIN, args = { "app", "id" } },
  machine_get = { rates = GENEROUS, args = { "app", "id" } },
}

---@param class table
---@param args table
---@return string
local function subject(class, args)
  local words = {}
  for i, name in ipairs(class.args or {}) do
    words[i] = tostring(args[name] or "")
  end
  return table.concat(words, "\0")
end

--- The bucket of one call; nil where no limit is published.
--- The API counts an action (method and path form), not a row: rows that make
--- the same request share the bucket.
---@param class string? the row's `limit`
---@param action string "GET /v1/apps/{app}"
---@param args table
---@param base string base URL
---@param fingerprint string of the token
---@return fly.Bucket?
function M.bucket(class, action, args, base, fingerprint)
  local found = CLASSES[class]
  if not found then
    return nil
  end
  local words = { base, fingerprint, action, subject(found, args) }
  return {
    key = table.concat(words, "\0"),
    rate = found.rates.rate,
    burst = found.rates.burst,
  }
end

local PER = {
  caller = "token", app = "app", machine = "machine", machine_get = "machine",
}

--- A row's limit in words, for people; nil where none is published.
---@param class string? the row's `limit`
---@return string?
function M.describe(class)
  local found = CLASSES[class]
  return found and ("%d a second per %s and action, bursts of %d"):format(
    found.rates.rate, PER[class], found.rates.burst)
end

--- Longer than this, in seconds, nobody waits whom no time limit ends: only a
--- server that refused closes a bucket for so long.
M.PATIENCE = 60

--- Waits until the bucket allows one request.
---@async
---@param limiter table sys.rate
---@param bucket fly.Bucket|false|nil
---@return boolean? granted, table? err
function M.acquire(limiter, bucket)
  if not bucket then
    return true
  end
  local delay = M.delay(limiter, bucket)
  if delay > M.PATIENCE then
    return nil, err.new {
      kind = "rate_limited",
      message = "the API asked for a pause, and it is not over",
      hint = hints.after("the API refuses more requests for now", delay),
    }
  end
  return limiter:acquire(bucket.key, bucket.rate, bucket.burst)
end

--- Seconds that `acquire` would wait now.
---@param limiter table sys.rate
---@param bucket fly.Bucket|false|nil
---@return number
function M.delay(limiter, bucket)
  return bucket and limiter:delay(bucket.key, bucket.rate, bucket.burst) or 0
end

--- The server refused: nobody draws from the bucket for that long.
---@param limiter table sys.rate
---@param bucket fly.Bucket|false|nil
---@param seconds number
function M.penalize(limiter, bucket, seconds)
  if bucket then
    limiter:penalize(bucket.key, seconds)
  end
end

return M
