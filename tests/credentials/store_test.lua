-- Both stores: what is put is got, what is wrong is told apart.

local backends = require "kit.backend"
local credentials = require "fly.credentials"
local fs = require "sys.fs"
local json = require "base.json"
local secret = require "sys.secret"
local t = require "kit"

local function open(options)
  options = options or {}
  local env = options.env or {}
  local home = options.home or t.tmpdir()
  return credentials.open({
    backend = options.backend, backend_url = options.url,
    env = function(name) return env[name] end,
    secret_env = function(name) return env[name] and secret.new(env[name]) end,
    home = function() return home end,
  }), home
end

local function put(store, token, org)
  return store:put({ provider = "flyio", token = secret.new(token), org = org })
end

local function holds(store, token, org)
  local found = assert(store:get("flyio"))
  t.ok(found.token:equals(token))
  t.eq(found.org, org)
  found.token:close()
end

local function check_store(store)
  local none, e = store:get("flyio")
  t.err(none, e, "not_found")
  t.eq(store:list(), {})
  none, e = store:delete("flyio")
  t.err(none, e, "not_found")
  assert(put(store, "fo1_simfirst", "acme"))
  holds(store, "fo1_simfirst", "acme")
  assert(put(store, "fo1_simsecond"))
  holds(store, "fo1_simsecond", nil)
  t.eq(store:list(), { { provider = "flyio" } })
  assert(store:delete("flyio"))
  none, e = store:get("flyio")
  t.err(none, e, "not_found")
end

t.test("credentials are kept on this machine", function()
  check_store(assert(open()))
end)

