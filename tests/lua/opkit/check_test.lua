--- Arguments: completed, converted, refused in the face's own words.

local check = require "opkit.check"
local json = require "base.json"
local opkit = require "opkit"
local support = require "lua.opkit.support"
local t = require "kit"

local ROW = support.row({
  params = {
    { "app", "app", "name of the app", required = true },
    { "ip", "ip", "address to release", required = true, pos = 1 },
    { "count", "integer", "how many", default = 1, min = 1 },
    { "tag", "name", "a tag", many = true },
    { "env", "pairs", "environment", many = true },
    { "token", "secret", "the token" },
    { "size_gb", "gigabytes", "size of it" },
  },
})

local ARGS = { app = "a", ip = "1.2.3.4" }

t.test("defaults are filled in and texts become values", function()
  local args = t.ok(opkit.check(ROW, { app = "a", ip = "1.2.3.4", size_gb = "3" }))
  t.eq(args, { app = "a", ip = "1.2.3.4", count = 1, size_gb = 3 })
end)

t.test("the arguments given are not changed", function()
  local given = { app = "a", ip = "1.2.3.4", count = "2" }
  t.ok(check.check(ROW, given))
  t.eq(given.count, "2")
end)

t.test("null counts as absent", function()
  t.ok(check.check(ROW, { app = "a", ip = "1.2.3.4", count = json.null }))
  local args, e = check.check(ROW, { app = json.null, ip = "1.2.3.4" }, "json")
  t.err(args, e, 'missing "app"')
end)

t.test("what is missing or wrong is named as the face names it", function()
  local cases = {
    { {}, "cli", "^things%.poke: missing %-%-app %(name of the app%)$" },
    { { app = "a" }, "cli", "missing <ip>" },
    { { app = "a" }, "json", 'missing "ip"' },
    { { app = "a" }, "lua", "missing ip " },
    { { app = "a" }, "form", "missing address to release" },
    { { app = "a", ip = "x" }, "cli", '<ip> must be an IPv4 or IPv6 address, got "x"' },
    { { app = "a", ip = "1.2.3.4", size_gb = "huge" }, "cli", "%-%-size%-gb must be a size" },
    { { app = "a", ip = "1.2.3.4", count = 0 }, "json", '"count" must be at least 1, got "0"' },
    { { app = "a", ip = "1.2.3.4", cuont = 1 }, "json",
      'unknown parameter "cuont" %(did you mean "count"%?%)' },
    { { app = "a", ip = "1.2.3.4", sizegb = 1 }, "cli",
      "unknown parameter %-%-sizegb %(did you mean %-%-size%-gb%?%)" },
  }
  for _, case in ipairs(cases) do
    local args, e = check.check(ROW, case[1], case[2])
    t.err(args, e, "usage")
    t.match(e.message, case[3])
    t.eq(e.op, "things.poke")
  end
end)

t.test("a list takes one or many, and each is checked", function()
  t.eq(check.check(ROW, { app = "a", ip = "::1", tag = "x" }).tag, { "x" })
  t.eq(check.check(ROW, { app = "a", ip = "::1", tag = { "x", "y" } }).tag, { "x", "y" })
  local args, e = check.check(ROW, { app = "a", ip = "::1", tag = { "x", "" } }, "cli")
  t.err(args, e, "%-%-tag must not be empty")
  t.eq(check.check(ROW, { app = "a", ip = "::1", env = { "A=1", "B=2" } }).env,
    { A = "1", B = "2" })
end)

t.test("an error shows what was wrong, shortened, and never a secret", function()
  local args, e = check.check(ROW, { app = "a", ip = ("9"):rep(500) })
  t.err(args, e, "usage")
  t.ok(#e.message < 200)
  args, e = check.check(ROW, { app = "a", ip = "1.2.3.4", token = "hunter2" })
  t.err(args, e, "must come from")
  t.ok(not e.message:find("hunter2"))
  args, e = check.check(ROW, { app = "a", ip = "\27[2J" })
  t.err(args, e, "usage")
  t.ok(not e.message:find("\27"))
end)

t.test("defaults that are tables are not shared", function()
  local row = support.row({
    params = { { "env", "pairs", "environment", default = { A = "1" } } },
  })
  local first = check.check(row, {})
  first.env.A = "2"
  t.eq(check.check(row, {}).env.A, "1")
end)

t.test("redact hides what is sensitive and keeps the rest", function()
  local safe = check.redact(ROW, { app = "a", token = io.stdout, other = io.stdout,
    ip = json.null })
  t.eq(safe.app, "a")
  t.eq(safe.token, "[secret]")
  t.eq(safe.other, "[secret]")
  t.ok(safe.ip == json.null)
  t.ok(ARGS.app == "a")
end)
