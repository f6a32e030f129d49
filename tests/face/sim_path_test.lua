-- `--sim` puts its flyctl on PATH: for this program, for its children, and for
-- those of a script; and takes it away again whatever happens.

local fs = require "sys.fs"
local os = require "sys.os"
local process = require "sys.process"
local t = require "kit"
local task = require "sys.task"

-- A place for private directories, and the variables that name it.
local function place_of_links(name)
  local memory = "/dev/shm"
  local root = t.tmpdir()
  if fs.in_memory(memory) then
    root = memory .. "/" .. root:match("[^/]+$")
    assert(fs.mkdir(root))
    t.cleanup(function()
      fs.remove(root, true)
    end)
  end
  local place = root
  if name then
    place = place .. "/" .. name
    assert(fs.mkdir(place))
  end
  return place, { TMPDIR = place, XDG_RUNTIME_DIR = place }
end

local function options(words, env)
  env = env or {}
  env.HOME = env.HOME or t.tmpdir()
  return {
    argv = { t.binary(), table.unpack(words) }, env = env, timeout = 60,
    inherit = { "CLANKER_LUA", "ASAN_OPTIONS", "PATH" },
  }
end

local function clanker(words, env)
  return assert(process.run(options(words, env)))
end

local function script(text)
  local path = t.tmpdir() .. "/script.lua"
  assert(fs.write(path, text))
  return path
end

-- A flyctl and a fly of the user's, which leave a trace.
local function real_flyctl()
  local directory = t.tmpdir()
  for _, name in ipairs({ "flyctl", "fly" }) do
    assert(fs.write(directory .. "/" .. name,
      "#!/bin/sh\necho \"$@\" >>" .. directory .. "/trace\n", { mode = 448 })) -- 0700
  end
  return directory
end

t.test("the simulated flyctl comes before the user's, under both names", function()
  local place, env = place_of_links()
  local real = real_flyctl()
  env.PATH = real .. ":/usr/bin:/bin"
  local result = clanker({ "--sim", "run", script([[
    local process = require "clanker.process"
    for _, line in ipairs { "echo $PATH; command -v flyctl; command -v fly",
      "stat -c %a $(dirname $(command -v fly)); flyctl version; fly version" } do
      io.write(process.run { argv = { "/bin/sh", "-c", line } }.stdout)
    end
  ]]) }, env)
  t.eq({ result.code, result.stderr }, { 0, "" })
  local first, rest = result.stdout:match("^(/[^:]+):([^\n]+)\n")
  t.match(first, "^" .. place:gsub("%p", "%%%0") .. "/clanker%-%d+/flyctl%-%x+$")
  t.eq(rest, env.PATH)
  t.ok(result.stdout:find(("\n%s/flyctl\n%s/fly\n700\n"):format(first, first), 1, true))
  t.match(result.stdout, "\nflyctl v[^\n]+simulated[^\n]+\nflyctl v[^\n]+simulated[^\n]+\n$")
  t.eq({ fs.exists(real .. "/trace"), (fs.list(place)) }, { false, {} })
end)

t.test("our own commands find it there", function()
  local real = real_flyctl()
  local result = clanker({ "--sim", "fly", "deploy", "--app", "my-app", "--image",
    "nginx:missing" }, { PATH = real .. ":/usr/bin:/bin" })
  t.eq(result.code, 1)
  t.match(result.stderr, "Error: failed to fetch an image")
  t.eq(fs.exists(real .. "/trace"), false)
end)

t.test("a script's own flyctl acts on the simulated account", function()
  local result = clanker({ "--sim", "run", script([[
    local fly, task = require "clanker.fly", require "clanker.task"
    task.spawn(require("clanker.process").run,
      { argv = { "flyctl", "secrets", "set", "NEW=1", "-a", "my-app", "--stage" } })
    for _ = 1, 500 do
      for _, one in ipairs(fly.secrets.list { app = "my-app" }) do
        if one.name == "NEW" then return print "there" end
      end
      task.sleep(0.02)
    end
  ]]) }, { FLY_API_TOKEN = "fo1_mine", FLY_API_BASE_URL = "https://mine.example.com" })
  t.eq({ result.stdout, result.stderr }, { "there\n", "" })
end)

