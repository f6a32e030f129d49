--- The simulator's small parts: ids, agenda, limits, routes, shapes.

local agenda = require "sim.agenda"
local ids = require "sim.ids"
local images = require "sim.images"
local json = require "base.json"
local limits = require "sim.limits"
local request = require "sim.request"
local router = require "sim.router"
local shape = require "sim.shape"
local t = require "kit"
local tbl = require "base.tbl"

t.test("ids have their forms and follow from the seed", function()
  local one, two = ids.new(5), ids.new(5)
  for _, make in ipairs { "machine", "volume", "name" } do
    t.eq(one[make](one), two[make](two))
  end
  t.match(one:machine(), "^[1-9]%x%x%x%x%x%x%x%x%x%x%x%x%x$")
  t.eq(#one:volume(), 20)
  t.match(one:private_ip(0x1001), "^fdaa:1:1:a7b:%x+:%x+:%x+:2$")
  t.eq(ids.digest("a"), ids.digest("a"))
  t.ok(ids.digest("a") ~= ids.digest("b"))
end)

t.test("ULIDs sort by time", function()
  local gen, before = ids.new(1), ""
  for i = 0, 50 do
    local id = gen:ulid(1770000000 + i * 0.001)
    t.eq(#id, 26)
    t.ok(id:sub(1, 10) >= before:sub(1, 10), "out of order")
    before = id
  end
end)

t.test("the agenda gives what is due, in order of time and planning", function()
  local plan, gen = agenda.new(), ids.new(9)
  local times = {}
  for i = 1, 200 do
    times[i] = gen:between(1, 50)
    plan:plan(times[i], "k", tostring(i))
  end
  t.eq(plan:take(0), nil)
  local last_at, last_id = 0, 0
  for _ = 1, 200 do
    local entry = plan:take(50)
    t.eq(entry.at, times[tonumber(entry.id)])
    t.ok(entry.at > last_at
      or entry.at == last_at and tonumber(entry.id) > last_id, "out of order")
    last_at, last_id = entry.at, tonumber(entry.id)
  end
  t.eq(plan:take(1000), nil)
  t.eq(plan:next_at(), nil)
end)

t.test("a bucket refills at its rate and holds its burst", function()
  local buckets, rate = limits.new(), { per_second = 2, burst = 4 }
  local function count(now)
    local n = 0
    while buckets:take("k", rate, now) do
      n = n + 1
    end
    return n
  end
  t.eq(count(0), 4)
  t.eq(count(0.4), 0)
  t.eq(count(0.5), 1)
  t.eq(count(1.5), 2)
  t.eq(count(100), 4)
  local _, wait = buckets:take("k", rate, 100)
  t.ok(wait > 0.4 and wait <= 0.5)
end)

t.test("full buckets are forgotten", function()
  local buckets, rate = limits.new(), { per_second = 1, burst = 1 }
  for i = 1, 20000 do
    buckets:take("k" .. i, rate, i)
  end
  local kept = 0
  for _ in pairs(buckets.buckets) do
    kept = kept + 1
  end
  t.ok(kept < 10000, "every bucket was kept")
end)

t.test("a fixed word wins over a parameter, by method", function()
  local all = router.new()
  local function add(method, path)
    all:add({ method = method, path = path })
  end
  add("GET", "/a/{x}")
  add("DELETE", "/a/{x}")
  add("POST", "/a/fixed")
  add("GET", "/a/{x}/b/{y}")
  local route, params = all:find("POST", { "a", "fixed" })
  t.eq({ route.path, params }, { "/a/fixed", {} })
  route, params = all:find("DELETE", { "a", "fixed" })
  t.eq({ route.path, params }, { "/a/{x}", { x = "fixed" } })
  route, params = all:find("GET", { "a", "1", "b", "2" })
  t.eq(params, { x = "1", y = "2" })
  route, params = all:find("PUT", { "a", "1" })
  t.eq({ route, params }, { nil, true })
  t.ok(not select(2, all:find("GET", { "a" })))
  t.eq((all:find("GET", { "a", "" })), nil)
end)

t.test("targets are taken apart after splitting", function()
  local target = request.target("/a%2Fb/c%20d?x=1&x=2&y=a+b%26&z&=q")
  t.eq(target.segments, { "a/b", "c d" })
  t.eq(target.query.x, { "1", "2" })
  t.eq(request.text(target.query, "y"), "a b&")
  t.eq(request.text(target.query, "z"), nil)
  t.eq(request.target("/").segments, { "" })
  t.eq(request.target("/a?").query, {})
end)

t.test("shapes tell what is wrong and where", function()
  local body = shape.object {
    name = "string!", size = "integer", tags = shape.list "string",
    more = shape.map "integer", inner = shape.object { deep = "boolean" },
    kind = shape.enum { "a", "b" },
    either = shape.any_of { "integer", shape.enum { "x" } },
  }
  local function check(value)
    return shape.check(assert(json.decode(value)), body)
  end
  t.eq(check('{"name":"x","size":1,"tags":[],"more":{},"inner":{},'
    .. '"kind":"a","either":"x"}'), nil)
  t.eq(check('{"name":"x","tags":null,"size":null}'), nil)
  t.eq(check('{"name":null}'), "name is required")
  t.eq(check('{"name":"x","inner":{"deep":1}}'),
    "cannot unmarshal number into field inner.deep of type bool")
  t.eq(check('{"name":"x","inner":{"nope":1}}'),
    'unknown field "inner.nope"')
  t.eq(check('{"name":"x","tags":["a",5]}'),
    "cannot unmarshal number into field tags.1 of type string")
  t.match(check('{"name":"x","more":{"k":"v"}}'), "more.k of type int")
  t.match(check('{"name":"x","kind":"c"}'), "is not one of a, b")
  t.eq(check('{"name":"x","either":"y"}'),
    'invalid either: "y" is not one of x')
  t.eq(check('{"name":"x","either":5}'), nil)
  t.match(check('{"name":"x","either":{}}'), "cannot unmarshal .*either")
  t.match(check('{"name":"x","size":1e300}'), "size of type int")
  t.match(check('{"name":"x","size":1.5}'), "size of type int")
  t.match(check("[]"), "cannot unmarshal array into field body")
end)

t.test("images are taken apart", function()
  local function parts(image)
    local ref = images.ref(image)
    return { ref.registry, ref.repository, ref.tag }
  end
  t.eq(parts("registry.fly.io/app:v1"), { "registry.fly.io", "app", "v1" })
  t.eq(parts("localhost:5000/a/b"), { "localhost:5000", "a/b", "latest" })
  t.eq(parts("nginx"), { "docker-hub-mirror.fly.io", "library/nginx", "latest" })
  t.eq(parts("me/app:x"), { "docker-hub-mirror.fly.io", "me/app", "x" })
  t.eq(images.ref("a.b/c@sha256:" .. ("ab"):rep(32)).digest,
    "sha256:" .. ("ab"):rep(32))
  t.eq(tbl.keys(images.BEHAVIORS), { "broken", "crash", "missing", "unhealthy" })
  t.eq(images.behavior("a/b:crash"), "crash")
  t.eq(images.behavior("a/crash:b"), nil)
end)
