--- base.expr: Lua's expressions over a row, without Lua's dangers.

local expr = require "base.expr"
local json = require "base.json"
local t = require "kit"

local ROW = {
  id = "1", name = "web-1", state = "stopped", type = "v4", checks = 2,
  config = { guest = { memory_mb = 1024, cpus = 2 }, mounts = json.array({}),
    env = { PORT = "8080" } },
  tags = json.array({ "a", "b" }), off = false, none = json.null,
  big = json.raw("123456789012345678901234567890"),
}

local function lookup(name)
  return ROW[name]
end

local function value(text)
  local compiled = assert(expr.compile(text))
  return compiled:value(lookup)
end

-- The message for a text that is wrong, and the byte it is about.
local function wrong(text)
  local compiled, e = expr.compile(text)
  if compiled then
    compiled, e = compiled:value(lookup)
  end
  t.err(compiled, e, "usage")
  return e.message, e.detail.at, e.hint
end

t.test("fields, comparisons and logic", function()
  t.eq(value('state == "stopped" and config.guest.memory_mb > 512'), true)
  t.eq(value("state ~= 'stopped'"), false)
  t.eq(value('config["guest"].cpus == #tags'), true)
  t.eq(value("tags[2]"), "b")
  t.eq(value("off or nil"), nil)
  t.eq(value("not off and checks"), 2)
  t.eq(value("type"), "v4")
  t.eq(value('type(checks) == "number"'), true)
end)

t.test("every operator means what it means in Lua", function()
  for _, text in ipairs({
    "1 + 2 * 3 - 4 / 2", "2 ^ 3 ^ 2", "-2 ^ 2", "7 // 2 * 2 + 7 % 2", "1 .. 2 .. 3",
    "(1 + 2) * 3", "1 << 4 | 3 & 2 ~ 1", "~5", "- - 5", "not nil == true",
    "1 < 2 == true", "'a' < 'b'", "nil and 1 or 2", "false == nil", "#'abc'",
    "0x10 + 1e2 + .5", "'\\65\\x42\\u{43}\\n\\z   d'", "[[long]] .. [=[er]=]",
    "({ a = 1, [2] = 'x', 3; 4 })[2]", "({ iad = true }).iad", "(('x'):rep(3))",
    "('abc'):upper()", "string.format('%05.1f|%s', 3.14159, 'x')",
    "math.max(1, 3, 2) + math.floor(2.7)", "tostring(1) .. tostring(true)",
    "tonumber('0x1F')", "('a.b'):find('.', 1, true)", "('web-12'):match('%d+')",
    "10 // 3 .. ''", "3 == 3.0", "1 // 1 | 2", "utf8.len('né')", "math.pi > 3",
  }) do
    t.eq(value(text), assert(load("return " .. text))(), text)
  end
end)

t.test("what is missing is nil, wherever it stands", function()
  t.eq(value("config.nothing.at.all"), nil)
  t.eq(value("nothing.at[1].all"), nil)
  t.eq(value("config.nothing.memory_mb > 512"), false)
  t.eq(value("config.nothing.memory_mb <= 512"), false)
  t.eq(value("nothing < nothing"), false)
  t.eq(value("nothing == nil and none == nil"), true)
  t.eq(value("nothing ~= 'x'"), true)
  t.eq(value("#nothing == 0 and #config.mounts == 0"), true)
  t.eq(value("nothing + 1"), nil)
  t.eq(value("nothing .. 'x'"), nil)
  t.eq(value("-nothing"), nil)
  t.eq(value("nothing:lower():find('x')"), nil)
  t.eq(value("string.lower(nothing)"), nil)
  t.eq(value("math.max(1, nothing)"), nil)
  t.eq(value("tostring(nothing)"), "nil")
  t.eq(value("name.first"), nil)
  t.eq(value("big > 1e29"), true)
end)

