--- The parameter types: what each takes, refuses, and makes of it.

local json = require "base.json"
local t = require "kit"
local types = require "opkit.types"

local function takes(name, cases, param)
  for _, case in ipairs(cases) do
    local value, why = types.get(name).check(case[1], param or {})
    t.eq(why, nil)
    t.eq(value, case[2])
  end
end

local function refuses(name, values, pattern, param)
  for _, value in ipairs(values) do
    local result, why = types.get(name).check(value, param or {})
    t.ok(why, ("%s took %s"):format(name, tostring(value)))
    t.eq(result, nil)
    t.match(why, pattern)
  end
end

t.test("every type says what a view needs of it", function()
  local widgets = { text = 1, textarea = 1, number = 1, checkbox = 1,
    select = 1, password = 1, list = 1 }
  for _, name in ipairs(types.names()) do
    local kind = types.get(name)
    t.ok(kind.metavar:find("%S"), name)
    t.ok(widgets[kind.widget], name)
    t.ok(json.encode(kind.json({ values = { "a" } })), name)
  end
end)

t.test("a type cannot be defined twice", function()
  t.raises(function() types.define("app", {}) end, "defined twice: app")
end)

t.test("no check raises, whatever the value", function()
  local odd = { "", " ", "\0", ("x"):rep(100000), "-1", "1e9", "NaN", 0 / 0, 1 / 0,
    -5, 1.5, true, false, {}, { a = 1 }, { {} }, io.stdout, json.null,
    "\xFF\xFE", "🙂" }
  for _, name in ipairs(types.names()) do
    for _, value in ipairs(odd) do
      types.get(name).check(value, { values = { "a" } })
    end
  end
end)

t.test("names of existing things are left to the server", function()
  for _, name in ipairs({ "app", "org", "machine", "volume", "name" }) do
    takes(name, { { "my-app", "my-app" }, { "a/../b c", "a/../b c" }, { "🙂", "🙂" } })
    refuses(name, { "" }, "must not be empty")
    refuses(name, { "a\nb", "a\27[2J" }, "control characters")
    refuses(name, { ("x"):rep(256) }, "at most 255 bytes")
    refuses(name, { 7, true }, "must be a text")
  end
end)

t.test("a release is a number, with a v or without", function()
  takes("release", { { "3", 3 }, { "v12", 12 }, { 7, 7 } })
  refuses("release", { "", "v", "0", "v0", "-1", "1.5", "0x3", "1e1", "3 ", "latest", 0, 1.5,
    true, ("9"):rep(40) }, "number of a release")
end)

t.test("a new app's name is checked before it is asked for", function()
  takes("new_app", { { "my-app-2", "my-app-2" } })
  refuses("new_app", { "My-App", "2fast", "my_app", "a b" }, "lower%-case letters")
end)

t.test("a volume's name is short and plain", function()
  takes("volume_name", { { "pg_data_1", "pg_data_1" } })
  refuses("volume_name", { "pg-data", "Data", ("x"):rep(31) }, "30 lower%-case letters")
end)

t.test("regions are three letters", function()
  takes("region", { { "iad", "iad" } })
  refuses("region", { "IAD", "iad1", "virginia" }, "three%-letter code")
end)

t.test("host names carry nothing else", function()
  takes("hostname", {
    { "Example.COM", "example.com" }, { "*.example.com", "*.example.com" },
    { "example.com.", "example.com" }, { "xn--bcher-kva.example", "xn--bcher-kva.example" },
  })
  refuses("hostname", { "https://example.com", "example.com/x", "example.com:443",
    "user@example.com" }, "without scheme")
  refuses("hostname", { "https://www.example.com/path?q", "www.example.com:8443",
    " WWW.example.com", "http://user@www.example.com:80/" },
    "did you mean www%.example%.com%?")
  refuses("hostname", { "https://*.example.com" }, "did you mean %*%.example%.com%?")
  refuses("hostname", { "exa mple.com", "://" }, "path or space$")
  refuses("hostname", { "-a.com", "a-.com", "a..com", ".", "localhost", "a.*.com", "*",
    ("a."):rep(126) .. "ab" }, "must be a host name")
end)

