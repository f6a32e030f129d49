-- Logs at the command line: escapes, flyctl's way, the end by an interrupt.

local fs = require "sys.fs"
local logs = require "sim.logs"
local process = require "sys.process"
local sim = require "sim"
local t = require "kit"
local task = require "sys.task"
local tbl = require "base.tbl"
local world = require "face.world"

local HOSTILE = "\27]0;owned\7\27[31mred\27[0m\u{202e}gnp\r\nERROR fake"

local function account(message, machine, fault)
  local running = assert(sim.start({ limits = false, fault = fault, seed = {
    orgs = { { slug = "personal", type = "PERSONAL",
      members = { { user = "user_sim" } } } },
    apps = { { name = "web", org = "personal",
      logs = { { message = message, age = 60, machine = machine } },
      machines = { { region = "iad", config = { image = "example.com/a" } } } } },
  } }))
  t.cleanup(running.stop)
  return running
end

local function env_of(running)
  return {
    FLY_API_TOKEN = running.token, FLY_API_HOSTNAME = running.url,
    FLY_API_BASE_URL = running.url,
  }
end

t.test("a message cannot steer the terminal, nor pass for a second line", function()
  local running = account(HOSTILE)
  for _, format in ipairs({ "table", "json", "csv" }) do
    local code, seen = world.run({ "fly", "logs", "--app", "web", "-o", format },
      { width = 200, env = env_of(running), tty = { [1] = true } })
    t.eq(code, 0, seen.err)
    t.ok(not seen.out:find("[\27\7\r]"), format)
    t.lacks(seen.out, "\u{202e}")
    local lines = select(2, seen.out:gsub("\n", ""))
    t.eq(lines, format == "csv" and 2 or 1, format)
  end
  local _, seen = world.run({ "fly", "logs", "--app", "web", "-o", "json" },
    { env = env_of(running) })
  local json = require "base.json"
  t.eq(json.decode(seen.out).message, HOSTILE)
end)

-- A flyctl that writes what it is given, and notes what it was called with.
local function fake_flyctl(script)
  local directory = t.tmpdir()
  assert(fs.write(directory .. "/flyctl", "#!/bin/sh\n" .. script, { mode = 448 }))
  return directory
end

local function run(words, env)
  env.HOME = t.tmpdir()
  return assert(process.run({
    argv = { t.binary(), table.unpack(words) }, env = env,
    inherit = { "CLANKER_LUA", "ASAN_OPTIONS" }, timeout = 60,
  }))
end

t.test("flyctl's lines are shown as our own", function()
  local directory = fake_flyctl([[
echo "$@" > "$(dirname "$0")/called"
echo '{'
echo '    "level": "error",'
echo '    "instance": "m1",'
echo '    "message": "it broke",'
echo '    "region": "iad",'
echo '    "timestamp": "2025-01-01T00:00:00Z"'
echo '}'
]])
  local result = run({ "fly", "logs", "--app", "web", "--via", "flyctl", "--region", "iad" },
    { PATH = directory .. ":/bin:/usr/bin", FLY_API_TOKEN = "fo1_x" })
  t.eq({ result.code, result.stdout, result.stderr },
    { 0, "2025-01-01T00:00:00Z web[m1] iad [error] it broke\n", "" })
  t.eq(t.read_file(directory .. "/called"), "logs --json --no-tail --app=web --region=iad\n")
  result = run({ "fly", "logs", "--app", "web", "--via", "flyctl", "--follow", "-o", "json",
    "--grep", "broke" }, { PATH = directory .. ":/bin:/usr/bin", FLY_API_TOKEN = "fo1_x" })
  t.eq(result.code, 0, result.stderr)
  t.match(result.stdout, '^{"app":"web".*}\n$')
  t.eq(t.read_file(directory .. "/called"), "logs --json --app=web\n")
end)

-- The same with the simulated flyctl, which speaks as flyctl does.
local function through_simulated(running)
  local env = env_of(running)
  env.PATH = running.flyctl():match("^(.*)/")
  return env
