--- The machines of 100 apps from a server that takes 100 ms to answer, in round
--- trips: by the organization's listing, and app by app where that is refused.

local bench = ...

local json = require "base.json"

local LATENCY, ROUNDS, APPS = 0.1, 7, 100

local apps = json.array()
for i = 1, APPS do
  apps[i] = {
    name = ("app-%03d"):format(i), org = "bench",
    machines = { { region = "iad", state = "started", config = {
      image = "registry.fly.io/app:1",
      guest = { cpu_kind = "shared", cpus = 1, memory_mb = 256 },
    } } },
  }
end
local seed = bench.seed("fanout", apps)

local function list(sim)
  local result = bench.run({ bench.binary, "run", bench.here .. "/machines.lua", "bench",
    tostring(APPS) }, sim.env)
  return tonumber(result.stdout)
end

local function simulator(...)
  return bench.simulator {
    "--seed", seed, "--no-limits", "--latency", tostring(LATENCY * 1000), ...,
  }
end

local function report(name, seconds, round_trips, limit)
  bench.figure(name, seconds / LATENCY / round_trips, "x", "<=", limit,
    ("%.0f ms"):format(seconds * 1e3))
end

do
  local sim <close> = simulator()
  report("machines of 100 apps, by organization / one round trip",
    bench.turns(ROUNDS, { function()
      return list(sim)
    end }), 1, 1.15)
  report("the same as a command, start-up included",
    bench.turns(ROUNDS, { function()
      bench.run({ bench.binary, "fly", "list", "machines", "--org", "bench" }, sim.env)
    end }), 1, 1.5)
end
do
  -- The first run learns that the listing is refused; the others know. Three runs
  -- are within the rate limit they share.
  local sim <close> = simulator("--fault", "GET /v1/orgs/bench/machines:404")
  sim.env.HOME = bench.home()
  list(sim)
  report("machines of 100 apps, by app / two round trips",
    bench.turns(2, { function()
      return list(sim)
    end }), 2, 1.25)
end
