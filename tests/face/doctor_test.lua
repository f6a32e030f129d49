-- The doctor finds each thing that can be wrong, says what to do, and ends with
-- the worst of them.

local fs = require "sys.fs"
local json = require "base.json"
local process = require "sys.process"
local raw = require "kit.raw"
local sim = require "sim"
local t = require "kit"
local tbl = require "base.tbl"
local world = require "face.world"

local function account(options)
  local running = assert(sim.start(tbl.merge({ limits = false }, options or {})))
  t.cleanup(running.stop)
  return running
end

local function env_of(running, more)
  return tbl.merge({
    FLY_API_TOKEN = running.token, FLY_API_HOSTNAME = running.url,
    FLY_API_BASE_URL = running.url,
  }, more or {})
end

-- A flyctl that tells its version.
local function fake_flyctl(version)
  local directory = t.tmpdir()
  assert(fs.write(directory .. "/flyctl",
    "#!/bin/sh\necho 'flyctl v" .. version .. " linux/amd64'\n", { mode = 448 }))
  return directory .. ":/bin:/usr/bin"
end

-- What the binary's doctor finds in that environment: exit code, and findings
-- by check.
local function examine(env, words)
  env.HOME = env.HOME or t.tmpdir()
  env.PATH = env.PATH or fake_flyctl("0.4.1")
  local result = assert(process.run({
    argv = { t.binary(), "doctor", "--json", table.unpack(words or {}) }, env = env,
    inherit = { "CLANKER_LUA", "ASAN_OPTIONS" }, timeout = 60,
  }))
  local found = {}
  for _, one in ipairs(assert(json.decode(result.stdout), result.stderr)) do
    found[one.check] = one
  end
  t.lacks(result.stdout .. result.stderr, env.FLY_API_TOKEN or "no token at all")
  return result.code, found, result
end

local function states(found)
  return tbl.map(tbl.keys(found), function(name)
    return name .. " " .. found[name].state
  end)
end

t.test("all is well", function()
  local code, found = examine(env_of(account()))
  t.eq(code, 0)
  t.eq(states(found), {
    "GraphQL and logs ok", "Machines API ok", "account ok", "clock ok",
    "configuration ok", "flyctl ok", "network ok", "token ok",
  })
  t.match(found.account.message, "^sim@example.com, 3 apps$")
  t.eq(found.token.message, "from FLY_API_TOKEN")
  t.eq(found.flyctl.message, "0.4.1")
end)

t.test("no token", function()
  local running = account()
  local env = env_of(running)
  env.FLY_API_TOKEN = nil
  local code, found = examine(env)
  t.eq(code, 3)
  t.eq(found.token.state, "problem")
  t.match(found.token.hint, "%-%-api%-token%-file")
  t.eq({ found.account.state, found.flyctl.state }, { "skipped", "skipped" })
end)

t.test("a token that is expired or wrong", function()
  local code, found = examine(env_of(account(), { FLY_API_TOKEN = "fo1_simother" }))
  t.eq(code, 3)
  t.eq(found.account.state, "problem")
  t.match(found.account.hint, "wrong, expired or revoked")
end)

t.test("a token whose scope leaves things out", function()
  local code, found = examine(env_of(account({ fault = "/v1/apps:403=not authorized" })))
  t.eq(code, 3)
  t.eq(found.scope.state, "problem")
  t.match(found.scope.hint, "scope")
end)

t.test("a token that is for some apps only, and one for another organization", function()
  local running = account()
  local function of(name)
    return tbl.find(running.account.world:list("token"), function(token)
      return token.name == name
    end).secret
  end
  local code, found = examine(env_of(running, { FLY_API_TOKEN = of("CI deploys") }))
  t.eq({ code, found.scope.state }, { 3, "problem" })
  t.match(found.scope.message, "sees no organization")
  t.match(found.scope.hint, "%-%-app")
  code, found = examine(env_of(running, { FLY_API_TOKEN = of("read only") }),
    { "--org", "personal" })
  t.eq(code, 3)
  t.match(found.scope.hint, "does not cover that organization")
  code = examine(env_of(running, { FLY_API_TOKEN = of("read only") }))
  t.eq(code, 0)
end)

t.test("a host that is not Fly's", function()
  local code, found = examine(env_of(account({ fault = "/graphql:html" })))
  t.eq(code, 1)
  t.match(found.account.message, "does not answer as Fly does: .*web page")
  t.match(found.account.hint, "check FLY_API_BASE_URL")
  code, found = examine(env_of(account({ fault = "/v1/*:404=nothing here" })))
  t.eq(code, 1)
  t.match(found.account.hint, "check FLY_API_HOSTNAME")
end)

