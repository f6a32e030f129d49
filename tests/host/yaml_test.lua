local t = require "kit"
local host = require "host.yaml"
local json = require "base.json"
local secret = require "host.secret"
local yaml = require "sys.yaml"

local function decode(text, opts)
  local value, e = yaml.decode(text, opts)
  t.ok(e == nil, e)
  return value
end

-- The error of a text as "line:column message".
local function fault(text, opts)
  local value, e = yaml.decode(text, opts)
  t.eq(value, nil)
  t.has(e.message, ("line %d, column %d: "):format(e.line, e.column))
  return ("%d:%d %s"):format(e.line, e.column, e.message:match("^line %d+, column %d+: (.*)")), e
end

local function write(path, text)
  local file = t.ok(io.open(path, "wb"))
  file:write(text)
  file:close()
  return path
end

t.test("a configuration is read as people mean it", function()
  t.eq(decode [[
# where Fly is
flyio:
  org_slug: personal   # mine
  timeout: 30
  retry: 1.5
  allow_http: false
  hosts: [a.example.com, "b.example.com"]
  note: >
    folded
    text
  block: |
    kept
      as is
empty:
]], {
    flyio = {
      org_slug = "personal", timeout = 30, retry = 1.5, allow_http = false,
      hosts = { "a.example.com", "b.example.com" },
      note = "folded text\n", block = "kept\n  as is\n",
    },
  })
end)

t.test("scalars follow the core schema of YAML 1.2", function()
  local cases = {
    { "true", true }, { "True", true }, { "FALSE", false }, { "tRUE", "tRUE" },
    { "yes", "yes" }, { "no", "no" }, { "on", "on" }, { "off", "off" }, { "y", "y" },
    { "0", 0 }, { "-0", 0 }, { "+12", 12 }, { "0012", 12 }, { "0o17", 15 }, { "0x1F", 31 },
    { "0o8", "0o8" }, { "0x", "0x" }, { "0xg", "0xg" }, { "1_000", "1_000" }, { "0b1", "0b1" },
    { "9223372036854775807", math.maxinteger }, { "-9223372036854775808", math.mininteger },
    { "9223372036854775808", "9223372036854775808" },
    { "0xffffffffffffffff", "0xffffffffffffffff" },
    { "1.5", 1.5 }, { ".5", 0.5 }, { "1.", 1.0 }, { "1e3", 1000.0 }, { "-1.5E-3", -0.0015 },
    { ".inf", math.huge }, { "-.Inf", -math.huge }, { "+.INF", math.huge },
    { ".", "." }, { "-", nil }, { "1e", "1e" }, { "e1", "e1" }, { "inf", "inf" }, { "nan", "nan" },
    { "1.2.3", "1.2.3" }, { "12:30:45", "12:30:45" }, { "2001-01-01", "2001-01-01" },
    { "'1'", "1" }, { '"true"', "true" }, { "'~'", "~" }, { '""', "" },
    { "!!str 1", "1" }, { "! 1", "1" }, { "!!int '1'", 1 }, { "!!float 1", 1.0 },
    { "!!bool 'true'", true }, { "!!float .5", 0.5 },
  }
  for _, case in ipairs(cases) do
    if case[2] ~= nil then
      t.eq(decode("v: " .. case[1]).v, case[2], case[1])
    end
  end
  for _, null in ipairs { "", "~", "null", "Null", "NULL", "!!null ''" } do
    t.eq(decode("v: " .. null), {}, null)
  end
  local nan = decode("v: .nan").v
  t.ok(nan ~= nan and math.type(nan) == "float")
end)

t.test("keys are strings, whatever they look like", function()
  t.eq(decode "1: a\ntrue: b\n1.5: c\nnull: d\n'': e\n\"x y\": f\n? g\n: h", {
    ["1"] = "a", ["true"] = "b", ["1.5"] = "c", null = "d", [""] = "e", ["x y"] = "f", g = "h",
  })
end)

t.test("a null is an absent key, unless asked for", function()
  t.eq(decode "a: ~\nb: {c: }\nd: [~, 1]", { b = {}, d = { yaml.null, 1 } })
  t.eq(decode("a: ~\nb: {c: }", { nulls = true }), { a = yaml.null, b = { c = yaml.null } })
  t.eq(yaml.null, json.null)
end)

