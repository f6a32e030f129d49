-- What an update was not asked to change goes back byte for byte: random
-- configs, the raw text of the reply against the raw text of the request.

local http = require "sys.http"
local json = require "base.json"
local str = require "base.str"
local t = require "kit"
local worlds = require "writes.world"

local ROUNDS = 150

-- A generator of its own, so that a failure can be repeated.
local function generator(seed)
  local state = seed
  return function(most)
    state = (state * 6364136223846793005 + 1442695040888963407)
    return ((state >> 33) % most) + 1
  end
end

local SCALARS = {
  "null", "true", "false", "0", "-0", "1.0", "1e3", "1E+2", "-1.50", "0.1",
  "9007199254740993", "18446744073709551615", "123456789012345678901234567890",
  "1e400", '""', '"text"', '"\\u00e9\\u0000"', '"\\/slash"', '"\u{e9}\u{1F600}"',
  '"\\ud83d\\ude00"', '"a\\"b\\\\c"', '"[]"', "[]", "{}", "[ ]", "{ }", "[{}]", "[[]]",
}

local SPACES = { "", "", " ", "\n  ", "\t" }

-- A random JSON text, with white space as somebody might put it.
local function value(pick, depth)
  local form = depth > 3 and 1 or pick(4)
  if form <= 2 then
    return SCALARS[pick(#SCALARS)]
  end
  local parts = {}
  for i = 1, pick(4) - 1 do
    local item = value(pick, depth + 1)
    parts[i] = SPACES[pick(#SPACES)]
      .. (form == 3 and item or ('"k%d"%s:%s'):format(i, SPACES[pick(#SPACES)], item))
  end
  local body = table.concat(parts, ",") .. SPACES[pick(#SPACES)]
  return form == 3 and "[" .. body .. "]" or "{" .. body .. "}"
end

-- A config: what an update may name, in random order, between what it may not.
local function config(pick)
  local members = {
    '"image" : "nginx"',
    '"guest":{"cpu_kind":"shared", "cpus":1,"x":' .. value(pick, 2) .. ',"memory_mb":256}',
    '"env":{"KEEP":"' .. pick(99) .. '","MODE":"old"}',
    '"metadata":' .. (pick(2) == 1 and "{}" or '{"a":"b"}'),
  }
  for i = 1, pick(6) do
    table.insert(members, pick(#members + 1), ('"field_%d":%s'):format(i, value(pick, 0)))
  end
  for i = 1, #members do
    members[i] = SPACES[pick(#SPACES)] .. members[i]
  end
  return "{" .. table.concat(members, ",") .. SPACES[pick(#SPACES)] .. "}"
end

-- Each: arguments, and old and new text of the only place that may differ.
local CHANGES = {
  { { memory = 512 }, '"memory_mb":256', '"memory_mb":512' },
  { { image = "new" }, '"image" : "nginx"', '"image" : "new"' },
  { { env = { MODE = "new" } }, '"MODE":"old"', '"MODE":"new"' },
}

local function flat(body)
  if type(body) == "table" then
    local parts = {}
    for i, part in ipairs(body) do
      parts[i] = flat(part)
    end
    return table.concat(parts)
  end
  return body
end

-- Puts `given` in the place of the config the simulator answers, and keeps what
-- is sent as the new one.
local function exchange(state, id)
  local path = "/v1/apps/my-app/machines/" .. id
  return function(request)
    if request.method == "POST" and str.ends_with(request.url, path) then
      state.sent = flat(request.body)
      -- The account gets one it can decode.
      request.body = assert(json.edit(state.sent, { { "config", state.own } }))
    end
    local reply, e = http.request(request)
    if reply and request.method == "GET" and str.ends_with(request.url, path) then
      state.own = json.raw(json.get_raw(reply.body, { "config" }))
      reply.body = assert(json.edit(reply.body,
        { { "config", json.raw(state.given) } }))
    end
    return reply, e
  end
end

t.test("what was not asked to change goes back byte for byte", function()
  local state, id = {}, "585189504ea5e3"
  local account = worlds.open({ client = { http = exchange(state, id) } })
  for round = 1, ROUNDS do
    local pick = generator(round)
    state.given = config(pick)
    t.ok(json.decode(state.given), "a config that is none: " .. state.given)
    local change = CHANGES[pick(#CHANGES)]
    local version = account.world:get("machine", id).version
    local args = { app = "my-app", id = { id }, no_wait = true }
    for name, wanted in pairs(change[1]) do
      args[name] = wanted
    end
    local rows, e = account.call("machines.update", args)
    t.ok(rows, ("round %d: %s"):format(round, tostring(e)))
    local sent = json.get_raw(state.sent, { "config" })
    local from, to = state.given:find(change[2], 1, true)
    t.eq(sent, state.given:sub(1, from - 1) .. change[3] .. state.given:sub(to + 1),
      "round " .. round)
    t.eq(json.decode(state.sent).current_version, version)
    t.eventually(function()
      account.running.account:advance()
      return account.world:get("machine", id).state == "started"
    end, 10)
  end
  account.no_lease()
end)

t.test("a change that changes nothing sends nothing", function()
  local account = worlds.open()
  local id = account.machine("my-app", "started").id
  local machine = account.expect("machines.get", { app = "my-app", id = id })
  local rows = account.expect("machines.update",
    { app = "my-app", id = { id }, image = machine.config.image })
  t.eq(rows[1].outcome, "unchanged")
  t.eq(account.changes(), {})
  account.no_lease()
end)

t.test("a machine that is stopped stays so; a suspended one is told about", function()
  local account = worlds.open()
  local id = account.machine("my-app", "stopped").id
  local rows = account.expect("machines.update",
    { app = "my-app", id = { id }, env = { A = "1" } })
  t.eq({ rows[1].outcome, rows[1].state }, { "done", "stopped" })
  id = account.machine("acme-api", "suspended").id
  local _, info = account.client:call("machines.update",
    { app = "acme-api", id = { id }, env = { A = "1" } })
  t.match(table.concat(info.warnings, "\n"), "was suspended.*memory is gone")
  account.no_lease()
end)
