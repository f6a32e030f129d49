local fs = require "sys.fs"
local hints = require "cli.hints"
local t = require "kit"

t.test("what one run learned the next one knows, for a day", function()
  local path = t.tmpdir() .. "/hints.json"
  local memo = hints.load(path, "me@host", 1000)
  t.eq(memo, {})
  memo["refused machines.list_org acme"] = true
  hints.save(path, "me@host", memo, 1000)
  t.eq(hints.load(path, "me@host", 1001), { ["refused machines.list_org acme"] = 1000 })
  t.eq(hints.load(path, "me@host", 1000 + 86400), {})
  t.eq(hints.load(path, "you@host", 1001), {}, "another token learns for itself")
end)

t.test("a time in the future, a damaged file and a directory teach nothing", function()
  local path = t.tmpdir() .. "/hints.json"
  hints.save(path, "me", { a = true }, 5000)
  t.eq(hints.load(path, "me", 4000), {})
  for _, text in ipairs { "{", "[]", "3", '{"me a":"x"}', '{"me a":{}}' } do
    t.ok(fs.write(path, text))
    t.eq(hints.load(path, "me", 6000), {}, text)
  end
  t.eq(hints.load(t.tmpdir(), "me", 6000), {})
end)

t.test("nothing new is not written, and the file stays bounded", function()
  local path = t.tmpdir() .. "/hints.json"
  hints.save(path, "me", { a = 5 }, 10)
  t.eq(fs.stat(path), nil)
  for i = 1, 300 do
    hints.save(path, "me", { ["key " .. i] = true }, 100 + i)
  end
  local count = 0
  for _ in pairs(hints.load(path, "me", 500)) do
    count = count + 1
  end
  t.ok(count > 100 and count <= 200, count)
end)
