--- Secrets as JSON strings and as lines for flyctl; texts of NAME=value lines.

local json = require "base.json"
local host = require "host.secret"
local t = require "kit"

local function json_of(bytes)
  local s <close> = host.new(bytes)
  return s:json()
end

t.test("a secret's JSON string says the secret", function()
  for text, want in pairs({
    [""] = '""', ["plain</x>"] = '"plain</x>"', ['say "hi"'] = [["say \"hi\""]],
    ["back\\slash"] = [["back\\slash"]], ["\b\f\n\r\t"] = [["\b\f\n\r\t"]],
    ["\0\1\31\127"] = '"\\u0000\\u0001\\u001f\127"',
    ["é☃\u{1F511}\u{2028}"] = '"é☃\u{1F511}\u{2028}"',
    [("x"):rep(70000)] = '"' .. ("x"):rep(70000) .. '"',
  }) do
    t.eq(json.decode(want), text)
    local made <close> = t.ok(json_of(text))
    t.ok(made:equals(want), text)
  end
end)

t.test("what is not UTF-8 is no JSON string", function()
  for _, bytes in ipairs({
    "\xff", "a\xc3", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\x80",
  }) do
    local made, message, code = json_of(bytes)
    t.eq({ made, message, code }, { nil, "not UTF-8 text", "EINVAL" })
  end
end)

t.test("a JSON string of more than a secret holds is refused", function()
  local made, message, code = json_of(("\1"):rep(200000))
  t.eq({ made, code }, { nil, "E2BIG" })
  t.match(message, "1 MiB")
end)

local function fits(value, name)
  local s <close> = host.new(value)
  return s:fits_import(name or "NAME")
end

t.test("what flyctl reads back from three quotes is known", function()
  for _, value in ipairs({
    "", " ", "x", '"', '""', '"""', 'a"""', "#", "#\n#", "a\nb\n", "\n\n", "a\r",
    'x\n#"""', 'a""', '""#', "\\", "'", ("x"):rep(65000), "\0",
  }) do
    t.eq(fits(value), true, value)
  end
  for _, value in ipairs({
    '"#', 'x"y#z', 'a"""\nb', "a\r\nb", 'x\n"""\ny', ("x"):rep(65536),
    "a\n" .. ("x"):rep(65536) .. "\nb", "\xff",
  }) do
    t.eq(fits(value), false, value)
  end
  t.eq(fits(("x"):rep(65000), ("N"):rep(600)), false)
end)

local function read(text)
  local s <close> = host.new(text)
  return host.dotenv(s)
end

-- name → value of a text; a value is compared by asking.
local function check(text, want)
  local entries = t.ok(read(text), text)
  t.eq(#entries, #want, text)
  for i, entry in ipairs(entries) do
    t.eq(entry.name, want[i][1])
    t.ok(entry.value:equals(want[i][2]), ("%q: %s"):format(text, entry.name))
  end
end

t.test("NAME=value lines are read by their rules", function()
  check("", {})
  check("\n  \n# comment\n  # comment = 1\n", {})
  check("A=1\nB=two", { { "A", "1" }, { "B", "two" } })
  check("\xef\xbb\xbfA=1\r\nB=2\r\n", { { "A", "1" }, { "B", "2" } })
  check("  A =  x y  \n", { { "A", "x y" } })
  check("export A=1\nexport=2\nexported=3\nexport\tB=4",
    { { "A", "1" }, { "export", "2" }, { "exported", "3" }, { "B", "4" } })
  check("A=\nB= # none\nC=#none\n", { { "A", "" }, { "B", "" }, { "C", "" } })
  check("A=ab#cd\nB=ab #cd\n", { { "A", "ab#cd" }, { "B", "ab" } })
  check("A=it's\nB=a\"b\nC=a\\nb\n", { { "A", "it's" }, { "B", 'a"b' }, { "C", "a\\nb" } })
  check("A=a=b=c", { { "A", "a=b=c" } })
  check("A=1\nA=2", { { "A", "1" }, { "A", "2" } })
end)

t.test("quoted values are read by their rules", function()
  check([[A='a "b" \n #c' # note]], { { "A", [[a "b" \n #c]] } })
  check([[A="a\n\t\"b\"\\ \$x \q '#'"]], { { "A", "a\n\t\"b\"\\ $x \\q '#'" } })
  check("A=\"one\ntwo\r\n\"\nB=1", { { "A", "one\ntwo\n" }, { "B", "1" } })
  check("A='one\n# two\n'", { { "A", "one\n# two\n" } })
  check([[A=""
B='']], { { "A", "" }, { "B", "" } })
  check('A="""x "y" \\n\n"" z"""\nB=1', { { "A", 'x "y" \\n\n"" z' }, { "B", "1" } })
  check('A="""x"""" # note', { { "A", 'x"' } })
  check('A=""""""', { { "A", "" } })
end)

t.test("what breaks the rules is told by line, never by content", function()
  for text, why in pairs({
    ["A=1\nhunter2\n"] = "line 2: no = after the name, which is letters, digits and _",
    ["A=1\n\n=x"] = "line 3: no name of letters, digits and _ before the =",
    ["1A=x"] = "line 1: no name",
    ["A-B=x"] = "line 1: no = after the name, which is letters, digits and _",
    ["A='hunter2\nB=1\n"] = "line 1: a quote is opened here and never closed",
    ["\nA=\"x\ny\" hunter2"] = "line 3: more text after the closing quote",
    ["A=\"x\"#hunter2"] = "line 1: more text after the closing quote",
    ["A=\"x\\\""] = "line 1: a quote is opened here",
  }) do
    local entries, message, code = read(text)
    t.eq({ entries, code }, { nil, "EINVAL" }, text)
    t.has(message, why)
    t.lacks(message, "hunter2")
  end
end)

t.test("there is a bound on entries, and lines are counted over values", function()
  local entries, _, code = read(("A=1\n"):rep(1001))
  t.eq({ entries, code }, { nil, "E2BIG" })
  t.eq(#read(("A=1\n"):rep(1000)), 1000)
  local two = read("\nA='\n\n'\nB=1\n")
  t.eq({ two[1].line, two[2].line }, { 4, 5 })
end)

t.test("any bytes are read or refused, and what is read is in the text", function()
  math.randomseed(7)
  local pieces = { "A", "=", '"', "'", '"""', "\n", "\r", "\\", "#", " ", "export ",
    "\0", "\xff", "x1", "_" }
  for _ = 1, 3000 do
    local parts = {}
    for i = 1, math.random(0, 20) do
      parts[i] = pieces[math.random(#pieces)]
    end
    local text = table.concat(parts)
    local entries, message = read(text)
    t.ok(entries or message:find("^line %d+: "), text)
    for _, entry in ipairs(entries or {}) do
      t.match(entry.name, "^[%a_][%w_]*$")
      t.ok(entry.value:len() <= #text)
    end
  end
end)

t.test("a part of a secret is found in a text", function()
  local s <close> = host.new("0123456789\0abc")
  for text, shows in pairs({
    [""] = false, ["1234567"] = false, ["x12345678x"] = true, ["0123456 789"] = false,
    ["6789\0abc"] = true, ["..0123456789\0abc.."] = true, ["89\0abcxx"] = false,
  }) do
    t.eq(s:shows_in(text), shows, text)
  end
  local short <close> = host.new("short")
  t.eq(short:shows_in("short"), false)
end)
