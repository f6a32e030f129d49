-- Bulk work draws no 429 from an account that enforces the limits. Pace is not
-- measured here (tests/bench/limits_bench.lua does): both sides' clocks go
-- faster together.

local rate = require "sys.rate"
local os = require "sys.os"
local t = require "kit"
local task = require "sys.task"
local worlds = require "writes.world"

-- How much faster than life.
local SPEED = 8

-- A limiter on the fast clock. A loaded machine delays requests by real time,
-- hence more jitter than the real one's; more than a burst's time (3 intervals)
-- would cost pace.
local function fast_limiter()
  local limiter = assert(rate.open(nil, { jitter = 2.4 / SPEED }))
  t.cleanup(function()
    limiter:close()
  end)
  return {
    acquire = function(_, key, per_second, burst)
      return limiter:acquire(key, per_second * SPEED, burst)
    end,
    delay = function()
      return 0
    end,
    penalize = function()
      error("a 429 was seen")
    end,
  }
end

-- An account that counts what it refused.
local function open(apps)
  local started = os.wall()
  local account = worlds.open({
    limits = true, seed = { tokens = {}, addons = {}, apps = apps },
    now = function()
      return started + (os.wall() - started) * SPEED
    end,
    client = { limiter = fast_limiter() },
  })
  local handle = account.running.account.handle
  account.refused = 0
  function account.running.account.handle(self, req)
    local status, headers, body, ending = handle(self, req)
    account.refused = account.refused + (status == 429 and 1 or 0)
    return status, headers, body, ending
  end
  return account
end

local function machines(count)
  local list = {}
  for i = 1, count do
    list[i] = { region = "iad", config = { image = "nginx" } }
  end
  return list
end

t.test("the machines of 100 apps, app by app", function()
  local apps = {}
  for i = 1, 100 do
    apps[i] = { name = ("app-%03d"):format(i), org = "acme", machines = machines(1) }
  end
  local account = open(apps)
  t.eq(#account.expect("machines.list", { org = "acme" }), 100)
  for _, app in ipairs(apps) do
    account.client:call("machines.list", { app = app.name })
  end
  t.eq(account.refused, 0)
end)

t.test("50 machines restart, one by one and many at a time", function()
  local account = open({ { name = "many", org = "acme", machines = machines(50) } })
  for _, parallel in ipairs({ 1, 50 }) do
    local rows = account.expect("apps.restart", { app = "many", parallel = parallel })
    t.eq(#rows, 50)
  end
  t.eq(account.refused, 0)
  account.no_lease()
end)

t.test("200 machines are made in one app", function()
  local account = open({ { name = "many", org = "acme" } })
  local names = {}
  for i = 1, 200 do
    names[i] = "made-" .. i
  end
  -- So many at a time that the bucket is what they wait for, and so few that one
  -- which was let go is not held up by the work of all others.
  task.map(names, 20, function(name)
    account.expect("machines.create",
      { app = "many", image = "nginx", region = "iad", name = name })
  end)
  t.eq(#account.world:list("machine", "many"), 200)
  t.eq(account.refused, 0)
end)