end

t.test("what flyctl reads is what we read", function()
  local running = account(HOSTILE, 1)
  local env = through_simulated(running)
  local machine = running.account.world:list("machine")[1]
  for _, more in ipairs({ {}, { "--machine", machine.id }, { "--region", "iad" },
    { "--grep", "fake" }, { "-o", "json" }, { "-o", "csv" } }) do
    local words = tbl.flatten({ { "fly", "logs", "--app", "web" }, more })
    local ours = run(words, tbl.copy(env))
    local theirs = run(tbl.flatten({ words, { "--via", "flyctl" } }), tbl.copy(env))
    t.eq({ theirs.code, theirs.stderr }, { 0, "" })
    t.match(theirs.stdout, "ERROR fake")
    -- Only the API names its lines.
    t.eq(theirs.stdout, (ours.stdout:gsub('"id":"[^"]*",', "")), table.concat(more, " "))
  end
end)

t.test("flyctl follows until it is interrupted, and ends with us", function()
  local running = account("first")
  local sim_world = running.account.world
  local env = through_simulated(running)
  env.HOME = t.tmpdir()
  local child <close> = assert(process.spawn({
    argv = { t.binary(), "fly", "logs", "--app", "web", "--via", "flyctl", "--follow" },
    inherit = { "CLANKER_LUA", "ASAN_OPTIONS" }, env = env,
  }))
  t.match(select(2, child:read()), " first\n$")
  logs.add(sim_world, sim_world:list("machine")[1], "app", "second")
  t.match(select(2, child:read()), " second\n$")
  assert(child:kill("SIGINT"))
  t.eq(child:wait().code, 130)
end)

t.test("an app that flyctl cannot read is an error", function()
  local env = through_simulated(account("first"))
  local result = run({ "fly", "logs", "--app", "nope", "--via", "flyctl" }, env)
  t.eq({ result.code, result.stdout }, { 4, "" })
  t.match(result.stderr, "^error %(not found%): flyctl logs failed with exit code 1: 404 Not Found")
end)

t.test("without flyctl its way says how to get it", function()
  local result = run({ "fly", "logs", "--app", "web", "--via", "flyctl" },
    { PATH = t.tmpdir(), FLY_API_TOKEN = "fo1_x" })
  t.eq(result.code, 1)
  t.match(result.stderr, "flyctl is not installed")
end)

-- Starts following; returns once the first line is there.
local function follow(env, words)
  env.HOME = t.tmpdir()
  local child = assert(process.spawn({
    argv = { t.binary(), "fly", "logs", "--follow", table.unpack(words) },
    inherit = { "CLANKER_LUA", "ASAN_OPTIONS" }, env = env,
  }))
  local stream, chunk = child:read()
  t.eq(stream, "stdout", chunk)
  return child, chunk
end

local function interrupt(child)
  local started = task.now()
  assert(child:kill("SIGINT"))
  t.eq(child:wait().code, 130)
  t.ok(task.now() - started < 2, "it took too long to end")
end

t.test("an interrupt ends following at once with 130", function()
  local running = account("first")
  local child <close>, chunk = follow(env_of(running), { "--app", "web" })
  t.match(chunk, "first\n$")
  interrupt(child)
end)

t.test("so it does while an answer is late, and while none comes", function()
  for _, fault in ipairs({ "latency=0*1;latency=30000", "latency=0*1;reset*1000" }) do
    local rule = "/api/v1/apps/web/logs:"
    local running = account("first", nil, rule .. fault:gsub(";", ";" .. rule))
    local faults, met = running.account.opts.faults, 0
    function faults:meet(...)
      met = met + 1
      return getmetatable(self).__index.meet(self, ...)
    end
    local child <close> = follow(env_of(running), { "--app", "web" })
    t.eventually(function()
      return met > 1
    end, 5)
    interrupt(child)
  end
end)
