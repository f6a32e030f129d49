--- Bodies and parameters nobody would send: every route answers them, in its
--- API's shapes. What raises is a bug; support holds the replies against the
--- document. Always the same requests: the generator is seeded.

local ids = require "sim.ids"
local json = require "base.json"
local routes = require "sim.routes"
local str = require "base.str"
local support = require "sim.support"
local t = require "kit"
local tbl = require "base.tbl"

local ROUNDS = 8 -- requests per route

local ODD = {
  json.null, true, false, -1, 0, 1, 1.5, 1e300, math.maxinteger, "", "x", "\0",
  "a/b", "😀", ("a"):rep(300), json.array {}, {}, json.array { json.null },
}

local TEXTS = {
  "nginx", "iad", "gru", "data", "10s", "my-app", "acme", "personal", "tcp",
  "started", "vol_1234", "1234abcd", "postgres", "basic", "www.example.com",
  "full", "2026-01-01T00:00:00Z", "aGVsbG8=", "",
}

local NUMBERS = { 0, 1, 2, 5, 60, 256, 512, 1024, 8080, -1 }

local function pick(random, list)
  return list[random:between(1, #list)]
end

local make

local MAKERS = {
  any = function(random)
    return pick(random, ODD)
  end,
  string = function(random)
    return pick(random, TEXTS)
  end,
  integer = function(random)
    return pick(random, NUMBERS)
  end,
  number = function(random)
    return pick(random, NUMBERS) / 4
  end,
  boolean = function(random)
    return random:between(0, 1) == 1
  end,
  enum = function(random, shape)
    return pick(random, tbl.keys(shape.values))
  end,
  any_of = function(random, shape)
    return make(random, pick(random, shape.shapes))
  end,
  list = function(random, shape)
    return json.array { make(random, shape.item) }
  end,
  map = function(random, shape)
    return { [pick(random, { "a", "K_1" })] = make(random, shape.item) }
  end,
  object = function(random, shape)
    local out = {}
    for name, member in tbl.sorted(shape.members) do
      if member.is_required or random:between(1, 3) == 1 then
        out[name] = make(random, member)
      end
    end
    return out
  end,
}

-- A value of the shape, mostly.
function make(random, shape)
  if random:between(1, 25) == 1 then
    return pick(random, ODD)
  end
  return MAKERS[shape.kind](random, shape)
end

-- What the demo account has, by the name of a path's parameter.
local function values_of(sim)
  local clusters = sim.world:list("cluster")
  local my_app = sim.world:list("machine", "my-app")
  return {
    app = { "my-app" }, app_name = { "my-app" }, org = { "acme", "sim-user" },
    machine = { my_app[1].id, my_app[3].id }, volume = { "vol_1234" },
    cluster = { clusters[1].id }, hostname = { "www.example.com" },
    name = { "OLD_KEY", "k1" }, key = { "fly_process_group" },
    ip = { "2001:db8:1::1:1" }, username = { "fly-user" },
    database = { "fly-db" }, extension = { "vector" },
    release = { sim.world:list("release")[1].id },
  }
end

local QUERY = {
  "limit", "cursor", "state", "region", "summary", "include_deleted", "force",
  "ttl", "timeout", "version", "org_slug", "app_role", "updated_after", "filter",
  "min_version", "show_secrets", "types", "next_token", "instance", "sort_by",
  "order", "signal", "database", "range", "metadata.a", "from_event_id",
}

local function target_of(random, route, values)
  local path = route.path:gsub("{([%w_]+)}", function(name)
    local known = values[name]
    local is_odd = not known or random:between(1, 12) == 1
    return str.url_escape(is_odd and pick(random, { "x", "a/b", "..", "\xFF" })
      or pick(random, known))
  end)
  local query = {}
  for _ = 1, random:between(0, 3) do
    local value = pick(random, { "1", "true", "x", "started", "iad", "acme", "-1",
      "", "settled", "\xFF" })
    query[#query + 1] = pick(random, QUERY) .. "=" .. str.url_escape(value)
  end
  return path .. "?" .. table.concat(query, "&")
end

-- The web API's clusters want a macaroon.
local function headers_of(sim, route)
  local macaroon = sim.world:list("token")[2]
  if route.path:find("^/api/v1/.*postgres") then
    return { authorization = "FlyV1 " .. macaroon.secret }
  end
end

local function try(random, route)
  local sim = support.account()
  sim.sends_anything = true
  local minted = sim.world:list("token")[2]
  minted.org, minted.app = "acme", nil
  local values = values_of(sim)
  for _ = 1, ROUNDS do
    local body = route.body and make(random, route.body)
    local target = target_of(random, route, values)
    local status = sim:call(route.method, target, body, headers_of(sim, route))
    t.ok(status < 500 or status == 503, route.method .. " " .. target)
    sim:advance(random:between(0, 2))
    sim.account:advance()
  end
end

for _, method in ipairs { "GET", "POST", "PUT", "PATCH", "DELETE" } do
  t.test("anything can be sent with " .. method, function()
    local random = ids.new(#method)
    for _, route in ipairs(routes.ALL) do
      if route.method == method and route.path ~= "/graphql" then
        try(random, route)
      end
    end
  end)
end
