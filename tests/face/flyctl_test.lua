-- Operations that flyctl carries out, with the real binary and the simulated
-- flyctl.

local fs = require "sys.fs"
local os = require "sys.os"
local process = require "sys.process"
local sim = require "sim"
local str = require "base.str"
local t = require "kit"
local task = require "sys.task"
local tbl = require "base.tbl"
local world = require "face.world"

-- Runs the binary; the options go to the process.
local function clanker(words, options)
  local argv = { t.binary(), table.unpack(words) }
  options = options or {}
  local env = options.env or {}
  env.HOME = env.HOME or t.tmpdir()
  return assert(process.run({
    argv = argv, env = env, inherit = { "PATH", "CLANKER_LUA", "ASAN_OPTIONS" },
    timeout = 60, on_stdout = options.on_stdout, on_stderr = options.on_stderr,
    cwd = options.cwd,
  }))
end

local function words_of(line)
  local words = {}
  for word in line:gmatch("%S+") do
    words[#words + 1] = word
  end
  return words
end

local function simulated(line, options)
  return clanker(words_of("--sim fly " .. line), options)
end

-- The demo, fifty times as fast.
local SEED = tbl.merge(require "sim.seeds.demo", { pace = 0.02 })

-- Runs fn while our PATH is another one.
local function with_path(path, fn)
  local before = os.env("PATH")
  local _ <close> = setmetatable({}, { __close = function()
    os.setenv("PATH", before)
  end })
  os.setenv("PATH", path)
  return fn()
end

-- An account in this process, with its flyctl on PATH; a function that runs
-- `clanker fly` on it: as a program if told, else here, which is quicker.
local function open(extra)
  local account = assert(sim.start({ seed = SEED, token = "fo1_simright", limits = false }))
  t.cleanup(account.stop)
  local env = tbl.merge(account.env, {
    PATH = account.flyctl():match("^(.*)/"),
  }, extra or {})
  return function(line, options)
    local words = words_of("fly " .. line)
    -- Of each its own: there the limits of the API are kept, for all commands.
    env.HOME = extra and extra.HOME or t.tmpdir()
    if options then
      return clanker(words, tbl.merge({ env = env }, options))
    end
    return with_path(env.PATH, function()
      local code, seen = world.run(words, { env = env, home = env.HOME, moves = true })
      return { code = code, stdout = seen.out, stderr = seen.err }
    end)
  end
end

t.test("deploy says what flyctl says, each stream to its own", function()
  local result = open()("deploy --app my-app --region iad --strategy rolling", {})
  t.eq(result.code, 0, result.stderr)
  t.match(result.stdout, "%-%-> Building image done")
  t.match(result.stdout, "3/3%] Machine %x+ %[app%] update succeeded")
  t.match(result.stderr, "pushing manifest for registry.fly.io/my%-app:")
  t.lacks(result.stdout, "pushing manifest")
  t.lacks(result.stderr, "update succeeded")
end)

t.test("the exit code is flyctl's, and what it said stands once", function()
  local result = simulated("deploy --app my-app --image nginx:missing")
  t.eq(result.code, 1)
  t.match(result.stderr, "Error: failed to fetch an image")
  t.match(result.stderr, "error %(not found%): flyctl deploy failed with exit code 1\n")
  local _, times = result.stderr:gsub("failed to fetch", "")
  t.eq(times, 1)
end)

t.test("what a machine does not survive is a failure, and so is the release", function()
  local fly = open()
  local result = fly("deploy --app my-app --image nginx:broken")
  t.eq(result.code, 1)
  t.match(result.stderr, "rolled back")
  result = fly("list releases --app my-app -o csv")
  t.match(result.stdout, "\n4,failed,")
end)

t.test("--raw passes on what flyctl writes to stdout", function()
  local result = simulated("scale count 3 --app my-app --raw")
  t.eq(result.code, 0, result.stderr)
  t.match(result.stdout, "^App 'my%-app' is going to be scaled")
  t.lacks(result.stderr, "scale")
end)

-- A deploy whose output goes where the redirection says: its stderr, and the
-- images that the machines have then. No lease is left.
local function deploy_into(redirection)
  local account = assert(sim.start({ seed = SEED, limits = false }))
  t.cleanup(account.stop)
  local result = assert(process.run({
    argv = { "/bin/sh", "-c", [[{ "$0" fly deploy --app my-app --image nginx:9; ]]
      .. [[echo "code $?" >&2; }]] .. redirection, t.binary() },
    env = tbl.merge(account.env, { HOME = t.tmpdir(),
      PATH = account.flyctl():match("^(.*)/") .. ":" .. os.env("PATH") }),
    inherit = { "CLANKER_LUA", "ASAN_OPTIONS" }, timeout = 60,
  }))
  local images = {}
  for _, machine in ipairs(account.account.world:list("machine", "my-app")) do
    t.eq(machine.lease, nil, machine.id .. " is still leased")
    images[require("base.json").decode(machine.config).image] = true
  end
  return result.stderr, images
end

t.test("a change goes on when nobody takes what flyctl writes", function()
  local said, images = deploy_into(" | :")
  t.match(said, "code 0\n$")
  t.eq(images, { ["nginx:9"] = true })
  said, images = deploy_into(" | head -n 3 >&2")
  t.match(said, "code 0\n$")
  t.eq(images, { ["nginx:9"] = true })
  said, images = deploy_into(" > /dev/full")
  t.match(said, "\nerror: standard output: no space [^\n]*\n.*code 1\n$")
  t.eq(images, { ["nginx:9"] = true })
end)

t.test("a limit in time ends it", function()
  local result = simulated("deploy --app my-app --timeout 500ms")
  t.eq(result.code, 7, result.stderr)
end)

t.test("in JSON stdout holds the result alone", function()
  local result = open()("deploy --app my-app --image nginx:2 -o json")
  t.eq(result.code, 0, result.stderr)
  local value = assert(require("base.json").decode(result.stdout))
  t.eq(value.exit_code, 0)
  t.match(value.stdout, "image found: nginx:2")
  t.match(result.stderr, "image found: nginx:2")
end)

t.test("what flyctl logs is gone with its directory", function()
  local home, memory = t.tmpdir(), t.memory_dir()
  local fly = open({ HOME = home, XDG_RUNTIME_DIR = memory })
  local result = fly("secrets set KEY=hunter2 --app my-app --via flyctl", {})
  t.eq(result.code, 0, result.stderr)
  t.lacks(result.stdout .. result.stderr, "hunter2")
  t.eq(fs.exists(home .. "/.fly"), false)
  t.eq(fs.list(memory), {})
end)

-- A directory with a shell script in flyctl's place. Its version is right unless
-- told.
local function script(body, version)
  local directory = t.tmpdir()
  t.ok(fs.write(directory .. "/flyctl", ([[#!/bin/sh
if [ "$1" = version ]; then
  echo "flyctl v%s linux/amd64"; echo asked >>"$0.versions"; exit 0
fi
%s]]):format(version or "0.4.0", body), { mode = 448 })) -- 0700
  return directory
end

-- The demo account, and the settings that lead to it.
local function account_env()
  local account = assert(sim.start({ seed = "demo", token = "fo1_simtoken", limits = false }))
  t.cleanup(account.stop)
  return { FLY_API_HOSTNAME = account.url, FLY_API_BASE_URL = account.url }
end

local function run_script(body, line, options)
  options = options or {}
  local directory = options.directory or script(body, options.version)
  return clanker(words_of("fly " .. line), {
    cwd = options.cwd,
    on_stdout = options.on_stdout,
    env = tbl.merge(options.env or {}, {
      HOME = options.home, PATH = directory .. ":/usr/bin:/bin", FLY_API_TOKEN = "fo1_simtoken",
      FLY_ACCESS_TOKEN = "fo1_simtoken", FLY_REGION = "gru", FLY_APP = "other-app",
      LOG_LEVEL = "debug", FLY_JSON = "1", SOMETHING = "else",
    }),
  }), directory
end

t.test("its environment is made from nothing", function()
  local result = run_script("env", "deploy --app my-app --image nginx")
  t.eq(result.code, 0, result.stderr)
  local seen = {}
  for name, value in result.stdout:gmatch("([^\n=]+)=([^\n]*)") do
    seen[name] = value
  end
  t.eq(seen.FLY_NO_UPDATE_CHECK, "1")
  t.eq(seen.NO_COLOR, "1")
  t.eq(seen.FLY_API_TOKEN, "[secret]", "it is there, and masked in what is passed on")
  t.eq(seen.FLY_ACCESS_TOKEN, "[secret]")
  t.match(seen.FLY_CONFIG_DIR, "/clanker%-%d+/fly%-")
  for _, name in ipairs({ "FLY_REGION", "FLY_APP", "LOG_LEVEL", "FLY_JSON", "SOMETHING" }) do
    t.eq(seen[name], nil, name)
  end
  t.eq(fs.exists(seen.FLY_CONFIG_DIR), false)
end)

t.test("output comes while it runs", function()
  local gate = t.tmpdir() .. "/gate"
  local first = task.event()
  local running = task.spawn(function()
    return run_script(("echo one; while [ ! -e %s ]; do sleep 0.02; done; echo two"):format(gate),
      "deploy --app my-app --image nginx", {
        on_stdout = function(chunk)
          if chunk:find("one") then
            first:set()
          end
        end,
      })
  end)
  t.ok(first:wait(30), "nothing came before the end")
  t.ok(fs.write(gate, ""))
  t.eq(running:await().code, 0)
end)

t.test("its exit code is ours", function()
  local env = account_env()
  for _, code in ipairs({ 1, 7, 126, 127 }) do
    t.eq(run_script("exit " .. code, "scale count 3 --app my-app", { env = env }).code, code)
  end
end)

t.test("an interrupt ends it and what it started", function()
  local mark = t.tmpdir() .. "/mark"
  local directory = script(("sleep 60 & echo $! >%s; echo started; wait"):format(mark))
  local child <close> = assert(process.spawn({
    argv = { t.binary(), "fly", "deploy", "--app", "my-app", "--image", "nginx" },
    inherit = { "CLANKER_LUA", "ASAN_OPTIONS" },
    env = {
      HOME = t.tmpdir(), FLY_API_TOKEN = "fo1_x", PATH = directory .. ":/usr/bin:/bin",
    },
  }))
  repeat
    local stream, chunk = child:read()
    t.ok(stream, "it ended before it started")
  until stream == "stdout" and chunk:find("started")
  t.ok(child:kill("SIGINT"))
  t.eq(child:wait().code, 130)
  local pid = str.trim(t.read_file(mark))
  t.eventually(function()
    local stat = fs.read(("/proc/%s/stat"):format(pid))
    return not stat or stat:find(") Z ", 1, true) ~= nil
  end, 10)
end)

t.test("without flyctl the way to install it is told, where it is needed", function()
  local env = tbl.merge(account_env(),
    { FLY_API_TOKEN = "fo1_simtoken", PATH = "/nonexistent" })
  for _, line in ipairs({
    "fly deploy --app my-app", "fly scale count 3 --app my-app", "fly postgres failover pg1",
    "fly postgres backups pg1", "fly postgres attach pg1 --app my-app",
    "fly postgres create --name pg1 --region iad --org acme --out " .. t.tmpdir() .. "/pg",
  }) do
    local result = clanker(words_of(line), { env = env })
    t.eq(result.code, 1, line)
    t.match(result.stderr, "error: flyctl is not installed")
    t.match(result.stderr, "hint: install it with")
  end
  local fly = open({ PATH = "/nonexistent" })
  for _, line in ipairs({
    "list apps --help", "list apps", "logs --app my-app", "scale show --app my-app",
    "scale memory 1024 --app acme-staging", "secrets set NEW=1 --app my-app --stage",
    "machines create --app my-app --image nginx:2", "postgres list", "list releases --app my-app",
  }) do
    local result = fly(line)
    t.eq(result.code, 0, line .. ": " .. result.stderr)
    t.lacks(result.stderr, "install it with")
  end
end)

t.test("colours are for terminals alone", function()
  local directory = script('echo "colour: ${NO_COLOR-yes}"')
  with_path(directory .. ":" .. os.env("PATH"), function()
    for _, colors in ipairs({ true, false }) do
      local code, seen = world.run(words_of("fly deploy --app my-app --image nginx:2"), {
        env = { FLY_API_TOKEN = "fo1_x", FLY_API_HOSTNAME = "http://127.0.0.1:9",
          FLY_API_BASE_URL = "http://127.0.0.1:9" },
        home = t.tmpdir(), width = colors and 80 or nil, colors = colors,
        tty = { [1] = colors, [2] = colors },
      })
      t.eq({ code, seen.out }, { 0, colors and "colour: yes\n" or "colour: 1\n" }, seen.err)
    end
  end)
end)

t.test("a redeploy says which image, a missing app what to do", function()
  local fly = open()
  local result = fly("redeploy --app my-app")
  t.eq(result.code, 0, result.stderr)
  t.match(result.stderr, "\ndeploying the current image: registry.fly.io/my%-app:deployment%-03\n")
  result = fly("deploy", { cwd = t.tmpdir() })
  t.eq(result.code, 1)
  t.match(result.stderr, "hint: name the app with %-%-app")
end)

t.test("one that is too old is refused before it does anything", function()
  local result = run_script("echo ran", "deploy --app my-app --image x", { version = "0.1.9" })
  t.eq(result.code, 1)
  t.eq(result.stdout, "")
  t.match(result.stderr, "flyctl 0.1.9 is too old")
  t.match(result.stderr, "hint: run `flyctl version upgrade`")
end)

t.test("its version is asked for once a day", function()
  local home = t.tmpdir()
  local _, directory = run_script("true", "deploy --app my-app --image x", { home = home })
  for _ = 1, 2 do
    local again = run_script("true", "deploy --app my-app --image x",
      { home = home, directory = directory })
    t.eq(again.code, 0, again.stderr)
  end
  t.eq(t.read_file(directory .. "/flyctl.versions"), "asked\n")
end)

t.test("only deploy sees the fly.toml where one is", function()
  local place = t.tmpdir()
  t.ok(fs.write(place .. "/fly.toml", 'app = "other-app"\n'))
  local result = run_script("ls", "deploy --app my-app --image x", { cwd = place })
  t.eq(result.stdout, "fly.toml\n")
  result = run_script("ls", "scale count 2 --app my-app",
    { cwd = place, env = account_env() })
  t.eq({ result.code, result.stdout }, { 0, "" }, result.stderr)
end)

t.test("a deploy names the app of its fly.toml first", function()
  local run = open()
  local place = t.tmpdir()
  t.ok(fs.mkdir(place .. "/web"))
  t.ok(fs.write(place .. "/web/fly.toml", 'app = "my-app"\n'))
  t.ok(fs.write(place .. "/gone.toml", "app = 'gone-app'\n"))
  local result = run("deploy web --image nginx:1", { program = true, cwd = place })
  t.eq(result.code, 0, result.stderr)
  t.match(result.stderr, "^app my%-app in org personal %(from web/fly.toml%)\n")
  result = run("deploy --fly-toml gone.toml --image nginx:1", { program = true, cwd = place })
  t.eq({ result.code, result.stdout }, { 4, "" })
  t.match(result.stderr, "gone%-app")
end)

-- What is wrong is said with what to do, and nothing runs.
local WRONG = {
  { "deploy --app my-app --region zzz", 2, "there is no region zzz", "list regions" },
  { "deploy --app my-app --region ida", 2, "there is no region ida", "did you mean iad" },
  { "deploy --app my-app --strategy fast", 2, "must be one of canary", "%-%-help" },
  { "scale count -1 --app my-app", 2, "between 0 and 1000", "%-%-help" },
  { "scale count two --app my-app", 2, "whole number", "%-%-help" },
  { "scale count 3 --app my-app --region zzz", 2, "there is no region zzz", "list regions" },
  { "scale count 0 --app my-app", 9, "Destroy every machine", "%-%-yes" },
  { "scale count 1 --app my-app", 9, "down to 1%?", "%-%-yes" },
  { "scale vm performance-3x --app my-app", 2, "did you mean performance%-", "%-%-help" },
  { "scale memory 300 --app my-app", 6, "300 MB of memory does not go", "steps of 256 MB" },
  { "scale memory lots --app my-app", 2, "must be a size", "%-%-help" },
  { "scale cpu 3 --app my-app", 6, "does not have 3 shared CPUs", "1, 2, 4, 6 or 8" },
  { "postgres create --name pg1 --region iad", 2, "shown once", "%-%-out FILE" },
  { "postgres attach nope --app my-app", 4, "no Postgres cluster nope", "list postgres" },
  { "postgres failover acme-api", 4, "app of that name is no cluster", "list postgres" },
  { "postgres failover acme-db", 2, "is a managed one", "list mpg" },
  { "postgres backups acme-db", 2, "is a managed one", "mpg backups" },
  { "postgres detach nope --app my-app --yes", 4, "no Postgres cluster nope", "list postgres" },
  { "rollback 99 --app my-app", 4, "no release 99", "list releases" },
}

t.test("wrong input is refused before anything runs", function()
  local fly = open()
  for _, case in ipairs(WRONG) do
    local result = fly(case[1])
    t.eq(result.code, case[2], case[1] .. ": " .. result.stderr)
    t.eq(result.stdout, "", case[1])
    t.match(result.stderr, case[3])
    t.match(result.stderr, "hint: .*" .. case[4])
  end
end)

t.test("releases are completed, and taken as flyctl shows them", function()
  local _, seen = world.run({ "__complete", "--", "--sim", "fly", "rollback", "--app", "my-app",
    "" }, { home = t.tmpdir() })
  t.eq(seen.out, "3\tcomplete\n2\tfailed\n1\tcomplete\n")
  local result = open()("rollback v1 --app my-app")
  t.eq(result.code, 0, result.stderr)
  t.match(result.stderr, "\ndeploying release 1: ")
end)

t.test("the forms people type do what they say", function()
  local run = open()
  local function fly(line)
    local result = run(line)
    t.eq(result.code, 0, line .. ": " .. result.stderr)
    return result.stdout
  end
  fly("scale count 3 --app my-app")
  t.match(fly("scale show --app my-app -o csv"), "app,2,")
  fly("scale vm performance-2x --app acme-api")
  fly("scale memory 8192 --app acme-api")
  t.match(fly("scale show --app acme-api -o csv"), "app,3,%d,performance,2,8192")
  fly("deploy --app my-app --image nginx:2")
  fly("rollback --app my-app")
  t.match(fly("list releases --app my-app -o csv"), "\n5,complete,[^\n]*deployment%-")
  fly("redeploy --app my-app")
  t.match(fly("list releases --app my-app -o csv"), "\n6,complete,")
  fly("postgres create --name pg1 --org personal --region iad --count 3 --no-wait --out "
    .. t.tmpdir() .. "/pg")
  fly("postgres attach pg1 --app acme-api")
  local shown = fly("get postgres pg1")
  t.match(shown, "KIND +unmanaged\n")
  t.match(shown, "MACHINES +%x+ %(primary, started%), %x+ %(replica, started%)")
  t.match(shown, "ATTACHED +acme_api\n")
  t.match(fly("list postgres -o csv"), "\npg1,unmanaged,personal,")
  t.match(fly("list secrets --app acme-api"), "DATABASE_URL")
  fly("postgres detach pg1 --app acme-api --yes")
  t.lacks(fly("list secrets --app acme-api"), "DATABASE_URL")
  fly("postgres failover pg1")
  fly("scale count 0 --app my-app --yes")
  t.lacks(fly("scale show --app my-app -o csv"), "\napp,")
end)
