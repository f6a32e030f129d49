--- Which calls share a bucket, and that keys name nothing secret.

local limits = require "fly.limits"
local t = require "kit"

local BASE, PRINT = "https://api.machines.dev", "f00d"
local LIST = "GET /v1/apps/{app}/machines"

local function key(class, action, args, base, print)
  return limits.bucket(class, action, args, base or BASE, print or PRINT).key
end

t.test("plain actions run at 1/s with burst 3, Get Machine at 5/s with burst 10", function()
  for _, class in ipairs { "app", "machine", "caller" } do
    local bucket = limits.bucket(class, LIST, { app = "a", id = "m" }, BASE, PRINT)
    t.eq(bucket.burst, 3)
    t.eq(bucket.rate, 1)
  end
  local get = limits.bucket("machine_get", "GET …", { app = "a", id = "m" }, BASE, PRINT)
  t.eq(get.burst, 10)
  t.eq(get.rate, 5)
end)

t.test("calls without a published limit have no bucket", function()
  t.eq(limits.bucket("none", LIST, {}, BASE, PRINT), nil)
  t.eq(limits.bucket(nil, LIST, {}, BASE, PRINT), nil)
end)

t.test("apps, machines, actions, hosts and tokens have buckets of their own", function()
  local a = key("app", LIST, { app = "a" })
  t.eq(key("app", LIST, { app = "a", id = "m9" }), a, "an app's action ignores the machine")
  t.ok(key("app", LIST, { app = "b" }) ~= a)
  t.ok(key("app", "POST /v1/apps/{app}/machines", { app = "a" }) ~= a)
  t.ok(key("app", LIST, { app = "a" }, "http://127.0.0.1:1") ~= a)
  t.ok(key("app", LIST, { app = "a" }, BASE, "beef") ~= a)
  local m = key("machine", LIST, { app = "a", id = "m1" })
  t.ok(key("machine", LIST, { app = "a", id = "m2" }) ~= m)
  t.eq(key("caller", LIST, { app = "a" }), key("caller", LIST, { app = "b" }))
end)

t.test("names cannot be mixed up by what they contain", function()
  t.ok(key("app", LIST, { app = "a\0x" }) ~= key("app", LIST, { app = "a" }))
end)

t.test("the limiter is asked with the bucket's figures, and not at all without one", function()
  local asked = {}
  local limiter = {
    delay = function() return 0 end,
    acquire = function(_, k, rate, burst) asked[#asked + 1] = { k, rate, burst } end,
    penalize = function(_, k, seconds) asked[#asked + 1] = { k, seconds } end,
  }
  local bucket = limits.bucket("app", LIST, { app = "a" }, BASE, PRINT)
  limits.acquire(limiter, bucket)
  limits.penalize(limiter, bucket, 2)
  limits.acquire(limiter, nil)
  limits.penalize(limiter, nil, 2)
  t.eq(asked, { { bucket.key, bucket.rate, 3 }, { bucket.key, 2 } })
end)
