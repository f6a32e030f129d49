-- The key of stored credentials in a keyring: kept there, missed, waited for.

local compile = require "kit.compile"
local fs = require "sys.fs"
local process = require "sys.process"
local t = require "kit"

local TOKEN = "fo1_simkeyringtoken"

-- A directory with the stand-in for libsecret, and one for what it keeps.
local function build()
  local dir = t.tmpdir()
  assert(fs.write(dir .. "/libsecret-1.so.0",
    compile.fixture("libsecret.c", { "-shared", "-fPIC" })))
  assert(fs.mkdir(dir .. "/entries", 448))
  assert(fs.mkdir(dir .. "/home", 448))
  return dir
end

local function run(dir, words, mode, stdin, env)
  env = env or {
    HOME = dir .. "/home", LD_LIBRARY_PATH = dir, FAKE_KEYRING = dir .. "/entries",
    FAKE_KEYRING_MODE = mode, DBUS_SESSION_BUS_ADDRESS = "unix:path=/nonexistent",
  }
  local result = assert(process.run({
    argv = { t.binary(), "credentials", table.unpack(words) }, stdin = stdin,
    env = env, inherit = { "PATH", "CLANKER_LUA", "ASAN_OPTIONS" }, timeout = 60,
  }))
  t.lacks(result.stdout .. result.stderr, "keyringtoken")
  return result
end

local function store(dir, mode)
  local result = run(dir, { "store", "flyio", "--api-token", "-" }, mode, TOKEN)
  t.eq(result.code, 0, result.stderr)
  return result
end

-- Whether a token can be read: config show says where it is from.
local function shown(dir, mode)
  local result = assert(process.run({
    argv = { t.binary(), "config", "show" }, timeout = 60,
    env = {
      HOME = dir .. "/home", LD_LIBRARY_PATH = dir, FAKE_KEYRING = dir .. "/entries",
      FAKE_KEYRING_MODE = mode,
    },
    inherit = { "PATH", "CLANKER_LUA", "ASAN_OPTIONS" },
  }))
  t.eq(result.code, 0, result.stderr)
  return result.stdout:find("api_token +%[secret%]") ~= nil, result.stderr
end

t.test("a keyring keeps the key, and no file does", function()
  local dir = build()
  t.match(store(dir).stderr, "encrypted; key in the keyring")
  t.eq(fs.exists(dir .. "/home/.clanker/credentials.key"), false)
  local entries = assert(fs.list(dir .. "/entries"))
  t.eq(#entries, 1)
  local kept = t.read_file(dir .. "/entries/" .. entries[1])
  t.match(kept, "^[%w+/]+=$")
  t.eq(#kept, 44)
  t.eq(shown(dir), true)
  store(dir)
  t.eq(t.read_file(dir .. "/entries/" .. entries[1]), kept, "the key stays the same")
  t.eq(shown(dir), true)
end)

t.test("a keyring that lost the key is told, and storing again serves", function()
  local dir = build()
  store(dir)
  assert(fs.remove(dir .. "/entries", true))
  assert(fs.mkdir(dir .. "/entries", 448))
  t.eq(shown(dir), false)
  store(dir)
  t.eq(shown(dir), true)
end)

t.test("a keyring that fails is not taken for one without the key", function()
  local dir = build()
  store(dir)
  local found, why = shown(dir, "fail")
  t.eq(found, false)
  t.match(why, "the keyring does not give the key")
  local refused = run(dir, { "store", "flyio", "--api-token", "-" }, "fail", TOKEN)
  t.eq(refused.code, 1, refused.stderr)
  t.eq(shown(dir), true)
end)

t.test("without a willing keyring the key is in a file", function()
  local dir = build()
  t.match(store(dir, "fail").stderr, "key in .+/credentials%.key")
  t.eq(shown(dir), true)
  t.eq(#assert(fs.list(dir .. "/entries")), 0)
end)

-- Runs a Lua test file that asks the stand-in itself.
local function run_file(dir, file, mode)
  return assert(process.run({
    argv = { t.binary(), "-l", "tests/credentials/fixtures/" .. file }, timeout = 120,
    env = { LD_LIBRARY_PATH = dir, FAKE_KEYRING = dir .. "/entries", FAKE_KEYRING_MODE = mode },
    inherit = { "PATH", "HOME", "CLANKER_LUA", "CLANKER_BINARY", "ASAN_OPTIONS" },
  }))
end

t.test("nobody waits for ever, neither for an answer nor for the end", function()
  for _, mode in ipairs({ "wait", "hang" }) do
    local result = run_file(build(), "keyring_waits.lua", mode)
    t.eq(result.code, 0, result.stdout .. result.stderr)
  end
  local asked, host = {}, require "host.keyring"
  local real = { lookup = host.lookup, store = host.store }
  for name in pairs(real) do
    host[name] = function(_, _, timeout)
      asked[#asked + 1] = timeout
      return nil, "the keyring: timed out", "ETIMEDOUT"
    end
  end
  local keyring = require "sys.keyring"
  local none, e = keyring.lookup("x")
  t.err(none, e, "timeout")
  none, e = keyring.store("x", require("sys.secret").new("x"))
  t.err(none, e, "timeout")
  host.lookup, host.store = real.lookup, real.store
  t.eq(asked, { 5, 5 })
end)

t.test("asking survives a failing allocation", function()
  for _, mode in ipairs({ "", "fail" }) do
    local result = run_file(build(), "keyring_failing.lua", mode)
    t.eq(result.code, 0, mode .. result.stdout .. result.stderr)
    t.match(result.stdout, "ok 2 %- ")
  end
end)

t.test("without a session bus no keyring is asked", function()
  local dir = build()
  local result = run(dir, { "store", "flyio", "--api-token", "-" }, nil, TOKEN, {
    HOME = dir .. "/home", LD_LIBRARY_PATH = dir, FAKE_KEYRING = dir .. "/entries",
  })
  t.eq(result.code, 0, result.stderr)
  t.match(result.stderr, "credentials%.key")
end)
