--- The life of volumes: what is refused before anything is asked, what is
--- waited for.

local support = require "ops.support"
local t = require "kit"
local tbl = require "base.tbl"

local failure, run = support.failure, support.run

local VOLUME = { id = "vol_1", name = "data", state = "created", region = "iad",
  size_gb = 10, host_status = "ok" }

-- A reply that changes with every call: the last one stays.
local function sequence(list)
  local at = 0
  return function()
    at = math.min(at + 1, #list)
    return list[at]
  end
end

t.test("a new volume is waited for until it can be used", function()
  local volume, _, ctx = run("volumes.create",
    { app = "db", name = "data", region = "iad", size_gb = 10 }, {
      ["volumes.create_once"] = function(args)
        t.eq({ args.name, args.region, args.size_gb, args.encrypted },
          { "data", "iad", 10, true })
        return tbl.merge(VOLUME, { state = "creating" })
      end,
      ["volumes.get"] = sequence({ tbl.merge(VOLUME, { state = "creating" }), VOLUME }),
    })
  t.eq(volume.state, "created")
  t.eq(ctx.slept, 2)
  volume, _, ctx = run("volumes.create",
    { app = "db", name = "data", region = "iad", no_wait = true },
    { ["volumes.create_once"] = tbl.merge(VOLUME, { state = "creating" }) })
  t.eq(volume.state, "creating")
  t.eq(ctx.calls, { "regions.list_all", "volumes.create_once db" })
end)

t.test("waiting for a volume ends", function()
  local volume, e, ctx = run("volumes.create", { app = "db", name = "data", region = "iad" }, {
    ["volumes.create_once"] = tbl.merge(VOLUME, { state = "creating" }),
    ["volumes.get"] = tbl.merge(VOLUME, { state = "creating" }),
  })
  t.err(volume, e, "timeout")
  t.match(e.message, "volume vol_1 was not ready within 300 s")
  t.ok(ctx.slept <= 300)
end)

t.test("a volume grows, and never shrinks", function()
  local replies = {
    ["volumes.get"] = tbl.merge(VOLUME, { attached_machine_id = "m1" }),
    ["volumes.extend_once"] = { volume = tbl.merge(VOLUME, { size_gb = 20 }),
      needs_restart = true },
  }
  local volume, _, ctx = run("volumes.extend", { app = "db", id = "vol_1", size_gb = 20 },
    replies)
  t.eq(volume.size_gb, 20)
  t.match(ctx.notices[1], "machine m1 sees the new size after a restart")
  for _, size in ipairs({ 10, 5 }) do
    local refused, e, asked = run("volumes.extend",
      { app = "db", id = "vol_1", size_gb = size }, replies)
    t.err(refused, e, "invalid")
    t.match(e.message, "has 10 GB already; it cannot shrink")
    t.eq(#asked.calls, 1)
  end
end)

t.test("every state on the way is waited out, and a volume that goes instead is told", function()
  local function made(states)
    local seen = {}
    for i, state in ipairs(states) do
      seen[i] = tbl.merge(VOLUME, { state = state })
    end
    return run("volumes.fork", { app = "db", id = "vol_1" }, {
      ["volumes.get"] = sequence(tbl.flatten({ { VOLUME }, seen })),
      ["volumes.create_once"] = tbl.merge(VOLUME, { id = "vol_2", state = "creating" }),
    })
  end
  local volume, e, ctx = made({ "enabling_remote_export", "hydrating", "hydrating", "created" })
  t.eq({ volume.state, ctx.slept, #ctx.notices }, { "created", 6, 0 })
  for _, state in ipairs({ "restoring", "recovering", "extending", "enabling_remote_export" }) do
    volume, e = made({ state })
    t.err(volume, e, "timeout", state)
  end
  volume, e = made({ "enabling_remote_export", "pending_destroy" })
  t.err(volume, e, "conflict")
  t.match(e.message, "destroyed meanwhile")
end)

t.test("a copy that is still being filled can be used, and what it needs is told", function()
  local volume, e, ctx = run("volumes.fork", { app = "db", id = "vol_1" }, {
    ["volumes.get"] = sequence({ VOLUME, tbl.merge(VOLUME, { state = "hydrating" }) }),
    ["volumes.create_once"] = tbl.merge(VOLUME, { id = "vol_2", state = "creating" }),
  })
  t.eq({ e, volume.state }, { nil, "hydrating" })
  t.match(ctx.notices[1], "keep the source until its state is created")
end)

t.test("a failure while it waits names the volume that was made", function()
  local volume, e = run("volumes.create", { app = "db", name = "data", region = "iad" }, {
    ["volumes.create_once"] = tbl.merge(VOLUME, { state = "creating" }),
    ["volumes.get"] = failure("server", 500),
  })
  t.err(volume, e, "server")
  t.match(e.message, "^waiting for volume vol_1: ")
end)

t.test("a volume has grown when it says so, not when it was asked to", function()
  local volume, e, ctx = run("volumes.extend", { app = "db", id = "vol_1", size_gb = 20 }, {
    ["volumes.get"] = sequence({ VOLUME, tbl.merge(VOLUME, { state = "extending" }), VOLUME,
      tbl.merge(VOLUME, { size_gb = 20 }) }),
    ["volumes.extend_once"] = { volume = VOLUME },
  })
  t.eq({ e, volume.size_gb, ctx.slept }, { nil, 20, 4 })
  volume, e = run("volumes.extend", { app = "db", id = "vol_1", size_gb = 20 }, {
    ["volumes.get"] = VOLUME, ["volumes.extend_once"] = { volume = VOLUME },
  })
  t.err(volume, e, "timeout")
end)

t.test("what is restored is as large as one says", function()
  local function create(args)
    local asked
    local volume, e, ctx = run("volumes.create", tbl.merge({ app = "db", name = "data",
      region = "iad" }, args), {
      ["volumes.create_once"] = function(given)
        asked = given
        return VOLUME
      end,
    })
    return volume, e, ctx, asked
  end
  local volume, e, ctx = create({ snapshot = "vs_1" })
  t.err(volume, e, "usage")
  t.match(e.hint, "%-%-size%-gb")
  t.eq(ctx.calls, {})
  local _, _, _, asked = create({ snapshot = "vs_1", size_gb = 12 })
  t.eq({ asked.snapshot, asked.size_gb }, { "vs_1", 12 })
  _, _, _, asked = create({})
  t.eq(asked.size_gb, 1)
end)

t.test("a copy of a mounted volume is put where such a machine has room", function()
  local guest = { cpu_kind = "performance", cpus = 2, memory_mb = 4096 }
  local asked
  local function fork(machine)
    return run("volumes.fork", { app = "db", id = "vol_1" }, {
      ["volumes.get"] = tbl.merge(VOLUME, { attached_machine_id = "m1" }),
      ["machines.get"] = machine,
      ["volumes.create_once"] = function(given)
        asked = given
        return tbl.merge(VOLUME, { id = "vol_2" })
      end,
    })
  end
  t.ok(fork({ id = "m1", state = "started", config = { guest = guest } }))
  t.eq(asked.guest, guest)
  t.ok(fork(failure("not_found", 404)))
  t.eq(asked.guest, nil)
end)

t.test("room is looked for with the volume's size", function()
  local wanted
  local volume, e = run("volumes.create",
    { app = "db", name = "data", region = "iad", size_gb = 3 }, {
      ["volumes.create_once"] = failure("capacity"),
      ["apps.get"] = { name = "db", organization = { slug = "acme" } },
      ["regions.placements"] = function(args)
        wanted = args
        return { { region = "iad" }, { region = "fra" } }
      end,
    })
  t.err(volume, e, "capacity")
  t.eq(e.hint, "there is room in fra")
  t.eq({ wanted.org, wanted.volume, wanted.volume_bytes },
    { "acme", "data", 3 * 1024 * 1024 * 1024 })
end)

t.test("a create whose answer was lost says where to look", function()
  local volume, e = run("volumes.create", { app = "db", name = "data", region = "iad" },
    { ["volumes.create_once"] = failure("server", 502) })
  t.err(volume, e, "server")
  t.match(e.hint, "look first: clanker fly list volumes %-%-app db")
end)

t.test("a copy takes name and region of its source unless told", function()
  local function fork(args)
    local asked
    run("volumes.fork", tbl.merge({ app = "db", id = "vol_1" }, args), {
      ["volumes.get"] = VOLUME,
      ["volumes.create_once"] = function(given)
        asked = given
        return tbl.merge(VOLUME, { id = "vol_2" })
      end,
    })
    return { asked.name, asked.region, asked.source }
  end
  t.eq(fork({}), { "data", "iad", "vol_1" })
  t.eq(fork({ name = "copy", region = "fra" }), { "copy", "fra", "vol_1" })
  local volume, e, ctx = run("volumes.fork", { app = "db", id = "vol_1" },
    { ["volumes.get"] = tbl.merge(VOLUME, { host_status = "unreachable" }) })
  t.err(volume, e, "the host of volume vol_1 is unreachable")
  t.eq(#ctx.calls, 1)
end)

t.test("a mounted volume is not destroyed", function()
  local volume, e, ctx = run("volumes.destroy", { app = "db", id = "vol_1" },
    { ["volumes.get"] = tbl.merge(VOLUME, { attached_machine_id = "m1" }) })
  t.err(volume, e, "conflict")
  t.match(e.message, "mounted by machine m1")
  t.eq(#ctx.calls, 1)
end)

t.test("a snapshot asked for is complete before the volume goes", function()
  local replies = {
    ["volumes.get"] = sequence({ VOLUME, tbl.merge(VOLUME, { state = "pending_destroy" }) }),
    ["volumes.snapshots"] = sequence({
      { { id = "s1", status = "created" } },
      { { id = "s1", status = "created" }, { id = "s2", status = "waiting" } },
      { { id = "s1", status = "created" }, { id = "s2", status = "created" } },
    }),
    ["volumes.snapshot_once"] = {},
    ["volumes.destroy_once"] = {},
  }
  local volume, e, ctx = run("volumes.destroy",
    { app = "db", id = "vol_1", snapshot = true }, replies)
  t.eq(e, nil)
  t.eq({ volume.id, volume.state }, { "vol_1", "pending_destroy" })
  t.match(ctx.notices[1], "in snapshot s2: clanker fly volumes create %-%-snapshot s2"
    .. " %-%-app db %-%-name data %-%-region iad %-%-size%-gb 10 ")
  t.eq(ctx.calls, { "volumes.get db vol_1", "volumes.snapshots db vol_1",
    "volumes.snapshot_once db vol_1", "volumes.snapshots db vol_1",
    "volumes.snapshots db vol_1", "volumes.destroy_once db vol_1",
    "volumes.get db vol_1" })
end)

t.test("a snapshot is the new one, not one that was under way", function()
  local function save(lists)
    return run("volumes.snapshots_create", { app = "db", id = "vol_1" },
      { ["volumes.snapshots"] = sequence(lists), ["volumes.snapshot_once"] = {} })
  end
  local saved = save({
    { { id = "old", status = "waiting" } },
    { { id = "old", status = "created" }, { id = "new", status = "waiting" } },
    { { id = "old", status = "created" }, { id = "new", status = "created" } },
  })
  t.eq(saved.id, "new")
  local none, e = save({ {}, { { id = "new", status = "failed" } } })
  t.err(none, e, "server")
  t.match(e.message, "snapshot new of volume vol_1 failed")
end)

t.test("a volume on its way out is not destroyed again", function()
  local volume, _, ctx = run("volumes.destroy", { app = "db", id = "vol_1", snapshot = true },
    { ["volumes.get"] = tbl.merge(VOLUME, { state = "pending_destroy" }) })
  t.eq({ volume.state, #ctx.calls }, { "pending_destroy", 1 })
end)

t.test("without its snapshot the volume stays", function()
  for reply, kind in pairs({ ["volumes.snapshot_once"] = "server",
    ["volumes.snapshots"] = "network" }) do
    local volume, e, ctx = run("volumes.destroy",
      { app = "db", id = "vol_1", snapshot = true },
      tbl.merge({ ["volumes.get"] = VOLUME, ["volumes.snapshots"] = {},
        ["volumes.snapshot_once"] = {} }, { [reply] = failure(kind) }))
    t.err(volume, e, kind)
    t.ok(not tbl.contains(ctx.calls, "volumes.destroy_once db vol_1"))
  end
end)
