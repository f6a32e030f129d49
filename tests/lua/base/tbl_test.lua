--- base.tbl: ordered walks, copies, lookups.

local t = require "kit"
local tbl = require "base.tbl"

t.test("keys sort numbers before strings before the rest", function()
  t.eq(tbl.keys({ b = 1, a = 1, [2] = 1, [10] = 1, [true] = 1 }),
    { 2, 10, "a", "b", true })
end)

t.test("sorted walks in key order, and allows clearing on the way", function()
  local seen, data = {}, { c = 3, a = 1, b = 2 }
  for key, value in tbl.sorted(data) do
    seen[#seen + 1] = key .. value
    data[key] = nil
  end
  t.eq(seen, { "a1", "b2", "c3" })
end)

t.test("a copy is shallow, a deep copy is not, both keep metatables", function()
  local meta = { __array = true }
  local inner = setmetatable({ 1 }, meta)
  local original = { inner = inner }
  t.ok(tbl.copy(original).inner == inner)
  local deep = tbl.deep_copy(original)
  t.ok(deep.inner ~= inner)
  t.ok(getmetatable(deep.inner) == meta)
  t.eq(deep, original)
end)

t.test("merge lets later tables win", function()
  t.eq(tbl.merge({ a = 1, b = 1 }, { b = 2 }, {}), { a = 1, b = 2 })
end)

t.test("map, filter, find, contains, flatten, set do what they say", function()
  t.eq(tbl.map({ 1, 2 }, function(n, i) return n * 10 + i end), { 11, 22 })
  t.eq(tbl.filter({ 1, 2, 3 }, function(n) return n ~= 2 end), { 1, 3 })
  local found, at = tbl.find({ "x", "y" }, function(s) return s == "y" end)
  t.eq({ found, at }, { "y", 2 })
  t.eq(tbl.find({}, function() return true end), nil)
  t.ok(tbl.contains({ "a" }, "a"))
  t.ok(not tbl.contains({ "a" }, "b"))
  t.eq(tbl.flatten({ { 1 }, {}, { 2, 3 } }), { 1, 2, 3 })
  t.eq(tbl.set({ "a", "b" }), { a = true, b = true })
end)

t.test("sort_by is stable", function()
  local rows = { { 2, "a" }, { 1, "b" }, { 2, "c" }, { 1, "d" } }
  local names = tbl.map(tbl.sort_by(rows, function(r) return r[1] end),
    function(r) return r[2] end)
  t.eq(table.concat(names), "bdac")
end)

t.test("get follows dotted paths and exact keys, and stops at non-tables", function()
  local data = { config = { guest = { cpus = 2 } }, list = { { id = "x" } },
    ["a.b"] = 1 }
  t.eq(tbl.get(data, "config.guest.cpus"), 2)
  t.eq(tbl.get(data, "list.1.id"), "x")
  t.eq(tbl.get(data, { "a.b" }), 1)
  t.eq(tbl.get(data, "config.nothing.cpus"), nil)
  t.eq(tbl.get(data, "config.guest.cpus.deeper"), nil)
  t.eq(tbl.get(nil, "a"), nil)
end)

t.test("equal compares deeply, matches compares the wanted fields", function()
  t.ok(tbl.equal({ a = { 1, 2 } }, { a = { 1, 2 } }))
  t.ok(not tbl.equal({ a = 1 }, { a = 1, b = 2 }))
  t.ok(not tbl.equal({ a = 1, b = 2 }, { a = 1 }))
  t.ok(tbl.matches({ count = 0, app = "x" }, { count = 0 }))
  t.ok(not tbl.matches({ count = 1 }, { count = 0 }))
  t.ok(tbl.matches({}, {}))
end)

t.test("keep works in place, passes on what it is given, and leaves no holes", function()
  local list = { 1, 2, 3, 4 }
  local seen = tbl.keep(list, function(item, i, factor)
    return i % 2 == 0 and item * factor or nil
  end, 10)
  t.ok(seen == list)
  t.eq(list, { 20, 40 })
  t.eq(tbl.keep({}, error), {})
end)