t.test("credentials are kept by a backend", function()
  local backend = backends.start()
  check_store(assert(open({ url = backend.url, env = {
    CLANKER_BACKEND_API_KEY = backend.key,
  } })))
  t.eq(backend.requests[1], "GET /api/v1/cli/credentials/flyio")
  t.eq(backend.requests[#backend.requests - 1], "DELETE /api/v1/secrets/flyio")
end)

t.test("nothing on the disk tells the token, and only its owner reads it", function()
  local store, home = open()
  assert(put(store, "fo1_simhidden", "acme"))
  for _, name in ipairs({ "credentials", "credentials.key" }) do
    local path = home .. "/.clanker/" .. name
    t.eq(fs.stat(path).mode, 384, name) -- 0600
    t.lacks(t.read_file(path), "simhidden")
  end
  t.eq(fs.stat(home .. "/.clanker").mode, 448)
  local first = t.read_file(home .. "/.clanker/credentials")
  assert(put(store, "fo1_simhidden", "acme"))
  t.ok(t.read_file(home .. "/.clanker/credentials") ~= first)
end)

-- A store with a token, its path and its decoded content.
local function kept()
  local store, home = open()
  assert(put(store, "fo1_simkept", "acme"))
  local path = home .. "/.clanker/credentials"
  return store, path, json.decode(t.read_file(path))
end

local function rewrite(path, value)
  assert(fs.write(path, type(value) == "string" and value or json.encode(value),
    { mode = 384 }))
end

t.test("a store that was changed is not believed", function()
  local store, path, content = kept()
  content.credentials.flyio.org_slug = "mallory"
  rewrite(path, content)
  local none, e = store:get("flyio")
  t.err(none, e, "somebody changed it")
  store, path, content = kept()
  content.credentials.flyio.sealed = content.credentials.flyio.sealed:sub(1, -3) .. "00"
  rewrite(path, content)
  none, e = store:get("flyio")
  t.err(none, e, "its key does not open it")
  for _, text in ipairs({ "", "{", "[]", '{"credentials":3}', "\0" }) do
    rewrite(path, text)
    none, e = store:get("flyio")
    t.err(none, e, "damaged")
    none, e = put(store, "fo1_simother")
    t.err(none, e, "damaged")
  end
  rewrite(path, '{"version":2,"credentials":{}}')
  none, e = store:get("flyio")
  t.err(none, e, "another version")
end)

t.test("what others may read is refused", function()
  for _, name in ipairs({ "credentials", "credentials.key" }) do
    local store, path = kept()
    path = path:gsub("credentials$", name)
    local content = t.read_file(path)
    assert(fs.write(path, content, { mode = 416 })) -- 0640
    local none, e = store:get("flyio")
    t.err(none, e, "config")
    t.match(e.message, "others")
  end
end)

t.test("a lost key is told, and storing again makes a new one", function()
  local store, path = kept()
  assert(fs.remove(path .. ".key"))
  local none, e = store:get("flyio")
  t.err(none, e, "not_found")
  t.match(e.message, "credentials%.key is missing")
  assert(put(store, "fo1_simnew"))
  holds(store, "fo1_simnew", nil)
end)

t.test("what cannot be a token is refused", function()
  local store = open()
  for _, wrong in ipairs({ "", "  \n", "two\nlines", "it's", "a\0b" }) do
    local none, e = put(store, wrong)
    t.err(none, e, "usage")
  end
  t.eq(store:list(), {})
end)

t.test("two writers do not lose each other's work", function()
  local task = require "sys.task"
  local store, home = open()
  task.map({ 1, 2, 3, 4, 5, 6 }, 6, function(i)
    assert(put(assert((open({ home = home }))), "fo1_sim" .. i))
  end)
  t.ok(assert(store:get("flyio")).token:starts_with("fo1_sim"))
end)

t.test("flag, configuration and environment name the backend, in that order", function()
  local env = { CLANKER_BACKEND_URL = "https://env.example.com",
    CLANKER_BACKEND_API_KEY = "env-key" }
  local section = { url = "https://file.example.com", api_key = secret.new("file-key") }
  local store = assert(open({ url = "https://flag.example.com", backend = section, env = env }))
  t.eq(store.url, "https://flag.example.com")
  t.ok(store.key:equals("file-key"))
  t.eq(assert(open({ backend = section, env = env })).url, "https://file.example.com")
  store = assert(open({ env = env }))
  t.eq(store.url, "https://env.example.com")
  t.ok(store.key:equals("env-key"))
end)

t.test("an API key goes nowhere in the clear", function()
  local env = { CLANKER_BACKEND_API_KEY = "k" }
  for _, url in ipairs({
    "http://backend.example.com", "http://_api.internal", "HTTP://backend.example.com:80",
    "http://127.0.0.1.example.com", "http://localhost.example.com/x", "ftp://x.example.com",
    "https://user:word@example.com",
  }) do
    local none, e = credentials.open({
      backend_url = url, env = function() end,
      secret_env = function(name) return secret.new(env[name]) end, home = t.tmpdir,
    })
    t.err(none, e, "config")
  end
  for _, url in ipairs({ "http://127.0.0.1:1", "http://localhost:1", "http://[::1]:1" }) do
    t.ok(open({ url = url, env = env }), url)
  end
  local none, e = credentials.open({
    backend_url = "https://example.com", env = function() end,
    secret_env = function() end, home = t.tmpdir,
  })
  t.err(none, e, "needs an API key")
end)

t.test("what the backend refuses is told apart", function()
  local backend = backends.start()
  local store = assert(open({ url = backend.url, env = {
    CLANKER_BACKEND_API_KEY = backend.key,
  } }))
  for status, kind in pairs({
    [401] = "auth", [403] = "forbidden", [404] = "not_found", [429] = "rate_limited",
    [400] = "invalid", [500] = "server", [503] = "server",
  }) do
    backend.answer = function()
      return status, {}, json.encode({ error = "because" })
    end
    for _, act in ipairs({
      function() return store:get("flyio") end, function() return store:list() end,
      function() return store:delete("flyio") end,
      function() return put(store, "fo1_simcanary") end,
    }) do
      local none, e = act()
      t.err(none, e, kind)
      t.eq(e.status, status)
      t.match(e.message, "because")
    end
  end
  for _, body in ipairs({
    "", "<html>", "[", '{"success":true}', '{"success":true,"data":{"credentials":{}}}',
    '{"success":true,"data":{"credentials":{"api_token":7}}}', '{"success":true,"data":3}',
  }) do
    backend.answer = function()
      return 200, {}, body
    end
    local none, e = store:get("flyio")
    t.err(none, e, "protocol")
  end
  backend.answer = function()
    return 200, {}, '{"success":false,"error":"locked"}'
  end
  local none, e = store:get("flyio")
  t.err(none, e, "locked")
end)

t.test("a backend that repeats the token does not make it seen", function()
  local backend = backends.start()
  backend.answer = function(req)
    return 422, {}, json.encode({ error = "bad " .. req.body })
  end
  local store = assert(open({ url = backend.url, env = {
    CLANKER_BACKEND_API_KEY = backend.key,
  } }))
  local token <close> = secret.new("fo1_simcanary")
  local none, e = store:put({ provider = "flyio", token = token })
  t.err(none, e, "invalid")
  t.lacks(tostring(e), "simcanary")
end)

t.test("a backend that cannot be reached is a failure, not an absence", function()
  local store = assert(open({ url = "http://127.0.0.1:1", env = {
    CLANKER_BACKEND_API_KEY = "k",
  } }))
  local none, e = store:get("flyio")
  t.err(none, e, "network")
  t.match(e.message, "the backend http://127.0.0.1:1")
end)
