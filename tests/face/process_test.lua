-- The real binary: exit codes, closed pipes, full disks, interrupts.

local process = require "sys.process"
local server = require "sys.server"
local sim = require "sim"
local t = require "kit"
local task = require "sys.task"

local function run(script, options)
  options = options or {}
  local env = options.env or {}
  env.HOME = env.HOME or t.tmpdir()
  return assert(process.run({
    argv = { "/bin/sh", "-c", script, t.binary() }, env = env,
    inherit = { "PATH", "CLANKER_LUA", "ASAN_OPTIONS" }, timeout = 60,
  }))
end

t.test("a reader that goes away ends it quietly", function()
  -- The reader is gone before the list is there.
  local path = t.tmpdir() .. "/script.lua"
  local fs = require "sys.fs"
  assert(fs.write(path, 'print "one" io.write("two")'))
  for _, words in ipairs {
    "--sim fly list apps", "--sim fly list machines --raw", "docs", "completion bash",
    "--sim fly logs --follow --app my-app", "sim --listen 127.0.0.1:0", "run " .. path,
  } do
    local result = run(('{ "$0" %s; echo "code $?" >&2; } | :'):format(words))
    t.eq(result.stderr, "code 0\n", words)
  end
  local result = run('{ "$0" --sim ask --flyio "list apps"; echo "code $?" >&2; } | :')
  t.match(result.stderr, "code 0\n$")
  t.lacks(result.stderr, "error")
  result = run('{ "$0" --help; echo "code $?" >&2; } | head -n 1')
  t.eq(result.stderr, "code 0\n")
  t.match(result.stdout, "^Query and manage")
end)

t.test("a full disk is an error", function()
  for _, words in ipairs { "--help", "--sim fly list apps", "sim --listen 127.0.0.1:0" } do
    local result = run(('"$0" %s > /dev/full'):format(words))
    t.eq(result.code, 1, words)
    t.match(result.stderr, "^error: standard output: ")
  end
end)

t.test("stderr may be closed", function()
  t.eq(run('"$0" fly nope 2>&-').code, 2)
  t.eq(run('"$0" --sim fly list apps 2>&-').code, 0)
end)

t.test("nothing is asked without a terminal", function()
  local result = run('"$0" config init </dev/null && "$0" config init </dev/null')
  t.eq(result.code, 5)
  t.match(result.stderr, "already there")
  t.eq(result.stdout, "")
end)

t.test("the token of a new configuration file is for its owner only", function()
  local home = t.tmpdir()
  t.eq(run('umask 0; "$0" config init', { env = { HOME = home } }).code, 0)
  local fs = require "sys.fs"
  t.eq(fs.stat(home .. "/.clanker.yaml").mode, 384) -- 0600
end)

t.test("the token comes from a pipe, and a wrong one is refused", function()
  local account = assert(sim.start({ seed = "demo", token = "fo1_simright" }))
  t.cleanup(account.stop)
  local env = { FLY_API_HOSTNAME = account.url, FLY_API_BASE_URL = account.url }
  local function list(token)
    return run(("printf %%s '%s' | \"$0\" --api-token-file - fly list apps")
      :format(token), { env = env })
  end
  local result = list("fo1_simright")
  t.eq(result.code, 0, result.stderr)
  t.match(result.stdout, "my%-app")
  result = list("fo1_simwrong")
  t.eq(result.code, 3)
  t.lacks(result.stderr, "simwrong")
  result = list("fo1_sim\nright")
  t.eq(result.code, 0, "a wrapped token is one token: " .. result.stderr)
  result = list("fo1_sim right x")
  t.ok(result.code ~= 0)
  t.lacks(result.stderr, "right")
end)

t.test("an empty --org is every organization, whatever is configured", function()
  local account = assert(sim.start({ seed = "demo" }))
  t.cleanup(account.stop)
  local env = {
    FLY_API_HOSTNAME = account.url, FLY_API_BASE_URL = account.url,
    FLY_API_TOKEN = account.token, FLY_ORG = "acme",
  }
  t.lacks(run('"$0" fly list apps', { env = env }).stdout, "my-app")
  for _, line in ipairs({ '"$0" fly list apps --org ""', '"$0" --org= fly list apps' }) do
    local result = run(line, { env = env })
    t.eq(result.code, 0, result.stderr)
    t.has(result.stdout, "my-app")
    t.has(result.stdout, "acme-api")
  end
  t.eq(run('"$0" fly get org --org ""', { env = env }).code, 2)
end)

