--- Usage lines and help pages.

local opkit = require "opkit"
local registry = require "opkit.registry"
local support = require "lua.opkit.support"
local t = require "kit"

registry.declare_resource({ id = "things", singular = "thing", title = "Things" })

local ROW = support.row({
  id = "things.destroy",
  title = "Destroy a thing",
  doc = "It is gone afterwards.\n\nReally.",
  effect = "destroy",
  confirm = "Destroy {id}?",
  cost = "none",
  escalate = { { when = { force = true }, effect = "exec", why = "is forced" } },
  http = { "DELETE", "/v1/apps/{app}/things/{id}" },
  examples = { "destroy thing 1 --app my-app" },
  params = {
    { "app", "app", "app of the thing", required = true, short = "a" },
    { "id", "name", "id of the thing", required = true, pos = 1 },
    { "force", "boolean", "even when it runs" },
    { "keep", "boolean", "keep its disk", default = true },
    { "kind", "enum", "which kind", values = { "big", "small" }, default = "big" },
    { "tag", "name", "a tag of it", many = true },
    { "secretly", "name", "not shown", hidden = true },
    { "command", "string", "what to run", rest = true, many = true, metavar = "CMD" },
  },
})

t.test("the usage line shows what must be given", function()
  t.eq(opkit.usage(ROW),
    "clanker fly destroy thing <id> --app APP [flags] -- CMD...")
  t.eq(opkit.usage(ROW, { program = "fly" }),
    "fly destroy thing <id> --app APP [flags] -- CMD...")
end)

t.test("the help page has everything, within the width", function()
  t.eq(opkit.help(ROW, { width = 72 }), [[
Destroy a thing.

Usage:
  clanker fly destroy thing <id> --app APP [flags] -- CMD...

It is gone afterwards.

Really.

Arguments:
  <id>          id of the thing
  -- CMD...     what to run (may be repeated)

Flags:
  -a, --app APP  app of the thing (required)
  --force        even when it runs
  --keep=false   keep its disk (default true)
  --kind WORD    which kind (big, small; default big)
  --tag NAME     a tag of it (may be repeated)

This destroys things and asks first; --yes or --force answers. Asks
first when it is forced. Cost: none

Examples:
  clanker fly destroy thing 1 --app my-app

Also:
  things destroy, destroy things, thing destroy

Calls:
  DELETE /v1/apps/{app}/things/{id}
]])
end)

t.test("a narrow terminal wraps the descriptions", function()
  for line in opkit.help(ROW, { width = 44 }):gmatch("[^\n]+") do
    t.ok(#line <= 60, line)
  end
end)

t.test("completion says where values come from", function()
  t.eq(opkit.complete(ROW.param.kind), { values = { "big", "small" } })
  t.eq(opkit.complete(ROW.param.force), { values = { "true", "false" } })
  t.eq(opkit.complete(ROW.param.tag), nil)
  -- Nothing is declared here that lists apps.
  t.eq(opkit.complete(ROW.param.app), nil)
end)
