--- What sizes the machines of an app have, and giving them another.
--- Rows; what they run waits, and reaches others through its context only.

local cells = require "ops.cells"
local config = require "ops.flow_config"
local err = require "base.err"
local flow = require "ops.flow"
local flow_machine = require "ops.flow_machine"
local groups = require "ops.process_group"
local guests = require "ops.guest"
local json = require "base.json"
local kinds = require "base.json.kinds"
local op = require "opkit.op"
local resource = require "opkit.resource"
local spec = require "ops.machine_spec"
local tbl = require "base.tbl"

resource {
  id = "scale",
  title = "Scaling",
}

-- Adds a machine to the row of its process group and size.
local function count(rows, machine)
  local guest = tbl.get(machine, "config.guest") or {}
  local key = table.concat({ groups.of(machine), tostring(guest.cpu_kind),
    tostring(guest.cpus), tostring(guest.memory_mb) }, "\0")
  local row = rows[key] or {
    group = groups.of(machine), count = 0, started = 0, regions = {},
    cpu_kind = guest.cpu_kind, cpus = guest.cpus, memory_mb = guest.memory_mb,
  }
  row.count = row.count + 1
  row.started = row.started + (machine.state == "started" and 1 or 0)
  local region = machine.region or "?"
  row.regions[region] = (row.regions[region] or 0) + 1
  rows[key] = row
end

-- "fra, iad(2)"
local function regions_text(row)
  local words = {}
  for region, n in tbl.sorted(row.regions or {}) do
    words[#words + 1] = n > 1 and ("%s(%d)"):format(region, n) or region
  end
  return table.concat(words, ", ")
end

op {
  id = "scale.show",
  title = "Show how many machines an app has, and their sizes",
  doc = "One row for each process group and size.",
  effect = "read",
  calls = { "machines.list_app" },
  run = function(ctx, args)
    local rows = {}
    local done, e = ctx.call("machines.list_app", { app = args.app }, {
      each = function(machine)
        if not groups.GONE[machine.state] then
          count(rows, machine)
        end
      end,
    })
    if not done then
      return nil, e
    end
    local list = kinds.array()
    for _, row in tbl.sorted(rows) do
      list[#list + 1] = row
    end
    return list
  end,
  order = { "group", "cpu_kind", "cpus", "memory_mb" },
  noun = "machines",
  params = {
    { "app", "app", "name of the app", required = true },
  },
  returns = {
    list = {
      object = {
        group = "string", count = "integer", started = "integer",
        cpu_kind = "string?", cpus = "integer?", memory_mb = "integer?",
        regions = { map = "integer" },
      },
    },
  },
  columns = {
    { "GROUP", "group" },
    { "COUNT", "count", format = "number" },
    { "STARTED", "started", format = "number", priority = 2 },
    { "KIND", "cpu_kind" },
    { "CPUS", "cpus", format = "number" },
    { "MEMORY", "memory_mb", format = "megabytes" },
    { "REGIONS", regions_text, priority = 2 },
  },
  examples = { "scale show --app my-app" },
}

-- The machines of an app, of one process group if told.
local function machines_of(ctx, args)
  local targets = {}
  local listed, e = ctx.call("machines.list_app", { app = args.app }, {
    each = function(machine)
      local is_meant = not args.group or groups.of(machine) == args.group
      if is_meant and not groups.GONE[machine.state] then
        targets[#targets + 1] = {
          app = args.app, id = machine.id, guest = tbl.get(machine, "config.guest"),
        }
      end
    end,
  })
  if not listed then
    return nil, e
  elseif #targets == 0 then
    return nil, flow.pending(ctx, args.app) or err.new({
      kind = "not_found",
      message = args.group
        and ("app %s has no machines in group %s"):format(args.app, args.group)
        or ("app %s has no machines"):format(args.app),
      hint = "see what it has: clanker fly scale show --app " .. args.app,
    })
  end
  return tbl.sort_by(targets, function(target)
    return target.id
  end)
end

-- The machines, when all of them can have the size: else none is touched.
local function fitting(targets, args)
  for _, target in ipairs(targets) do
    local guest, e = guests.resolve({
      size = args.size, memory = args.memory, cpus = args.cpus,
    }, target.guest)
    if not guest then
      return nil, err.wrap(e, "machine " .. target.id)
    end
  end
  return targets
end

-- An operation that gives all machines of an app another size.
local function resize(id, title, first, more)
  op {
    id = id,
    title = title,
    doc = "All machines of the app, one after another unless told otherwise; over"
      .. " the Machines API, so that flyctl is not needed.",
    effect = "write",
    cost = "larger machines cost more.",
    calls = tbl.flatten({ { "machines.list_app" }, config.CALLS }),
    run = function(ctx, args)
      local targets, e = machines_of(ctx, args)
      if targets then
        targets, e = fitting(targets, args)
      end
      if not targets then
        return nil, e
      end
      local asked = { size = args.size, memory = args.memory, cpus = args.cpus }
      return flow_machine.each(ctx, targets, args.parallel, function(target)
        return config.update(ctx, target, {
          no_wait = args.no_wait,
          change = function(read)
            local changes, why = spec.changes(asked,
              tbl.get(read.machine, "config.guest"))
            if not changes then
              return nil, why
            end
            return json.edit(read.text, changes)
          end,
        })
      end)
    end,
    params = tbl.flatten({
      { { "app", "app", "name of the app", required = true } },
      { first }, more or {},
      {
        { "group", "name", "only machines of this process group" },
        { "parallel", "integer", "how many at a time", default = 1, min = 1,
          max = 50 },
        { "no_wait", "boolean", "do not wait until they run" },
      },
    }),
    order = { "id" },
    returns = { list = "outcome" },
    columns = cells.OUTCOME,
    examples = { ({
      ["scale.vm"] = "scale vm performance-2x --app my-app",
      ["scale.memory"] = "scale memory 2048 --app my-app",
      ["scale.cpu"] = "scale cpu 2 --memory 512 --app my-app",
    })[id] },
  }
end

local MEMORY = { "memory", "megabytes", "memory as well" }

resize("scale.vm", "Give machines another preset of CPUs and memory",
  { "size", "enum", "the preset", values = guests.PRESETS, required = true,
    pos = 1 }, { MEMORY })

resize("scale.memory", "Give machines another amount of memory",
  { "memory", "megabytes", "the amount", required = true, pos = 1 })

resize("scale.cpu", "Give machines another number of CPUs",
  { "cpus", "integer", "the number", required = true, pos = 1, min = 1,
    max = 16 }, { MEMORY })
