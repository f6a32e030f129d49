--- Command paths: every way to say the same thing, and suggestions.

local paths = require "opkit.paths"
local t = require "kit"

local APPS = { id = "apps", singular = "app" }
local CERTS = { id = "certs", singular = "cert",
  aliases = { "certificates", "certificate" } }
local VOLUMES = { id = "volumes", singular = "volume" }
local RELEASES = { id = "releases", singular = "release" }

local function index()
  local made = paths.new()
  for _, resource in ipairs({ APPS, CERTS, VOLUMES, RELEASES }) do
    paths.add_resource(made, resource)
  end
  paths.add_row(made, "apps.list", "apps", "list")
  paths.add_row(made, "apps.get", "apps", "get")
  paths.add_row(made, "certs.list", "certs", "list")
  paths.add_row(made, "certs.add", "certs", "add")
  paths.add_row(made, "volumes.snapshots", "volumes", "snapshots")
  paths.add_row(made, "volumes.snapshots_create", "volumes", "snapshots_create",
    { "volumes snapshots create", "volumes snapshots {id} create" })
  paths.add_row(made, "releases.rollback", "releases", "rollback", { "rollback" })
  return made
end

local INDEX = index()

local function find(line)
  local words = {}
  for word in line:gmatch("%S+") do
    words[#words + 1] = word
  end
  return paths.find(INDEX, words)
end

t.test("noun and verb in either order, in all nouns", function()
  for _, line in ipairs({ "list certs", "certs list", "cert list", "list cert",
    "certificates list", "list certificate" }) do
    t.eq({ find(line) }, { "certs.list", 2, {} })
  end
  t.eq({ find("get app my-app") }, { "apps.get", 2, {} })
end)

t.test("only the common verbs may come first", function()
  t.eq(find("certs add"), "certs.add")
  t.eq(find("add certs"), nil)
end)

t.test("declared paths match too, the longest first, with their slots", function()
  t.eq({ find("rollback 3") }, { "releases.rollback", 1, {} })
  t.eq(find("releases rollback"), "releases.rollback")
  t.eq({ find("volumes snapshots vol_1") }, { "volumes.snapshots", 2, {} })
  t.eq({ find("volumes snapshots create vol_1") },
    { "volumes.snapshots_create", 3, {} })
  t.eq({ find("volumes snapshots vol_1 create") },
    { "volumes.snapshots_create", 4, { id = "vol_1" } })
  t.eq(find("volumes snapshots-create vol_1"), "volumes.snapshots_create")
end)

t.test("unknown words find nothing", function()
  for _, line in ipairs({ "", "list", "lists apps", "list apps2", "apps", "get certs" }) do
    t.eq({ find(line) }, { nil, 0, {} })
  end
end)

t.test("next_words offers what may follow", function()
  t.eq(paths.next_words(INDEX, {}), { "app", "apps", "cert", "certificate",
    "certificates", "certs", "get", "list", "release", "releases", "rollback",
    "volume", "volumes" })
  t.eq(paths.next_words(INDEX, { "list" }),
    { "app", "apps", "cert", "certificate", "certificates", "certs" })
  t.eq(paths.next_words(INDEX, { "certs" }), { "add", "list" })
  t.eq(paths.next_words(INDEX, { "volumes", "snapshots" }), { "create" })
  t.eq(paths.next_words(INDEX, { "volumes", "snapshots", "vol_1" }), { "create" })
  t.eq(paths.next_words(INDEX, { "nothing" }), {})
end)

t.test("a mistyped word finds its neighbour at that place", function()
  t.eq(paths.suggest(INDEX, {}, "lsit"), "list")
  t.eq(paths.suggest(INDEX, { "list" }, "certss"), "certs")
  t.eq(paths.suggest(INDEX, { "list" }, "rollbak"), nil)
end)

t.test("all paths of a row, the one to show first", function()
  local row = { verb = "list", resource = "certs" }
  t.eq(paths.of(row, CERTS), { "list certs", "certs list", "cert list", "list cert",
    "certificates list", "list certificates", "certificate list", "list certificate" })
  t.eq(paths.of({ verb = "get" }, APPS)[1], "get app")
  t.eq(paths.of({ verb = "rollback", cli = { "rollback" } }, RELEASES)[1], "rollback")
  t.eq(paths.of({ verb = "add" }, CERTS)[1], "certs add")
end)

t.test("every path shown is a path found", function()
  for id, resource in pairs({ ["certs.list"] = CERTS, ["apps.get"] = APPS,
    ["volumes.snapshots"] = VOLUMES }) do
    local row = { verb = id:match("%.(.*)"), resource = resource.id }
    for _, path in ipairs(paths.of(row, resource)) do
      t.eq(find(path), id)
    end
  end
end)

t.test("words taken twice are a bug", function()
  t.raises(function()
    paths.add_resource(INDEX, { id = "cert" })
  end, 'resource cert: "cert" already names certs')
  t.raises(function()
    paths.add_row(index(), "apps.x", "apps", "x", { "volumes snapshots {app} create" })
  end, 'belongs to volumes.snapshots_create')
  for words, owner in pairs({ ["list cert"] = "certs.list", ["rollback"] = "releases.rollback",
    ["organize"] = false }) do
    local ok, e = pcall(paths.add_row, index(), "apps.x", "apps", "x", { words })
    t.eq(ok, owner == false, words)
    t.ok(ok or e:find("belongs to " .. owner, 1, true), words)
  end
end)

t.test("a pair that is already another one's declared path is a bug too", function()
  local made = index()
  paths.add_row(made, "apps.x", "apps", "x", { "move cert", "certs renew" })
  t.raises(function()
    paths.add_row(made, "certs.renew", "certs", "renew")
  end, 'op certs.renew: command path "certs renew" belongs to apps.x')
end)
