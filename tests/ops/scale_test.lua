--- Having so many machines: what asks first, what is waited for, what is refused.

local ops = require "ops"
local opkit = require "opkit"
local support = require "ops.support"
local t = require "kit"
local tbl = require "base.tbl"

local failure, run = support.failure, support.run

local function machine(id, more)
  return tbl.merge({
    id = id, state = "started", region = "iad",
    config = { metadata = { fly_platform_version = "v2" }, guest = { cpus = 1 } },
  }, more or {})
end

local function of_group(group)
  return { metadata = { fly_platform_version = "v2", fly_process_group = group } }
end

-- Replies in turn; the last one stays.
local function sequence(list)
  local at = 0
  return function()
    at = math.min(at + 1, #list)
    return list[at]
  end
end

t.test("what counts is what a deploy made, in the group and region, and is there", function()
  local list = run("scale.counted", { app = "web" }, { ["machines.list_app"] = {
    machine("m1"), machine("m2", { config = of_group("worker") }),
    machine("m3", { config = {} }), machine("m4", { state = "destroyed" }),
    machine("m5", { region = "fra" }), machine("m6", { config = of_group("app") }),
  } })
  t.eq(support.pluck(list, "id"), { "m1", "m5", "m6" })
  list = run("scale.counted", { app = "web", group = "worker", region = "iad" },
    { ["machines.list_app"] = { machine("m2", { config = of_group("worker") }),
      machine("m7", { config = of_group("worker"), region = "fra" }) } })
  t.eq(support.pluck(list, "id"), { "m2" })
end)

t.test("going down asks, going up does not, and zero asks whatever there is", function()
  local row = ops.get("scale.count")
  local function ask(args, count)
    local checked = assert(opkit.check(row, tbl.merge({ app = "web" }, args)))
    local seen = { ["scale.counted"] = {} }
    for i = 1, count do
      seen["scale.counted"][i] = machine("m" .. i)
    end
    return opkit.confirm(row, checked, seen), opkit.effect(row, checked, seen)
  end
  local question, effect = ask({ count = 2 }, 3)
  t.eq(effect, "destroy")
  t.match(question, "^Scale group app of app web down to 2%?")
  t.match(ask({ count = 2, group = "worker", region = "fra" }, 3),
    "group worker of app web in fra down to 2")
  t.eq({ ask({ count = 3 }, 3) }, { nil, "write" })
  t.eq({ ask({ count = 4 }, 3) }, { nil, "write" })
  t.match(ask({ count = 0 }, 0), "^Destroy every machine of group app of app web")
  t.eq(opkit.effect(row, { app = "web", count = 2 }), "write", "nothing was seen")
end)

-- Scales with the machines seen in turn.
local function scale(args, lists, more)
  return run("scale.count", tbl.merge({ app = "web", count = 2 }, args), tbl.merge({
    ["scale.counted"] = sequence(lists), ["scale.count_to"] = { stdout = "" },
  }, more or {}))
end

t.test("it ends when there are so many and the new ones run", function()
  local m1, m2 = machine("m1"), machine("m2", { state = "starting" })
  local done, e, ctx = scale({}, { { m1 }, { m1 }, { m1, m2 } })
  t.eq(e, nil)
  t.ok(done)
  t.eq(ctx.calls, { "scale.counted web", "scale.count_to web", "scale.counted web",
    "scale.counted web", "wait web m2 started" })
  done, e = scale({}, { { m1 }, { m1, m2 } }, { ["wait m2"] = failure("conflict") })
  t.err(done, e, "conflict")
  t.match(e.message, "^machine m2: ")
end)

t.test("a standby is not waited for, nor anything that was there", function()
  local standby = machine("m3", { state = "stopped",
    config = { metadata = { fly_platform_version = "v2" }, standbys = { "m1" } } })
  local _, _, ctx = scale({}, { { machine("m1") }, { machine("m1"), standby } })
  t.eq(#ctx.calls, 3)
  _, _, ctx = scale({ no_wait = true }, { { machine("m1") } })
  t.eq(#ctx.calls, 2)
  _, _, ctx = scale({}, { { machine("m1"), machine("m2") } })
  t.eq(#ctx.calls, 2, "there were so many")
end)

t.test("flyctl's word is not enough", function()
  local done, e = scale({}, { { machine("m1") } })
  t.err(done, e, "timeout")
  t.match(e.message, "app web did not have 2 machines in group app within 120 s")
end)

t.test("a pending app is told as one, and flyctl is not asked", function()
  local done, e, ctx = scale({}, { {} }, {
    ["apps.get"] = { name = "web", status = "pending" },
  })
  t.err(done, e, "conflict")
  t.match(e.message, "app web is pending")
  t.match(e.hint, "deploy")
  t.ok(not tbl.contains(ctx.calls, "scale.count_to web"))
  for id, wanted in pairs({ ["scale.memory"] = { memory = 512 },
    ["scale.cpu"] = { cpus = 2 }, ["scale.vm"] = { size = "shared-cpu-1x" } }) do
    done, e = run(id, tbl.merge({ app = "web" }, wanted), {
      ["machines.list_app"] = {}, ["apps.get"] = { name = "web", status = "pending" },
    })
    t.err(done, e, "conflict")
    t.match(e.message, "app web is pending")
  end
  done, e = run("releases.rollback", { app = "web" },
    { ["releases.list"] = {}, ["apps.get"] = { name = "web", status = "pending" } })
  t.err(done, e, "conflict")
end)

t.test("a machine whose host has no room is to be copied where there is some", function()
  local guest = { cpu_kind = "shared", cpus = 1, memory_mb = 256 }
  local held = machine("m1", { config = { guest = guest } })
  local wanted
  local done, e = run("scale.memory", { app = "web", memory = 1024 }, {
    ["machines.list_app"] = { held }, ["machines.get"] = held,
    ["machines.update_once"] = failure("capacity", 409),
    ["apps.get"] = { name = "web", organization = { slug = "acme" } },
    ["regions.placements"] = function(args)
      wanted = args.guest
      return { { region = "iad" }, { region = "ams" } }
    end,
  })
  t.err(done, e, "capacity")
  t.match(e.hint, "there is room in iad and ams; .*clanker fly clone m1 %-%-region iad %-%-app web")
  t.eq(wanted.memory_mb, 1024)
end)

t.test("where there is no room for more, other regions are named", function()
  local done, e = scale({}, { { machine("m1") } }, {
    ["scale.count_to"] = failure("capacity"),
    ["apps.get"] = { name = "web", organization = { slug = "acme" } },
    ["regions.placements"] = { { region = "ams" } },
  })
  t.err(done, e, "capacity")
  t.match(e.hint, "there is room in ams: say %-%-region")
end)
