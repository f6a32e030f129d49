--- Volumes and snapshots.

local json = require "base.json"
local support = require "sim.support"
local t = require "kit"

local PATH = "/v1/apps/my-app/volumes"

local function create(sim, body)
  body.name = body.name or "data"
  body.region = body.region or "iad"
  local volume = sim:expect(200, "POST", PATH, body)
  sim:advance(1)
  return volume
end

t.test("the demo has one unattached volume", function()
  local sim = support.account()
  local free = 0
  for _, org in ipairs { "personal", "acme" } do
    for _, volume in ipairs(sim:get("/v1/orgs/" .. org .. "/volumes").volumes) do
      if volume.attached_machine_id == json.null then
        free = free + 1
      end
    end
  end
  t.eq(free, 1)
end)

t.test("a new volume is empty, encrypted, three gigabytes", function()
  local sim = support.account()
  local volume = create(sim, {})
  t.match(volume.id, "^vol_%w+$")
  t.eq(volume.state, "creating")
  t.eq(volume.size_gb, 3)
  t.eq(volume.encrypted, true)
  t.eq(volume.bytes_used, 0)
  t.eq(volume.attached_machine_id, json.null)
  t.eq(sim:get(PATH .. "/" .. volume.id).state, "created")
  t.eq(#sim:get(PATH), 3)
  local plain = create(sim, {
    encrypted = false, size_gb = 10, snapshot_retention = 14,
    auto_backup_enabled = false, fstype = "ext4", require_unique_zone = true,
  })
  t.eq(plain.encrypted, false)
  t.eq(plain.snapshot_retention, 14)
end)

t.test("name, region and size are checked", function()
  local sim = support.account()
  local function refuse(body)
    body.name = body.name or "data"
    body.region = body.region or "iad"
    return sim:expect(400, "POST", PATH, body)
  end
  t.match(refuse({ name = "My-Data" }).error, "underscores")
  t.match(refuse({ name = ("x"):rep(31) }).error, "30")
  t.match(refuse({ region = "xyz" }).error, "not available")
  t.match(refuse({ size_gb = 0 }).error, "from 1 to 500")
  t.match(refuse({ size_gb = 501 }).error, "from 1 to 500")
  t.eq(refuse({ region = "gru" }), {
    error = "no capacity", status = "volume_placement_capacity",
  })
end)

t.test("a volume only grows", function()
  local sim = support.account()
  local list = sim:get(PATH)
  local used, free = list[1], list[2]
  local function extend(volume, gb)
    return sim:call("PUT", PATH .. "/" .. volume.id .. "/extend",
      { size_gb = gb })
  end
  local status, got = extend(used, 20)
  t.eq(status, 200)
  t.eq(got.volume.size_gb, 20)
  t.eq(got.needs_restart, true)
  status, got = extend(free, 4)
  t.eq(status, 200)
  t.eq(got.needs_restart, false)
  sim:advance(1)
  t.eq(extend(free, 4), 400)
  t.eq(extend(free, 2), 400)
  t.eq(extend(free, 501), 400)
  t.eq(sim:get(PATH .. "/" .. free.id).size_gb, 4)
end)

t.test("an attached volume is not destroyed, a free one goes", function()
  local sim = support.account()
  local list = sim:get(PATH)
  t.match(sim:refused(409, "DELETE", PATH .. "/" .. list[1].id),
    "is attached to machine")
  local gone = sim:expect(200, "DELETE", PATH .. "/" .. list[2].id)
  t.eq(gone.state, "pending_destroy")
  sim:advance(23 * 3600)
  t.eq(#sim:get(PATH), 2, "it can be brought back for a day")
  t.eq(sim:get("/v1/apps/my-app").volume_count, 1)
  sim:refused(400, "POST", "/v1/apps/my-app/machines", { region = "fra",
    config = { image = "nginx", mounts = { { volume = gone.id, path = "/data" } } } })
  sim:advance(2 * 3600)
  t.eq(#sim:get(PATH), 1)
  sim:refused(404, "GET", PATH .. "/" .. list[2].id)
end)

t.test("a volume made and destroyed at once does not come back", function()
  local sim = support.account()
  local volume = sim:expect(200, "POST", PATH, { name = "brief", region = "iad" })
  sim:expect(200, "DELETE", PATH .. "/" .. volume.id)
  sim:advance(10)
  t.eq(sim:get(PATH .. "/" .. volume.id).state, "pending_destroy")
end)

t.test("snapshots outlive their volume", function()
  local sim = support.account()
  local volume = sim:get(PATH)[2]
  local path = PATH .. "/" .. volume.id
  sim:expect(200, "POST", path .. "/snapshots")
  sim:advance(1)
  sim:expect(200, "DELETE", path)
  local snapshot = sim:get(path .. "/snapshots")[1]
  sim:advance(25 * 3600)
  local back = create(sim, { name = "back", size_gb = volume.size_gb,
    region = "fra", snapshot_id = snapshot.id })
  t.eq(back.bytes_used, volume.bytes_used)
end)

t.test("a volume goes through the states of what it is made from", function()
  local sim = support.account()
  local source = sim:get(PATH)[1]
  sim:expect(200, "POST", PATH .. "/" .. source.id .. "/snapshots")
  sim:advance(1)
  local snapshot = sim:get(PATH .. "/" .. source.id .. "/snapshots")[1]
  local function states(method, path, body)
    local made = sim:expect(200, method, path, body)
    made = made.volume or made
    local seen = { made.state }
    for _ = 1, 4 do
      sim:advance(0.2)
      local state = sim:get(PATH .. "/" .. made.id).state
      seen[#seen + 1] = state ~= seen[#seen] and state or nil
    end
    return seen
  end
  t.eq(states("POST", PATH, { name = "new", region = "iad" }), { "creating", "created" })
  t.eq(states("POST", PATH, { name = "copy", region = "iad", source_volume_id = source.id }),
    { "creating", "enabling_remote_export", "hydrating", "created" })
  t.eq(states("POST", PATH, { name = "back", region = "iad", size_gb = 10,
    snapshot_id = snapshot.id }), { "creating", "restoring", "created" })
  t.eq(states("PUT", PATH .. "/" .. source.id .. "/extend", { size_gb = 20 }),
    { "extending", "created" })
end)

t.test("a fork is a copy, at least as large", function()
  local sim = support.account()
  local source = sim:get(PATH)[1]
  local fork = sim:expect(200, "POST", PATH,
    { name = "copy", region = "iad", source_volume_id = source.id })
  t.eq(fork.state, "creating")
  t.eq(fork.size_gb, 10)
  t.eq(fork.bytes_used, source.bytes_used)
  local near = sim:expect(200, "POST", PATH,
    { name = "near", region = "", source_volume_id = source.id })
  t.eq(near.region, source.region)
  sim:refused(400, "POST", PATH, { name = "small", region = "iad",
    size_gb = 5, source_volume_id = source.id })
  sim:refused(404, "POST", PATH, { name = "none", region = "iad",
    source_volume_id = "vol_none" })
  local other = sim:get("/v1/apps/acme-api/volumes")[1]
  sim:refused(404, "POST", PATH, { name = "theirs", region = "iad",
    source_volume_id = other.id })
end)

t.test("snapshots are made, listed and restored", function()
  local sim = support.account()
  local volume = sim:get(PATH)[1]
  local path = PATH .. "/" .. volume.id .. "/snapshots"
  t.eq(sim:get(path), json.null)
  t.eq(sim:expect(200, "POST", path), nil)
  t.eq(sim:get(path)[1].status, "waiting")
  sim:advance(1)
  local snapshot = sim:get(path)[1]
  t.eq(snapshot.status, "created")
  t.eq(snapshot.retention_days, 5)
  t.eq(snapshot.size, volume.bytes_used)
  local restored = create(sim, { name = "back", snapshot_id = snapshot.id })
  t.eq(restored.bytes_used, volume.bytes_used)
  t.eq(restored.size_gb, 10)
  sim:refused(404, "POST", PATH,
    { name = "none", region = "iad", snapshot_id = "vs_none" })
end)

t.test("retention and backups can be changed", function()
  local sim = support.account()
  local path = PATH .. "/" .. sim:get(PATH)[2].id
  local got = sim:expect(200, "PUT", path,
    { snapshot_retention = 30, auto_backup_enabled = false })
  t.eq(got.snapshot_retention, 30)
  t.eq(got.auto_backup_enabled, false)
  sim:refused(400, "PUT", path, { snapshot_retention = 61 })
end)

t.test("the lists page", function()
  local sim = support.account()
  local page, headers = sim:get(PATH .. "?limit=1")
  t.eq(#page, 1)
  local rest = sim:get(PATH .. "?limit=1&cursor=" .. headers["fly-next-cursor"])
  t.eq(rest[1].id, sim:get(PATH)[2].id)
  local org = sim:get("/v1/orgs/personal/volumes?limit=1")
  t.eq(#org.volumes, 1)
  t.ok(org.next_cursor)
  t.eq(#sim:get("/v1/orgs/personal/volumes?region=fra").volumes, 1)
  t.eq(sim:get("/v1/orgs/personal/volumes").volumes[1].app_name, "my-app")
end)