t.test("a script may wait for a flyctl that asks the account", function()
  local result = clanker({ "--sim", "run", script([[
    local process = require "clanker.process"
    local function flyctl(stdin, ...)
      local done = process.run { argv = { "flyctl", ... }, stdin = stdin }
      print(done.code, #done.stdout > 0, #done.stderr > 0)
      return done.stdout
    end
    io.write(flyctl(nil, "apps", "list", "-q"))
    flyctl(nil, "status", "-a", "nope")
    flyctl("A=1\nB=2\n", "secrets", "import", "-a", "my-app", "--stage")
    for name in flyctl(nil, "secrets", "list", "-a", "my-app", "--json"):gmatch('"name": "(%u)"') do
      print(name)
    end
    print(process.run({ argv = { "/bin/sh", "-c", "kill -9 $$" } }).signal)
    print(pcall(process.run, { argv = { "/no/such" } }))
  ]]) })
  t.eq({ result.code, result.stderr }, { 0, "" })
  t.match(result.stdout, "^0\ttrue\tfalse\nmy%-app\nacme%-api\nacme%-staging\n1\tfalse\ttrue\n"
    .. "0\ttrue\tfalse\n0\ttrue\tfalse\nA\nB\nSIGKILL\nfalse\t[^\n]*/no/such[^\n]*\n$")
end)

t.test("what would stop the account is refused, with what to use instead", function()
  local result = clanker({ "--sim", "run", script([[
    print(select(2, pcall(os.execute, "flyctl version")))
    io.popen("flyctl version")
  ]]) })
  t.eq(result.code, 1)
  t.match(result.stdout, "os%.execute stops the simulated account .*clanker%.process")
  t.match(result.stderr, "io%.popen stops the simulated account .*clanker%.process")
  result = clanker({ "run", script('print(os.execute("true"))') })
  t.eq({ result.code, result.stdout }, { 0, "true\texit\t0\n" })
end)

t.test("without a PATH children still find the system's programs", function()
  local result = clanker({ "--sim", "run", script('print(os.getenv("PATH"))') }, { PATH = "" })
  t.match(result.stdout, "^/[^:]+/flyctl%-%x+:/usr/bin:/bin\n$")
end)

t.test("a temporary directory that no PATH can name is passed over", function()
  local place, env = place_of_links("a:b")
  env.TMPDIR = nil
  local result = clanker({ "--sim", "run", script([[
    io.write(require("clanker.process").run({ argv = { "flyctl", "version" } }).stdout)
  ]]) }, env)
  t.match(result.stdout, "^flyctl v")
  t.eq(fs.list(place), {})
end)

t.test("it goes however the command ends", function()
  local place, env = place_of_links()
  for line, code in pairs({
    ["--sim fly list apps"] = 0, ["--sim fly get app nope"] = 4,
    ["--sim fly scale count 0 --app my-app"] = 9, ["--sim fly list regions --timeout 1ms"] = 7,
  }) do
    local words = {}
    for word in line:gmatch("%S+") do
      words[#words + 1] = word
    end
    t.eq(clanker(words, env).code, code, line)
    t.eq(fs.list(place), {}, line)
  end
end)

-- Starts a command that waits, and gives it a signal once it is there.
local function ended_by(signal, place, env)
  local child <close> = assert(process.spawn(options({ "--sim", "fly", "logs", "--app", "my-app",
    "--follow" }, env)))
  t.ok(child:read())
  t.eq(#fs.list(place), 1)
  t.ok(child:kill(signal))
  local reader = task.spawn(function()
    repeat until not child:read()
  end)
  local status = child:wait()
  reader:join()
  return status
end

t.test("a signal takes it along, a kill leaves it to the next one", function()
  local place, env = place_of_links()
  for signal, code in pairs({ SIGINT = 130, SIGTERM = 143, SIGHUP = 129 }) do
    t.eq(ended_by(signal, place, env).code, code, signal)
    t.eq(fs.list(place), {}, signal)
  end
  t.eq(ended_by("SIGKILL", place, env).signal, "SIGKILL")
  t.eq(#fs.list(place), 1)
  t.eq(clanker({ "--sim", "fly", "list", "regions" }, env).code, 0)
  t.eq(fs.list(place), {})
end)

t.test("an interrupt takes it along while its flyctl is at work", function()
  local place, env = place_of_links()
  local child <close> = assert(process.spawn(options({ "--sim", "fly", "deploy", "--app",
    "my-app" }, env)))
  repeat
    local stream, chunk = child:read()
    t.ok(stream, "it ended before it began")
  until stream == "stdout" and chunk:find("Updating")
  t.ok(child:kill("SIGINT"))
  repeat until not child:read()
  t.eq(child:wait().code, 130)
  t.eq(fs.list(place), {})
end)

t.test("a hangup that nohup ignores ends nothing", function()
  local words = options({ "--sim", "fly", "logs", "--app", "my-app", "--follow" })
  words.argv = { "/bin/sh", "-c", 'trap "" HUP; exec "$@"', "sh", table.unpack(words.argv) }
  local child <close> = assert(process.spawn(words))
  t.ok(child:read())
  t.ok(child:kill("SIGHUP"))
  t.ok(child:kill("SIGTERM"))
  repeat until not child:read()
  t.eq(child:wait().code, 143)
end)

t.test("two in one process do not lose the PATH", function()
  local before, sim = os.env("PATH"), require "sim"
  local one, two = assert(sim.start({ seed = "empty" })), assert(sim.start({ seed = "empty" }))
  assert(one.put_on_path())
  assert(two.put_on_path())
  t.eq(process.which("flyctl"), two.flyctl())
  one.stop()
  t.eq(process.which("flyctl"), two.flyctl())
  two.stop()
  t.eq(os.env("PATH"), before)
end)