t.test("addresses of both families are told from other words", function()
  takes("ip", {
    { "1.2.3.4", "1.2.3.4" }, { "2A09:8280:1::1", "2a09:8280:1::1" },
    { "::", "::" }, { "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8" },
  })
  refuses("ip", { "1.2.3", "1.2.3.256", "1.2.3.4.5", "1:2", ":1:2:3:4:5:6:7:8",
    "1::2::3", ":::", "12345::", "v4", "1:2:3:4:5:6:7:8:9", "", 4 }, "IPv4 or IPv6")
  takes("cidr", { { "10.0.0.0/8", "10.0.0.0/8" }, { "fd00::/8", "fd00::/8" } })
  refuses("cidr", { "10.0.0.0", "10.0.0.0/33", "x/8", "fd00::/129" }, "address range")
end)

t.test("whole numbers are whole, and in range", function()
  takes("integer", { { "3", 3 }, { 3.0, 3 }, { "-3", -3 }, { "007", 7 } })
  refuses("integer", { "3.5", 3.5, "three", "", "0x10", "1e3", true }, "whole number")
  refuses("integer", { "0", -1 }, "at least 1", { min = 1 })
  refuses("integer", { 11 }, "between 1 and 10", { min = 1, max = 10 })
  takes("number", { { "2.5", 2.5 }, { 2, 2 } })
  refuses("number", { "2,5", "inf", "0x1p4" }, "must be a number")
end)

t.test("booleans have the usual words", function()
  takes("boolean", { { true, true }, { "true", true }, { "Yes", true }, { "1", true },
    { "off", false }, { "false", false } })
  refuses("boolean", { "maybe", "", {} }, "true or false")
end)

t.test("enums list their values and suggest", function()
  local param = { values = { "v4", "v6", "shared" } }
  takes("enum", { { "v4", "v4" } }, param)
  refuses("enum", { "V4x" }, "one of v4, v6 or shared", param)
  refuses("enum", { "share" }, "did you mean shared", param)
  refuses("enum", { 4 }, "one of", param)
end)

t.test("durations are seconds", function()
  takes("duration", { { "90", 90 }, { "1m", 60 }, { 2.5, 2.5 } })
  refuses("duration", { "soon", -1, 0 / 0, true }, "must be a duration")
  refuses("duration", { "2h" }, "at most 60", { max = 60 })
end)

t.test("sizes come in their unit, whole", function()
  takes("megabytes", { { "512", 512 }, { 512, 512 }, { "2GB", 2048 }, { "1.5gb", 1536 },
    { "256 MiB", 256 } })
  refuses("megabytes", { "512KB" }, "whole number of MB")
  refuses("megabytes", { "big", "-5", "1XB" }, "must be a size")
  takes("gigabytes", { { "10", 10 }, { "10GB", 10 }, { "1TB", 1024 } })
  takes("bytes", { { "64KB", 65536 } })
  refuses("gigabytes", { 0 }, "at least 1", { min = 1 })
end)

t.test("pairs become one map", function()
  takes("pairs", {
    { { "A=1", "B=x=y" }, { A = "1", B = "x=y" } },
    { "A=", { A = "" } },
    { { A = "1" }, { A = "1" } },
  })
  refuses("pairs", { "A", { "=x" }, { ["a b"] = "1" } }, "NAME=VALUE")
  refuses("pairs", { { A = 1 } }, "a text as its value")
end)

t.test("times are instants or ages", function()
  takes("time", { { "2024-05-01T00:00:00Z", "2024-05-01T00:00:00Z" }, { "15m", "15m" } })
  refuses("time", { "yesterday", 5 }, "must be a time")
end)

t.test("a secret is an opaque handle, never a text", function()
  takes("secret", { { io.stdout, io.stdout } })
  refuses("secret", { "hunter2", 7, {} }, "standard input, a file or a prompt")
  t.eq(types.get("secret").sensitive, true)
end)
