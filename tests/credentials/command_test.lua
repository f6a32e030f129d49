-- `clanker credentials` as the user types it, and every command's fallback.

local backends = require "kit.backend"
local fs = require "sys.fs"
local process = require "sys.process"
local sim = require "sim"
local t = require "kit"

local TOKEN = "fo1_simstoredtoken"

local function run(words, options)
  options = options or {}
  local env = options.env or {}
  env.HOME = options.home or env.HOME
  return assert(process.run({
    argv = { t.binary(), table.unpack(words) }, stdin = options.stdin, env = env,
    inherit = { "PATH", "CLANKER_LUA", "ASAN_OPTIONS" }, timeout = 60,
  }))
end

local function check_silent(result)
  t.lacks(result.stdout .. result.stderr, "storedtoken")
end

-- The whole life of a token in one store.
local function live(home, more_env)
  local account = assert(sim.start({ seed = "demo", token = TOKEN }))
  t.cleanup(account.stop)
  local env = { FLY_API_HOSTNAME = account.url, FLY_API_BASE_URL = account.url }
  for name, value in pairs(more_env or {}) do
    env[name] = value
  end
  local function go(words, stdin)
    local result = run(words, { home = home, env = env, stdin = stdin })
    check_silent(result)
    return result
  end
  t.eq(go({ "fly", "list", "apps" }).code, 3)
  t.eq(go({ "credentials", "test", "flyio" }).code, 4)
  local stored = go({ "credentials", "store", "flyio", "--api-token", "-",
    "--org-slug", "acme" }, TOKEN .. "\n")
  t.eq(stored.code, 0, stored.stderr)
  local apps = go({ "fly", "list", "apps" })
  t.eq(apps.code, 0, apps.stderr)
  t.lacks(apps.stdout, "my-app", "my-app is of another organization")
  t.match(apps.stdout, "acme%-api")
  t.match(go({ "config", "show" }).stdout, "org_slug +acme +stored credentials")
  local list = go({ "credentials", "list" })
  t.match(list.stdout, "flyio +acme +%[secret%]")
  t.match(list.stderr, "stored in ")
  local works = go({ "credentials", "test", "flyio" })
  t.eq(works.code, 0, works.stderr)
  t.eq(works.stderr, list.stderr, "where it is stored")
  t.match(works.stdout, "^flyio: the token works, it is .+@")
  local asked = go({ "credentials", "delete", "flyio" })
  t.eq(asked.code, 9, "there is no terminal to ask at")
  t.match(asked.stderr, "Delete the stored credentials of flyio%?.+\nhint: say %-%-yes")
  t.match(asked.stderr, "^credentials of flyio for org acme in ")
  t.eq(go({ "credentials", "test", "flyio" }).code, 0)
  t.eq(go({ "credentials", "delete", "flyio", "--yes" }).code, 0)
  t.eq(go({ "credentials", "delete", "flyio" }).code, 4)
  t.eq(go({ "fly", "list", "apps" }).code, 3)
  return go
end

t.test("a stored token serves every command", function()
  local home = t.tmpdir()
  local go = live(home)
  local stored = go({ "credentials", "store", "flyio", "--api-token", "-" }, "fo1_simwrong")
  t.match(stored.stderr, "encrypted; key in .+/%.clanker/credentials%.key")
  local refused = go({ "credentials", "test", "flyio" })
  t.eq(refused.code, 3)
  t.lacks(refused.stderr, "simwrong")
end)

t.test("a token in a backend serves every command", function()
  local backend = backends.start()
  local home = t.tmpdir()
  local go = live(home, {
    CLANKER_BACKEND_URL = backend.url, CLANKER_BACKEND_API_KEY = backend.key,
  })
  t.eq(fs.exists(home .. "/.clanker/credentials"), false)
  backend.answer = function()
    return 503, {}, ""
  end
  local result = go({ "fly", "list", "apps" })
  t.eq(result.code, 3)
  t.match(result.stderr, "warning: stored credentials: the backend .* failed")
end)

