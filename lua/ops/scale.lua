--- How many machines an app has, and of what size.

local kinds = require "base.json.kinds"
local op = require "opkit.op"
local resource = require "opkit.resource"
local tbl = require "base.tbl"

resource {
  id = "scale",
  title = "Scaling",
}

-- Machines that count: those that are gone do not.
local GONE = tbl.set({ "destroyed", "destroying", "replaced", "migrated" })

local function group_of(machine)
  local metadata = tbl.get(machine, "config.metadata")
  return type(metadata) == "table" and metadata.fly_process_group or "app"
end

-- Adds a machine to the row of its process group and size.
local function count(rows, machine)
  local guest = tbl.get(machine, "config.guest") or {}
  local key = table.concat({ group_of(machine), tostring(guest.cpu_kind),
    tostring(guest.cpus), tostring(guest.memory_mb) }, "\0")
  local row = rows[key] or {
    group = group_of(machine), count = 0, started = 0, regions = {},
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
        if not GONE[machine.state] then
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
