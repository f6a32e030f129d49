--- Making machines: mounts and regions, capacity, copies.

local json = require "base.json"
local support = require "ops.support"
local t = require "kit"
local tbl = require "base.tbl"

local failure, run = support.failure, support.run

local VOLUMES = {
  { id = "vol_1", name = "data", region = "iad", attached_machine_id = "m1" },
  { id = "vol_2", name = "data", region = "iad" },
  { id = "vol_3", name = "data", region = "fra" },
  { id = "vol_4", name = "logs", region = "iad" },
}

local function create(args, replies)
  local asked
  local made, e, ctx = run("machines.create",
    tbl.merge({ app = "web", image = "nginx" }, args),
    tbl.merge({
      ["volumes.list_app"] = VOLUMES,
      ["machines.create_once"] = function(given)
        asked = given
        return { id = "m9", state = "created", region = given.region, instance_id = "v1" }
      end,
    }, replies or {}))
  return asked, e, ctx, made
end

t.test("a machine is created and waited for until it is started", function()
  local asked, _, ctx, made = create({ region = "iad", name = "one" })
  t.eq({ asked.name, asked.region, asked.skip_launch }, { "one", "iad", nil })
  t.eq(made.state, "started")
  t.eq(ctx.calls, { "regions.list_all", "machines.create_once web", "wait web m9 started" })
  asked, _, ctx = create({ no_start = true })
  t.eq(asked.skip_launch, true)
  t.eq(#ctx.calls, 1)
end)

t.test("volumes are found by id or name, free ones, in the region", function()
  local function mounts(args)
    local asked, e = create(args)
    return asked and { asked.region, asked.config.mounts } or nil, e
  end
  t.eq(mounts({ volume = { "vol_4:/logs" } }), { "iad", { { volume = "vol_4", path = "/logs" } } })
  t.eq(mounts({ volume = { "data:/d" } })[2][1].volume, "vol_2")
  t.eq(mounts({ volume = { "data:/d" }, region = "fra" }),
    { "fra", { { volume = "vol_3", path = "/d" } } })
  -- Two mounts take two volumes, both in the region the first one forces.
  t.eq(mounts({ volume = { "data:/a", "logs:/b" } })[2][2].volume, "vol_4")
end)

t.test("a volume elsewhere, in use, or not there refuses the machine", function()
  for _, case in ipairs({
    { { volume = { "logs:/l" }, region = "fra" }, "volume vol_4 is in iad, the machine would be" },
    { { volume = { "vol_1:/d" } }, "mounted by machine m1" },
    { { volume = { "nope:/d" } }, "no volume nope" },
    { { volume = { "vol_3:/a", "vol_4:/b" } }, "volume vol_4 is in iad" },
    { { volume = { "vol_4:/a", "vol_4:/b" } }, "mounted by machine to be made" },
    { { volume = { "data" } }, "is no mount" },
    { { memory = 300 }, "300 MB of memory" },
  }) do
    local asked, e, ctx = create(case[1])
    t.eq(asked, nil)
    t.match(e.message, case[2])
    t.ok(not tbl.contains(ctx.calls, "machines.create_once web"))
  end
end)

t.test("where there is no room, other regions are offered", function()
  local _, e = create({ region = "iad" }, {
    ["machines.create_once"] = failure("capacity", 503),
    ["apps.get"] = { name = "web", organization = { slug = "acme" } },
    ["regions.placements"] = function(args)
      t.eq(args.org, "acme")
      return { { region = "ord" }, { region = "iad" }, { region = "fra" } }
    end,
  })
  t.eq(e.kind, "capacity")
  t.eq(e.hint, "there is room in fra and ord")
end)

t.test("a lost answer says that the machine may exist", function()
  local _, e = create({}, { ["machines.create_once"] = failure("timeout", 408) })
  t.match(e.hint, "the machine may exist: clanker fly list machines %-%-app web")
end)

t.test("a machine that does not start is told with its id", function()
  local _, e = create({}, { ["wait m9"] = failure("timeout") })
  t.match(e.message, "^machine m9 was created, but: ")
end)

local SOURCE = '{"id":"m1","region":"iad","host_status":"ok","config":{"image":"nginx",'
  .. '"mounts":[{"volume":"vol_1","path":"/data"}],"odd":[ ]}}'

local function clone(args, replies)
  local asked
  local made, e, ctx = run("machines.clone", tbl.merge({ app = "web", id = "m1" }, args),
    tbl.merge({
      ["machines.get"] = SOURCE,
      ["volumes.get"] = { id = "vol_1", name = "data", size_gb = 10, encrypted = true },
      ["volumes.create_once"] = function(given)
        t.eq({ given.name, given.size_gb, given.region }, { "data", 10, args.region or "iad" })
        return { id = "vol_9" }
      end,
      ["volumes.destroy_once"] = {},
      ["machines.create_once"] = function(given)
        asked = given
        return { id = "m9", state = "created" }
      end,
    }, replies or {}))
  return asked, e, ctx, made
end

t.test("a copy has the same config and a volume of its own", function()
  local asked, _, _, made = clone({ region = "fra", name = "two" })
  t.eq(tostring(asked.config), '{"image":"nginx","mounts":[{"volume":"vol_9",'
    .. '"path":"/data"}],"odd":[ ]}')
  t.eq({ asked.region, asked.name, made.id }, { "fra", "two", "m9" })
  t.eq(clone({}).region, "iad")
end)

t.test("a copy that surely failed leaves no volume behind", function()
  local _, e, ctx = clone({}, { ["machines.create_once"] = failure("quota", 403) })
  t.eq(e.kind, "quota")
  t.ok(tbl.contains(ctx.calls, "volumes.destroy_once web vol_9"))
end)

t.test("a copy that may exist keeps its volume, and that is told", function()
  local _, e, ctx = clone({}, { ["machines.create_once"] = failure("timeout", 408) })
  t.eq(e.kind, "timeout")
  t.ok(not tbl.contains(ctx.calls, "volumes.destroy_once web vol_9"))
  t.match(ctx.notices[1], "volume vol_9 was made for the copy and is still there")
  _, e, ctx = clone({}, { ["wait m9"] = failure("conflict") })
  t.match(e.message, "machine m9 was created")
  t.ok(not tbl.contains(ctx.calls, "volumes.destroy_once web vol_9"))
end)

t.test("a volume that cannot be made undoes the ones before", function()
  local two = SOURCE:gsub('"path":"/data"}', '"path":"/data"},{"volume":"vol_1","path":"/b"}')
  local count = 0
  local _, e, ctx = clone({}, {
    ["machines.get"] = two,
    ["volumes.create_once"] = function()
      count = count + 1
      return count == 1 and { id = "vol_8" } or failure("capacity")
    end,
  })
  t.eq(e.kind, "capacity")
  t.ok(tbl.contains(ctx.calls, "volumes.destroy_once web vol_8"))
  t.ok(json.decode(two))
end)
