--- Which organizations a listing shows.

local support = require "ops.support"
local t = require "kit"

local pluck, run = support.pluck, support.run

local ALL = { ["orgs.list_all"] = {
  { slug = "acme", raw_slug = "acme" }, { slug = "personal", raw_slug = "ann" },
} }

t.test("every organization is listed, whichever one is configured", function()
  t.eq(pluck(run("orgs.list", {}, ALL), "slug"), { "acme", "personal" })
  t.eq(pluck(run("orgs.list", {}, ALL, { org = "acme" }), "slug"), { "acme", "personal" })
end)

t.test("the one asked for is the only one, by either of its slugs", function()
  t.eq(pluck(run("orgs.list", { org = "acme" }, ALL), "slug"), { "acme" })
  t.eq(pluck(run("orgs.list", { org = "ann" }, ALL), "slug"), { "personal" })
  local got = {}
  run("orgs.list", { org = "personal" }, ALL, { each = function(org)
    got[#got + 1] = org.slug
  end })
  t.eq(got, { "personal" })
end)

t.test("one that the token does not see is not found", function()
  local list, e = run("orgs.list", { org = "nope" }, ALL)
  t.err(list, e, "not_found")
  t.has(e.message, '"nope"')
  t.has(e.hint, "list orgs")
end)
