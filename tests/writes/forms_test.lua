-- Volumes, addresses, certificates, releases, sizes, regions, organizations:
-- every form of their commands does what it says, and has its help.

local json = require "base.json"
local lines = require "writes.lines"
local opkit = require "opkit"
local ops = require "ops"
local t = require "kit"
local tbl = require "base.tbl"
local world = require "face.world"

local AT = " --app my-app"

local function free_volume(account)
  return tbl.find(account.world:list("volume", "my-app"), function(volume)
    return not volume.attached_machine_id
  end).id
end

t.test("every form of a reading command gives the same", function()
  local run = lines.open()
  for _, forms in ipairs({
    { "list volumes", "volumes list", "list volume", "volume list" },
    { "list ips" .. AT, "ips list" .. AT, "ip list" .. AT },
    { "list certs" .. AT, "certs list" .. AT, "list certificates" .. AT, "cert list" .. AT },
    { "list releases" .. AT, "releases list" .. AT, "list release" .. AT },
    { "list regions", "regions list", "region list" },
    { "list orgs", "orgs list", "list organizations", "organization list" },
    { "get org acme", "orgs get acme", "get organization acme" },
    { "get cert www.example.com" .. AT, "certs get www.example.com" .. AT,
      "get certificate www.example.com" .. AT },
    { "get release 2" .. AT, "releases get 2" .. AT },
  }) do
    local first
    for _, line in ipairs(forms) do
      local code, seen = run(line .. " --raw")
      t.eq(code, 0, line .. "\n" .. seen.err)
      first = first or seen.out
      t.ok(seen.out == first and #first > 2, line)
    end
  end
  for _, line in ipairs({ "orgs members acme", "auth whoami", "scale show" .. AT,
    "certs check www.example.com" .. AT, "volumes list --unattached" }) do
    t.eq(run(line), 0, line)
  end
end)

t.test("every flag of the volume commands arrives", function()
  local run, account = lines.open()
  local function made(line)
    local code, seen = run(line .. " --no-wait --json")
    t.eq(code, 0, line .. "\n" .. seen.err)
    return account.world:get("volume", json.decode(seen.out).id)
  end
  local volume = made("volumes create --name plain --region fra --size-gb 2"
    .. " --encrypted=false --snapshot-retention 9" .. AT)
  t.eq({ volume.name, volume.region, volume.size_gb, volume.encrypted,
    volume.snapshot_retention }, { "plain", "fra", 2, false, 9 })
  volume = made("volumes create --name other --region iad" .. AT)
  t.eq({ volume.size_gb, volume.encrypted }, { 1, true })
  local id = free_volume(account)
  volume = made(("volumes fork %s --region ams"):format(id) .. AT)
  t.eq({ volume.region, volume.size_gb, volume.copied_from }, { "ams", 3, "volume" })
  t.eq(made(("volumes extend %s --size-gb 7GB"):format(id) .. AT).size_gb, 7)
end)

t.test("snapshots are listed and taken in either order of words", function()
  local run, account = lines.open()
  local id = free_volume(account)
  for i, form in ipairs({ "volumes snapshots %s create", "volumes snapshots create %s" }) do
    t.eq(run(form:format(id) .. " --no-wait" .. AT), 0, form)
    t.eq(#account.world:list("snapshot", "my-app"), i)
  end
  for _, form in ipairs({ "volumes snapshots %s", "volumes snapshots list %s",
    "volumes snapshots %s list" }) do
    local code, seen = run(form:format(id) .. " -o csv" .. AT)
    t.eq(code, 0, form .. "\n" .. seen.err)
    t.eq(select(2, seen.out:gsub("\nvs_", "")), 2, form)
  end
end)

t.test("each kind of address is asked for by its own name", function()
  local run, account = lines.open()
  for word, kind in pairs({ v4 = "v4", v6 = "v6", private = "private_v6" }) do
    local code, seen = run(("ips allocate --type %s --region fra --yes --json"):format(word)
      .. " --app acme-api")
    t.eq(code, 0, seen.err)
    local ip = account.world:get("ip", "acme-api/" .. json.decode(seen.out).ip)
    t.eq({ ip.type, ip.region }, { kind, "fra" })
  end
  t.eq(run("ips allocate --type shared --app acme-staging"), 0)
  t.ok(account.world:get("ip", "acme-staging/198.18.0.1"))
end)

local MINE = tbl.set({ "volumes", "ips", "certs", "releases", "scale", "regions", "orgs" })

t.test("every path of theirs has help with usage and an example", function()
  for _, op in ipairs(ops.all()) do
    for _, path in ipairs(MINE[op.resource] and opkit.paths(op) or {}) do
      local words = { "fly" }
      for word in path:gsub("{%w+}", "x"):gmatch("%S+") do
        words[#words + 1] = word
      end
      words[#words + 1] = "--help"
      local code, seen = world.run(words)
      t.eq(code, 0, path)
      t.match(seen.out, "Usage:\n  clanker fly ", path)
      t.match(seen.out, "Examples?:\n  clanker fly ", path)
    end
  end
end)
