--- What docs/simulator.md shows is so.

local fault = require "sim.fault"
local images = require "sim.images"
local json = require "base.json"
local seed_shape = require "sim.seed_shape"
local shape = require "sim.shape"
local support = require "sim.support"
local t = require "kit"
local tbl = require "base.tbl"

local TEXT = t.read_file("docs/simulator.md")

t.test("the seed shown is one, and fills an account", function()
  local spec = t.ok(json.decode(t.ok(TEXT:match('\n    ({"orgs".-)\n\n'))))
  t.eq(shape.check(spec, seed_shape), nil)
  local sim = support.account(spec)
  t.eq(sim:get("/v1/apps/web").status, "deployed")
end)

t.test("the fault shown can be read", function()
  t.ok(fault.parse(t.ok(TEXT:match("%-%-fault '(.-)'"))))
end)

t.test("the tags that decide how an image behaves are all there", function()
  for _, tag in ipairs(tbl.keys(images.BEHAVIORS)) do
    t.has(TEXT, ("`%s`"):format(tag))
  end
end)
