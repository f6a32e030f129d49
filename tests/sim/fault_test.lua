--- Faults: their grammar, and what they do to a request.

local fault = require "sim.fault"
local support = require "sim.support"
local t = require "kit"

local function wrong(spec, position, pattern)
  local got, message = fault.parse(spec)
  t.eq(got, nil, spec)
  t.match(message, ("^position %d: "):format(position))
  t.match(message, pattern)
end

t.test("a wrong spec names the position", function()
  wrong("", 1, "no rule")
  wrong(" ; ", 1, "no rule")
  wrong("/v1/apps", 1, "colon")
  wrong("apps:503", 1, "neither a path")
  wrong("get /v1:503", 1, "neither a path")
  wrong("*:503; FETCH /v1:503", 8, '"FETCH" is no method')
  wrong("GET /v1/apps:99", 14, "200 to 599")
  wrong("*:503; *:boom", 10, 'unknown action "boom"')
  wrong("*:503*0", 6, "count")
  wrong("*:503*", 6, "count")
  wrong("*:latency=fast", 3, "whole number")
  wrong("*:503,,html", 7, "unknown action")
  wrong("*:", 3, "unknown action")
end)

t.test("a status is answered as often as said, then the truth", function()
  local sim = support.account(nil, { fault = "GET /v1/apps/my-app:503*2" })
  t.match(sim:refused(503, "GET", "/v1/apps/my-app"), "asked for")
  sim:refused(503, "GET", "/v1/apps/my-app")
  sim:get("/v1/apps/my-app")
end)

t.test("a rule keeps to its method and path", function()
  local sim = support.account(nil,
    { fault = "POST /v1/apps/*/machines*/stop:500; /v1/platform/*:429,retry-after=7" })
  sim:get("/v1/apps/my-app")
  local _, headers = sim:expect(429, "GET", "/v1/platform/regions")
  t.eq(headers["retry-after"], "7")
  local other = support.account(nil, { fault = "*:retry-after=9" })
  _, headers = other:expect(200, "GET", "/v1/platform/regions")
  t.eq(headers["retry-after"], "9", "a header of the true reply")
  local machine = sim:machine("my-app", "started")
  sim:expect(500, "POST",
    "/v1/apps/my-app/machines/" .. machine.id .. "/stop")
end)

t.test("bodies of other kinds", function()
  local sim = support.account(nil, { fault = "/v1/apps/my-app:html,502*1; "
    .. "/v1/apps/my-app:empty*1; /v1/apps/my-app:garbage*1; "
    .. "/v1/apps/my-app:text,500*1; /v1/apps/my-app:403=no such luck*1" })
  local status, body, headers = sim:call("GET", "/v1/apps/my-app")
  t.eq(status, 502)
  t.match(body, "<html>")
  t.eq(headers["content-type"], "text/html")
  local _, empty = sim:call("GET", "/v1/apps/my-app")
  t.eq(empty, nil)
  t.match(select(2, sim:call("GET", "/v1/apps/my-app")), "^{")
  t.eq((sim:call("GET", "/v1/apps/my-app")), 500)
  t.eq(sim:refused(403, "GET", "/v1/apps/my-app"), "no such luck")
  sim:get("/v1/apps/my-app")
end)

t.test("latency passes before the reply", function()
  local sim = support.account(nil, { fault = "*:latency=250", latency = 0.1 })
  sim:get("/v1/apps/my-app")
  t.ok(math.abs(sim.time - support.EPOCH - 0.35) < 1e-6, "other latency")
end)

t.test("a connection ends before, inside or after", function()
  local sim = support.account(nil, { fault = "*:reset*1; *:truncate*1; "
    .. "POST /v1/apps:lost*1" })
  local function ending(...)
    return select(4, sim:call(...))
  end
  t.eq(ending("GET", "/v1/apps/my-app"), "reset")
  t.eq(ending("GET", "/v1/apps/my-app"), "truncate")
  t.eq(ending("POST", "/v1/apps", { name = "made", org_slug = "personal" }),
    "reset")
  sim:get("/v1/apps/made")
end)
