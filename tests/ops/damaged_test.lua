--- Operations over replies in which something is missing or of another type: a
--- result that can be shown or a typed error, never a crash.

local accounts = require "ops.account"
local client = require "fly.client"
local http = require "sys.http"
local json = require "base.json"
local opkit = require "opkit"
local ops = require "ops"
local reads = require "ops.reads"
local secret = require "sys.secret"
local sensitive = require "fly.sensitive"
local t = require "kit"
local task = require "sys.task"

local SEED = 20240502

-- What a request asks for: bodies hold what is new in every run.
local function key_of(request)
  local query = type(request.body) == "string" and request.body:match('"operationName":"(%w+)"')
  return ("%s %s %s"):format(request.method, request.url, query or "")
end

-- Carries out an operation; gives the replies it got, by request, in order.
local function record(account, id, args)
  local replies = {}
  account.client.deps.http = function(request)
    local reply, e = http.request(request)
    local key = key_of(request)
    replies[key] = replies[key] or {}
    table.insert(replies[key], reply)
    return reply, e
  end
  account.client.kept:clear()
  return replies, account.expect(id, args)
end

-- Every place in a decoded reply: { holder, key }.
local function places(value, found)
  for key, inner in pairs(value) do
    found[#found + 1] = { value, key }
    if type(inner) == "table" and not json.is_raw(inner) then
      places(inner, found)
    end
  end
  return found
end

-- What may stand there instead; nil is nothing at all.
local ODD = {
  function() return nil end, function() return json.null end, function() return 7 end,
  function() return "odd" end, function() return true end, function() return "" end,
  function() return json.array {} end, function() return {} end, function() return 0.5 end,
  function() return json.array { json.null, 3, "x", {} } end,
}

local function damaged(body)
  local value = json.decode(body)
  for _ = 1, type(value) == "table" and math.random(1, 3) or 0 do
    local all = places(value, {})
    local place = all[math.random(math.max(#all, 1))]
    local odd = ODD[math.random(#ODD)]()
    if place and not (odd == nil and json.is_array(place[1])) then
      place[1][place[2]] = odd
    end
  end
  return json.encode(value)
end

-- A client that hears damaged replies to what was recorded; its clock moves only
-- when it sleeps and by a second for a request.
local function open(replies, bases)
  local clock, last, asked = 0, "no request", {}
  local made = client.new {
    settings = { token = secret.new("fo1_test"), token_source = "the test", bases = bases },
    limiter = accounts.UNLIMITED,
    now = function() return clock end,
    sleep = function(seconds)
      clock = clock + seconds
      task.sleep(0)
    end,
    http = function(request)
      local key = key_of(request)
      local list = replies[key] or {}
      asked[key] = (asked[key] or 0) + 1
      clock = clock + 1
      local reply = list[math.min(asked[key], #list)]
      if not reply or reply.body == "" then
        return reply or { status = 404, headers = {}, body = "{}" }
      end
      last = damaged(reply.body)
      return { status = reply.status, headers = reply.headers, body = last }
    end,
  }
  return made, function() return last end
end

-- Everything the faces do with a result before it is printed.
local function show(op, value)
  value = sensitive.plain(value)
  local items = opkit.is_list(op) and value or { value }
  for _, item in ipairs(items) do
    t.eq(type(opkit.sort_key(op, item)), "string")
    for _, view in ipairs(opkit.columns(op)) do
      t.eq(type(view.text(item, 1770811200)), "string")
    end
  end
end

-- What is wrong with how the operation ended; nil when nothing is.
local function fault_of(op, args, made)
  local ok, value, e = pcall(made.call, made, op.id, args)
  if not ok then
    return tostring(value)
  elseif value == nil then
    local is_blamed = e.kind == "bug" or (e.kind == "usage" and e.op ~= nil)
    return is_blamed and "told as: " .. tostring(e) or nil
  elseif type(value) ~= "table" then
    return "gave " .. tostring(value)
  end
  local shown, why = pcall(show, op, value)
  return not shown and tostring(why) or nil
end

-- Carries the operation out on damaged replies, some times.
local function try(op, args, replies, bases, rounds)
  for _ = 1, rounds do
    local made, last = open(replies, bases)
    local fault = fault_of(op, args, made)
    made:close()
    t.ok(not fault, ("%s: %s\nafter %s"):format(op.id, tostring(fault), last()))
  end
end

t.test("no reply makes a read crash, or blame its caller", function()
  math.randomseed(SEED)
  local account = accounts.open()
  local args = reads.arguments(account)
  for _, op in ipairs(reads.ROWS) do
    local replies = record(account, op.id, args[op.id])
    try(op, args[op.id] or {}, replies, account.client.settings.bases, 5)
  end
end)

-- Changes of the demo account, one after the other.
local function changes(account)
  local function id(app, state)
    return account.expect("machines.list", { app = app, state = state })[1].id
  end
  local web, api = id("my-app", "started"), id("acme-api", "started")
  local secrets = account.expect("secrets.list", { app = "my-app" })
  return {
    { "machines.stop", { app = "my-app", id = { web } } },
    { "machines.start", { app = "my-app", id = { web } } },
    { "machines.restart", { app = "my-app", id = { web } } },
    { "machines.update", { app = "my-app", id = { web }, memory = 1024, env = { A = "1" } } },
    { "machines.cordon", { app = "my-app", id = { web } } },
    { "machines.create", { app = "my-app", image = "nginx", region = "iad", port = { "80:80" } } },
    { "machines.clone", { app = "my-app", id = web, region = "fra" } },
    { "machines.exec", { app = "my-app", id = web, command = { "ls" } } },
    { "machines.destroy", { app = "acme-api", id = { api }, force = true } },
    { "apps.create", { name = "brand-new", org = "acme" } },
    { "apps.restart", { app = "my-app" } },
    { "volumes.create", { app = "my-app", name = "extra", region = "iad", size_gb = 3 } },
    { "ips.allocate", { app = "my-app", type = "v6" } },
    { "certs.add", { app = "my-app", hostname = "new.example.com" } },
    { "scale.memory", { app = "my-app", memory = 2048 } },
    { "secrets.unset", { app = "my-app", names = { secrets[1].name } } },
    { "secrets.deploy", { app = "my-app" } },
    { "mpg.create", { name = "second", region = "iad", org = "acme", plan = "starter" } },
    { "redis.create", { name = "second-cache", region = "iad", org = "acme" } },
    { "tigris.create_bucket", { name = "files", org = "personal", agree_terms = true } },
    { "tokens.create", { type = "deploy", app = "my-app", name = "ci" } },
    { "apps.destroy", { app = "my-app", force = true } },
  }
end

t.test("no reply makes a change crash, or blame its caller", function()
  math.randomseed(SEED)
  local account = accounts.open()
  for _, change in ipairs(changes(account)) do
    local op = ops.get(change[1])
    local replies = record(account, op.id, change[2])
    try(op, change[2], replies, account.client.settings.bases, 3)
  end
end)
