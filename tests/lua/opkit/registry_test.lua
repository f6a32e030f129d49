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

-- Holds rows against the rules in a registry of their own.
local function check_all(rows)
  local names = { "opkit.registry", "opkit.op", "opkit.resource", "opkit.tool", "opkit.links" }
  local kept = {}
  for _, name in ipairs(names) do
    kept[name], package.loaded[name] = package.loaded[name], nil
  end
  local _ <close> = setmetatable({}, { __close = function()
    for _, name in ipairs(names) do
      package.loaded[name] = kept[name]
    end
  end })
  local fresh = require "opkit.registry"
  require("opkit.resource")({ id = "cups", title = "Cups" })
  for _, row in ipairs(rows) do
    require("opkit.op")(row)
  end
  fresh.check_all()
end

local DRY = {
  id = "cups.dry", title = "Dry", effect = "write", http = { "POST", "/v1/cups" }, limit = "none",
  params = {
    { "id", "name", "id of the cup", required = true }, { "with", "name", "what with" },
  },
}

local function wash(fields)
  return { DRY, tbl.merge({
    id = "cups.wash", title = "Wash", effect = "write", calls = {}, run = function() end,
    params = { { "soap", "name", "which one" } },
    returns = { object = { cup = { object = { id = "string" } } } },
  }, fields) }
end

t.test("what a row refers to is there, or the row is refused", function()
  for _, fields in ipairs({
    { calls = { "cups.drie" } }, { undo = { op = "cups.drie" } },
    { preview = "cups.drie", effect = "destroy", confirm = "Wash?" },
    { escalate = { {
      when = function() end, seeing = "cups.drie", effect = "write", why = "they break",
    } } },
  }) do
    t.raises(function()
      check_all(wash(fields))
    end, 'op cups.wash: refers to "cups.drie", which is not declared')
  end
end)

t.test("an inverse gets what it takes, of what is known by then", function()
  local made = { id = "cup.id" }
  check_all(wash({ produces = made, undo = { op = "cups.dry", args = { id = "{id}" } } }))
  check_all(wash({ undo = { op = "cups.dry", args = { id = "c-{soap}" } } }))
  for why, fields in pairs({
    ["undo does not give id, which cups.dry requires"] = { undo = { op = "cups.dry" } },
    ["undo gives cup, which cups.dry does not take"] = {
      undo = { op = "cups.dry", args = { cup = "{soap}" } },
    },
    ["{id} in undo is no parameter and nothing it produces"] = {
      undo = { op = "cups.dry", args = { id = "{id}" } },
    },
    ['produces id = "cup.name", which is no field'] = { produces = { id = "cup.name" } },
  }) do
    t.raises(function()
      check_all(wash(fields))
    end, why)
  end
end)
