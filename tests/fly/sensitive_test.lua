--- Credentials of replies become secrets, and only they.

local secret = require "sys.secret"
local sensitive = require "fly.sensitive"
local t = require "kit"

local ROW = { sensitive = { "token", "made.keys", "!made.keys.REGION" } }

t.test("texts at the paths and below them become secrets", function()
  local value = {
    token = "FlyV1 fm2_simulated", id = "t1",
    made = { name = "bucket", keys = { ID = "tid_simulated", REGION = "auto",
      list = { "one-simulated" }, count = 3, empty = "" } },
  }
  local found = sensitive.take(ROW, value)
  t.eq(#found, 3)
  t.ok(secret.is(value.token) and secret.is(value.made.keys.ID))
  t.ok(secret.is(value.made.keys.list[1]))
  t.eq({ value.id, value.made.name, value.made.keys.REGION, value.made.keys.count,
    value.made.keys.empty }, { "t1", "bucket", "auto", 3, "" })
end)

t.test("what is missing, or no text, is left alone", function()
  for _, value in ipairs({ {}, { made = {} }, { made = "x", token = 5 }, { token = {} } }) do
    t.eq(sensitive.take(ROW, value), {})
  end
  t.eq(sensitive.take(ROW, "text"), {})
  t.eq(sensitive.take({}, { token = "kept" }), {})
end)

t.test("output has a word in their place", function()
  local value = { token = "FlyV1 fm2_simulated", list = { 1, 2 } }
  sensitive.take(ROW, value)
  t.eq(sensitive.plain(value), { token = "[secret]", list = { 1, 2 } })
  t.ok(secret.is(value.token))
end)
