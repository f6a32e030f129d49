--- Credentials in what another program writes: found by name, and gone from what
--- passes on, wherever the chunks are cut.

local sift = require "fly.sift"
local t = require "kit"

local FINDS = { PGPASSWORD = "^%s*Password:%s+(%S+)", DATABASE_URL = "(postgres://%S+)" }

local TEXT = table.concat({
  "Creating app...", "  Username:    postgres", "  Password:    simulated-pass-1",
  "  Connection string: postgres://postgres:simulated-pass-1@pg1.flycast:5432", "",
  "again: simulated-pass-1", "",
}, "\n")

t.test("what is looked for is found, and no text has it, however it is cut", function()
  for size = 1, #TEXT do
    local sieve, parts = sift.new(FINDS), {}
    for at = 1, #TEXT, size do
      parts[#parts + 1] = sieve:feed(1, TEXT:sub(at, at + size - 1))
    end
    parts[#parts + 1] = sieve:finish(1)
    local passed = table.concat(parts)
    t.eq(passed, (TEXT:gsub("postgres://%S+", "[secret]"):gsub("simulated%-pass%-1", "[secret]")))
    t.ok(sieve.found.PGPASSWORD:equals("simulated-pass-1"))
    t.ok(sieve.found.DATABASE_URL:equals(
      "postgres://postgres:simulated-pass-1@pg1.flycast:5432"))
    sieve:close()
  end
end)

t.test("a password nobody looks for does not pass either", function()
  local sieve = sift.new({})
  t.eq(sieve:feed(2, "mysql://root:simulated-2@example.com/x\npassword: simulated-3\n"),
    "mysql://root:[secret]@example.com/x\npassword: [secret]\n")
  t.eq(sieve:feed(1, "half a password: simulated-4"), "")
  t.eq(sieve:finish(1), "half a password: [secret]")
  t.eq(sieve:finish(1), "")
  sieve:close()
end)

t.test("lines of the two streams are not mixed, and an endless one passes", function()
  local sieve = sift.new(FINDS)
  t.eq(sieve:feed(1, "Pass"), "")
  t.eq(sieve:feed(2, "one\n"), "one\n")
  t.eq(sieve:feed(1, "word: simulated-5\r"), "Password: [secret]\r")
  local long = ("x"):rep(70000)
  t.eq(sieve:feed(1, long), long)
  sieve:close()
end)
