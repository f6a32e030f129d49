--- Which failures are repeated, how long the pauses are, and when it ends.

local err = require "base.err"
local retry = require "fly.retry"
local t = require "kit"

local POLICY = retry.POLICY

local function state(fields)
  return {
    attempt = fields.attempt or 1, elapsed = fields.elapsed or 0,
    safe = fields.safe, remaining = fields.remaining,
  }
end

local function decide(fields, outcome, random)
  return retry.decide(POLICY, state(fields), outcome, random or 0.5)
end

local function failed(code, sent)
  return { err = err.new { kind = "network", code = code, message = code, sent = sent } }
end

t.test("a safe request is repeated after passing statuses only", function()
  for status = 200, 599 do
    local may = status == 408 or status == 429 or (status >= 502 and status <= 504)
    t.eq(decide({ safe = true }, { status = status }) ~= nil, may, "status " .. status)
  end
end)

t.test("a write is repeated after 429 only", function()
  for status = 200, 599 do
    t.eq(decide({ safe = false }, { status = status }) ~= nil, status == 429, "status " .. status)
  end
end)

t.test("a write is repeated only when it provably did not reach the server", function()
  t.ok(decide({ safe = false }, failed("ECONNREFUSED", false)))
  t.eq(decide({ safe = false }, failed("ECONNRESET", true)), nil)
  t.eq(decide({ safe = false }, failed("ECONNRESET", nil)), nil, "unknown counts as sent")
  t.ok(decide({ safe = true }, failed("ECONNRESET", true)))
end)

t.test("errors that a repetition cannot cure are final", function()
  for _, code in ipairs {
    "ETLS", "E2BIG", "EINVAL", "ECANCELED", "EPERM", "EPROTONOSUPPORT", "ENOSYS", "EAI_NONAME",
  } do
    t.eq(decide({ safe = true }, failed(code, false)), nil, code)
  end
end)

t.test("a status that is an answer is not repeated", function()
  t.eq(retry.decide(POLICY, {
    attempt = 1, elapsed = 0, safe = true, final = 408,
  }, { status = 408 }, 0.5), nil)
  t.ok(retry.decide(POLICY, {
    attempt = 1, elapsed = 0, safe = true, final = 408,
  }, { status = 503 }, 0.5))
end)

t.test("pauses are random below a doubling, capped bound", function()
  t.eq(decide({ safe = true }, { status = 503 }, 0), 0.0)
  for attempt, bound in ipairs { 0.25, 0.5, 1, 2 } do
    t.eq(decide({ safe = true, attempt = attempt }, { status = 503 }, 0.5), bound / 2)
  end
  local policy = { attempts = 50, connects = 50, base = 0.25, cap = 4, budget = 1e9 }
  t.eq(retry.decide(policy, state { safe = true, attempt = 40 }, { status = 503 }, 0.5), 2.0)
end)

t.test("429 waits what Retry-After says, else one second and jitter", function()
  t.eq(decide({ safe = false }, { status = 429 }, 0), 1)
  t.eq(decide({ safe = false }, { status = 429 }, 0.5), 1.5)
  t.eq(decide({ safe = false }, { status = 429, retry_after = 7 }, 0), 7.0)
end)

t.test("attempts, budget and the caller's deadline bound it", function()
  t.eq(decide({ safe = true, attempt = POLICY.attempts }, { status = 503 }), nil)
  t.eq(decide({ safe = true, elapsed = POLICY.budget }, { status = 503 }, 0.9), nil)
  t.eq(decide({ safe = true }, { status = 503, retry_after = 3600 }), nil)
  t.eq(decide({ safe = true, remaining = 1 }, { status = 429 }, 0.5), nil)
  t.ok(decide({ safe = true, remaining = 2 }, { status = 429 }, 0.5))
end)

t.test("Retry-After is read as seconds or as a date", function()
  local now = 784111777 -- Sun, 06 Nov 1994 08:49:37 GMT
  t.eq(retry.retry_after("5", now), 5)
  t.eq(retry.retry_after(" 0 ", now), 0)
  t.eq(retry.retry_after("Sun, 06 Nov 1994 08:50:07 GMT", now), 30)
  t.eq(retry.retry_after("Sun, 06 Nov 1994 08:00:00 GMT", now), 0, "the past is now")
  for _, odd in ipairs { "", "soon", "-1", "1.5", "Sun, 99 Foo 1994 08:49:37 GMT", "1e3" } do
    t.eq(retry.retry_after(odd, now), nil, odd)
  end
  t.eq(retry.retry_after(nil, now), nil)
  t.ok(retry.retry_after(("9"):rep(400), now) > 1e6, "no overflow")
end)

--- A clock that only the script moves.
local function script(outcomes, spec)
  local clock, slept, sent = 100, {}, 0
  local deps = {
    now = function() return clock end,
    wall = function() return 784111777 end,
    random = function() return 0.5 end,
    sleep = function(seconds)
      slept[#slept + 1] = seconds
      clock = clock + seconds
    end,
  }
  local reply, e = retry.run(deps, spec, function(attempt)
    sent = sent + 1
    t.eq(attempt, sent)
    local outcome = outcomes[math.min(sent, #outcomes)]
    clock = clock + (outcome.took or 0)
    if outcome.err then
      return nil, outcome.err
    end
    return { status = outcome.status, headers = outcome.headers or {} }
  end)
  return { reply = reply, err = e, slept = slept, sent = sent }
end

t.test("the driver sends until something else than a passing failure comes", function()
  local got = script({
    { status = 503 }, failed("ECONNRESET", true), { status = 200 },
  }, { safe = true })
  t.eq(got.reply.status, 200)
  t.eq(got.sent, 3)
  t.eq(got.slept, { 0.125, 0.25 })
end)

t.test("the driver gives the last reply or error when it gives up", function()
  local got = script({ { status = 503 } }, { safe = true })
  t.eq(got.reply.status, 503)
  t.eq(got.sent, POLICY.attempts)
  got = script({ failed("ECONNREFUSED", false) }, { safe = false })
  t.eq(got.err.code, "ECONNREFUSED")
  t.eq(got.sent, POLICY.connects)
end)

t.test("the driver keeps to the deadline of its caller", function()
  local got = script({ { status = 429, took = 1 } }, { safe = true, deadline = 104 })
  t.eq(got.reply.status, 429)
  t.eq(got.sent, 2)
end)

t.test("time spent waiting for leave to send is not held against the budget", function()
  local clock, waited = 0, 0
  local sent = 0
  local reply = retry.run({
    now = function() return clock end,
    wall = function() return 0 end,
    random = function() return 0 end,
    sleep = function(seconds) clock = clock + seconds end,
  }, {
    safe = true,
    admit = function()
      waited = waited + 1
      clock = clock + 500
      return true
    end,
  }, function()
    sent = sent + 1
    return { status = sent == 3 and 200 or 503 }
  end)
  t.eq(reply.status, 200)
  t.eq(waited, 3)
end)

t.test("leave that is refused ends it before anything is sent", function()
  local closed = err.new { kind = "canceled", code = "ECANCELED", message = "closed" }
  local got = script({}, { safe = true, admit = function()
    return nil, closed
  end })
  t.eq(got.err, closed)
  t.eq(got.sent, 0)
end)

t.test("a pause is announced with its reason", function()
  local told = {}
  script({ { status = 429, headers = { ["retry-after"] = "3" } }, { status = 200 } }, {
    safe = false,
    on_pause = function(seconds, reason)
      told[#told + 1] = { seconds, reason }
    end,
  })
  t.eq(told, { { 3.125, "status 429" } })
end)
