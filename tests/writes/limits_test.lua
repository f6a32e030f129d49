-- Bulk work draws no 429 from an account that enforces the limits, and takes
-- little more time than they make it. That time is the clock's: while all wait
-- for the limiter and nothing is on its way, both sides' clocks go forward.

local host = require "host.rate"
local http = require "sys.http"
local os = require "sys.os"
local t = require "kit"
local task = require "sys.task"
local worlds = require "writes.world"

-- The program's limiter, which knows who waits in it, on a clock that goes ahead.
local function new_limiter()
  local handle = assert(host.open(nil))
  t.cleanup(function()
    handle:close()
  end)
  local waiting = {}
  local limiter = { granted = 0, ahead = 0 }

  function limiter.acquire(_, key, per_second, burst)
    local entry = { key, per_second, burst }
    waiting[entry] = true
    local ok, message = handle:acquire(key, per_second, burst)
    waiting[entry] = nil
    limiter.granted = limiter.granted + 1
    return ok, message
  end

  function limiter.delay()
    return 0
  end

  function limiter.penalize()
    error("a 429 was seen")
  end

  --- Seconds until the first of those who wait may go; nil without any.
  function limiter.due()
    local least
    for entry in pairs(waiting) do
      local delay = handle:delay(table.unpack(entry))
      least = math.min(least or delay, delay)
    end
    return least
  end

  function limiter.skip(seconds)
    limiter.ahead = limiter.ahead + seconds
    handle:skip(seconds)
  end

  return limiter
end

-- Puts the clock forward over the time in which nothing can happen. What was
-- granted is sent in the loop's next turn: only what stays so for a turn counts.
local function drive(limiter, traffic)
  local before
  while true do
    task.sleep(0.001)
    local state = ("%d %d %d"):format(limiter.granted, traffic.sent, traffic.arrived)
    local due = traffic.sent == traffic.arrived and limiter.due()
    if due and due > 0 and state == before then
      limiter.skip(due)
    end
    before = state
  end
end

-- An account that counts what it refused.
local function open(apps)
  local limiter, traffic = new_limiter(), { sent = 0, arrived = 0 }
  local function now()
    return os.wall() + limiter.ahead
  end
  local account = worlds.open({
    limits = true, seed = { tokens = {}, addons = {}, apps = apps }, now = now,
    client = {
      limiter = limiter,
      http = function(request)
        traffic.sent = traffic.sent + 1
        return http.request(request)
      end,
    },
  })
  local handle = account.running.account.handle
  account.refused, account.now = 0, now
  function account.running.account.handle(self, req)
    traffic.arrived = traffic.arrived + 1
    local status, headers, body, ending = handle(self, req)
    account.refused = account.refused + (status == 429 and 1 or 0)
    return status, headers, body, ending
  end
  task.spawn(drive, limiter, traffic)
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
  local started = account.now()
  task.map(names, 20, function(name)
    account.expect("machines.create",
      { app = "many", image = "nginx", region = "iad", name = name })
  end)
  local took, least = account.now() - started, 200 - 3
  t.eq(#account.world:list("machine", "many"), 200)
  t.eq(account.refused, 0)
  t.ok(took >= least, "that was faster than the limits allow: " .. took)
  t.ok(took <= 1.10 * least, "far more than the limits ask for: " .. took)
end)
