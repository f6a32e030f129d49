--- An account kept in a file survives what happens to the process.

local sim = require "sim"
local http = require "sys.http"
local json = require "base.json"
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

t.test("a damaged record is named", function()
  local path = t.tmpdir() .. "/account.db"
  start({ db = path }).stop()
  local db = t.ok(store.open(path))
  t.ok(db:exec("UPDATE record SET body = '{' WHERE id = 'my-app'"))
  db:close()
  local running, e = sim.start({ db = path })
  t.match(t.err(running, e).message, "damaged record app/my%-app")
end)

t.test("a file that is no database is refused", function()
  local dir = t.tmpdir()
  local fs = require "sys.fs"
  t.ok(fs.write(dir .. "/bad.db", ("no database "):rep(100)))
  local running, e = sim.start({ db = dir .. "/bad.db" })
  t.err(running, e)
  running, e = sim.start({ db = dir .. "/none/x.db" })
  t.err(running, e)
end)
