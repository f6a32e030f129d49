--- An account kept in a file survives what happens to the process.

local sim = require "sim"
local fs = require "sys.fs"
local http = require "sys.http"
local json = require "base.json"
local process = require "sys.process"
local store = require "sys.store"
local t = require "kit"

local function start(opts)
  local running = t.ok(sim.start(opts))
  return running
end

local function call(running, method, path, body)
  local reply = t.ok(http.request({
    method = method, url = running.url .. path,
    headers = { Authorization = "Bearer " .. running.token },
    body = body and json.encode(body) or nil,
  }))
  local value = reply.body ~= "" and json.decode(reply.body) or nil
  return value, reply.status
end

t.test("all that was changed is there again, with the same token", function()
  local path = t.tmpdir() .. "/account.db"
  local first = start({ db = path, seed = "demo" })
  t.eq(first.restored, false)
  call(first, "POST", "/v1/apps", { name = "kept", org_slug = "personal" })
  local made = call(first, "POST", "/v1/apps/kept/machines",
    { config = { image = "example.com/a" } })
  call(first, "DELETE", "/v1/apps/acme-staging")
  call(first, "POST", "/v1/apps/kept/secrets", { values = { A = "hidden-value" } })
  local token = first.token
  first.stop()
  local second = start({ db = path, seed = "empty" })
  t.eq(second.restored, true)
  t.eq(second.token, token)
  t.eq(call(second, "GET", "/v1/apps/kept").name, "kept")
  t.eventually(function()
    return call(second, "GET", "/v1/apps/kept/machines/" .. made.id).state
      == "started"
  end)
  t.eventually(function()
    return select(2, call(second, "GET", "/v1/apps/acme-staging")) == 404
  end)
  local secrets = call(second, "GET", "/v1/apps/kept/secrets").secrets
  t.eq(secrets[1].name, "A")
  second.stop()
  t.lacks(t.read_file(path), "hidden-value")
end)

t.test("new ids go on where they were", function()
  local path = t.tmpdir() .. "/account.db"
  local seen = {}
  for round = 1, 3 do
    local running = start({ db = path, seed = "empty" })
    call(running, "POST", "/v1/apps", { name = "a" .. round,
      org_slug = "personal" })
    local machine = call(running, "POST", ("/v1/apps/a%d/machines"):format(round),
      { config = { image = "example.com/a" } })
    t.ok(not seen[machine.id], "an id came twice")
    seen[machine.id] = true
    running.stop()
  end
end)

t.test("another token can be given for an old file", function()
  local path = t.tmpdir() .. "/account.db"
  start({ db = path }).stop()
  local running = start({ db = path, token = "fo1_simother" })
  t.eq(running.token, "fo1_simother")
  t.eq(select(2, call(running, "GET", "/v1/apps/my-app")), 200)
  running.stop()
end)

t.test("what was answered is in the file before the process ends", function()
  local path = t.tmpdir() .. "/account.db"
  local running = start({ db = path })
  call(running, "POST", "/v1/apps", { name = "safe", org_slug = "personal" })
  local db = t.ok(store.open(path))
  local rows = t.ok(db:query(
    "SELECT id FROM record WHERE kind = 'app' AND id = 'safe'"))
  t.eq(#rows, 1)
  db:close()
  running.stop()
end)

-- Changes a file behind the simulator's back: what starting on it says then.
local function refused_after(path, sql)
  local db = t.ok(store.open(path))
  t.ok(db:exec(sql))
  db:close()
  local running, e = sim.start({ db = path })
  return t.err(running, e, "error").message
end

t.test("a damaged record is named", function()
  local path = t.tmpdir() .. "/account.db"
  start({ db = path }).stop()
  local bytes = t.read_file(path)
  for sql, want in pairs {
    ["UPDATE record SET body = '{' WHERE id = 'my-app'"] = "app/my%-app: malformed",
    ["UPDATE record SET body = '[]' WHERE id = 'my-app'"] = "app/my%-app: not an",
    ["UPDATE record SET body = '5' WHERE id = 'my-app'"] = "app/my%-app: not an",
    ["UPDATE record SET body = '{}' WHERE id = 'my-app'"] = "app/my%-app: incomp",
    ["UPDATE record SET id = 'other' WHERE id = 'my-app'"] = "app/other: incomp",
    ["UPDATE record SET body = 'null' WHERE kind = 'meta'"] = "meta/meta: not an",
    ["UPDATE record SET body = '{}' WHERE kind = 'meta'"] = "meta/meta: incomp",
    ["DELETE FROM record WHERE kind = 'meta'"] = "meta/meta: missing",
  } do
    t.ok(fs.write(path, bytes))
    t.match(refused_after(path, sql), "account%.db: damaged record " .. want)
  end
end)

t.test("a file has one simulator at a time", function()
  local path = t.tmpdir() .. "/account.db"
  local first = start({ db = path })
  local second, e = sim.start({ db = path })
  t.match(t.err(second, e, "conflict").message, "another simulator")
  t.eq(select(2, call(first, "GET", "/v1/apps/my-app")), 200)
  first.stop()
  start({ db = path }).stop()
end)

t.test("a killed simulator leaves the file to the next, changes and all", function()
  local path = t.tmpdir() .. "/account.db"
  local child = t.ok(process.spawn({
    argv = { t.binary(), "sim", "--listen", "127.0.0.1:0", "--db", path },
    inherit = { "PATH", "CLANKER_LUA", "ASAN_OPTIONS" }, timeout = 60,
  }))
  local text, url, token = "", nil, nil
  repeat
    local _, part = child:read()
    text = text .. t.ok(part, text)
    url, token = text:match("HOSTNAME=(%S+).-API_TOKEN=(%S+)\n")
  until token
  local body = { name = "kept", org_slug = "personal" }
  t.eq(select(2, call({ url = url, token = token }, "POST", "/v1/apps", body)), 201)
  t.ok(child:kill("SIGKILL"))
  t.eq(child:wait().signal, "SIGKILL")
  child:close()
  local next_one = start({ db = path })
  t.eq(next_one.restored, true)
  t.eq(next_one.token, token)
  t.eq(call(next_one, "GET", "/v1/apps/kept").name, "kept")
  next_one.stop()
end)

t.test("a database of another program is left alone", function()
  local path = t.tmpdir() .. "/other.db"
  local db = t.ok(store.open(path))
  t.ok(db:exec("CREATE TABLE notes (a)"))
  db:close()
  local running, e = sim.start({ db = path })
  t.match(t.err(running, e, "usage").message, "not one of a simulator")
  db = t.ok(store.open(path))
  t.eq(#t.ok(db:query("SELECT name FROM sqlite_schema")), 1)
  db:close()
end)

t.test("a file that is no database is refused", function()
  local dir = t.tmpdir()
  t.ok(fs.write(dir .. "/bad.db", ("no database "):rep(100)))
  local running, e = sim.start({ db = dir .. "/bad.db" })
  t.err(running, e)
  running, e = sim.start({ db = dir .. "/none/x.db" })
  t.err(running, e)
end)
