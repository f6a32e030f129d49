--- Machines: list, show, create, update, destroy.

local json = require "base.json"
local support = require "sim.support"
local t = require "kit"
local tbl = require "base.tbl"

local PATH = "/v1/apps/my-app/machines"
local IMAGE = "registry.example.com/web:1"

local function ids(list)
  return tbl.map(list, function(machine)
    return machine.id
  end)
end

local function create(sim, body, headers)
  body.config = body.config or { image = IMAGE }
  return sim:expect(200, "POST", PATH, body, headers)
end

-- A machine that has come up.
local function started(sim, body)
  local machine = create(sim, body or {})
  sim:advance(2)
  return machine
end

t.test("the demo has seven machines in four regions", function()
  local sim = support.account()
  local all, regions, states = {}, {}, {}
  for _, org in ipairs { "personal", "acme" } do
    for _, machine in ipairs(sim:get("/v1/orgs/" .. org .. "/machines").machines) do
      all[#all + 1] = machine
      regions[machine.region] = true
      states[machine.state] = true
    end
  end
  t.eq(#all, 7)
  t.eq(tbl.keys(regions), { "fra", "iad", "nrt", "syd" })
  t.eq(tbl.keys(states), { "started", "stopped", "suspended" })
end)

t.test("a machine is shown with all the real one has", function()
  local sim = support.account()
  local machine = sim:machine("my-app", "started")
  t.match(machine.id, "^%d%x+$")
  t.eq(#machine.id, 14)
  t.eq(#machine.instance_id, 26)
  t.eq(machine.version, machine.instance_id)
  t.match(machine.private_ip, "^fdaa:")
  t.eq(machine.host_status, "ok")
  t.eq(machine.image_ref.repository, "my-app")
  t.match(machine.image_ref.digest, "^sha256:%x+$")
  t.eq(machine.image_ref.labels, json.null)
  t.eq(machine.checks[1].status, "passing")
  t.eq(machine.events[1].status, "started")
  t.eq(machine.nonce, nil)
  t.match(machine.config.mounts[1].volume, "^vol_")
  t.eq(sim:get(PATH .. "/" .. machine.id), machine)
end)

t.test("the list is narrowed by state, region, metadata and more", function()
  local sim = support.account()
  t.eq(#sim:get(PATH), 3)
  t.eq(#sim:get(PATH .. "?state=stopped"), 1)
  t.eq(#sim:get(PATH .. "?region=iad"), 2)
  t.eq(#sim:get(PATH .. "?region=iad&state=stopped"), 0)
  t.eq(#sim:get(PATH .. "?metadata.fly_process_group=worker"), 1)
  t.eq(#sim:get(PATH .. "?metadata.fly_process_group=none"), 0)
  local short = sim:get(PATH .. "?summary=true")[1]
  t.eq(short.config, nil)
  t.eq(short.events, nil)
  t.ok(short.state)
end)

t.test("the list pages through a header; a filtered page may be empty", function()
  local sim = support.account()
  local seen, cursor, pages = {}, "", 0
  repeat
    local list, headers = sim:get(PATH .. "?limit=1" .. cursor)
    seen = tbl.flatten { seen, ids(list) }
    cursor = headers["fly-next-cursor"]
      and "&cursor=" .. headers["fly-next-cursor"]
    pages = pages + 1
  until not cursor
  t.eq(seen, ids(sim:get(PATH)))
  t.eq(pages, 3)
  local list, headers = sim:get(PATH .. "?limit=1&state=stopped")
  t.eq(list, {})
  t.ok(headers["fly-next-cursor"], "no cursor on a short page")
end)

t.test("a new machine comes up through the real states", function()
  local sim = support.account()
  local machine = create(sim, { name = "web-1", region = "fra" })
  t.eq(machine.state, "created")
  t.eq(machine.name, "web-1")
  t.eq(machine.region, "fra")
  t.eq(machine.config.guest, { cpu_kind = "shared", cpus = 1, memory_mb = 256 })
  sim:advance(0.4)
  t.eq(sim:get(PATH .. "/" .. machine.id).state, "starting")
  sim:advance(1)
  local up = sim:get(PATH .. "/" .. machine.id)
  t.eq(up.state, "started")
  t.eq(tbl.map(up.events, function(event)
    return event.status
  end), { "started", "starting", "created" })
end)

t.test("skip_launch leaves it stopped", function()
  local sim = support.account()
  local machine = create(sim, { skip_launch = true })
  t.match(sim:refused(400, "POST", PATH .. "/" .. machine.id .. "/start"),
    "failed_precondition: unable to start machine from current state: 'created'")
  sim:advance(1)
  t.eq(sim:get(PATH .. "/" .. machine.id).state, "stopped")
end)

t.test("sizes are the platform's", function()
  local sim = support.account()
  local function refuse(guest)
    return sim:refused(400, "POST", PATH,
      { config = { image = IMAGE, guest = guest } })
  end
  t.match(refuse { cpus = 3 }, "cpus")
  t.match(refuse { cpus = 2, memory_mb = 256 }, "minimum required 512 MiB")
  t.match(refuse { memory_mb = 4096 }, "maximum allowed 2048 MiB")
  t.match(refuse { memory_mb = 300 }, "multiple of 256")
  t.match(refuse { cpu_kind = "huge" }, "cpu_kind")
  t.match(refuse { cpu_kind = "performance", memory_mb = 2560 }, "1024")
  t.eq(create(sim, { config = { image = IMAGE, size = "performance-2x" } })
    .config.guest, { cpu_kind = "performance", cpus = 2, memory_mb = 4096 })
  t.match(sim:refused(400, "POST", PATH,
    { config = { image = IMAGE, size = "tiny" } }), "size")
end)

t.test("region, image, name and quota are checked", function()
  local sim = support.account()
  local function refuse(status, body)
    body.config = body.config or { image = IMAGE }
    return sim:expect(status, "POST", PATH, body)
  end
  t.match(refuse(400, { region = "xyz" }).error, "not available")
  t.match(refuse(400, { region = "atl" }).error, "not available")
  local full = refuse(412, { region = "gru" })
  t.eq(full.status, "insufficient_capacity")
  t.match(full.error, "insufficient resources")
  t.match(refuse(400, { config = {} }).error, "image is required")
  t.match(refuse(400, { config = { image = "example.com/a:missing" } }).error,
    "manifest")
  t.match(refuse(409, { name = "quiet-river-4821" }).error,
    "unique machine name violation")
  t.match(refuse(400, { min_secrets_version = 99 }).error, "not known")
  local small = support.account({
    orgs = { { slug = "personal", type = "PERSONAL", max_machines = 1,
      members = { { user = "user_sim" } } } },
    apps = { { name = "my-app", org = "personal" } },
  })
  create(small, {})
  t.match(small:refused(403, "POST", PATH, { config = { image = IMAGE } }),
    "over the allowed quota")
end)

t.test("a volume is mounted once, and where it is", function()
  local sim = support.account()
  local volumes = sim:get("/v1/apps/my-app/volumes")
  local taken, free = volumes[1], volumes[2]
  local function config(volume)
    return { image = IMAGE, mounts = { { volume = volume, path = "/data" } } }
  end
  t.match(sim:refused(412, "POST", PATH,
    { region = "iad", config = config(taken.id) }), "is attached to machine")
  t.match(sim:refused(400, "POST", PATH,
    { region = "iad", config = config(free.id) }), "is in region fra")
  sim:refused(400, "POST", PATH, { region = "iad", config = config("vol_x") })
  local machine = create(sim, { region = "fra", config = config(free.id) })
  local path = "/v1/apps/my-app/volumes/" .. free.id
  t.eq(sim:get(path).attached_machine_id, machine.id)
  sim:expect(200, "DELETE", PATH .. "/" .. machine.id .. "?force=true")
  sim:advance(1)
  t.eq(sim:get(path).attached_machine_id, json.null)
end)

t.test("an update replaces the config and makes a version", function()
  local sim = support.account()
  local old = started(sim)
  local path = PATH .. "/" .. old.id
  local config = old.config
  config.image = "registry.example.com/web:2"
  config.env = { MODE = "new" }
  local new = sim:expect(200, "POST", path,
    { config = config, current_version = old.version })
  t.eq(new.state, "replacing")
  t.ok(new.version ~= old.version)
  t.eq(new.config.env, { MODE = "new" })
  sim:advance(2)
  t.eq(sim:get(path).state, "started")
  t.match(sim:refused(409, "POST", path,
    { config = config, current_version = old.version }), "version")
  local versions = sim:get(path .. "/versions")
  t.eq(tbl.map(versions, function(one)
    return one.version
  end), { new.version, old.version })
  local past = sim:get(path .. "?version=" .. old.version)
  t.eq(past.state, "replaced")
  t.eq(past.config.image, IMAGE)
  sim:refused(404, "GET", path .. "?version=01NONE")
end)

t.test("an answer can be sent back as it came", function()
  local sim = support.account()
  for _, machine in ipairs(sim:get(PATH)) do
    local sent = sim:expect(200, "POST", PATH .. "/" .. machine.id,
      { config = machine.config, skip_launch = machine.state ~= "started" })
    t.eq(sent.config, machine.config)
  end
end)

t.test("what a config holds comes back unchanged", function()
  local sim = support.account()
  local config = {
    image = IMAGE, env = { EMPTY = "", UMLAUT = "ü", LINES = "a\nb" },
    files = { { guest_path = "/a", raw_value = "eA==", mode = 420 } },
    checks = { up = { type = "tcp", port = 9007199254740993 } },
    standbys = json.array(), services = {
      { protocol = "tcp", internal_port = 80, autostop = false,
        ports = json.array() },
    },
    restart = { policy = "", gpu_bid_price = 0.25 },
    metadata = { big = "1" },
  }
  local got = create(sim, { config = config }).config
  for key, value in pairs(config) do
    t.eq(got[key], value, key)
  end
end)

t.test("a stopped machine stays so with skip_launch", function()
  local sim = support.account()
  local machine = sim:machine("my-app", "stopped")
  local path = PATH .. "/" .. machine.id
  sim:expect(200, "POST", path, { config = machine.config, skip_launch = true })
  sim:advance(2)
  t.eq(sim:get(path).state, "stopped")
  sim:expect(200, "POST", path, { config = machine.config })
  sim:advance(2)
  t.eq(sim:get(path).state, "started")
end)

t.test("a machine does not move, and is not updated while it changes", function()
  local sim = support.account()
  local machine = started(sim, { region = "iad" })
  local path = PATH .. "/" .. machine.id
  t.match(sim:refused(400, "POST", path,
    { config = machine.config, region = "fra" }), "cannot move")
  sim:expect(200, "POST", path, { config = machine.config })
  t.match(sim:refused(400, "POST", path, { config = machine.config }),
    "unable to update machine")
end)

t.test("a failing update is rolled back, a failing launch fails", function()
  local sim = support.account()
  local machine = started(sim)
  local path = PATH .. "/" .. machine.id
  local config = tbl.copy(machine.config)
  config.image = "registry.example.com/web:broken"
  local broken = sim:expect(200, "POST", path, { config = config })
  sim:advance(5)
  local now = sim:get(path)
  t.eq(now.state, "started")
  t.eq(now.config.image, IMAGE)
  t.ok(now.version ~= broken.version)
  local new = create(sim, { config = config })
  sim:advance(5)
  t.eq(sim:get(PATH .. "/" .. new.id).state, "failed")
end)

t.test("an image can crash, or be unhealthy", function()
  local sim = support.account()
  local crash = started(sim, { config = { image = "example.com/a:crash" } })
  local event = sim:get(PATH .. "/" .. crash.id).events[1]
  t.eq(event.type, "exit")
  t.eq(event.request.exit_event.exit_code, 1)
  t.eq(event.request.exit_event.requested_stop, false)
  local sick = started(sim, {
    config = { image = "example.com/a:unhealthy",
      checks = { up = { type = "http", port = 80 } } },
  })
  t.eq(sim:get(PATH .. "/" .. sick.id).checks[1].status, "critical")
end)

t.test("with auto_destroy a machine goes when its process ends", function()
  local sim = support.account()
  local machine = started(sim, {
    config = { image = IMAGE, auto_destroy = true },
  })
  local path = PATH .. "/" .. machine.id
  sim:expect(200, "POST", path .. "/stop")
  sim:advance(1)
  t.eq(sim:get(path).state, "destroyed")
end)

t.test("a running machine is destroyed by force only", function()
  local sim = support.account()
  local machine = started(sim)
  local path = PATH .. "/" .. machine.id
  t.match(sim:refused(409, "DELETE", path), "not currently stopped")
  t.eq(sim:expect(200, "DELETE", path .. "?force=true"), { ok = true })
  t.eq(sim:get(path).state, "destroying")
  sim:advance(1)
  t.eq(sim:get(path).state, "destroyed")
  t.eq(#sim:get(PATH), 3)
  t.eq(#sim:get(PATH .. "?include_deleted=true"), 4)
  sim:refused(404, "POST", path .. "/start")
  sim:refused(404, "DELETE", path)
  sim:advance(3601)
  sim:refused(404, "GET", path)
end)

t.test("a machine of another app is not found", function()
  local sim = support.account()
  local id = sim:machine("acme-api").id
  sim:refused(404, "GET", PATH .. "/" .. id)
  sim:refused(404, "POST", PATH .. "/" .. id .. "/stop")
end)

t.test("the organization's list has what the overview needs", function()
  local sim = support.account()
  local got = sim:get("/v1/orgs/acme/machines?limit=2")
  t.eq(#got.machines, 2)
  t.eq(got.machines[1].app_name, "acme-api")
  t.eq(got.machines[1].config.guest.memory_mb, 4096)
  t.eq(got.last_machine_id, got.machines[2].id)
  local rest = sim:get("/v1/orgs/acme/machines?limit=2&cursor=" .. got.next_cursor)
  t.eq(#rest.machines, 2)
  t.eq(rest.next_cursor, nil)
  sim:refused(404, "GET", "/v1/orgs/nobody/machines")
  t.eq(#sim:get("/v1/orgs/acme/machines?state=suspended").machines, 1)
  local since = "/v1/orgs/acme/machines?updated_after="
  t.eq(#sim:get(since .. "2020-01-01T00:00:00Z").machines, 4)
  t.eq(#sim:get(since .. "2026-02-11T12:00:00Z").machines, 0)
  sim:refused(400, "GET", since .. "yesterday")
end)

t.test("metadata changes without a new version", function()
  local sim = support.account()
  local machine = started(sim)
  local path = PATH .. "/" .. machine.id .. "/metadata"
  t.eq(sim:get(path), {})
  sim:expect(204, "PATCH", path, { metadata = { a = "1", b = "2" } })
  sim:expect(204, "PATCH", path, { metadata = { a = json.null, c = "3" } })
  t.eq(sim:get(path), { b = "2", c = "3" })
  sim:expect(204, "POST", path .. "/d", { value = "4" })
  t.eq(sim:get(path .. "/d"), { value = "4" })
  sim:expect(204, "DELETE", path .. "/b")
  sim:refused(404, "GET", path .. "/b")
  sim:expect(204, "PUT", path, { metadata = { only = "one" } })
  t.eq(sim:get(path), { only = "one" })
  t.match(sim:refused(412, "PATCH", path,
    { metadata = { x = "1" }, machine_version = "01OLD" }), "mismatch")
  t.eq(sim:get(PATH .. "/" .. machine.id).version, machine.version)
  t.eq(#sim:get(PATH .. "?metadata.only=one"), 1)
end)

t.test("memory can be limited and reclaimed", function()
  local sim = support.account()
  local machine = started(sim, {})
  local path = PATH .. "/" .. machine.id .. "/memory"
  t.eq(sim:get(path).limit_mb, 256)
  t.eq(sim:expect(200, "PUT", path, { limit_mb = 128 }).limit_mb, 128)
  sim:refused(400, "PUT", path, { limit_mb = 9999 })
  t.eq(sim:expect(200, "POST", path .. "/reclaim", { amount_mb = 10 }),
    { actual_mb = 10 })
end)
