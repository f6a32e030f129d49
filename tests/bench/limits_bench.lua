--- Bulk work within the API's limits, against the least time it can take:
---
---     T = d + 2R + max(0, (n − b) / r) + L (R + S)
---
---   d  seconds to start the process, measured
---   R  seconds of a round trip: what the simulator adds to each reply; 2R are
---      the connection (which costs nothing here: figures have that R to spare)
---      and the first request
---   n  requests that draw from one bucket, b its burst, r its rate by the second
---   L  length of the chain of requests of which each needs the one before it,
---      the first one not counted
---   S  seconds that the account needs to get into the state waited for; longer
---      than R here, so that the request that waits for it costs S, not R + S
---
--- 200 creates at one by the second take 197 s: here both clocks, the account's
--- and the limiter's, go five times as fast, and a delay of this machine counts
--- as five.

local bench = ...

local client = require "fly.client"
local json = require "base.json"
local os_ = require "sys.os"
local rate = require "sys.rate"
local secret = require "sys.secret"
local sim = require "sim"
local task = require "sys.task"

require "ops"

local LEEWAY, ROUNDS = 1.10, 3

-- Names the figure's floor and the 429s beside it.
local function report(name, seconds, floor, refused)
  bench.figure(name .. " / floor", seconds / floor, "x", "<=", LEEWAY,
    ("%.2f s, floor %.2f s"):format(seconds, floor))
  if refused then
    bench.figure(name .. ": answers 429", refused, "", "<=", 0)
  end
end

local function start_time()
  return (bench.turns(5, { function()
    bench.run { bench.binary, "--version" }
  end }))
end

local function machines(count)
  local list = json.array()
  for i = 1, count do
    list[i] = { region = "iad", state = "started", config = {
      image = "registry.fly.io/app:1",
      guest = { cpu_kind = "shared", cpus = 1, memory_mb = 256 },
    } }
  end
  return list
end

-- Runs a command; its seconds, and how many requests were refused.
local function timed(account, ...)
  local result, seconds = bench.run({ bench.binary, "fly", "--debug", ... }, account.env)
  local _, refused = result.stderr:gsub(": 429 in ", "")
  return seconds, refused
end

local function measured(account, ...)
  local words, refused = { ... }, 0
  local seconds = bench.turns(ROUNDS, { function()
    local took, again = timed(account, table.unpack(words))
    refused = refused + again
    return took
  end })
  return seconds, refused
end

local d = start_time()

do
  local R, apps = 0.1, json.array()
  for i = 1, 100 do
    apps[i] = { name = ("app-%03d"):format(i), org = "bench", machines = machines(1) }
  end
  local account <close> = bench.simulator { "--seed", bench.seed("list", apps),
    "--latency", tostring(R * 1000) }
  -- The organizations, then the machines of the one there is: L = 1.
  local seconds, refused = measured(account, "list", "machines")
  report("list machines over 100 apps", seconds, d + 2 * R + R, refused)
end

do
  local R, PACE, COUNT = 0.05, 0.2, 50
  local S = (0.3 + 0.5) * PACE -- what the simulator takes for a restart
  local account <close> = bench.simulator {
    "--seed", bench.seed("restart", json.array { { name = "many", org = "bench",
      machines = machines(COUNT) } }, PACE),
    "--latency", tostring(R * 1000),
  }
  -- App (the first), list; then lease, look, restart, wait (S), look whether it
  -- ran anew, give back.
  local LIST, EACH = 1, 5
  local seconds, refused = timed(account, "restart", "app", "many")
  report("restart app, 50 machines one by one", seconds,
    d + 2 * R + (LIST + EACH * COUNT) * R + COUNT * S, refused)
  seconds, refused = timed(account, "restart", "app", "many", "--parallel", "50")
  report("restart app, 50 machines at once", seconds,
    d + 2 * R + (LIST + EACH) * R + S, refused)
end

-- Creates through one client on a clock that is `speed` times as fast.
local function create(count, speed)
  local wall = os_.wall()
  local account = assert(sim.start { seed = "empty", limits = true, now = function()
    return wall + (os_.wall() - wall) * speed
  end })
  local limiter <close> = assert(rate.open(nil, { jitter = 0.5 / speed }))
  local refused = 0
  local fly = client.new {
    settings = {
      token = secret.new(account.token),
      bases = { machines = account.url, api = account.url },
    },
    limiter = {
      acquire = function(_, key, per_second, burst)
        return limiter:acquire(key, per_second * speed, burst)
      end,
      delay = function() return 0 end,
      penalize = function() refused = refused + 1 end,
    },
  }
  assert(fly:call("apps.create", { name = "many", org = "personal" }))
  local names = {}
  for i = 1, count do
    names[i] = "made-" .. i
  end
  local started = task.now()
  task.map(names, count, function(name)
    assert(fly:call("machines.create",
      { app = "many", image = "nginx", name = name, no_wait = true }))
  end)
  local seconds = task.now() - started
  fly:close()
  account.stop()
  return seconds, refused
end

do
  local SPEED, N, BURST = 5, 200, 3
  local seconds, refused = create(N, SPEED)
  report("200 creates in one app, at five times the pace", seconds,
    (N - BURST) / SPEED, refused)
end
