--- The registry: what is declared, read when asked for, and linked.

local op = require "opkit.op"
local registry = require "opkit.registry"
local resource = require "opkit.resource"
local t = require "kit"
local tbl = require "base.tbl"

resource { id = "pots", singular = "pot", title = "Pots" }

local function pot(fields)
  op(tbl.merge({
    title = "Do it", effect = "write", http = { "POST", "/v1/pots" }, limit = "none",
  }, fields))
end

pot { id = "pots.fill", undo = { op = "pots.empty" } }
pot { id = "pots.empty" }
pot { id = "pots.inner", hidden = true }

t.test("rows are found by id, words and listing; hidden ones by id only", function()
  t.eq(registry.get("pots.fill").resource, "pots")
  t.eq((registry.find({ "pot", "fill" })).id, "pots.fill")
  t.eq(registry.find({ "pot", "inner" }), nil)
  t.ok(registry.get("pots.inner"))
  t.eq(registry.ids(), { "pots.empty", "pots.fill" })
  t.eq(registry.ids({ hidden = true }), { "pots.empty", "pots.fill", "pots.inner" })
  t.eq(#registry.all(), 2)
  t.eq(registry.title("pots.empty"), "Do it")
  t.eq(registry.get("pots.nothing"), nil)
  registry.check_all()
end)

t.test("a row is read once", function()
  t.ok(registry.get("pots.fill") == registry.get("pots.fill"))
end)

t.test("malformed, repeated or homeless ids are refused at once", function()
  t.raises(function() pot { id = "pots.fill" } end, "op pots.fill: declared twice")
  t.raises(function() pot { id = "pans.fill" } end, 'unknown resource "pans"')
  for _, id in ipairs({ "pots", "Pots.fill", "pots.fill.more", ".x", "" }) do
    t.raises(function() pot { id = id } end, "must be resource.verb")
  end
  t.raises(function() pot {} end, "op nil: id must be")
  t.raises(function() resource { id = "pots" } end, "already names pots")
  t.raises(function() resource { id = "Pots" } end, "lower case")
end)

t.test("a bad row is refused when it is first used, and by check_all", function()
  pot { id = "pots.bad", effect = "wrong" }
  t.raises(function() registry.get("pots.bad") end, "op pots.bad: field \"effect\"")
  t.raises(function() registry.find({ "pots", "bad" }) end, "op pots.bad")
  t.raises(function() registry.check_all() end, "op pots.bad")
end)

t.test("a row that refers to nothing is refused", function()
  package.loaded["opkit.registry"] = nil
  package.loaded["opkit.op"] = nil
  package.loaded["opkit.resource"] = nil
  local fresh = require "opkit.registry"
  require("opkit.resource")({ id = "cups", title = "Cups" })
  require("opkit.op")({
    id = "cups.wash", title = "Wash", effect = "write", calls = { "cups.dry" },
    run = function() end,
  })
  t.raises(fresh.check_all, 'op cups.wash: refers to "cups.dry"')
  package.loaded["opkit.registry"] = registry
  package.loaded["opkit.op"] = op
  package.loaded["opkit.resource"] = resource
end)
