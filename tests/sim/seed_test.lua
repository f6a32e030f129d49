--- Seeds: what comes with the program, and descriptions of one's own.

local seed = require "sim.seed"
local support = require "sim.support"
local t = require "kit"
local world = require "sim.world"

local function fill(spec)
  local empty = world.new({ now = function()
    return support.EPOCH
  end })
  return seed.fill(empty, spec), empty
end

t.test("the demo is what it says", function()
  local _, demo = fill(require "sim.seeds.demo")
  local function count(kind)
    return #demo:list(kind)
  end
  t.eq({ count "app", count "org", count "machine", count "cert" },
    { 3, 2, 7, 1 })
  for _, kind in ipairs { "ip", "secret", "release", "log", "volume" } do
    t.ok(count(kind) > 1, "no " .. kind)
  end
end)

t.test("the bench account is large, its machines like real ones", function()
  local sim = support.account("bench")
  t.eq(#sim.world:list("app"), 100)
  t.eq(#sim.world:list("machine"), 1000)
  local sizes = 0
  local views = require "sim.machine.view"
  for _, machine in ipairs(sim.world:list("machine")) do
    sizes = sizes + #views.text(sim.world, machine)
  end
  t.ok(sizes / 1000 > 3500 and sizes / 1000 < 4500,
    "bytes a machine: " .. sizes / 1000)
  t.eq(#sim:get("/v1/orgs/bench/machines").machines, 1000)
end)

t.test("tokens begin like the user's, and can be given", function()
  t.match(fill({}), "^fo1_sim%w+$")
  t.eq(fill({ token = "fo1_simmine" }), "fo1_simmine")
end)

t.test("a description that contradicts itself says so", function()
  local function wrong(spec, pattern)
    t.raises(function()
      fill(spec)
    end, pattern)
  end
  local orgs = { { slug = "o" } }
  wrong({ apps = { { name = "a", org = "none" } } },
    '^seed: there is no organization "none"')
  wrong({ orgs = orgs, apps = { { name = "a", org = "o", machines = {
    { region = "iad", config = {} } } } } },
    "^seed: machine in a: .*image is required")
  wrong({ orgs = orgs, apps = { { name = "a", org = "o", machines = {
    { region = "iad", config = { image = "x", mounts = { { name = "v" } } } },
  } } } }, "^seed: .*no unattached volume")
end)
