local host = require "host.term"
local process = require "sys.process"
local t = require "kit"
local task = require "sys.task"
local term = require "sys.term"

--- Runs term_child.lua on pipes.
local function child(mode, options)
  options = options or {}
  local argv = { t.binary(), "-l", "tests/host/fixtures/term_child.lua", mode }
  for _, word in ipairs(options.args or {}) do
    argv[#argv + 1] = word
  end
  return t.ok(process.run {
    argv = argv, stdin = options.stdin or "", timeout = 60,
    inherit = { "CLANKER_LUA", "PATH", "HOME" }, env = options.env,
  })
end

-- ---- text ----

t.test("text from elsewhere cannot act on the terminal", function()
  t.eq(term.sanitize("a\27[31mred\27]0;title\7\n"), "a\\x1b[31mred\\x1b]0;title\\x07\\n")
  t.eq(term.sanitize("a\u{202e}b\u{200b}c\u{9b}d"), "a\\u{202e}b\\u{200b}c\\u{9b}d")
  t.eq(term.sanitize("1\r\n2\t3\r4", true), "1\n2\t3\\r4")
  t.eq(term.sanitize("\255\254"), "\u{fffd}\u{fffd}")
  t.eq(term.sanitize("日本 é 🚀"), "日本 é 🚀")
  local long = ("\27"):rep(100000)
  t.eq(term.sanitize(long), ("\\x1b"):rep(100000))
end)

t.test("columns are counted and text is cut to them", function()
  t.eq(term.display_width("日本e\u{301}!"), 6)
  t.eq(term.truncate("machines", 8), "machines")
  t.eq(term.truncate("machines", 7), "machin…")
  t.eq(term.truncate("日本語", 5), "日本…")
  t.eq(term.truncate("日本語", 4), "日…")
  t.eq(term.truncate("日本語", 1), "…")
  t.eq(term.truncate("日本語", 0), "")
  t.eq({ host.fit("日本語", 3) }, { "日", 2 })
end)

-- ---- what standard input and output are ----

t.test("a pipe is no terminal: no width, no colours", function()
  local result = child("look", { env = { TERM = "xterm", COLUMNS = "100" } })
  t.match(result.stdout, "^width nil tty false colors false\n")
end)

t.test("without a terminal nothing is asked", function()
  for _, mode in ipairs { "hidden", "prompt", "line" } do
    local result = child(mode, { stdin = "an answer\n" })
    t.match(result.stdout, "^error ENOTTY standard input is not a terminal\n")
    t.lacks(result.stdout .. result.stderr, "Token:")
  end
end)

-- ---- standard input ----

t.test("standard input is read to its end, and no further than allowed", function()
  t.match(child("stdin", { stdin = "one\ntwo" }).stdout, "^answer one\\ntwo\n")
  t.match(child("stdin").stdout, "^answer \n")
  local result = child("stdin", { stdin = ("x"):rep(100000), args = { "1000" } })
  t.match(result.stdout, "^error E2BIG standard input: larger than 1000 bytes\n")
  t.match(child("stdin", { stdin = ("x"):rep(1000), args = { "1000" } }).stdout, "^answer x+\n")
end)

t.test("standard input can become a secret", function()
  t.match(child("stdin_secret", { stdin = "hunter2-hunter2\n" }).stdout, "^secret 16\n")
end)

-- ---- standard output ----

t.test("a secret is masked also when it comes in pieces", function()
  local result = child("pieces")
  t.match(result.stdout, "^the token is %[secret%], and base64 of it %[secret%]\n")
  t.lacks(result.stdout .. result.stderr, "hunter2")
end)

t.test("what may be the beginning of a secret is held back, and given at the end", function()
  local result = child("held")
  t.eq(result.stdout, "a hunter2-hunter2! 1..0\nhun") -- the runner's line came before
  t.eq(result.stderr, "-")
end)

t.test("only a terminal is shown a secret", function()
  t.match(child("reveal").stdout, "^before ENOTTY\nmasked %[secret%]\n")
  t.raises(function()
    host.reveal(1, "text")
  end, "secret")
end)

t.test("a terminal is shown it without what acts on terminals", function()
  local result = t.ok(process.run {
    argv = { "/bin/sh", "-c", [[export CLI="$0"; exec script -qec]]
      .. [[ '"$CLI" -l tests/host/fixtures/term_child.lua reveal' /dev/null]], t.binary() },
    stdin = "", timeout = 60, inherit = { "CLANKER_LUA", "PATH", "HOME" },
  })
  t.match(result.stdout, "^before first hunter2\\x1b%[31m\r\n"
    .. "second \\u{202e}hunter2\r\nshown\r\nmasked %[secret%]\r\n")
end)

t.test("a lot of output arrives whole, by whichever task it was written", function()
  local result = child("many")
  local lines = {}
  for line in result.stdout:gmatch("task (%d+: x+)\n") do
    lines[#lines + 1] = line
  end
  t.eq(#lines, 400)
  for i, line in ipairs(lines) do
    t.eq(#line:match("x+"), 5000, "line " .. i)
  end
end)

t.test("misuse raises", function()
  t.raises(function()
    host.write(0, "x")
  end, "1 or 2 expected")
  t.raises(function()
    host.write(1, {})
  end, "string expected")
  t.raises(function()
    host.is_tty(3)
  end, "0, 1 or 2 expected")
  t.raises(function()
    host.fit("x", -1)
  end, "0 or more columns")
  t.raises(function()
    host.stdin(-1)
  end, "0 to 2147483647 bytes")
end)

t.test("a write outside a wait needs no task of its own", function()
  t.eq(task.spawn(function()
    return term.write(2, "")
  end):await(), true)
end)
