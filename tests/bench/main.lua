--- The benches: `clanker run tests/bench/main.lua BINARY [PATTERN]`.
--- Everything is measured side by side in one run, and shown as a ratio.

local here = arg[0]:match("^(.*)/[^/]*$")
local bench = assert(loadfile(here .. "/kit.lua"))(arg[1], here)

-- "table" first: it asks for the largest child so far.
local FILES = { "table", "startup", "http", "fanout", "limits" }

for _, name in ipairs(FILES) do
  if name:find(arg[2] or "") then
    local chunk = assert(loadfile(here .. "/" .. name .. "_bench.lua"))
    local stolen = bench.stolen()
    chunk(bench)
    stolen()
  end
end
os.exit(bench.finish())
