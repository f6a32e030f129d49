--- base.str: splitting, escaping, suggestions, wrapping, slots.

local str = require "base.str"
local t = require "kit"

t.test("trim, starts_with and ends_with", function()
  t.eq(str.trim(" \ta b\n"), "a b")
  t.eq(str.trim("  "), "")
  t.ok(str.starts_with("abc", "ab") and not str.starts_with("a", "ab"))
  t.ok(str.ends_with("abc", "bc") and not str.ends_with("c", "bc"))
  t.ok(str.ends_with("abc", ""))
end)

t.test("split keeps empty parts and honours a maximum", function()
  t.eq(str.split("a,,b", ","), { "a", "", "b" })
  t.eq(str.split("", ","), { "" })
  t.eq(str.split("a=b=c", "=", 2), { "a", "b=c" })
  t.eq(str.split("a.b", "."), { "a", "b" })
  t.raises(function() str.split("a", "") end, "empty separator")
end)

t.test("url_escape leaves exactly one path segment", function()
  t.eq(str.url_escape("a-b_c.d~e"), "a-b_c.d~e")
  t.eq(str.url_escape("a/b ?c"), "a%2Fb%20%3Fc")
  t.eq(str.url_escape("é"), "%C3%A9")
  t.eq(str.url_escape(".."), "%2E%2E")
  t.eq(str.url_escape("."), "%2E")
  t.eq(str.url_escape("..."), "...")
end)

t.test("url_unescape undoes it for every byte", function()
  local bytes = {}
  for byte = 0, 255 do
    bytes[#bytes + 1] = string.char(byte)
  end
  local all = table.concat(bytes)
  t.eq(str.url_unescape(str.url_escape(all)), all)
  t.eq(str.url_unescape("a+b%2"), "a+b%2")
  t.eq(str.url_unescape("a+b", true), "a b")
end)

t.test("levenshtein counts edits, a swap as one", function()
  t.eq(str.levenshtein("", "abc"), 3)
  t.eq(str.levenshtein("kitten", "sitting"), 3)
  t.eq(str.levenshtein("lsit", "list"), 1)
  t.eq(str.levenshtein("same", "same"), 0)
end)

t.test("did_you_mean finds a slip and no more", function()
  local words = { "apps", "machines", "volumes", "list" }
  t.eq(str.did_you_mean("machnies", words), "machines")
  t.eq(str.did_you_mean("lsit", words), "list")
  t.eq(str.did_you_mean("vol", words), "volumes")
  t.eq(str.did_you_mean("Apps", words), "apps")
  t.eq(str.did_you_mean("zzz", words), nil)
  t.eq(str.did_you_mean(("x"):rep(100000), words), nil)
end)

t.test("wrap breaks at spaces and counts characters", function()
  t.eq(str.wrap("one two three", 8), { "one two", "three" })
  t.eq(str.wrap("éé éé", 5), { "éé éé" })
  t.eq(str.wrap("éé éé", 5, string.len), { "éé", "éé" })
  t.eq(str.wrap("incomprehensibilities x", 5), { "incomprehensibilities", "x" })
  t.eq(str.wrap("", 5), { "" })
end)

t.test("dedent removes the shared indent and outer blank lines", function()
  t.eq(str.dedent("\n    a\n      b\n\n    c\n  "), "a\n  b\n\nc")
end)

t.test("slots are listed once and filled", function()
  t.eq(str.slots("/v1/apps/{app}/x/{id}?{app}"), { "app", "id" })
  local args = { app = "my-app" }
  local text = str.fill("{app} and {id}", function(name) return args[name] end)
  t.eq(text, "my-app and {id}")
end)

t.test("join and count read like English", function()
  t.eq(str.join({}), "")
  t.eq(str.join({ "a" }), "a")
  t.eq(str.join({ "a", "b", "c" }), "a, b and c")
  t.eq(str.join({ "a", "b" }, "or"), "a or b")
  t.eq(str.count(1, "machine"), "1 machine")
  t.eq(str.count(0, "machine"), "0 machines")
  t.eq(str.count(2, "address", "addresses"), "2 addresses")
end)
