--- Managed Postgres.

local support = require "sim.support"
local t = require "kit"
local tbl = require "base.tbl"

local ALL = "/v1/postgres"

local function ready(sim)
  return ALL .. "/" .. sim:get(ALL .. "?org_slug=acme").data[1].id
end

t.test("clusters are listed by organization", function()
  local sim = support.account()
  t.match(sim:refused(400, "GET", ALL), "org_slug")
  sim:refused(404, "GET", ALL .. "?org_slug=nobody")
  t.eq(sim:get(ALL .. "?org_slug=personal").data, {})
  local list = sim:get(ALL .. "?org_slug=acme").data
  t.eq(list[1].name, "acme-db")
  local one = sim:get(ready(sim)).data
  t.eq(one.plan, "basic")
  t.eq(one.memory_mb, 1024)
  t.eq(one.organization.slug, "acme")
  sim:refused(404, "GET", ALL .. "/none")
end)

t.test("a new cluster becomes ready, a destroyed one is gone", function()
  local sim = support.account()
  local made = sim:expect(201, "POST", ALL, {
    name = "pg1", org_slug = "acme", region = "iad", plan = "performance",
    disk_size_gb = 20,
  }).data
  t.eq(made.status, "creating")
  t.eq(made.plan, "Performance")
  local path = ALL .. "/" .. made.id
  t.eq(sim:expect(503, "GET", path .. "/users").error,
    "the cluster's admin service is not available")
  sim:advance(2)
  t.eq(sim:get(path).data.status, "ready")
  t.eq(sim:expect(202, "DELETE", path), nil)
  sim:refused(410, "DELETE", path)
  sim:advance(1)
  t.eq(#sim:get(ALL .. "?org_slug=acme").data, 1)
  t.eq(#sim:get(ALL .. "?org_slug=acme&include_deleted=true").data, 2)
end)

t.test("region, plan and size are checked", function()
  local sim = support.account()
  local function refuse(status, more)
    return sim:refused(status, "POST", ALL, tbl.merge(
      { org_slug = "acme", region = "iad", plan = "basic" }, more))
  end
  t.match(refuse(422, { region = "cdg" }), "not available")
  t.match(refuse(422, { region = "xyz" }), "not available")
  t.match(refuse(422, { disk_size_gb = 5 }), "10 to 1000")
  t.match(refuse(400, { plan = "huge" }), "huge")
  t.match(refuse(404, { org_slug = "nobody" }), "not found")
end)

t.test("backups are made and restored, clusters forked", function()
  local sim = support.account()
  local path = ready(sim)
  t.eq(sim:get(path .. "/backups").data, {})
  sim:expect(202, "POST", path .. "/backups", { type = "full" })
  sim:refused(400, "POST", path .. "/backups", { type = "half" })
  local backup = sim:get(path .. "/backups").data[1]
  t.eq(backup.type, "full")
  t.eq(sim:expect(201, "POST", path .. "/restore",
    { backup_id = backup.id, name = "back" }).data.name, "back")
  sim:expect(201, "POST", path .. "/restore",
    { pitr_time = "2026-02-10T00:00:00Z" })
  sim:refused(422, "POST", path .. "/restore", {})
  sim:refused(422, "POST", path .. "/restore", { pitr_time = "then" })
  sim:refused(404, "POST", path .. "/restore", { backup_id = "none" })
  t.match(sim:refused(422, "POST", path .. "/restore",
    { backup_id = backup.id, name = "no name" }), "name is invalid")
  t.match(sim:refused(422, "POST", path .. "/fork", { name = "no name" }),
    "name is invalid")
  t.eq(sim:expect(201, "POST", path .. "/fork").data.plan, "basic")
  t.eq(#sim:get(ALL .. "?org_slug=acme").data, 4)
end)

t.test("apps are attached and detached", function()
  local sim = support.account()
  local path = ready(sim) .. "/attachments"
  sim:expect(201, "POST", path, { app_name = "acme-api" })
  sim:expect(200, "POST", path, { app_name = "acme-api" })
  sim:refused(404, "POST", path, { app_name = "none" })
  t.eq(sim:get(ready(sim)).data.attached_apps, { { name = "acme-api" } })
  sim:expect(204, "DELETE", path .. "/acme-api")
  sim:refused(404, "DELETE", path .. "/acme-api")
end)

t.test("users have roles and passwords", function()
  local sim = support.account()
  local path = ready(sim) .. "/users"
  sim:expect(201, "POST", path, { username = "app", role = "writer" })
  sim:refused(409, "POST", path, { username = "app", role = "writer" })
  sim:refused(422, "POST", path, { username = "a b", role = "writer" })
  sim:expect(204, "PATCH", path .. "/app", { role = "reader" })
  t.eq(sim:get(path).data[2], { username = "app", role = "reader" })
  local first = sim:get(path .. "/app/credentials").data.password
  local second = sim:expect(200, "POST", path .. "/app/rotate_password")
    .data.password
  t.ok(first ~= second)
  sim:expect(204, "DELETE", path .. "/app")
  sim:refused(404, "DELETE", path .. "/app")
end)

t.test("databases have extensions", function()
  local sim = support.account()
  local path = ready(sim) .. "/databases"
  sim:expect(201, "POST", path, { name = "shop" })
  sim:refused(422, "POST", path, { name = "shop" })
  sim:refused(422, "POST", path, { name = "a b" })
  t.eq(tbl.map(sim:get(path).data, function(one)
    return one.name
  end), { "fly-db", "shop" })
  local extensions = path .. "/shop/extensions"
  sim:expect(204, "POST", extensions, { name = "vector" })
  sim:refused(409, "POST", extensions, { name = "vector" })
  sim:refused(422, "POST", extensions, { name = "none" })
  t.eq(sim:get(extensions).data[4].installed.schema, "public")
  sim:expect(204, "DELETE", extensions .. "/vector")
  sim:refused(404, "DELETE", extensions .. "/vector")
  sim:expect(200, "DELETE", path .. "/shop")
  sim:refused(404, "GET", extensions)
  t.eq(sim:get(ready(sim) .. "/queries/active").data, {})
  t.eq(sim:get(ready(sim) .. "/queries/slow?range=1h").data, {})
end)
