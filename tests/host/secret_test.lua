--- host.secret: handles that do not give their bytes away, sources, masking.

local host = require "host.secret"
local process = require "sys.process"
local t = require "kit"
local task = require "sys.task"

local tmp = os.tmpname

--- A file with this content that goes with the test.
local function file(content)
  local path = tmp()
  local f = assert(io.open(path, "wb"))
  f:write(content)
  f:close()
  t.cleanup(function()
    os.remove(path)
  end)
  return path
end

--- What a secret holds, by asking.
local function holds(s, want)
  t.ok(s:equals(want), "a secret of " .. s:len() .. " bytes")
end

t.test("a secret shows itself as [secret] and nothing else", function()
  local s <close> = host.new("hunter2!")
  t.eq(tostring(s), "[secret]")
  t.eq(("%s"):format(s), "[secret]")
  t.eq(getmetatable(s), "secret")
  t.ok(host.is(s))
  t.eq(host.is("hunter2!"), false)
end)

t.test("a digest tells secrets and uses apart and holds no part of them", function()
  local s <close> = host.new("hunter2!")
  local same <close> = host.new("hunter2!")
  local other <close> = host.new("hunter3!")
  local digest = s:digest("limits")
  t.match(digest, "^%x+$")
  t.eq(#digest, 32)
  t.eq(same:digest("limits"), digest)
  t.ok(other:digest("limits") ~= digest)
  t.ok(s:digest("cache") ~= digest)
  t.raises(function() s:digest("") end, "1 to 64 bytes")
  t.raises(function() s:digest(("k"):rep(65)) end, "1 to 64 bytes")
end)

t.test("what would reveal or compare a secret raises", function()
  local s <close> = host.new("hunter2!")
  local o <close> = host.new("hunter2!")
  for _, try in ipairs {
    { function() return s .. "x" end, "concatenated" },
    { function() return "x" .. s end, "concatenated" },
    { function() return #s end, "measured" },
    { function() return s + 1 end, "calculated" },
    { function() return -s end, "calculated" },
    { function() return s | 1 end, "calculated" },
    { function() return s < o end, "ordered" },
    { function() return s <= o end, "ordered" },
    { function() return s == o end, "compared" },
    { function() return s() end, "called" },
    { function() return s.bytes end, "no field 'bytes'" },
    { function() return s[1] end, "no field '1'" },
    { function() s.x = 1 end, "assigned" },
    { function() return pairs(s) end, "iterated" },
    { function() return ("%q"):format(s) end, "literal" },
    { function() return ("%d"):format(s) end, "number expected" },
    { function() return table.concat { s } end, "invalid value" },
    { function() return string.len(s) end, "string expected" },
    { function() return setmetatable(s, {}) end, "table expected" },
    { function() return require "cjson".encode { s } end, "type not supported" },
    { function() return require "cjson".encode { [s] = 1 } end, "" },
  } do
    local e = t.raises(try[1], try[2])
    t.lacks(tostring(e), "hunter2!")
  end
end)

t.test("a closed secret cannot be used, and closing twice is allowed", function()
  local s = host.new("hunter2!")
  s:close()
  s:close()
  t.eq(tostring(s), "[secret]")
  t.ok(host.is(s))
  t.raises(function() s:len() end, "the secret is closed")
  t.raises(function() host.concat { s } end, "the secret is closed")
  t.raises(function() host.new("x"):equals(s) end, "the secret is closed")
end)

t.test("equals compares secrets and strings", function()
  local s = host.new("abc\0d")
  t.ok(s:equals("abc\0d"))
  t.ok(s:equals(host.new("abc\0d")))
  t.eq(s:equals("abc\0e"), false)
  t.eq(s:equals("abc"), false)
  t.eq(s:equals(host.new("")), false)
  t.ok(host.new(""):equals(""))
  t.raises(function() s:equals(nil) end, "string expected")
end)

t.test("len, sub and trim work as those of strings", function()
  local s = host.new("hello")
  t.eq(s:len(), 5)
  for _, c in ipairs { { 1, 3 }, { 2 }, { -3 }, { -3, -2 }, { 0, 2 }, { 4, 2 }, { 9, 9 }, { -9, 2 },
    { 1, -9 }, { math.mininteger, math.maxinteger }, { 3, 3 } } do
    holds(s:sub(table.unpack(c)), ("hello"):sub(table.unpack(c)))
  end
  holds(host.new(" \t\r\n\v\fa b\n"):trim(), "a b")
  holds(host.new(" \n"):trim(), "")
  holds(host.new(""):trim(), "")
end)

t.test("split keeps empty parts", function()
  local function split(text, separator)
    local parts = host.new(text):split(separator)
    return function(want)
      t.eq(#parts, #want)
      for i, part in ipairs(parts) do
        holds(part, want[i])
      end
    end
  end
  split("a,b,c", ",") { "a", "b", "c" }
  split(",a,,", ",") { "", "a", "", "" }
  split("abc", ",") { "abc" }
  split("", ",") { "" }
  split("a, b, c", ", ") { "a", "b", "c" }
  split("a,", ", ") { "a," }
  t.raises(function() host.new("a"):split("") end, "empty separator")
  t.eq(#host.new((","):rep(1000)):split(","), 256)
end)

t.test("starts_with and find_class tell what kind of token it is", function()
  local s = host.new("FlyV1 fm2_abc")
  t.ok(s:starts_with("FlyV1 "))
  t.ok(s:starts_with(""))
  t.ok(s:starts_with("flyv1 ", true))
  t.eq(s:starts_with("flyv1 "), false)
  t.eq(s:starts_with("FlyV1 fm2_abcd"), false)
  t.eq(host.new("@"):starts_with("`", true), false)
  t.eq(s:find_class("space"), 6)
  t.eq(s:find_class("control"), nil)
  t.eq(host.new("ab\n"):find_class("control"), 3)
  t.eq(host.new("ab\127"):find_class("control"), 3)
  t.eq(host.new("é"):find_class("non_ascii"), 1)
  t.eq(host.new("abc d"):find_class("invisible"), 4)
  t.eq(host.new(""):find_class("invisible"), nil)
  t.raises(function() s:find_class("vowel") end, "invalid option")
end)

t.test("remove_space joins a wrapped token", function()
  holds(host.new(" fm2_ab\r\n cd\n\tef \n"):remove_space(), "fm2_abcdef")
  holds(host.new(" \n"):remove_space(), "")
end)

t.test("concat joins strings and secrets", function()
  holds(host.concat { "Bearer ", host.new("tok"), "\0", "" }, "Bearer tok\0")
  holds(host.concat {}, "")
  t.raises(function() host.concat { 1 } end, "part 1 is neither")
  t.raises(function() host.concat { "a", {} } end, "part 2 is neither")
  t.raises(function() host.concat "a" end, "table expected")
end)

t.test("a secret has a bound", function()
  t.eq(host.new(("x"):rep(1 << 20)):len(), 1 << 20)
  t.raises(function() host.new(("x"):rep((1 << 20) + 1)) end, "longer than 1 MiB")
  local half = host.new(("x"):rep(1 << 19))
  t.eq(host.concat { half, half }:len(), 1 << 20)
  t.raises(function() host.concat { half, half, "x" } end, "longer than 1 MiB")
end)

t.test("from_env leaves the variable, or takes it", function()
  local name = "HOME"
  local s = t.ok(host.from_env(name))
  t.ok(s:len() > 0)
  t.ok(os.getenv(name))
  t.ok(host.from_env("CLANKER_BINARY"):equals(t.binary()))
  local s2, message, code = host.from_env("CLANKER_NOT_SET")
  t.eq({ s2, message, code }, { nil, "CLANKER_NOT_SET: not set", "ENOENT" })
  local old = os.getenv("CMOCKA_MESSAGE_OUTPUT")
  local taken = host.from_env("CMOCKA_MESSAGE_OUTPUT", true)
  holds(taken, old)
  t.eq(os.getenv("CMOCKA_MESSAGE_OUTPUT"), nil)
  if not os.getenv("VALGRIND") then -- it gives its program another environment
    local f = assert(io.open("/proc/self/environ", "rb"))
    local environ = f:read("a")
    f:close()
    t.has(environ, "CMOCKA_MESSAGE_OUTPUT=\0")
  end
end)

t.test("from_file reads the bytes as they are", function()
  holds(host.from_file(file("tok\0en\n")), "tok\0en\n")
  holds(host.from_file(file("")), "")
  holds(host.from_file("/dev/null"), "")
  holds(host.from_file(file(("x"):rep(65536))), ("x"):rep(65536))
end)

t.test("from_file says why it cannot", function()
  local function fails(code, ...)
    local value, message, got = host.from_file(...)
    t.eq({ value, got }, { nil, code })
    t.has(message, (...))
  end
  fails("ENOENT", "/nonexistent/token")
  fails("EISDIR", "/")
  fails("E2BIG", file(("x"):rep(65537)))
  fails("E2BIG", file("12345"), 4)
  fails("E2BIG", "/dev/zero")
  t.raises(function() host.from_file("/dev/null", 0) end, "limit")
  t.raises(function() host.from_file("/dev/null", (1 << 20) + 1) end, "limit")
end)

t.test("from_fd refuses what is no descriptor", function()
  local value, message, code = host.from_fd(1000000)
  t.eq({ value, code }, { nil, "EBADF" })
  t.has(message, "descriptor 1000000")
  t.raises(function() host.from_fd(-1) end, "descriptor")
end)

t.test("mask replaces live secrets in every form and no others", function()
  local s, gone = host.new("p/w\n\"d!"), host.new("forgotten")
  gone:close()
  t.eq(host.mask("a p/w\n\"d! b"), "a [secret] b")
  t.eq(host.mask("x=p%2Fw%0A%22d%21"), "x=[secret]")
  t.eq(host.mask([["p\/w\n\"d!"]]), [["[secret]"]])
  t.eq(host.mask("Basic dTpwL3cKImQh"), "Basic dTp[secret]")
  t.eq(host.mask("forgotten"), "forgotten")
  s:close()
  t.eq(host.mask("p/w\n\"d!"), "p/w\n\"d!")
end)

t.test("a masker masks over chunk borders", function()
  local secret <close> = host.new("hunter2!")
  t.eq(secret:len(), 8)
  local m = host.masker()
  t.eq(m:feed("the hunt"), "the ")
  t.eq(m:feed("er2"), "")
  t.eq(m:feed("! is over; hunter"), "[secret] is over; ")
  t.eq(m:finish(), "hunter")
  t.raises(function() m:feed("x") end, "finished")
  m:close()
  local other <close> = host.masker()
  t.eq(other:feed("hunter2!"), "[secret]")
end)

t.test("wipe empties every secret", function()
  local s <close> = host.new("hunter2!")
  host.wipe()
  t.eq(s:len(), 0)
  t.eq(host.mask("hunter2!"), "hunter2!")
end)

t.test("secrets that nobody refers to do not use up their number", function()
  for i = 1, 20000 do
    host.new("secret number " .. i)
  end
  t.eq(host.mask("secret number 20000"), "[secret]")
end)

t.test("from_file waits for a FIFO's writer", function()
  local fifo = t.tmpdir() .. "/fifo"
  t.ok(process.run { argv = { "mkfifo", fifo } })
  local reader = task.spawn(function()
    return host.from_file(fifo)
  end)
  task.sleep(0)
  collectgarbage()
  t.eq(reader:is_done(), false)
  t.ok(process.run {
    argv = { "sh", "-c", "(printf to; sleep 0.02; printf ken) > " .. fifo },
  })
  holds(reader:await(), "token")
end)

t.test("from_file stops reading a FIFO at its limit", function()
  local fifo = t.tmpdir() .. "/fifo"
  t.ok(process.run { argv = { "mkfifo", fifo } })
  local writer = t.ok(process.spawn { argv = { "sh", "-c", "exec yes > " .. fifo } })
  local value, message, code = host.from_file(fifo, 10)
  t.eq({ value, message, code }, { nil, fifo .. ": more than 10 bytes", "E2BIG" })
  t.eq(writer:wait().signal, "SIGPIPE")
  writer:close()
end)

t.test("a read that waits can be cancelled, or collected", function()
  local fifo = t.tmpdir() .. "/fifo"
  t.ok(process.run { argv = { "mkfifo", fifo } })
  local reader = task.spawn(host.from_file, fifo)
  task.sleep(0)
  collectgarbage()
  collectgarbage()
  t.eq(reader:is_done(), false)
  reader:cancel()
  local ok, e = reader:join(5)
  t.eq(ok, false)
  t.ok(task.is_canceled(e), e)
  t.raises(function()
    coroutine.wrap(host.from_file)(fifo)
  end, "outside a task")
end)

t.test("from_fd reads standard input and leaves it as it was", function()
  local function child(stdin)
    local r = t.ok(process.run {
      argv = { t.binary(), "-l", "tests/host/fixtures/read_stdin.lua" },
      env = { CLANKER_LUA = os.getenv("CLANKER_LUA") }, stdin = stdin,
    })
    return r.stdout:match("^[^\n]*")
  end
  t.eq(child("token\n"), "6 bytes, blocking")
  t.eq(child(host.new(("x"):rep(65536))), "65536 bytes, blocking")
  t.eq(child(""), "0 bytes, blocking")
  t.eq(child(nil), "0 bytes, blocking")
  t.eq(child(("x"):rep(65537)), "descriptor 0: more than 65536 bytes")
end)

t.test("a collected secret is no longer live", function()
  host.new("collected")
  collectgarbage()
  collectgarbage()
  t.eq(host.mask("collected"), "collected")
end)
