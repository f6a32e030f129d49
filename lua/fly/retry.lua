--- When a failed request may be sent again, and after how long.
--- `decide` is pure; `run` waits, with clock, sleep and randomness injected.

local time = require "base.time"

local M = {}

---@class fly.RetryPolicy
---@field attempts integer how often a request is sent at most
---@field connects integer how often a connection is tried at most: a host that
--- cannot be reached is soon told
---@field base number seconds: the first pause is at most this long
---@field cap number seconds: no backoff pause is longer
---@field budget number seconds from the first attempt to the start of the last
local POLICY = { attempts = 5, connects = 3, base = 0.25, cap = 4, budget = 60 }
M.POLICY = POLICY

--- How one attempt ended: a status (a reply came) or an error (none did).
---@class fly.Outcome
---@field status integer?
---@field retry_after number? seconds the server asked to wait
---@field err table? record of sys.http

--- Where the attempts stand.
---@class fly.RetryState
---@field attempt integer how many were made
---@field elapsed number seconds since the first began
---@field safe boolean repeating it changes nothing: GET, GraphQL query
---@field final integer? a status that is an answer here, not a failure
---@field remaining number? seconds until the caller's own deadline

-- Replies after which a safe request is worth repeating.
local PASSING = { [408] = true, [429] = true, [502] = true, [503] = true, [504] = true }

-- Errors that a repetition would only repeat.
local FINAL = {
  ECANCELED = true, ETLS = true, E2BIG = true, EINVAL = true, EPERM = true,
  EPROTONOSUPPORT = true, ENOSYS = true, EAI_NONAME = true,
}

local MONTHS = {
  Jan = 1, Feb = 2, Mar = 3, Apr = 4, May = 5, Jun = 6,
  Jul = 7, Aug = 8, Sep = 9, Oct = 10, Nov = 11, Dec = 12,
}

--- Seconds from an HTTP date such as "Sun, 06 Nov 1994 08:49:37 GMT".
---@param text string
---@return number? seconds since 1970
function M.http_date(text)
  local day, name, year, clock =
    text:match("^%a+, (%d%d) (%a%a%a) (%d%d%d%d) (%d%d:%d%d:%d%d) GMT$")
  local month = MONTHS[name]
  if not month then
    return nil
  end
  return (time.parse(("%s-%02d-%sT%sZ"):format(year, month, day, clock)))
end

--- What a Retry-After header asks for: seconds, or a date.
---@param value string?
---@param wall number seconds since 1970, for dates
---@return number? seconds, never negative
function M.retry_after(value, wall)
  if type(value) ~= "string" then
    return nil
  end
  local digits = value:match("^%s*(%d+)%s*$")
  if digits then
    return #digits < 10 and tonumber(digits) or 1e9
  end
  local at = M.http_date(value)
  return at and math.max(0, at - wall) or nil
end

---@param state fly.RetryState
---@param outcome fly.Outcome
---@return string? reason nil when it may not be repeated
local function reason_to_repeat(state, outcome)
  local e = outcome.err
  if not e then
    if outcome.status == state.final then
      return nil
    end
    local may = outcome.status == 429 or (state.safe and PASSING[outcome.status])
    return may and ("status " .. outcome.status) or nil
  end
  if FINAL[e.code] or e.kind == "canceled" then
    return nil
  end
  if state.safe or e.sent == false then
    return e.code or e.kind
  end
  return nil
end

--- The pause before the next attempt: what the server asked for, one second
--- and more after a 429, else full jitter over a doubling bound.
---@param policy fly.RetryPolicy
---@param state fly.RetryState
---@param outcome fly.Outcome
---@param random number 0 <= random < 1
---@return number seconds
local function pause(policy, state, outcome, random)
  if outcome.retry_after then
    return outcome.retry_after + random * policy.base
  end
  if outcome.status == 429 then
    return 1 + random
  end
  return random * math.min(policy.cap, policy.base * 2 ^ (state.attempt - 1))
end

--- How many attempts there may be, after such an outcome.
---@param policy fly.RetryPolicy
---@param outcome fly.Outcome
---@return integer
local function most_attempts(policy, outcome)
  local never_left = outcome.err and outcome.err.sent == false
  return never_left and policy.connects or policy.attempts
end

--- Whether to try again: the pause in seconds and why, or nil.
---@param policy fly.RetryPolicy
---@param state fly.RetryState
---@param outcome fly.Outcome
---@param random number 0 <= random < 1
---@return number? seconds, string? reason
function M.decide(policy, state, outcome, random)
  local reason = reason_to_repeat(state, outcome)
  if not reason or state.attempt >= most_attempts(policy, outcome) then
    return nil
  end
  local seconds = pause(policy, state, outcome, random)
  if state.elapsed + seconds > policy.budget then
    return nil
  end
  if state.remaining and seconds >= state.remaining then
    return nil
  end
  return seconds, reason
end

---@class fly.RetryDeps
---@field now fun(): number monotonic seconds
---@field wall fun(): number seconds since 1970
---@field random fun(): number 0 <= x < 1
---@field sleep fun(seconds: number)

---@class fly.RetrySpec
---@field safe boolean
---@field final integer? a status that is never repeated
---@field deadline number? on the clock of `now`
---@field policy fly.RetryPolicy?
---@field admit (fun(): boolean?, table?)? waits for leave to send; that time is not
--- held against the budget; nil, err ends it
---@field on_pause fun(seconds: number, reason: string, outcome: fly.Outcome)? told before a pause

---@param deps fly.RetryDeps
---@param reply table?
---@param e table?
---@return fly.Outcome
local function outcome_of(deps, reply, e)
  if not reply then
    return { err = e }
  end
  local headers = type(reply.headers) == "table" and reply.headers or {}
  return { status = reply.status, retry_after = M.retry_after(headers["retry-after"], deps.wall()) }
end

--- Waits for leave to send.
---@return number? seconds waited, table? err
local function admit(deps, spec)
  if not spec.admit then
    return 0
  end
  local before = deps.now()
  local ok, e = spec.admit()
  if not ok then
    return nil, e
  end
  return deps.now() - before
end

--- Sends until there is a result to keep: the last reply (of any status) or
--- the last error.
---@async
---@param deps fly.RetryDeps
---@param spec fly.RetrySpec
---@param send fun(attempt: integer): table?, table? one exchange: reply | nil, err
---@return table? reply, table? err
function M.run(deps, spec, send)
  local policy = spec.policy or POLICY
  local started, attempt, waited = deps.now(), 0, 0
  while true do
    attempt = attempt + 1
    local wait, refused = admit(deps, spec)
    if not wait then
      return nil, refused
    end
    waited = waited + wait
    local reply, e = send(attempt)
    local outcome = outcome_of(deps, reply, e)
    local now = deps.now()
    local seconds, reason = M.decide(policy, {
      attempt = attempt,
      elapsed = now - started - waited,
      safe = spec.safe,
      final = spec.final,
      remaining = spec.deadline and spec.deadline - now,
    }, outcome, deps.random())
    if not seconds then
      return reply, e
    end
    if spec.on_pause then
      spec.on_pause(seconds, reason, outcome)
    end
    deps.sleep(seconds)
  end
end

return M
