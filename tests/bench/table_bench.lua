--- A thousand machines of about 4 KB each as a table: memory and time, against
--- curl and jq for the same columns.

local bench = ...

local os_ = require "sys.os"

local ROUNDS = 7
local MB = 1024 * 1024

local sim <close> = bench.simulator { "--seed", "bench", "--no-limits" }
local argv = { bench.binary, "fly", "list", "machines", "--org", "bench" }

local _, _ = bench.run(argv, sim.env)
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
      sim.url .. "/v1/orgs/bench/machines" }
    bench.run { "jq", "-r", [[.machines[] | [.id, .name, .app_name, .state, .region,
      .config.guest.cpu_kind, .config.guest.memory_mb, .config.image, .updated_at] | @tsv]],
      body }
  end,
})
bench.figure("1,000 machines as a table / curl, jq", ours / theirs, "x", "<=", 3,
  ("%.0f ms, %.0f ms"):format(ours * 1e3, theirs * 1e3))
