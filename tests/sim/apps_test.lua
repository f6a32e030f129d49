--- Apps: list, show, create, destroy.

local support = require "sim.support"
local t = require "kit"
local tbl = require "base.tbl"

local function names(list)
  return tbl.map(list.apps, function(app)
    return app.name
  end)
end

t.test("a list needs an organization the caller sees", function()
  local sim = support.account()
  t.match(sim:refused(400, "GET", "/v1/apps"), "org_slug is required")
  sim:refused(403, "GET", "/v1/apps?org_slug=nobody")
  t.eq(names(sim:get("/v1/apps?org_slug=personal")), { "my-app" })
  t.eq(names(sim:get("/v1/apps?org_slug=sim-user")), { "my-app" })
  t.eq(names(sim:get("/v1/apps?org_slug=acme")), { "acme-api", "acme-staging" })
end)

t.test("an app shows its organization, counts and status", function()
  local sim = support.account()
  local app = sim:get("/v1/apps/my-app")
  t.eq(app.organization.slug, "personal")
  t.eq(app.machine_count, 3)
  t.eq(app.volume_count, 2)
  t.eq(app.status, "deployed")
  t.eq(sim:get("/v1/apps/acme-staging").status, "suspended")
end)

t.test("a new app is pending until it has something", function()
  local sim = support.account()
  local made = sim:expect(201, "POST", "/v1/apps",
    { name = "fresh", org_slug = "personal" })
  t.match(made.id, "^%w+$")
  t.eq(made.created_at, support.EPOCH * 1000)
  t.eq(sim:get("/v1/apps/fresh").status, "pending")
  t.eq(sim:get("/v1/apps/fresh/machines"), {})
  sim:expect(201, "POST", "/v1/apps", { app_name = "older", org_slug = "acme" })
  t.eq(#sim:get("/v1/apps?org_slug=acme").apps, 3)
end)

t.test("an app without a name gets one", function()
  local sim = support.account("empty")
  sim:expect(201, "POST", "/v1/apps", { org_slug = "personal" })
  t.match(names(sim:get("/v1/apps?org_slug=personal"))[1], "^%l+%-%l+%-%d+$")
end)

t.test("names are unique everywhere, and well formed", function()
  local sim = support.account()
  local function taken(name)
    return sim:expect(422, "POST", "/v1/apps",
      { name = name, org_slug = "personal" })
  end
  t.eq(taken("my-app").status, "name_taken")
  t.eq(taken("acme-api").status, "name_taken")
  t.eq(taken("taken").status, "name_taken")
  for _, bad in ipairs { "Caps", "under_score", "-dash", "a b", ("x"):rep(64) } do
    t.match(taken(bad).error, "numbers, lowercase letters, and dashes")
  end
end)

t.test("an idempotency key gives the same app again", function()
  local sim = support.account()
  local body = {
    name = "once", org_slug = "personal", idempotency_key = "key-1",
  }
  local first = sim:expect(201, "POST", "/v1/apps", body)
  sim:advance(5)
  t.eq(sim:expect(201, "POST", "/v1/apps", body), first)
  body.idempotency_key = "key-2"
  sim:refused(422, "POST", "/v1/apps", body)
end)

t.test("a destroyed app goes with all it has, a moment later", function()
  local sim = support.account()
  t.eq(sim:expect(202, "DELETE", "/v1/apps/my-app"), nil)
  sim:get("/v1/apps/my-app")
  sim:refused(404, "POST", "/v1/apps/my-app/machines",
    { config = { image = "example.com/a" } })
  sim:advance(1)
  sim:refused(404, "GET", "/v1/apps/my-app")
  t.eq(#sim:get("/v1/orgs/personal/machines").machines, 0)
  t.eq(#sim:get("/v1/orgs/personal/volumes").volumes, 0)
  sim:expect(201, "POST", "/v1/apps",
    { name = "my-app", org_slug = "personal" })
  t.eq(sim:get("/v1/apps/my-app/certificates").total_count, 0)
end)

t.test("at most a hundred apps a minute can be destroyed", function()
  local sim = support.account("bench", { limits = true })
  for i = 1, 100 do
    sim:expect(202, "DELETE", ("/v1/apps/bench-%03d"):format(i))
    if i % 3 == 0 then
      sim:advance(0.01)
    end
  end
  sim:expect(201, "POST", "/v1/apps", { name = "more", org_slug = "bench" })
  sim:refused(429, "DELETE", "/v1/apps/more")
end)

t.test("the list pages with a cursor that lives half an hour", function()
  local sim = support.account()
  local one = sim:get("/v1/apps?org_slug=acme&limit=1")
  t.eq(names(one), { "acme-api" })
  t.eq(one.total_apps, 2)
  local path = "/v1/apps?org_slug=acme&limit=1&cursor=" .. one.next_cursor
  local two = sim:get(path)
  t.eq(names(two), { "acme-staging" })
  t.eq(two.next_cursor, nil)
  sim:advance(1801)
  t.match(sim:refused(400, "GET", path), "expired")
end)

t.test("what is kept as text is never out of date", function()
  local apps = require "sim.apps"
  local ids = require "sim.ids"
  local json = require "base.json"
  local views = require "sim.machine.view"
  local sim, dice = support.account(), ids.new(3)
  local path = "/v1/apps/my-app/machines"
  for _ = 1, 200 do
    local machine = dice:pick(sim:get(path))
    sim:call("POST", path .. "/" .. machine.id .. "/"
      .. dice:pick { "start", "stop", "suspend", "restart", "cordon" })
    if dice:between(1, 8) == 1 then
      sim:call("POST", path, { config = { image = "example.com/a" } })
      sim:call("POST", "/v1/apps/my-app/volumes", { name = "v", region = "iad" })
    end
    sim:advance(dice:between(0, 3) / 4)
    local world = sim.world
    local app = world:get("app", "my-app")
    t.eq(sim:get("/v1/apps/my-app"),
      json.decode(json.encode(apps.view(world, app))))
    for _, one in ipairs(world:list("machine", "my-app")) do
      t.eq(views.text(world, one), json.encode(views.machine(one)))
    end
  end
end)

t.test("app_role narrows the list", function()
  local sim = support.account({
    orgs = { { slug = "personal", type = "PERSONAL",
      members = { { user = "user_sim" } } } },
    apps = {
      { name = "web", org = "personal" },
      { name = "pg", org = "personal", role = "postgres_cluster" },
    },
  })
  local got = sim:get("/v1/apps?org_slug=personal&app_role=postgres_cluster")
  t.eq(names(got), { "pg" })
  t.eq(got.apps[1].app_role, "postgres_cluster")
end)
