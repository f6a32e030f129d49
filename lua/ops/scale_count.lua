--- How many machines an app has: flyctl changes it, and what it did is checked.
--- Rows; what they run waits, and reaches others through its context only.

local checks = require "ops.flow_checks"
local err = require "base.err"
local flow = require "ops.flow"
local groups = require "ops.process_group"
local op = require "opkit.op"
local place = require "ops.flow_place"
local str = require "base.str"
local tbl = require "base.tbl"

local WHERE = {
  { "app", "app", "name of the app", required = true },
  { "group", "name", "machines of this process group", default = groups.DEFAULT },
  { "region", "region", "only machines in this region" },
}

op {
  id = "scale.counted",
  hidden = true,
  title = "List the machines that a count is about",
  doc = "Those that deploys made and that are not gone, as flyctl counts.",
  effect = "read",
  calls = { "machines.list_app" },
  run = function(ctx, args)
    return flow.collect(ctx, "machines.list_app", { app = args.app }, function(machine)
      local is_meant = not groups.GONE[machine.state] and groups.is_deployed(machine)
        and groups.of(machine) == args.group
        and (not args.region or machine.region == args.region)
      return is_meant and machine or nil
    end)
  end,
  params = WHERE,
  order = { "id" },
  returns = { list = "machine" },
  columns = {
    { "ID", "id" },
    { "NAME", "name" },
    { "STATE", "state", format = "state" },
    { "REGION", "region" },
  },
}

local PARAMS = {
  WHERE[1],
  { "count", "integer", "how many", required = true, pos = 1, min = 0, max = 1000 },
  WHERE[2], WHERE[3],
}

-- What takes machines away asks first, as flyctl would.
local FEWER = {
  {
    when = function(args)
      return args.count == 0 and not args.region
    end,
    effect = "destroy", why = "destroys every machine",
    confirm = "Destroy every machine of group {group} of app {app}?",
  },
  {
    seeing = "scale.counted",
    when = function(args, machines)
      return args.count < #machines and not args.region
    end,
    effect = "destroy", why = "leaves fewer than there are",
    confirm = "Scale group {group} of app {app} down to {count}? The machines over"
      .. " that are destroyed.",
  },
  {
    seeing = "scale.counted",
    when = function(args, machines)
      return args.count < #machines and args.region ~= nil
    end,
    effect = "destroy", why = "leaves fewer than there are",
    confirm = "Scale group {group} of app {app} in {region} down to {count}? The"
      .. " machines over that are destroyed.",
  },
}

op {
  id = "scale.count_to",
  hidden = true,
  title = "Have flyctl change the number of machines",
  effect = "write",
  escalate = { FEWER[1] },
  flyctl = {
    "scale", "count", "{count}", "--app={app}", "--yes", "--process-group={group}",
    { when = "region", "--region={region}" },
  },
  timeout = 900,
  params = PARAMS,
}

-- Stays stopped until another machine fails.
local function is_standby(machine)
  local standbys = tbl.get(machine, "config.standbys")
  return type(standbys) == "table" and next(standbys) ~= nil
end

local function until_started(ctx, app, machine)
  local at = { app = app, id = machine.id }
  local reached, e = ctx.wait({
    app = app, id = machine.id, state = "started", version = machine.instance_id,
    launched = true,
  })
  if reached then
    reached, e = checks.wait(ctx, at, machine)
  end
  return reached, e and err.wrap(e, "machine " .. machine.id)
end

-- Seconds between two looks.
local PAUSE = 2

-- Waits until there are as many as asked for, and those that are new run.
local function until_so(ctx, at, count, before)
  local known = tbl.set(tbl.map(before, function(machine)
    return machine.id
  end))
  -- What flyctl has just asked counts against the same limits.
  ctx.sleep(PAUSE)
  local now, e = flow.poll(ctx, {
    seconds = 120, pause = PAUSE,
    what = ("app %s did not have %s in group %s"):format(
      at.app, str.count(count, "machine"), at.group),
  }, function()
    local list, why = ctx.call("scale.counted", at)
    return list and #list == count and list or nil, why
  end)
  if not now then
    return nil, e
  end
  return ctx.map(tbl.filter(now, function(machine)
    return not known[machine.id] and not is_standby(machine)
  end), function(machine)
    return until_started(ctx, at.app, machine)
  end)
end

op {
  id = "scale.count",
  title = "Have so many machines of an app",
  doc = [[
    flyctl creates machines like those of the last release, or destroys some;
    then this waits until there are so many and the new ones run.
  ]],
  effect = "write",
  cost = "more machines cost more.",
  escalate = FEWER,
  preview = "scale.counted",
  calls = tbl.flatten({
    { "scale.counted", "scale.count_to", "machines.get" }, place.CALLS,
  }),
  run = function(ctx, args)
    local known, e = flow.known_region(ctx, args.region)
    if not known then
      return nil, e
    end
    local at = { app = args.app, group = args.group, region = args.region }
    local before
    before, e = ctx.call("scale.counted", at)
    e = e or #before == 0 and flow.pending(ctx, args.app) or nil
    if e then
      return nil, e
    end
    local done
    done, e = ctx.call("scale.count_to", tbl.merge(at, { count = args.count }))
    if not done then
      e.hint = e.hint or "see what it has: clanker fly scale show --app " .. args.app
      return nil, place.suggest(ctx, e, {
        app = args.app, region = args.region, guest = tbl.get(before[1] or {}, "config.guest"),
        how = "say --region REGION",
      })
    elseif args.no_wait or #before == args.count then
      return done
    end
    local is_so
    is_so, e = until_so(ctx, at, args.count, before)
    return is_so and done, e
  end,
  params = tbl.flatten({
    PARAMS, { { "no_wait", "boolean", "do not wait until the new ones run" } },
  }),
  examples = { "scale count 3 --app my-app", "scale count 2 --app my-app --region fra" },
}
