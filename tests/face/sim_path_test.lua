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
    os.execute("echo $PATH; command -v flyctl; command -v fly")
    os.execute("stat -c %a $(dirname $(command -v fly)); flyctl version; fly version")
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
  local out = t.tmpdir() .. "/out"
  local result = clanker({ "--sim", "run", script([[
    local fly, task = require "clanker.fly", require "clanker.task"
    os.execute("flyctl secrets set NEW=1 -a my-app --stage >" .. arg[1] .. " 2>&1 &")
    for _ = 1, 500 do
      for _, one in ipairs(fly.secrets.list { app = "my-app" }) do
        if one.name == "NEW" then return print "there" end
      end
      task.sleep(0.02)
    end
  ]]), out }, { FLY_API_TOKEN = "fo1_mine", FLY_API_BASE_URL = "https://mine.example.com" })
  t.eq({ result.stdout, result.stderr }, { "there\n", "" })
end)

t.test("a script may wait for a flyctl that asks the account", function()
  local result = clanker({ "--sim", "run", script([[
    print(os.execute("flyctl apps list -q"))
    print(os.execute("flyctl status -a nope 2>/dev/null"))
    print(os.execute("kill -9 $$"))
    local pipe = io.popen("flyctl machine list -a my-app -q; echo 12 0x10; printf end; exit 3")
    print(#pipe:read(), #pipe:read("L"), pipe:read("l") ~= nil, pipe:read("n", "n"))
    print(pipe:read("l"), pipe:read(1, 1), pipe:read("a"), pipe:read("a"), pipe:read("l"))
    print(pipe:close())
    print(select(2, pcall(pipe.read, pipe)))
    local input <close> = io.popen("flyctl secrets import -a my-app --stage", "w")
    input:write("A=", 1, "\nB=2\n")
    print(input:close())
    local names = {}
    for line in io.popen("flyctl secrets list -a my-app --json"):lines() do
      names[#names + 1] = line:match('"name": "(%u)"')
    end
    print(table.concat(names, " "), (pcall(io.popen, "x", "rw")), io.popen("exit 4"):close())
  ]]) })
  t.eq({ result.code, result.stderr }, { 0, "" })
  t.eq(result.stdout, "my-app\nacme-api\nacme-staging\ntrue\texit\t0\nnil\texit\t1\n"
    .. "nil\tsignal\t9\n14\t9\ttrue\t12\t16\n\te\td\t\tnil\nnil\texit\t3\n"
    .. "attempt to use a closed file\n"
    .. "Secrets have been staged, but not set on VMs. Deploy or update machines in this app"
    .. " for the secrets to take effect.\ntrue\texit\t0\nA B\tfalse\tnil\texit\t4\n")
end)

t.test("without a PATH children still find the system's programs", function()
  local result = clanker({ "--sim", "run", script('print(os.getenv("PATH"))') }, { PATH = "" })
  t.match(result.stdout, "^/[^:]+/flyctl%-%x+:/usr/bin:/bin\n$")
end)

t.test("a temporary directory that no PATH can name is passed over", function()
  local place, env = place_of_links("a:b")
  env.TMPDIR = nil
  local result = clanker({ "--sim", "run", script('os.execute("flyctl version")') }, env)
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
