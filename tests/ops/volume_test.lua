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
  t.eq(volume.id, "vol_1")
  t.eq(ctx.calls, { "volumes.get db vol_1", "volumes.snapshots db vol_1",
    "volumes.snapshot_once db vol_1", "volumes.snapshots db vol_1",
    "volumes.snapshots db vol_1", "volumes.destroy_once db vol_1",
    "volumes.get db vol_1" })
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