t.test("an interrupt ends a waiting command at once with 130", function()
  local asked = task.event()
  local silent = assert(server.listen({}))
  local serving = task.spawn(function()
    silent:serve(function()
      asked:set()
      task.sleep(600)
    end)
  end)
  local child <close> = assert(process.spawn({
    argv = { t.binary(), "fly", "list", "regions" },
    inherit = { "CLANKER_LUA", "ASAN_OPTIONS" },
    env = {
      HOME = t.tmpdir(), FLY_API_HOSTNAME = silent.url, FLY_API_TOKEN = "fo1_x",
    },
  }))
  t.ok(asked:wait(60), "no request came")
  local started = task.now()
  assert(child:kill("SIGINT"))
  local result = child:wait()
  t.eq(result.code, 130)
  -- A tenth of a second is the promise; a loaded machine is given more.
  t.ok(task.now() - started < 2, "it took too long to end")
  silent:close()
  serving:cancel()
  serving:join()
end)

t.test("a hang-up ends it, unless it was told to ignore one", function()
  local function start(trap)
    local child = assert(process.spawn({
      argv = { "/bin/sh", "-c", trap .. 'exec "$0" sim --listen 127.0.0.1:0', t.binary() },
      env = { HOME = t.tmpdir() }, inherit = { "CLANKER_LUA", "ASAN_OPTIONS" },
    }))
    assert(child:read(), "it serves")
    assert(child:kill("SIGHUP"))
    return child
  end
  local ended <close> = start("")
  t.eq(ended:wait().code, 129)
  local alive <close> = start("trap '' HUP; ")
  assert(alive:kill("SIGTERM"))
  t.eq(alive:wait().code, 143, "the one it did not ignore")
end)

t.test("what is asked for from the account does not outlast --timeout", function()
  local account = assert(sim.start({ seed = "demo", latency = 60000 }))
  t.cleanup(account.stop)
  local result = run('"$0" fly list regions --timeout 300ms', { env = {
    FLY_API_HOSTNAME = account.url, FLY_API_BASE_URL = account.url,
    FLY_API_TOKEN = account.token,
  } })
  t.eq(result.code, 7, result.stderr)
end)

t.test("completion of names is silent when there is no account", function()
  local result = run('"$0" __complete -- fly get app ""')
  t.eq({ result.code, result.stdout, result.stderr }, { 0, "", "" })
  result = run('"$0" __complete -- fly get app ""',
    { env = { FLY_API_TOKEN = "fo1_x", FLY_API_HOSTNAME = "http://127.0.0.1:1",
      FLY_API_BASE_URL = "http://127.0.0.1:1" } })
  t.eq({ result.code, result.stdout, result.stderr }, { 0, "", "" })
end)

t.test("completed names are kept for a moment, readable by their owner", function()
  local account = assert(sim.start({ seed = "demo" }))
  local home = t.tmpdir()
  local function complete()
    return run('"$0" __complete -- fly get app m', { env = {
      HOME = home, FLY_API_TOKEN = account.token,
      FLY_API_HOSTNAME = account.url, FLY_API_BASE_URL = account.url,
    } }).stdout
  end
  t.eq(complete(), "my-app\tpersonal\n")
  account.stop()
  t.eq(complete(), "my-app\tpersonal\n")
  local fs = require "sys.fs"
  local directory = home .. "/.clanker/cache"
  t.eq(fs.stat(directory).mode, 448) -- 0700
  local names = assert(fs.list(directory))
  t.eq(#names, 1)
  t.eq(fs.stat(directory .. "/" .. names[1]).mode, 384) -- 0600
  t.lacks(t.read_file(directory .. "/" .. names[1]), account.token)
end)

t.test("a script runs on the simulated account and on none", function()
  local path = t.tmpdir() .. "/list.lua"
  local fs = require "sys.fs"
  assert(fs.write(path, [[
    local fly = require "clanker.fly"
    for _, app in ipairs(fly.apps.list({})) do
      print(app.name, ...)
    end
  ]]))
  local result = run(('"$0" --sim run %s --raw x'):format(path))
  t.eq(result.code, 0, result.stderr)
  t.match(result.stdout, "my%-app\t%-%-raw\tx\n")
  result = run(('"$0" run %s'):format(path))
  t.eq(result.code, 3)
  t.match(result.stderr, "no Fly API token")
end)
