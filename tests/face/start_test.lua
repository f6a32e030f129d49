-- What the quick commands load: no transport, no rows, no rules.

local t = require "kit"
local world = require "face.world"

-- Modules that a command without the network must not pay for.
local HEAVY = {
  "host.http", "host.server", "host.store", "host.yaml", "sys.http", "fly.client",
  "fly.settings", "sim", "llm", "opkit.row", "opkit.rules", "opkit.types",
  "opkit.help", "opkit.columns", "base.json",
}

-- More modules than this would show in the start.
local MOST = 60

local before = {}
for name in pairs(package.loaded) do
  before[name] = true
end

local function runs_light(words)
  for name in pairs(package.loaded) do
    if not before[name] then
      package.loaded[name] = nil
    end
  end
  local code = world.run(words)
  t.eq(code, 0)
  local count = 0
  for name in pairs(package.loaded) do
    count = count + (before[name] and 0 or 1)
  end
  for _, name in ipairs(HEAVY) do
    t.eq(package.loaded[name], nil, name .. " is loaded")
  end
  t.ok(count <= MOST, ("%d modules"):format(count))
end

t.test("--version loads next to nothing", function()
  runs_light({ "--version" })
end)

t.test("help of a group reads titles, not rows", function()
  runs_light({ "fly", "list", "--help" })
  runs_light({ "fly", "--help" })
end)

t.test("a static word completes without rows", function()
  runs_light({ "__complete", "--", "fly", "li" })
  runs_light({ "__complete", "--", "fly", "list", "ma" })
  runs_light({ "__complete", "--", "co" })
end)