t.test("what is wrong is told with its place", function()
  local message, at, hint = wrong('state = "x"')
  t.match(message, "^unexpected =, at character 7, near = \"x\"$")
  t.eq({ at, hint }, { 7, "Lua compares with ==" })
  message, at, hint = wrong("off || off")
  t.eq({ message, at, hint }, {
    "unexpected ||, at character 5, near || off", 5, "Lua writes or" })
  t.match(wrong("state =="), "^it ends too early, a value is missing, at its end$")
  t.match(wrong("(off"), "%) is missing")
  t.match(wrong(""), "^it is empty")
  t.match(wrong("'abc"), "^a text that does not end")
  t.match(wrong("[[abc"), "^a text that does not end")
  t.match(wrong("'\\q'"), "^unknown escape")
  t.match(wrong("3x"), "^3x is no number")
  t.match(wrong("off off"), "^unexpected off, at character 5")
  t.match(wrong("é"), "^unexpected character, at character 1")
  t.match(wrong("'é' @"), "^unexpected @, at character 5")
  t.match(wrong("name > 5"), "^cannot compare a text with a number, at character 6")
  t.match(wrong("config > 5"), "^cannot compare a list or object with a number")
  t.match(wrong("name + 1"), "^cannot use %+ on a text and a number")
  t.match(wrong("1 // 0"), "^division by zero")
  t.match(wrong("{} .. 'x'"), "^cannot use %.%. on a list or object")
  t.match(wrong("#off"), "^cannot use # on a boolean")
  t.match(wrong("checks:lower()"), "^:lower%(%) is for texts, and this is a number")
  t.match(wrong("string.lower(off)"), "^string.lower: bad argument #1 to 'string.lower'")
  t.match(wrong("name:find('[')"), "^string.find: malformed pattern")
  message, at, hint = wrong("string.lowr(name)")
  t.eq(at, 1)
  t.match(message, "^there is no function string.lowr here")
  t.eq(hint, "did you mean string.lower?")
end)

t.test("there is no way out of the row", function()
  for _, text in ipairs({
    "function() end", "(function() while true do end end)()", "os.exit(1)",
    "require('os')", "load('x')()", "print(1)", "state = 1", "x; y", "return 1",
    "_G.os.exit()", "('x').rep('y', 2)()", "name:gsub('.', 'x')", "...", "a --b",
    "string.dump(f)", "string['rep']('x', 9)", "('x'):rep", "getmetatable('')",
    "setmetatable({}, {})", "pcall(error)", "tostring(config)", "local x",
    "string.format('%p', name)", "string.format('%s', config)", "goto x",
  }) do
    t.ok(wrong(text), text)
  end
  t.eq(value("_G"), nil)
  t.eq(value("string"), nil)
  t.eq(value("string.rep"), nil)
end)

t.test("time and memory are bounded", function()
  t.match(wrong("('x'):rep(1000000000)"), "^a text of more than 65536 bytes")
  t.match(wrong("('x'):rep(60000) .. ('x'):rep(60000)"), "^a text of more")
  t.match(wrong("('x'):rep(3, ('y'):rep(40000))"), "^a text of more")
  t.match(wrong("string.format(('%99.99f'):rep(200), 1)"), ".")
  t.match(wrong("('a'):rep(9999):find(('a*'):rep(20) .. 'b')"), "too long on a long text")
  t.match(wrong("('a'):rep(40):find(('a?'):rep(40) .. ('a'):rep(40))"), "too long")
  t.match(wrong(("("):rep(5000) .. "1"), "^it is longer than 4096 bytes")
  t.match(wrong(("("):rep(500) .. "1" .. (")"):rep(500)), "^it is nested too deeply")
  t.match(wrong(("not "):rep(500) .. "1"), "^it is nested too deeply")
  t.match(wrong(("'a'.."):rep(500) .. "'a'"), "^it is nested too deeply")
  t.eq(value("1" .. ("+1"):rep(2000)), 2001)
  t.eq(value("nothing" .. (" or 0"):rep(800)), 0)
  t.eq(value("nothing" .. (".a"):rep(2000)), nil)
end)

t.test("no text makes it raise", function()
  local pieces = { "a", ".", "(", ")", "[", "]", "{", "}", "'", "\"", "\\", "==", "=",
    "~", "-", "--", "not", "and", "or", "nil", "1", "1e", "0x", ":", "find", ",",
    "string", "..", "...", "#", "^", "\0", "\xff", "é", " ", "[[", "[=", "function" }
  local state = 7
  local function pick(n)
    state = (state * 1103515245 + 12345) % 2147483648
    return state // 65536 % n + 1
  end
  for _ = 1, 20000 do
    local parts = {}
    for i = 1, pick(9) do
      parts[i] = pieces[pick(#pieces)]
    end
    local text = table.concat(parts)
    local compiled, e = expr.compile(text)
    if compiled then
      local _, problem = compiled:test(lookup)
      e = problem
    end
    t.ok(e == nil or e.kind == "usage", text)
  end
end)
