--- Table views and the order of rows.

local formats = require "opkit.formats"
local json = require "base.json"
local opkit = require "opkit"
local support = require "lua.opkit.support"
local t = require "kit"

local ROW = support.row({
  order = { "app", "size" },
  columns = {
    { "ID", "id" },
    { "PRIVATE IP", "net.ip", priority = 3, wide = true },
    { "MEMORY", "guest.memory_mb", format = "megabytes" },
    { "CPUS", function(item) return item.guest and item.guest.cpus end },
    { "UPDATED", "updated_at", format = "ago" },
  },
})

local NOW = 1714521600

t.test("cells come from paths and functions; what is absent is empty", function()
  local views = opkit.columns(ROW)
  local item = { id = "1", guest = { memory_mb = 2048, cpus = 2 }, net = json.null,
    updated_at = "2024-04-30T23:00:00Z" }
  local cells, values = {}, {}
  for i, view in ipairs(views) do
    cells[i] = view.text(item, NOW)
    values[i] = view.value(item) or false
  end
  t.eq(cells, { "1", "", "2 GB", "2", "1h ago" })
  t.eq(values, { "1", false, 2048, 2, "2024-04-30T23:00:00Z" })
  for _, view in ipairs(views) do
    t.eq(view.text({}, NOW), "")
  end
end)

t.test("a view says how to lay it out", function()
  local view = opkit.columns(ROW)[2]
  t.eq({ view.key, view.priority, view.wide, view.align }, { "private_ip", 3, true, "left" })
  t.eq(opkit.columns(ROW)[3].align, "right")
end)

t.test("formats never fail, whatever the value", function()
  for _, name in ipairs({ "text", "bytes", "megabytes", "gigabytes", "ago", "duration",
    "boolean", "count", "millis", "state", "short", "number" }) do
    for _, value in ipairs({ 1, 1.5, "", "x", true, json.null, {}, { a = 1 }, { 1, "b" },
      json.raw("1e999") }) do
      t.eq(type(formats.get(name)(value, NOW)), "string")
    end
    t.eq(formats.get(name)(nil, NOW), "")
  end
end)

t.test("formats read as people expect", function()
  t.eq(formats.get("text")({ "a", "b" }), "a, b")
  t.eq(formats.get("text")({ b = 1 }), '{"b":1}')
  t.eq(formats.get("boolean")(true), "yes")
  t.eq(formats.get("count")({ 1, 2 }), "2")
  t.eq(formats.get("short")(("a"):rep(20)), ("a"):rep(16) .. "…")
  t.eq(formats.get("short")(("é"):rep(20)), ("é"):rep(16) .. "…")
  t.eq(formats.get("short")(("é"):rep(16)), ("é"):rep(16))
end)

t.test("lists sort by the declared paths, numbers by size", function()
  local sorted = opkit.sort(ROW, {
    { app = "b", size = 1 }, { app = "a", size = 10 }, { app = "a", size = 9 }, { app = "a" },
  })
  local seen = {}
  for i, item in ipairs(sorted) do
    seen[i] = item.app .. tostring(item.size)
  end
  t.eq(seen, { "anil", "a9", "a10", "b1" })
  t.ok(json.is_array(opkit.sort(ROW, {})))
  local list = { 2, 1 }
  t.ok(opkit.sort(support.row({}), list) == list)
end)
