-- Values arrive byte for byte from wherever the real program takes them, and what
-- cannot arrive so is refused before anything is sent.

local flyctls = require "kit.flyctl"
local fs = require "sys.fs"
local process = require "sys.process"
local secret_api = require "kit.secret_api"
local t = require "kit"
local tbl = require "base.tbl"

local PEM = "-----BEGIN KEY-----\r\nMIIE#\"vQ'==\r\n-----END KEY-----\r\n"

-- What has gone wrong with values elsewhere.
local VALUES = {
  A = "", B = " ", C = "\n", D = "#", E = '"', F = "'", G = '"""', H = "-", I = "=",
  J = "\\", K = "a#b", L = "a #b", M = '"quoted"', N = "'quoted'", O = '"""x"""',
  P = "\0", Q = "\0\1\2\27[31m\127", R = PEM, S = PEM:gsub("\r", ""),
  T = "é☃\u{1F511}\u{2028}\u{FEFF}", U = "\u{FEFF}x", V = "$X ${Y} `z`",
  W = "line\nB=injected\n#c\n", X = "\r", Y = "x\r\n", Z = "\\n\\u0000",
  LONG = ("0123456789abcdef"):rep(4096), LINES = ("0123456789abcde\n"):rep(4096),
  WIDE = ("é"):rep(32768), CONTROL = ("\1"):rep(65536), EXPORT = "export A=1",
}

local function set(api, flyctl, words, stdin)
  return assert(process.run({
    argv = { t.binary(), "fly", "secrets", "set", "--app", "web", "--stage", table.unpack(words) },
    stdin = stdin, timeout = 60, inherit = { "CLANKER_LUA", "ASAN_OPTIONS" },
    env = {
      HOME = t.tmpdir(), FLY_API_HOSTNAME = api.url, FLY_API_BASE_URL = api.url,
      FLY_API_TOKEN = "fo1_simtoken",
      PATH = (flyctl and flyctl.dir or "/nonexistent") .. ":/usr/bin:/bin",
    },
  }))
end

-- Sets the values in one go; they must arrive, whichever way is chosen.
local function check(values, words, stdin, with_flyctl)
  local api, flyctl = secret_api.start(), with_flyctl and flyctls.build() or nil
  for name in pairs(values) do
    api.names[name] = true
  end
  local result = set(api, flyctl, words, stdin)
  t.eq(result.code, 0, result.stderr)
  local arrived = tbl.merge(flyctl and flyctl:values() or {}, api.values)
  for name, value in pairs(values) do
    if arrived[name] ~= value then
      error(("%s: %q arrived as %q"):format(name, value:sub(1, 100),
        tostring(arrived[name]):sub(1, 100)))
    end
  end
  t.eq(#tbl.keys(arrived), #tbl.keys(values))
  return flyctl and next(flyctl:values()) ~= nil
end

-- Arguments that name a file for each value.
local function files(values)
  local dir, words = t.tmpdir(), {}
  for name, value in tbl.sorted(values) do
    local path = dir .. "/" .. name
    assert(fs.write(path, value))
    words = tbl.flatten({ words, { "--from-file", name .. "=" .. path } })
  end
  return words
end

t.test("from files, all at once", function()
  for _, with_flyctl in ipairs({ false, true }) do
    local by_flyctl = check(VALUES, files(VALUES), nil, with_flyctl)
    t.ok(not by_flyctl, "flyctl cannot read some of them")
  end
end)

t.test("from files, by flyctl, what it can read", function()
  local values = {}
  for name, value in pairs(VALUES) do
    local handle <close> = require("sys.secret").new(value)
    values[name] = handle:fits_import(name) and value or nil
  end
  t.ok(#tbl.keys(values) > 15)
  t.ok(check(values, files(values), nil, true), "by flyctl")
end)

t.test("from standard input, one by one", function()
  for name, value in pairs(VALUES) do
    check({ [name] = value }, { name .. "=-" }, value, name < "M")
  end
end)

local ESCAPES = { ["\n"] = "\\n", ["\r"] = "\\r", ['"'] = '\\"', ["\\"] = "\\\\" }

t.test("from lines to import, in quotes", function()
  local lines, entries = {}, {}
  for name, value in tbl.sorted(VALUES) do
    lines[#lines + 1] = ('export %s="%s" # note'):format(name, value:gsub('[\n\r"\\]', ESCAPES))
    entries[name] = value
  end
  check(entries, { "--import", "-" }, table.concat(lines, "\r\n"), true)
end)

t.test("from arguments", function()
  local values, words = {}, {}
  for name, value in tbl.sorted(VALUES) do
    if not value:find("\0", 1, true) and value ~= "-" then -- no argument has a NUL
      values[name], words[#words + 1] = value, name .. "=" .. value
    end
  end
  check(values, words, nil, true)
end)

t.test("bytes that are no text are refused whichever way they come", function()
  local wrong = { "\xff", "a\xc3", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "x\0\xfe" }
  local dir = t.tmpdir()
  for i, value in ipairs(wrong) do
    local api, flyctl = secret_api.start(), flyctls.build()
    local path = dir .. "/" .. i
    assert(fs.write(path, value))
    for _, case in ipairs({
      { { "GOOD=1", "--from-file", "BAD=" .. path } }, { { "GOOD=1", "BAD=-" }, value },
      { { "--import", "-" }, "GOOD=1\nBAD='" .. value .. "'\n" },
      { { "--via", "api", "GOOD=1", "BAD=-" }, value },
      not value:find("\0") and { { "GOOD=1", "BAD=" .. value } } or nil,
    }) do
      local result = set(api, flyctl, case[1], case[2])
      t.eq(result.code, 2, result.stderr)
      t.match(result.stderr, "value of BAD is not UTF%-8 text")
      t.match(result.stderr, "hint: .*base64")
      t.eq(result.stdout, "")
    end
    t.eq({ api.values, flyctl:kept("argv") }, { {}, "" }, "nothing was sent")
  end
end)

t.test("what is too long is refused with its limit", function()
  local api = secret_api.start()
  local result = set(api, nil, { "BIG=-" }, ("x"):rep((1 << 20) + 1))
  t.eq(result.code, 6, result.stderr)
  t.match(result.stderr, "standard input")
  t.eq(api.values, {})
  local half = ("x"):rep(1 << 19)
  check({ BIG = half }, { "BIG=-" }, half, true)
end)
