-- Operations that flyctl carries out, with the real binary and the simulated
-- flyctl.

local fs = require "sys.fs"
local process = require "sys.process"
local sim = require "sim"
local t = require "kit"

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

t.test("deploy says what flyctl says, each stream to its own", function()
  local result = simulated("deploy --app my-app --region iad --strategy rolling")
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
  t.match(result.stderr, "error: flyctl deploy failed with exit code 1\n$")
  local _, times = result.stderr:gsub("failed to fetch", "")
  t.eq(times, 1)
end)

t.test("what a machine does not survive is a failure, and so is the release", function()
  local account = assert(sim.start({ seed = "demo", token = "fo1_simright" }))
  t.cleanup(account.stop)
  local directory = account.flyctl():match("^(.*)/")
  local env = {
    FLY_API_HOSTNAME = account.url, FLY_API_BASE_URL = account.url,
    FLY_API_TOKEN = account.token, PATH = directory,
  }
  local result = clanker(words_of("fly deploy --app my-app --image nginx:broken"), { env = env })
  t.eq(result.code, 1)
  t.match(result.stderr, "rolled back")
  result = clanker(words_of("fly list releases --app my-app -o csv"), { env = env })
  t.match(result.stdout, "\n4,failed,")
end)

t.test("in JSON stdout holds the result alone", function()
  local result = simulated("deploy --app my-app --image nginx:2 -o json")
  t.eq(result.code, 0, result.stderr)
  local value = assert(require("base.json").decode(result.stdout))
  t.eq(value.exit_code, 0)
  t.match(value.stdout, "image found: nginx:2")
  t.match(result.stderr, "image found: nginx:2")
end)

t.test("the simulator leaves no program behind", function()
  local place = t.tmpdir()
  local result = simulated("deploy --app my-app --image nginx:2", { env = { TMPDIR = place } })
  t.eq(result.code, 0, result.stderr)
  t.eq(fs.list(place), {})
end)
