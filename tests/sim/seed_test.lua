--- Seeds: what comes with the program, and descriptions of one's own.

local json = require "base.json"
local seed = require "sim.seed"
local seed_shape = require "sim.seed_shape"
local shape = require "sim.shape"
local simulator = require "sim"
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

-- A seed file with one app that has these members.
local function with_app(members)
  return [[{ "orgs": [{ "slug": "o" }],
    "apps": [{ "name": "a", "org": "o", ]] .. members .. "}] }"
end

t.test("a seed file holds nothing that could not be", function()
  local function wrong(text, message)
    local spec = t.ok(json.decode(text))
    t.eq(shape.check(spec, seed_shape), message, text)
  end
  wrong('{ "users": [] }', "invalid users: an account has a user at least")
  wrong('{ "orgs": [null] }', "orgs.0 is required")
  wrong('{ "orgs": [{ "slug": "a/b" }] }',
    'invalid orgs.0.slug: "a/b" is no slug')
  wrong('{ "token": "a b" }', "invalid token: "
    .. "a token has no spaces and no commas, and is not empty")
  wrong('{ "pace": -1 }', "invalid pace: -1 is less than 0")
  wrong('{ "chatter": 0 }', "invalid chatter: 0 is less than 1")
  wrong('{ "full_regions": ["zzz"] }',
    'invalid full_regions.0: "zzz" is no region')
  wrong('{ "tokens": [{ "name": "x", "profile": "y" }] }',
    'invalid tokens.0.profile: "y" is not one of deploy, '
    .. "deploy_organization, litefs_cloud, org, readonly, user")
end)

t.test("nor does an app in a seed file", function()
  local function wrong(members, message)
    local spec = t.ok(json.decode(with_app(members)))
    t.eq(shape.check(spec, seed_shape), message, members)
  end
  wrong('"age": -1', "invalid apps.0.age: an age is from 0 to "
    .. "10000000000 seconds")
  wrong('"machines": [{ "region": "zzz", "config": { "image": "x" } }]',
    'invalid apps.0.machines.0.region: "zzz" is no region')
  wrong('"machines": [{ "region": "iad", "state": "flying", "config": {} }]',
    'invalid apps.0.machines.0.state: "flying" is not one of created, '
    .. "failed, started, stopped, suspended")
  wrong([["machines": [{ "region": "iad", "name": "m", "config": {} },
    { "region": "iad", "name": "m", "config": {} }] ]],
    'apps.0.machines.1: there is another name "m"')
  wrong('"volumes": [{ "name": "X", "region": "iad" }]',
    'invalid apps.0.volumes.0.name: "X" is no name of a volume')
  wrong('"ips": [{ "type": "v9" }]', 'invalid apps.0.ips.0.type: "v9" is not '
    .. "one of egress_v4, egress_v6, private_v6, shared_v4, v4, v6")
  wrong('"secrets": { "a b": "x" }',
    'invalid apps.0.secrets: "a b" is no name of a secret')
end)

t.test("a null in a seed file is nothing", function()
  local path = t.tmpdir() .. "/seed.json"
  t.ok(require("sys.fs").write(path, with_app([["age": null, "role": null,
    "machines": [{ "region": "iad", "name": null,
      "config": { "image": "x", "env": null } }] ]])))
  local running = t.ok(simulator.start({ seed = path }))
  t.eq(#running.account.world:list("machine"), 1)
  running.stop()
end)

t.test("every kind of address, and those the demo has, can be in one", function()
  for _, kind in ipairs { "v4", "v6", "shared_v4", "private_v6", "egress_v4",
    "egress_v6" } do
    local spec = json.decode(with_app(('"ips": [{ "type": "%s" }]'):format(kind)))
    t.eq(shape.check(spec, seed_shape), nil)
    t.eq(#select(2, fill(spec)):list("ip"), 1)
  end
  local demo = json.decode(json.encode(require "sim.seeds.demo"))
  t.eq(shape.check(demo, seed_shape), nil)
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
  wrong({ orgs = orgs, apps = {
    { name = "a", org = "o", certs = { { hostname = "a.example.com" } } },
    { name = "b", org = "o", certs = { { hostname = "a.example.com" } } },
  } }, "^seed: certificate of b: Hostname already exists on app a")
  wrong({ orgs = orgs, apps = {
    { name = "a", org = "o", certs = { { hostname = "no host" } } },
  } }, '^seed: certificate of a: .*"no host" is not a host name')
  wrong({ tokens = { { name = "t", profile = "user", user = "nobody" } } },
    '^seed: token t: there is no user "nobody"')
  wrong({ orgs = orgs, addons = {
    { type = "tigris", name = "x", org = "o", app = "none" } } },
    '^seed: add%-on x: there is no app "none"')
  wrong({ orgs = orgs, peers = {
    { org = "o", name = "p", pubkey = "x" },
    { org = "o", name = "p", pubkey = "y" } } }, "two of peer")
end)