t.test("lists are arrays, even when empty", function()
  local value = decode "a: []\nb: {}\nc: [1]\nd: !!seq []"
  t.ok(json.is_array(value.a))
  t.ok(not json.is_array(value.b))
  t.ok(json.is_array(value.c))
  t.eq(json.encode(value), '{"a":[],"b":{},"c":[1],"d":[]}')
end)

t.test("the top is what the caller wants", function()
  t.eq(decode "", {})
  t.eq(decode "# nothing\n", {})
  t.eq(decode "---\n", {})
  t.eq(decode "~", {})
  t.eq(decode("", { top = "list" }), {})
  t.ok(json.is_array(decode("", { top = "list" })))
  t.eq(decode("- 1\n- 2", { top = "list" }), { 1, 2 })
  t.eq(decode("just text", { top = "any" }), "just text")
  t.eq(decode("", { top = "any" }), yaml.null)
  t.eq(decode("false", { top = "any" }), false)
  t.eq(fault "- 1", "1:1 expected a mapping")
  t.eq(fault "\n  text", "2:3 expected a mapping")
  t.eq(fault("a: 1", { top = "list" }), "1:1 expected a list")
end)

t.test("a byte order mark and other line ends are no matter", function()
  t.eq(decode "\xef\xbb\xbfa: 1\r\nb: 2\r\n", { a = 1, b = 2 })
  t.eq(decode "\xef\xbb\xbf", {})
  t.eq(fault "\xef\xbb\xbfa: 1\r\nb: [", "3:1 did not find expected node content")
end)

t.test("a tab where it cannot be is told as such", function()
  local tab = "a tab is not allowed here, indent with spaces"
  t.eq(fault "flyio:\n\torg: x", "2:1 " .. tab)
  t.eq(fault "flyio:\n  org: x\n\tapp: y", "3:1 " .. tab)
  t.eq(fault "é:\n  - x\n  -\ty: z", "3:4 " .. tab)
  t.eq(fault "a: |\n\ttext", "2:1 " .. tab)
  t.eq(decode "a:\t1\nb: 'x\n\ty'\t# note", { a = 1, b = "x y" })
end)

t.test("a key given twice is refused, and both places are named", function()
  t.eq(fault "a: 1\nb: 2\na: 3", '3:1 the key "a" is already on line 1, column 1')
  t.eq(fault "x:\n  a: 1\n  'a': 3", '3:3 the key "a" is already on line 2, column 3')
  t.eq(fault "{a: 1, b: {c: 1, c: ~}}", '1:18 the key "c" is already on line 1, column 12')
  t.eq(fault "a: 1\nb: 2\nb: 3\na: 4", '3:1 the key "b" is already on line 2, column 1')
  t.eq(fault '"\\e[31m": 1\n"\\e[31m": 2', '2:1 the key "?[31m" is already on line 1, column 1')
  local long = ("ü"):rep(100)
  local message = fault(long .. ": 1\n" .. long .. ": 2")
  t.has(message, '"' .. ("ü"):rep(30) .. '"')
  t.eq(decode "a: 1\nA: 2\nab: 3\nx: {a: 1}\ny: {a: 1}", {
    a = 1, A = 2, ab = 3, x = { a = 1 }, y = { a = 1 },
  })
end)