t.test("a stored token serves every face, and flyctl", function()
  local account = assert(sim.start({ seed = "demo", token = TOKEN, limits = false }))
  t.cleanup(account.stop)
  local home = t.tmpdir()
  local env = {
    FLY_API_HOSTNAME = account.url, FLY_API_BASE_URL = account.url,
    PATH = account.flyctl():match("^(.*)/"),
  }
  local script = home .. "/script.lua"
  assert(fs.write(script, 'print(#require("clanker.fly").apps.list())'))
  local function codes()
    local list = {}
    for i, words in ipairs({
      { "ask", "--flyio", "what apps are running?" }, { "run", script },
      { "fly", "logs", "--app", "my-app" }, { "fly", "auth", "whoami" },
      { "fly", "scale", "show", "--app", "my-app" },
      { "fly", "secrets", "set", "A=1", "--app", "my-app", "--stage", "--via", "flyctl" },
    }) do
      local result = run(words, { home = home, env = env })
      check_silent(result)
      list[i] = result.code
    end
    local told = run({ "__complete", "fly", "list", "machines", "--app", "" },
      { home = home, env = env }).stdout
    list[#list + 1] = told:find("my-app", 1, true) and "completes" or "does not"
    local doctor = run({ "doctor" }, { home = home, env = env })
    check_silent(doctor)
    list[#list + 1] = doctor.stdout:find("no Fly API token", 1, true) and "no token" or "token"
    return list
  end
  t.eq(codes(), { 3, 3, 3, 3, 3, 3, "does not", "no token" })
  run({ "credentials", "store", "flyio", "--api-token", "-" }, { home = home, stdin = TOKEN })
  t.eq(codes(), { 0, 0, 0, 0, 0, 0, "completes", "token" })
end)

t.test("configuration and environment come before the store", function()
  local home = t.tmpdir()
  run({ "credentials", "store", "flyio", "--api-token", "-" },
    { home = home, stdin = TOKEN })
  local shown = run({ "config", "show" }, { home = home, env = { FLY_API_TOKEN = "fo1_x1" } })
  t.match(shown.stdout, "api_token +%[secret%] +FLY_API_TOKEN")
  shown = run({ "config", "show" }, { home = home })
  t.match(shown.stdout, "api_token +%[secret%] +.+/%.clanker/credentials")
end)

t.test("a token typed as an argument is warned about and hidden", function()
  local home = t.tmpdir()
  local result = run({ "credentials", "store", "flyio", "--api-token", TOKEN },
    { home = home })
  t.eq(result.code, 0, result.stderr)
  t.match(result.stderr, "warning: %-%-api%-token shows")
  check_silent(result)
  result = run({ "credentials", "store", "flyio", "--api-token", "" }, { home = home })
  t.eq(result.code, 2)
  result = run({ "credentials", "store", "flyio" }, { home = home })
  t.eq(result.code, 2)
  t.match(result.stderr, "no terminal to ask at")
  result = run({ "credentials", "store", "other", "--api-token", TOKEN }, { home = home })
  t.eq(result.code, 2)
  check_silent(result)
end)

t.test("at a terminal the token is asked for without being shown", function()
  local worlds = require "face.world"
  local home = t.tmpdir()
  local world = worlds.new({ home = home, tty = { [0] = true, [2] = true } })
  local asked
  world.hidden = function(text)
    asked = text
    return require("sys.secret").new(" " .. TOKEN .. " \n")
  end
  t.eq(require("cli").run({ "credentials", "store", "flyio" }, worlds.FACES, world), 0)
  t.match(asked, "not shown")
  local found = assert(require("fly.credentials").open({
    env = function() end, secret_env = function() end,
    home = function() return home end,
  }):get("flyio"))
  t.ok(found.token:equals(TOKEN))
end)

t.test("at a terminal deleting asks for the provider's name", function()
  local worlds = require "face.world"
  local home = t.tmpdir()
  run({ "credentials", "store", "flyio", "--api-token", "-" }, { home = home, stdin = TOKEN })
  local function delete(answer)
    return worlds.run({ "credentials", "delete", "flyio" },
      { home = home, tty = { [0] = true, [2] = true }, answer = answer })
  end
  for _, answer in ipairs({ "", "y", "yes", "fly" }) do
    local code, world = delete(answer)
    t.eq(code, 9, answer)
    t.match(world.err, "Type flyio to go ahead")
    t.match(world.err, "nothing was changed")
  end
  t.eq(delete("flyio"), 0)
  t.eq(delete("flyio"), 4)
end)

t.test("a store that cannot be read says what leads out of it, and that does", function()
  local home = t.tmpdir()
  local path = home .. "/.clanker/credentials"
  local function store()
    return run({ "credentials", "store", "flyio", "--api-token", "-" },
      { home = home, stdin = TOKEN })
  end
  t.eq(store().code, 0)
  for _, case in ipairs({ { "{", 384 }, { '{"version":9,"credentials":{}}', 384 },
    { t.read_file(path), 416 } }) do -- 0600, 0640
    assert(fs.write(path, case[1], { mode = case[2] }))
    for _, result in ipairs({
      store(), run({ "credentials", "test", "flyio" }, { home = home }),
      run({ "credentials", "delete", "flyio", "--yes" }, { home = home }),
    }) do
      t.eq(result.code, 1, result.stderr)
      t.has(result.stderr, "hint: remove " .. path)
      check_silent(result)
    end
    assert(fs.remove(path))
    t.eq(store().code, 0)
  end
end)