t.test("a host that nobody answers at, and one that must not be used", function()
  local running = account()
  local code, found = examine(env_of(running, { FLY_API_HOSTNAME = "http://127.0.0.1:1" }))
  t.eq(code, 1)
  t.match(found["Machines API"].message, "^http://127.0.0.1:1: ")
  t.match(found["Machines API"].hint, "FLY_API_HOSTNAME")
  t.eq({ found.network.state, found.account.state }, { "ok", "skipped" })
  code, found = examine(env_of(running, { FLY_API_HOSTNAME = "http://example.com" }))
  t.ok(code ~= 0)
  t.match(found.configuration.message, "unencrypted")
end)

t.test("no network", function()
  local code, found = examine({
    FLY_API_TOKEN = "fo1_simx", https_proxy = "http://127.0.0.1:1",
  })
  t.eq(code, 1)
  t.eq(found.network.state, "problem")
  t.match(found.network.message, "^no network: ")
  t.match(found.network.hint, "proxy")
  t.eq({ found.account.state, found.clock.state }, { "skipped", "skipped" })
end)

t.test("flyctl that is missing or too old", function()
  local running = account()
  local code, found = examine(env_of(running, { PATH = t.tmpdir() }))
  t.eq(code, 1)
  t.match(found.flyctl.message, "^flyctl is not installed: deploys")
  t.match(found.flyctl.hint, "install it with")
  code, found = examine(env_of(running, { PATH = fake_flyctl("0.0.300") }))
  t.eq(code, 1)
  t.match(found.flyctl.message, "too old")
  t.eq(found.flyctl.hint, "run `flyctl version upgrade`")
end)

t.test("a configuration that others can read, or that is broken", function()
  local running, home = account(), t.tmpdir()
  local env = env_of(running, { HOME = home })
  env.FLY_API_TOKEN = nil
  local path = home .. "/.clanker.yaml"
  assert(fs.write(path, "flyio:\n  api_token: " .. running.token .. "\n", { mode = 420 }))
  local code, found = examine(env)
  t.eq(code, 1)
  t.match(found.configuration.message, "other users can read it: chmod 600 ")
  t.match(found.configuration.hint, "replace the token")
  t.eq(found.account.state, "ok")
  assert(fs.write(path, "flyio: [\n", { mode = 384 }))
  code, found = examine(env)
  t.eq(code, 1)
  t.match(found.configuration.message, "line %d+")
end)

t.test("the worst of several problems is the exit code", function()
  local code = examine({ PATH = t.tmpdir(), FLY_API_HOSTNAME = "http://127.0.0.1:1",
    FLY_API_BASE_URL = "http://127.0.0.1:1" })
  t.eq(code, 3)
end)

t.test("a clock that is off, as the server's answer tells", function()
  for _, off in ipairs({ { -7230, "2h%S* fast" }, { 7230, "2h%S* slow" }, { 0 } }) do
    local server <close> = raw.start(function(conn)
      while conn:request() do
        conn:write("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nDate: ",
          os.date("!%a, %d %b %Y %H:%M:%S GMT", os.time() + off[1]), "\r\n\r\n")
      end
    end)
    local _, found = examine({ FLY_API_TOKEN = "fo1_simx", FLY_API_HOSTNAME = server.url,
      FLY_API_BASE_URL = server.url })
    t.eq(found.clock.state, off[2] and "problem" or "ok")
    t.match(found.clock.message, off[2] and "clock is " .. off[2] or "agrees")
    t.eq(found.clock.hint ~= nil, off[2] ~= nil)
  end
end)

t.test("a clock that is off", function()
  -- The test's clock stands in 2025; the server's does not.
  local code, seen = world.run({ "doctor", "-o", "table" }, { env = env_of(account()) })
  t.ok(code ~= 0)
  t.match(seen.out, "problem  clock             this computer's clock is .- slow; next: set it")
end)

t.test("the simulated account is well, and needs nothing of the user's", function()
  local result = assert(process.run({
    argv = { t.binary(), "--sim", "doctor" },
    env = { HOME = t.tmpdir(), PATH = "/bin:/usr/bin" },
    inherit = { "CLANKER_LUA", "ASAN_OPTIONS" }, timeout = 60,
  }))
  t.eq({ result.code, result.stderr }, { 0, "" }, result.stdout)
  t.eq(select(2, result.stdout:gsub("\n", "")), 8)
end)