t.test("what is not YAML, or more than it should be, is refused with its place", function()
  local cases = {
    { "a: b: c", "1:5 mapping values are not allowed in this context" },
    { "a: [1, 2", "2:1" }, { "a: 'x", "1:" }, { "a: 1\n b: 2", "2:3" }, { "- a\nb: 1", "2:1" },
    { "a: @x", "1:4 found character that cannot start any token" },
    { "a: 1\n--- \nb: 2", "2:1 a second document begins here" },
    { "--- ~\n--- ~", "2:1 a second document begins here" },
    { "<<: {a: 1}", "1:1 merge keys are not supported" },
    { "?\n: x", "1:2 a key is missing" }, { "{: x}", "1:2" },
    { "? [a]\n: x", "1:3 a key must be a single value" },
    { "? {a: 1}\n: x", "1:3 a key must be a single value" },
    { "a: !mine x", "1:4 an unknown tag" }, { "a: !!set {x: }", "1:4 an unknown tag" },
    { "a: !!binary aGk=", "1:4 an unknown tag" }, { "a: !!map [x]", "1:4 an unknown tag" },
    { "a: !!int x", "1:4 the value is not what its tag says" },
    { "a: !!int 99999999999999999999", "1:4 the value is not what its tag says" },
    { "a: !!bool 1", "1:4 the value is not what its tag says" },
    { "a: *b", "1:4 there is no anchor of this name" },
    { "a: &x {b: *x}", "1:11 an alias to what contains it" },
    { "a: &x 1\n? *x\n: 2", "2:3 an alias cannot be a key" },
    { "%YAML 3.0\n---\na: 1", "1:1 found incompatible YAML document" },
  }
  for _, case in ipairs(cases) do
    local message, e = fault(case[1])
    t.eq(message:sub(1, #case[2]), case[2], case[1])
    t.eq(e.code, "EINVAL")
    t.eq(e.kind, "invalid")
  end
end)

t.test("bytes that are not text are refused with their place", function()
  t.eq(fault "a: 1\né: \xff", "2:4 this is not valid UTF-8")
  t.eq(select(2, fault "a: \xc3").code, "EILSEQ")
  t.eq(select(2, fault "a: \xed\xa0\x80").code, "EILSEQ")
  t.eq(fault "a: x\0y", "1:5 a control character is not allowed")
  t.eq(select(2, fault "a: \x1b[31m").code, "EINVAL")
  t.eq(select(2, fault "\xff\xfea\0").code, "EILSEQ", "UTF-16")
  t.eq(decode('a: "\\0\\e\\x41\\u00e9\\U0001F600"'), { a = "\0\27Aé😀" })
end)

t.test("aliases are copies, within bounds", function()
  local value = decode "a: &x {n: [1]}\nb: *x\nc: &x 2\nd: *x\ne: &k k\nf: *k"
  t.eq(value, { a = { n = { 1 } }, b = { n = { 1 } }, c = 2, d = 2, e = "k", f = "k" })
  value.a.n[1] = 7
  t.eq(value.b.n[1], 1)
  local bomb = { "a0: &a0 [x, x, x, x, x, x, x, x, x, x]" }
  for i = 1, 9 do
    local last = "*a" .. i - 1
    bomb[#bomb + 1] = ("a%d: &a%d [%s]"):format(i, i, (last .. ", "):rep(9) .. last)
  end
  local message, e = fault(table.concat(bomb, "\n"))
  t.match(message, "^5:%d+ too many values$")
  t.eq(e.code, "E2BIG")
  local chain = { "a0: &a0 [x]" }
  for i = 1, 99 do
    chain[#chain + 1] = ("a%d: &a%d [*a%d]"):format(i, i, i - 1)
  end
  t.match(fault(table.concat(chain, "\n")), "nested too deeply")
  local anchors = {}
  for i = 1, 1001 do
    anchors[i] = ("- &a%d x"):format(i)
  end
  t.match(fault(table.concat(anchors, "\n"), { top = "list" }), "^1001:%d+ too many anchors")
end)

t.test("depth, count and size are bounded", function()
  t.eq(type(decode(("["):rep(64) .. ("]"):rep(64), { top = "list" })), "table")
  local message, e = fault(("["):rep(65) .. ("]"):rep(65), { top = "list" })
  t.eq(message, "1:65 nested too deeply")
  t.eq(e.code, "E2BIG")
  t.match(fault(("{a: "):rep(100000)), "nested too deeply")
  t.eq(#decode(("- x\n"):rep(99999), { top = "list" }), 99999)
  t.match(fault(("- x\n"):rep(100000), { top = "list" }), "^100000:3 too many values$")
  local value
  value, e = yaml.decode((" "):rep((4 << 20) + 1))
  t.err(value, e, "E2BIG")
  t.eq(e.line, nil)
end)

t.test("hostile texts of full size end soon", function()
  for _, piece in ipairs {
    "[", "{", "? ", "- ", "!", "&a ", "*a ", "'", '"', "|\n", ">\n ", "%", "#", ",", ":", "\n",
    "a: ",
    "a:\n", "- - ", "\t", "{a: ", "[[],", "a\n", "--- ", "\"\\x41\" ", " ? a\n :", "{? ", "&a *a ",
  } do
    local value, e = yaml.decode(piece:rep((1 << 18) // #piece), { top = "any" })
    t.ok(value ~= nil or e ~= nil)
  end
end)

t.test("secrets at the given paths are handles and nothing else", function()
  local text = [[
flyio:
  api_token: fo1_example
  org: personal
ai:
  providers:
    one: {api_key: 'key one', model: m}
    two: {api_key: "key two"}
list: [first, second]
api_token: not this one
]]
  local value = decode(text, {
    secrets = { "flyio.api_token", "ai.providers.*.api_key", "list.*", "no.such" },
  })
  local function holds(handle, want)
    t.eq(tostring(handle), "[secret]")
    t.ok(handle:equals(secret.new(want)), want)
  end
  holds(value.flyio.api_token, "fo1_example")
  holds(value.ai.providers.one.api_key, "key one")
  holds(value.ai.providers.two.api_key, "key two")
  holds(value.list[1], "first")
  holds(value.list[2], "second")
  t.eq(value.flyio.org, "personal")
  t.eq(value.ai.providers.one.model, "m")
  t.eq(value.api_token, "not this one")
end)

t.test("a secret keeps its text, whatever it looks like", function()
  local function token(text)
    return decode("k: " .. text, { secrets = { "k" } }).k
  end
  for text, want in pairs {
    ["123"] = "123", ["true"] = "true", ["'~'"] = "~", ['""'] = "", ["0x1F"] = "0x1F",
    ["|\n  two\n  lines"] = "two\nlines", [">-\n  two\n  lines"] = "two lines",
    ['"a\\tb"'] = "a\tb", ["plain\n  folded"] = "plain folded", ["!!str 5"] = "5",
  } do
    t.ok(token(text):equals(secret.new(want)), text)
  end
  t.eq(token "", nil)
  t.eq(token "~", nil)
end)

t.test("a secret cannot be had by another way", function()
  local opts = { secrets = { "a.b" } }
  t.eq(fault("a: {b: &x s}\nc: *x", opts), "1:8 a secret cannot have an anchor")
  t.eq(fault("c: &x s\na: {b: *x}", opts), "2:8 an alias cannot stand where a secret belongs")
  t.eq(fault("c: &x {b: s}\na: *x", opts), "2:4 an alias cannot stand where a secret belongs")
  t.eq(fault("a: {b: [s]}", opts), "1:8 a single value is expected here")
  t.eq(fault("a: {b: {c: s}}", opts), "1:8 a single value is expected here")
  -- An alias to a map with a secret in it leads to the secret.
  local value = decode("a: &x {b: s}\nc: *x", opts)
  t.ok(value.c.b:equals(secret.new "s"))
end)

t.test("an error never shows a value", function()
  local canary = "fo1_canary_value"
  for _, text in ipairs {
    "k: [" .. canary, "k: " .. canary .. ": x", "k: '" .. canary, "k: !!int " .. canary,
    "k: &a " .. canary, "k: " .. canary .. "\n\tx: 1", "k: " .. canary .. "\nk: " .. canary,
    "k: %" .. canary, "k: \"\\q" .. canary .. '"', "k: *" .. canary, "- " .. canary,
    "k: " .. canary .. "\xff", "k: {" .. canary .. "}",
  } do
    local _, e = yaml.decode(text, { secrets = { "k" } })
    t.lacks(e and e.message, "canary")
  end
end)

t.test("a file is read, and what is no file says so", function()
  local dir = t.tmpdir()
  local path = write(dir .. "/a.yaml", "flyio: {api_token: s, org: o}\n")
  local value = t.ok(yaml.load(path, { secrets = { "flyio.api_token" } }))
  t.eq(value.flyio.org, "o")
  t.ok(value.flyio.api_token:equals(secret.new "s"))
  t.eq(yaml.load(write(dir .. "/empty.yaml", "")), {})
  t.eq(yaml.load "/dev/null", {})
  local function failure(name, code)
    local got, e = yaml.load(name)
    t.eq(got, nil)
    t.eq(e.code, code)
    t.has(e.message, name)
    return e
  end
  failure(dir .. "/none.yaml", "ENOENT")
  failure(dir, "EISDIR")
  failure(path .. "/x", "ENOTDIR")
  failure("/dev/zero", "E2BIG")
  failure(write(dir .. "/big.yaml", ("#"):rep((4 << 20) + 1)), "E2BIG")
  local e = failure(write(dir .. "/tab.yaml", "a:\n\tb: 1\n"), "EINVAL")
  t.eq({ e.line, e.column }, { 2, 1 })
  t.has(e.message, "tab.yaml: line 2, column 1: a tab")
  failure(write(dir .. "/latin.yaml", "a: \xe9\n"), "EILSEQ")
  -- The largest that is allowed.
  t.eq(yaml.load(write(dir .. "/full.yaml", "#" .. ("x"):rep((4 << 20) - 1))), {})
end)

t.test("a file's secret never becomes a string and is gone when closed", function()
  if t.binary():find("/asan/", 1, true) or os.getenv("VALGRIND") then
    t.skip("sanitizers and valgrind keep freed memory as it was")
  end
  local path = t.tmpdir() .. "/a.yaml"
  -- Written by parts, so that no string of this test holds the token either.
  local file = t.ok(io.open(path, "wb"))
  file:setvbuf("no")
  file:write("flyio:\n  api_token: '")
  local masked, key = {}, 0x5a
  for i = 1, 700 do
    local byte = 65 + (i * i * 7 + i) % 26
    file:write(string.char(byte))
    masked[i] = string.char(byte ~ key)
  end
  file:write("'\n")
  file:close()
  local found = table.concat(masked)
  local tail = found:sub(600)
  local value = t.ok(yaml.load(path, { secrets = { "flyio.api_token" } }))
  local token = value.flyio.api_token
  t.eq(token:len(), 700)
  collectgarbage()
  local places = t.ok(secret.residue(found, key))
  t.eq(#places, 1, "only the secret's own pages hold it")
  token:close()
  for _, part in ipairs { found, tail, found:sub(1, 100), found:sub(300, 380) } do
    t.eq(t.ok(secret.residue(part, key)), {})
  end
end)

t.test("encoding sorts keys and quotes what could be misread", function()
  t.eq(yaml.encode {
    b = { 1, "two", { x = true } }, a = { list = json.array(), map = {}, null = yaml.null },
    c = 1.0, ["no"] = "no", ["1"] = "1", z = "a b", text = "two\nlines",
    url = "https://x.example.com",
    colon = "a: b", hash = "a #b", quote = "it's", empty = "", tilde = "~", dash = "- a",
  }, [[
'1': '1'
a:
  list: []
  map: {}
  'null': null
b:
- 1
- two
- x: true
c: 1.0
colon: 'a: b'
dash: '- a'
empty: ''
hash: 'a #b'
'no': 'no'
quote: 'it''s'
text: "two\nlines"
tilde: '~'
url: https://x.example.com
z: a b
]])
  t.eq(yaml.encode "text", "text\n")
  t.eq(yaml.encode(yaml.null), "null\n")
  t.eq(yaml.encode {}, "{}\n")
end)

t.test("strings that other readers would take for something else are quoted", function()
  for _, text in ipairs {
    "yes", "No", "ON", "off", "y", "N", "true", "False", "null", "Null", "~", "1", "-1", "+1",
    "0x1F",
    "0o7", "1e3", ".5", ".inf", "-.inf", ".nan", "1_000", "12:30:45", "2001-01-01", "=", "<<",
    "- a",
    "a: b", "a #b", "#a", "&a", "*a", "!a", "%a", "@a", "`a", "|", ">", "[a]", "{a}", "a,",
    "?", ":a",
    "a:", " a", "a ", "a\tb", "\27[31m", "\u{2028}", "\u{feff}x", "---", "...", "'a'", '"a"', "",
  } do
    local encoded = yaml.encode(text)
    t.match(encoded, "^['\"]")
    t.eq(decode(encoded, { top = "any" }), text)
  end
end)

t.test("numbers come back as they were", function()
  for _, number in ipairs {
    0, -1, math.maxinteger, math.mininteger, 1.0, -0.0, 0.1, 1e100, 1e-300, 123456789.125,
    5e-324, math.huge, -math.huge, 1 / 3, 2.0 ^ 53, 1e15, 1e16, 1e22,
  } do
    local back = decode(yaml.encode(number), { top = "any" })
    t.eq(back, number)
    t.eq(1 / back, 1 / number)
  end
  t.eq(yaml.encode(1e300), "1.0e+300\n")
  t.eq(yaml.encode(json.decode '{"big":123456789012345678901234567890}'),
    "big: 123456789012345678901234567890\n")
end)

t.test("what has no YAML form is a bug or an error", function()
  local function raises(pattern, value)
    t.raises(function()
      yaml.encode(value)
    end, pattern)
  end
  raises("a function cannot be written as YAML", { a = print })
  raises("a userdata cannot be written as YAML", { a = secret.new "x" })
  raises("the keys of a map must be strings", { a = 1, [1] = 2 })
  raises("the keys of a map must be strings", { [1] = 1, [3] = 2 })
  raises("the keys of a map must be strings", { [true] = 1 })
  raises("an array has holes or other keys", json.array { 1, nil, 3 })
  raises("an array has holes or other keys", json.array { a = 1 })
  raises("raw JSON", json.raw '{"a":1}')
  t.raises(function()
    host.encode()
  end, "value expected")
  t.err(nil, select(2, yaml.encode { a = "\xff" }), "EILSEQ")
  t.err(nil, select(2, yaml.encode { ["\xc3"] = 1 }), "EILSEQ")
  local long = ("x"):rep(1 << 24) -- 16 MiB
  t.has(t.err(nil, select(2, yaml.encode { long, long, long, long }), "E2BIG").message, "too long")
  local deep = {}
  deep.deep = deep
  t.err(nil, select(2, yaml.encode(deep)), "E2BIG")
end)

t.test("wrong options are a bug", function()
  for pattern, opts in pairs {
    ["invalid option 'tree'"] = { top = "tree" },
    ["secrets: a list of paths"] = { secrets = "a.b" },
    ["secrets: a path is a string"] = { secrets = { 1 } },
    ["secrets: too many paths"] = { secrets = table.move({}, 1, 0, 1, setmetatable({}, {
      __len = function()
        return 65
      end,
    })) },
  } do
    t.raises(function()
      yaml.decode("a: 1", opts)
    end, pattern)
  end
end)

-- A repeatable source of numbers from 1 to n.
local function source(seed)
  return function(n)
    seed = seed * 6364136223846793005 + 1442695040888963407
    return (seed >> 33) % n + 1
  end
end

local ALPHABET = {
  "a", "B", "7", "0", " ", "  ", "\n", "\t", "-", ":", ": ", " #", "#", "'", '"', "\\", "%",
  "@", "!",
  "&", "*", "?", "|", ">", "[", "]", "{", "}", ",", "~", "é", "😀", "\u{85}", "\u{2028}", "\u{feff}",
  "\0", "\27", "\127", "yes", "no", "null", "true", ".inf", "1e5", "0x1", "---", "...", "\r",
  "=", "<<",
}

local function random_string(pick)
  local parts = {}
  for i = 1, pick(8) - 1 do
    parts[i] = ALPHABET[pick(#ALPHABET)]
  end
  return table.concat(parts)
end

local function random_value(pick, depth)
  local kind = pick(depth > 4 and 5 or 8)
  if kind <= 2 then
    return random_string(pick)
  elseif kind == 3 then
    return pick(1 << 30) - (1 << 29)
  elseif kind == 4 then
    return (pick(1 << 30) - (1 << 29)) / pick(1 << 20)
  elseif kind == 5 then
    return ({ true, false, yaml.null })[pick(3)]
  elseif kind == 6 then
    local list = json.array()
    for i = 1, pick(5) - 1 do
      list[i] = random_value(pick, depth + 1)
    end
    return list
  end
  local map = {}
  for _ = 1, pick(5) - 1 do
    map[random_string(pick)] = random_value(pick, depth + 1)
  end
  return map
end

t.test("whatever is encoded is decoded to the same, and the same text again", function()
  local pick = source(20240229)
  for _ = 1, 3000 do
    local value = random_value(pick, 0)
    local text = t.ok(yaml.encode(value))
    local back = decode(text, { top = "any", nulls = true })
    t.eq(back, value, text)
    t.eq(yaml.encode(back), text)
  end
end)

t.test("damaged texts are refused or read, never worse", function()
  local pick = source(7)
  for _ = 1, 3000 do
    local text = t.ok(yaml.encode(random_value(pick, 0)))
    for _ = 1, pick(3) do
      local at = pick(#text)
      text = text:sub(1, at - 1) .. ALPHABET[pick(#ALPHABET)] .. text:sub(at + pick(2))
    end
    local value, e = yaml.decode(text, { top = "any", secrets = { "a", "B.*" } })
    t.ok(value ~= nil or e.message)
  end
end)
