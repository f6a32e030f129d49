--- Effects, escalation, and the question before a destroy.

local opkit = require "opkit"
local support = require "lua.opkit.support"
local t = require "kit"

local SCALE = support.row({
  confirm = "Stop all machines of {app}?",
  escalate = {
    { when = { count = 0 }, effect = "destroy", why = "stops every machine" },
    { when = function(args) return args.count == 13 end, effect = "exec",
      why = "is unlucky" },
    { when = { count = 0, app = "quiet" }, effect = "read", why = "does nothing" },
  },
  params = {
    { "app", "app", "name of the app", required = true },
    { "count", "integer", "how many", required = true, pos = 1 },
    { "size_gb", "gigabytes", "how large" },
  },
})

t.test("a rule that must see something first is about nothing until then", function()
  local row = require("opkit.row").read({
    id = "scale.count", title = "Scale", effect = "write", run = function() end,
    calls = {}, params = { { "count", "integer", "how many" } },
    escalate = { { seeing = "scale.counted", effect = "destroy", why = "destroys some",
      confirm = "Down to {count}?", when = function(args, list)
        return args.count < #list
      end } },
  })
  local three = { ["scale.counted"] = { {}, {}, {} } }
  t.eq(opkit.confirm(row, { count = 2 }), nil)
  t.eq(opkit.confirm(row, { count = 2 }, {}), nil)
  t.eq(opkit.confirm(row, { count = 2 }, three), "Down to 2?")
  t.eq({ opkit.effect(row, { count = 2 }, three) }, { "destroy", "destroys some" })
  t.eq(opkit.confirm(row, { count = 3 }, three), nil)
end)

t.test("arguments raise the effect, and say why", function()
  t.eq({ opkit.effect(SCALE, { app = "a", count = 3 }) }, { "write" })
  t.eq({ opkit.effect(SCALE, { app = "a", count = 0 }) },
    { "destroy", "stops every machine" })
  t.eq({ opkit.effect(SCALE, { app = "a", count = 13 }) }, { "exec", "is unlucky" })
end)

t.test("no rule lowers the effect", function()
  t.eq(opkit.effect(SCALE, { app = "quiet", count = 0 }), "destroy")
end)

t.test("only what destroys asks, with its arguments filled in", function()
  t.eq(opkit.confirm(SCALE, { app = "a", count = 3 }), nil)
  t.eq(opkit.confirm(SCALE, { app = "my-app", count = 0 }),
    "Stop all machines of my-app?")
end)

t.test("a rule may ask without raising the effect", function()
  local row = support.row({
    escalate = { { when = { size_gb = 3 }, effect = "write", why = "costs money",
      confirm = "Pay for {size_gb}?" } },
    params = { { "size_gb", "gigabytes", "how large" } },
  })
  t.eq(opkit.confirm(row, { size_gb = 2 }), nil)
  t.eq(opkit.confirm(row, { size_gb = 3 }), "Pay for 3 GB?")
  t.eq(opkit.effect(row, { size_gb = 3 }), "write")
end)

t.test("values in the question read like values", function()
  local row = support.row({
    effect = "destroy",
    confirm = "{size}, {wait}, {tags}, {token}, {gone}",
    params = {
      { "size", "gigabytes", "size" }, { "wait", "duration", "wait" },
      { "tags", "name", "tags", many = true }, { "token", "secret", "token" },
      { "gone", "name", "gone" },
    },
  })
  t.eq(opkit.confirm(row, { size = 3, wait = 90, tags = { "a", "b" }, token = io.stdout }),
    "3 GB, 1m30s, a and b, [secret], (none)")
end)
