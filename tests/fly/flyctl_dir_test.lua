-- flyctl's directory: in memory, somebody's own, and wiped, if need be by the next.

local flyctls = require "kit.flyctl"
local fs = require "sys.fs"
local process = require "sys.process"
local secret_api = require "kit.secret_api"
local t = require "kit"

-- Starts `secrets set` with a flyctl that logs the value and then waits.
local function start(env, words)
  local api, flyctl = secret_api.start(), flyctls.build()
  flyctl:set_mode("wait")
  api.names = { KEY = true }
  env.HOME = t.tmpdir()
  env.FLY_API_HOSTNAME, env.FLY_API_BASE_URL = api.url, api.url
  env.FLY_API_TOKEN = "fo1_simtoken"
  env.PATH = flyctl.dir .. ":/usr/bin:/bin"
  local child = assert(process.spawn({
    argv = { t.binary(), "fly", "secrets", "set", "KEY=-", "--app", "web", "--stage",
      table.unpack(words or {}) },
    stdin = "hunter2", env = env, inherit = { "CLANKER_LUA", "ASAN_OPTIONS" },
  }))
  return child, flyctl, api
end

-- The waiting flyctl's process; it must not outlive the test.
local function pid_of(flyctl)
  local pid = t.eventually(function()
    return flyctl:kept("pid"):match("^(%d+)\n")
  end, 20)
  t.cleanup(function()
    process.run({ argv = { "/bin/kill", "-9", pid } })
  end)
  return pid
end

-- flyctl's directory as the last one saw it.
local function directory_of(flyctl)
  return flyctl:kept("environ"):match(".*\nFLY_CONFIG_DIR=([^\n]+)")
end

local function run_next(child_env, flyctl)
  flyctl:forget()
  return assert(process.run({
    argv = { t.binary(), "fly", "secrets", "set", "KEY=-", "--app", "web", "--stage" },
    stdin = "hunter2", env = child_env, timeout = 60,
    inherit = { "CLANKER_LUA", "ASAN_OPTIONS" },
  }))
end

t.test("what a killed clanker left is wiped by the next one, what is in use is not", function()
  local memory = t.memory_dir()
  local env = { XDG_RUNTIME_DIR = memory }
  local child <close>, flyctl = start(env)
  local pid = pid_of(flyctl)
  local left = directory_of(flyctl)
  t.has(t.read_file(left .. "/logs/flyctl.log"), "hunter2")
  local other = run_next(env, flyctl)
  t.eq(other.code, 0, other.stderr)
  t.ok(fs.exists(left), "it is in use")
  t.ok(child:kill("SIGKILL"))
  process.run({ argv = { "/bin/kill", "-9", pid } })
  child:wait()
  t.ok(fs.exists(left), "nobody wiped it")
  local result = run_next(env, flyctl)
  t.eq(result.code, 0, result.stderr)
  t.eq(fs.list(memory), {})
end)

t.test("it goes with every signal that ends clanker", function()
  local memory = t.memory_dir()
  for signal, code in pairs({ SIGINT = 130, SIGTERM = 143, SIGHUP = 129 }) do
    local child <close>, flyctl = start({ XDG_RUNTIME_DIR = memory })
    pid_of(flyctl)
    t.eq(#fs.list(memory), 1)
    t.ok(child:kill(signal))
    local ended = child:wait()
    t.eq(ended.code, code, signal)
    t.eq(fs.list(memory), {}, signal)
  end
end)

t.test("a place that is not in memory is not taken, whatever it is called", function()
  local disk = t.tmpdir()
  if fs.in_memory(disk) then
    return t.skip("the directory for temporary files is in memory")
  end
  local child <close>, flyctl = start({ XDG_RUNTIME_DIR = disk })
  pid_of(flyctl)
  t.match(directory_of(flyctl), "^/dev/shm/clanker%-%d+/fly%-%x+$")
  t.eq(fs.list(disk), {})
  t.ok(child:kill("SIGTERM"))
  child:wait()
end)
