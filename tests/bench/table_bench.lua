--- A thousand machines of about 4 KB each as a table: memory and time, against
--- curl and jq for the same columns.

local bench = ...

local fs = require "sys.fs"
local json = require "base.json"
local os_ = require "sys.os"

local MACHINES, ROUNDS = 1000, 7
local MB = 1024 * 1024

-- Variables that bring a machine to the size of a real one.
local function environment(number)
  local env = { FLY_PROCESS_GROUP = "app", PRIMARY_REGION = "iad" }
  for i = 1, 48 do
    env[("SETTING_%02d"):format(i)] =
      ("value %d of machine %d of this app, example.com"):format(i, number)
  end
  return env
end

local REGIONS = { "ams", "fra", "iad", "nrt", "syd" }

-- All in one app: the list of an organization gives overviews of 0.4 KB.
local function machines()
  local list = json.array()
  for i = 1, MACHINES do
    list[i] = {
      region = REGIONS[i % #REGIONS + 1], state = i % 7 == 0 and "stopped" or "started",
      age = i * 60, config = {
        image = "registry.fly.io/large:deployment-01", env = environment(i),
        guest = { cpu_kind = "shared", cpus = 1, memory_mb = 256 << i % 4 },
        metadata = { fly_process_group = "app", fly_platform_version = "v2" },
        services = { {
          protocol = "tcp", internal_port = 8080,
          ports = { { port = 443, handlers = { "http", "tls" } } },
        } },
      },
    }
  end
  return list
end

local sim <close> = bench.simulator { "--no-limits", "--seed", bench.seed("large",
  json.array { { name = "large", org = "bench", machines = machines() } }) }
local argv = { bench.binary, "fly", "list", "machines", "--app", "large" }

local table_text = bench.run(argv, sim.env).stdout
local _, lines = table_text:gsub("\n", "")
assert(lines == 1001, "a header and a thousand machines, not " .. lines)

-- What waited-for children took at most; nothing larger ran before.
bench.figure("1,000 machines as a table, peak memory", os_.peak_memory("children") / MB, "MB",
  "<=", 32)

local body = bench.dir .. "/machines.json"
local ours, theirs = bench.turns(ROUNDS, {
  function()
    bench.run(argv, sim.env)
  end,
  function()
    bench.run { "curl", "-s", "-o", body, "-H", "Authorization: Bearer fo1_simbench",
      sim.url .. "/v1/apps/large/machines" }
    bench.run { "jq", "-r", [[.[] | [.id, .name, .state, .region,
      .config.guest.cpu_kind, .config.guest.memory_mb, .config.image, .updated_at] | @tsv]],
      body }
  end,
})
bench.figure("1,000 machines as a table / curl, jq", ours / theirs, "x", "<=", 3,
  ("%.0f ms, %.0f ms"):format(ours * 1e3, theirs * 1e3))

-- What the figures are about.
local size = assert(fs.stat(body)).size / MACHINES
assert(size >= 4000 and size < 4500, ("machines of %.0f bytes"):format(size))
