--- What every request goes through: routes, tokens, bodies, limits.

local support = require "sim.support"
local t = require "kit"

t.test("replies are held against the API's document", function()
  if not support.has_document then
    t.skip("no machines-openapi.json beside the repository")
  end
end)

t.test("an unknown path is 404, another method 405, both with an error", function()
  local sim = support.account()
  t.match(sim:refused(404, "GET", "/v1/nothing"), "not found")
  t.match(sim:refused(404, "GET", "/"), "not found")
  t.match(sim:refused(404, "GET", "/v1/apps/"), "not found")
  t.match(sim:refused(405, "PATCH", "/v1/apps"), "not allowed")
end)

t.test("a missing, wrong or badly formed token is 401", function()
  local sim = support.account()
  for _, header in ipairs {
    "", "Bearer", "Bearer ", "Bearer fo1_wrong", "Basic " .. sim.token,
    sim.token, "Bearer " .. sim.token .. "x",
  } do
    sim:refused(401, "GET", "/v1/apps?org_slug=personal", nil,
      { authorization = header })
  end
end)

t.test("a token is found in any scheme, case and list", function()
  local sim = support.account()
  for _, header in ipairs {
    "Bearer " .. sim.token, "bearer  " .. sim.token,
    "FlyV1 " .. sim.token, "FlyV1 fm2_other," .. sim.token,
  } do
    sim:expect(200, "GET", "/v1/apps?org_slug=personal", nil,
      { authorization = header })
  end
end)

t.test("an app of others is 403, a free name 404", function()
  local sim = support.account()
  sim:refused(403, "GET", "/v1/apps/taken")
  t.match(sim:refused(404, "GET", "/v1/apps/free-name"), "Could not find App")
  sim:refused(403, "GET", "/v1/apps/taken/machines")
  sim:refused(404, "GET", "/v1/apps/free-name/machines")
end)

t.test("names with slashes, dots, spaces and emoji stay one segment", function()
  local sim = support.account()
  for _, name in ipairs { "a%2Fb", "%2E%2E", "a%20b", "%F0%9F%98%80", "a+b" } do
    sim:refused(404, "GET", "/v1/apps/" .. name)
  end
  t.match(sim:refused(404, "GET", "/v1/apps/a%2Fmachines"), "a/machines")
end)

t.test("a body is closed, typed and required", function()
  local sim = support.account()
  local path = "/v1/apps/my-app/volumes"
  t.match(sim:refused(400, "POST", path, { name = "a", region = "iad", x = 1 }),
    'unknown field "x"')
  t.match(sim:refused(400, "POST", path, { name = 5, region = "iad" }),
    "cannot unmarshal")
  t.match(sim:refused(400, "POST", path, { region = "iad" }), "name is required")
  t.match(sim:refused(400, "POST", path, "{not json"), "invalid JSON")
  t.match(sim:refused(400, "POST", path, "[]"), "cannot unmarshal array")
  t.match(sim:refused(400, "POST", path, "null"), "required")
  t.match(sim:refused(400, "POST", path), "required")
  t.match(sim:refused(400, "POST", "/v1/apps/my-app/machines", {
    config = { image = "a", guest = { cpus = 1, colour = "red" } },
  }), 'unknown field "config.guest.colour"')
end)

t.test("what is echoed is UTF-8, whatever came", function()
  local sim = support.account()
  t.match(sim:refused(404, "GET", "/v1/apps/%ff%C3x"), '"\u{FFFD}\u{FFFD}x"')
  t.match(sim:refused(400, "GET", "/v1/apps/my-app/machines?limit=%ff"),
    '"\u{FFFD}"')
  local path = "/v1/apps/my-app/machines/1234abcd/lease"
  local lease = sim:expect(201, "POST", path, '{"description":"a\xFFb"}').data
  t.eq(lease.description, "a\u{FFFD}b")
  t.eq(sim:get(path).data.description, "a\u{FFFD}b")
end)

t.test("every action has its bucket: one a second, three at once", function()
  local sim = support.account(nil, { limits = true })
  local id = sim.world:list("machine", "my-app")[1].id
  local one = "/v1/apps/my-app/machines/" .. id
  for _ = 1, 3 do
    sim:get("/v1/apps/my-app")
  end
  t.match(sim:refused(429, "GET", "/v1/apps/my-app"), "rate limit")
  sim:get("/v1/apps/acme-api")
  sim:get("/v1/apps/my-app/machines")
  sim:advance(1)
  sim:get("/v1/apps/my-app")
  sim:refused(429, "GET", "/v1/apps/my-app")
  for _ = 1, 10 do
    sim:get(one)
  end
  sim:refused(429, "GET", one)
  sim:advance(0.2)
  sim:get(one)
  sim:advance(10)
  for _ = 1, 3 do
    sim:get(one .. "/events")
  end
  sim:refused(429, "GET", one .. "/events")
  sim:get(one .. "/versions")
end)

t.test("a steady client at the allowed pace is never refused", function()
  local sim = support.account(nil, { limits = true })
  for _ = 1, 50 do
    sim:get("/v1/platform/regions")
    sim:advance(1)
  end
end)

t.test("GraphQL and the web API are not limited", function()
  local sim = support.account(nil, { limits = true })
  for _ = 1, 30 do
    sim:graphql("{ viewer { email } }")
    sim:get("/api/v1/organizations")
  end
end)

t.test("the same seed gives the same ids", function()
  local one, two = support.account(), support.account()
  t.eq(one.token, two.token)
  t.eq(one:get("/v1/apps/my-app/machines"), two:get("/v1/apps/my-app/machines"))
  one:get("/v1/apps/my-app")
  local body = { name = "same", org_slug = "personal" }
  t.eq(one:expect(201, "POST", "/v1/apps", body),
    two:expect(201, "POST", "/v1/apps", body))
end)

t.test("every reply has a request id of its own", function()
  local sim = support.account()
  local seen = {}
  for _ = 1, 20 do
    local _, headers = sim:get("/v1/apps/my-app")
    local id = headers["fly-request-id"]
    t.match(id, "^%w+%-iad$")
    t.eq(#id, 30)
    t.ok(not seen[id], "the id was used before")
    seen[id] = true
  end
end)

t.test("a lists' query parameters are checked", function()
  local sim = support.account()
  sim:refused(400, "GET", "/v1/apps/my-app/machines?limit=0")
  sim:refused(400, "GET", "/v1/apps/my-app/machines?limit=1001")
  sim:refused(400, "GET", "/v1/apps/my-app/machines?limit=many")
  sim:refused(400, "GET", "/v1/apps/my-app/machines?cursor=nonsense")
  sim:refused(400, "GET", "/v1/apps/my-app/machines?include_deleted=perhaps")
end)
