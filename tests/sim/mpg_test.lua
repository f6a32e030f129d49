--- Managed Postgres as flyctl calls it, in both generations.

local support = require "sim.support"
local t = require "kit"

local ORG = "/api/v1/organizations/acme"

-- An account and what to send as a macaroon of the organization.
local function setup()
  local sim = support.account()
  local org = sim:graphql('{ organization(slug: "acme") { id } }').organization
  local token = sim:graphql([[mutation ($org: ID!) {
    createLimitedAccessToken(input: { name: "t", organizationId: $org,
      profile: "org" }) { limitedAccessToken { tokenHeader } } }]],
    { org = org.id }).createLimitedAccessToken.limitedAccessToken.tokenHeader
  local as = { authorization = token:gsub("^FlyV1", "Bearer") }
  return setmetatable({ as = as }, { __index = function(_, name)
    return function(_, want, method, path, body)
      return sim[name](sim, want, method, path, body, as)
    end
  end }), sim
end

t.test("it wants the raw slug and a macaroon", function()
  local mpg, sim = setup()
  sim:expect(401, "GET", ORG .. "/postgres")
  mpg:expect(404, "GET", "/api/v1/organizations/personal/postgres")
  mpg:expect(404, "GET", "/api/v1/organizations/sim-user/postgres")
  t.eq(mpg:expect(200, "GET", ORG .. "/postgres").data[1].name, "acme-db")
  t.eq(mpg:expect(200, "GET", ORG .. "/postgresv2").data[1].engine, "postgres")
end)

t.test("a cluster is made, shown with credentials, destroyed", function()
  local mpg, sim = setup()
  local made = mpg:expect(201, "POST", ORG .. "/postgresv2",
    { name = "pg2", region = "iad", plan = "Starter", storage_in_gb = 20 }).data
  t.eq(made.plan, "starter")
  sim:advance(2)
  local got = mpg:expect(200, "GET", "/api/v1/postgresv2/" .. made.id)
  t.eq(got.data.status, "ready")
  t.eq(got.credentials.status, "ready")
  t.eq(mpg:expect(200, "GET", "/api/v1/postgres/" .. made.id).data.version, 2)
  mpg:expect(200, "GET", ORG .. "/postgres/" .. made.id)
  mpg:expect(200, "GET", ORG .. "/postgresv2/" .. made.id)
  t.eq(mpg:expect(200, "DELETE", ORG .. "/postgresv2/" .. made.id), nil)
  sim:advance(1)
  mpg:expect(404, "GET", "/api/v1/postgresv2/" .. made.id)
  t.eq(#mpg:expect(200, "GET", ORG .. "/postgres/deleted").data, 1)
  mpg:expect(422, "POST", ORG .. "/postgresv2",
    { name = "x", region = "cdg", plan = "basic" })
  t.ok(#mpg:expect(200, "GET", ORG .. "/postgresv2/regions").data > 5)
end)

t.test("both generations do the same to a cluster", function()
  for version, base in ipairs { "/api/v1/postgres/", "/api/v1/postgresv2/" } do
    local mpg = setup()
    local one = base .. mpg:expect(200, "GET", ORG .. "/postgres").data[1].id
    mpg:expect(201, "POST", one .. "/attachments", { app_name = "acme-api" })
    t.eq(#mpg:expect(200, "GET", one).data.attached_apps, 1)
    mpg:expect(200, "DELETE", one .. "/attachments/acme-api")
    mpg:expect(404, "DELETE", one .. "/attachments/acme-api")
    mpg:expect(201, "POST", one .. "/backups", { type = "full" })
    local backup = mpg:expect(200, "GET", one .. "/backups").data[1]
    mpg:expect(201, "POST", one .. "/restore",
      { backup_id = backup.id, name = "back" })
    mpg:expect(404, "POST", one .. "/restore", { backup_id = "none" })
    mpg:expect(422, "POST", one .. "/restore",
      { backup_id = backup.id, name = "no name" })
    mpg:expect(201, "POST", one .. "/databases", { name = "shop" })
    t.eq(#mpg:expect(200, "GET", one .. "/databases").data, 2)
    local extensions = one .. "/databases/shop/extensions"
    mpg:expect(201, "POST", extensions,
      { name = "vector", create_schema_if_needed = true })
    t.eq(mpg:expect(200, "GET", extensions).data[4].installed.schema, "public")
    mpg:expect(200, "DELETE", extensions .. "/vector")
    mpg:expect(201, "POST", one .. "/users",
      version == 1 and { user_name = "app", role = "writer" }
        or { username = "app", role = "writer" })
    mpg:expect(200, "PATCH", one .. "/users/app", { role = "reader" })
    t.eq(mpg:expect(200, "GET", one .. "/users").data[2].role, "reader")
    t.ok(mpg:expect(200, "GET", one .. "/users/app/credentials").data.password)
    mpg:expect(200, "DELETE", one .. "/users/app")
    mpg:expect(404, "GET", one .. "/users/app/credentials")
  end
end)

t.test("the older form of a user names a database", function()
  local mpg = setup()
  local one = "/api/v1/postgres/"
    .. mpg:expect(200, "GET", ORG .. "/postgres").data[1].id
  mpg:expect(201, "POST", one .. "/users",
    { user_name = "app", db_name = "fly-db" })
  mpg:expect(400, "POST", one .. "/users", { user_name = "app" })
end)

t.test("a builder is made in a region that exists", function()
  local mpg = setup()
  t.match(mpg:expect(201, "POST", ORG .. "/builders",
    { builder = { region = "iad" } }).data.machine_id, "^%x+$")
  mpg:expect(404, "POST", ORG .. "/builders", { builder = { region = "xyz" } })
end)
