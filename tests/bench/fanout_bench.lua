--- The machines of 100 apps from a server that takes 100 ms to answer, in round
--- trips: by the organization's listing, and app by app where that is refused.

local bench = ...

local fs = require "sys.fs"
local json = require "base.json"

local LATENCY, ROUNDS, APPS = 0.1, 5, 100

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
local seed = bench.dir .. "/seed.json"
assert(fs.write(seed, json.encode {
  users = { { id = "user_sim", email = "user@example.com" } },
  orgs = { { slug = "bench", members = { { user = "user_sim" } } } },
  apps = apps,
}))

local function round_trips(words, allowed, name)
  local sim <close> = bench.simulator {
    "--seed", seed, "--no-limits", "--latency", tostring(LATENCY * 1000), table.unpack(words),
  }
  local argv = { bench.binary, "fly", "list", "machines", "--org", "bench" }
  local seconds = bench.turns(ROUNDS, { function()
    bench.run(argv, sim.env)
  end })
  bench.figure(name, seconds / LATENCY / allowed, "x", "<=", allowed == 1 and 1.15 or 1.25,
    ("%.0f ms"):format(seconds * 1e3))
end

round_trips({}, 1, "machines of 100 apps, by organization / one round trip")
round_trips({ "--fault", "GET /v1/orgs/bench/machines:404" }, 2,
  "machines of 100 apps, by app / two round trips")
