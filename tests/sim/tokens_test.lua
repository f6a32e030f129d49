--- Tokens: what each kind may see and do.

local support = require "sim.support"
local t = require "kit"

local function bearer(token)
  return { authorization = token:find("^FlyV1") and token or "Bearer " .. token }
end

t.test("a deploy token works for its app and nothing else", function()
  local sim = support.account()
  local token = sim:expect(200, "POST", "/v1/apps/my-app/deploy_token",
    { expiry = "1h" }).token
  t.match(token, "^FlyV1 fm2_%w+,fm2_%w+$")
  local as = bearer(token)
  sim:get("/v1/apps/my-app", as)
  sim:get("/v1/apps/my-app/machines", as)
  sim:expect(403, "GET", "/v1/apps/acme-api", nil, as)
  sim:expect(403, "GET", "/v1/apps?org_slug=personal", nil, as)
  sim:expect(403, "POST", "/v1/apps", { name = "x", org_slug = "sim-user" }, as)
  sim:expect(403, "POST", "/v1/apps/my-app/deploy_token", {}, as)
  local seen = sim:get("/v1/tokens/current", as).tokens
  t.eq(seen[1].apps, { "my-app" })
  t.eq(seen[1].org_slug, "personal")
  sim:advance(3601)
  sim:expect(401, "GET", "/v1/apps/my-app", nil, as)
end)

t.test("an expiry is a duration", function()
  local sim = support.account()
  local path = "/v1/apps/my-app/deploy_token"
  sim:refused(400, "POST", path, { expiry = "tomorrow" })
  sim:expect(200, "POST", path)
  sim:expect(200, "POST", path, { expiry = "175200h0m0s" })
end)

t.test("a readonly token reads", function()
  local sim = support.account()
  local token
  for _, one in ipairs(sim.world:list("token")) do
    token = one.is_readonly and one.secret or token
  end
  local as = bearer(token)
  sim:get("/v1/apps?org_slug=acme", as)
  sim:get("/v1/apps/acme-api/machines", as)
  sim:expect(403, "DELETE", "/v1/apps/acme-api", nil, as)
  local machine = sim:machine("acme-api")
  sim:expect(403, "POST",
    "/v1/apps/acme-api/machines/" .. machine.id .. "/stop", nil, as)
  sim:expect(200, "POST", "/v1/platform/placements", { org_slug = "acme" }, as)
  local _, errors = sim:graphql([[mutation { restartApp(input: {
    appId: "acme-api" }) { clientMutationId } }]], nil, as)
  t.match(errors[1].message, "not authorized")
end)

t.test("a minted token is shown once, works, and can be revoked", function()
  local sim = support.account()
  local org = sim:graphql('{ organization(slug: "acme") { id } }').organization
  local made = sim:graphql([[mutation ($org: ID!) {
    createLimitedAccessToken(input: { name: "ci", organizationId: $org,
      profile: "deploy_organization", expiry: "24h" }) {
      limitedAccessToken { id tokenHeader }
    } }]], { org = org.id }).createLimitedAccessToken.limitedAccessToken
  local as = bearer(made.tokenHeader)
  sim:get("/v1/apps?org_slug=acme", as)
  sim:expect(403, "GET", "/v1/apps/my-app", nil, as)
  local listed = sim:graphql([[{ organization(slug: "acme") {
    limitedAccessTokens { nodes { id name tokenHeader token } } } }]])
    .organization.limitedAccessTokens.nodes
  for _, one in ipairs(listed) do
    t.eq(one.token, "")
    t.ok(one.tokenHeader ~= made.tokenHeader)
  end
  sim:graphql([[mutation ($id: ID!) { deleteLimitedAccessToken(
    input: { id: $id }) { clientMutationId } }]], { id = made.id })
  sim:expect(401, "GET", "/v1/apps?org_slug=acme", nil, as)
end)

t.test("the viewer of a macaroon is one", function()
  local sim = support.account()
  local token = sim:expect(200, "POST", "/v1/apps/my-app/deploy_token").token
  local data = sim:graphql("{ viewer { __typename email name } }", nil,
    bearer(token))
  t.eq(data.viewer.__typename, "Macaroon")
  t.match(data.viewer.email, "@tokens%.fly%.io$")
end)

t.test("a lease names the token that took it", function()
  local sim = support.account()
  local token = sim:expect(200, "POST", "/v1/apps/my-app/deploy_token").token
  local id = sim:machine("my-app", "started").id
  local got = sim:expect(201, "POST",
    "/v1/apps/my-app/machines/" .. id .. "/lease", nil, bearer(token))
  t.match(got.data.owner, "@tokens%.fly%.io$")
end)

t.test("other services can have tokens verified", function()
  local sim = support.account()
  t.eq(#sim:expect(200, "POST", "/v1/tokens/authenticate",
    { header = "Bearer " .. sim.token }), 1)
  sim:expect(401, "POST", "/v1/tokens/authenticate", { header = "fo1_no" })
  sim:expect(200, "POST", "/v1/tokens/authorize",
    { header = sim.token, access = { app_name = "my-app", action = 1 } })
  sim:expect(401, "POST", "/v1/tokens/authorize",
    { header = sim.token, access = { app_name = "taken" } })
  sim:expect(403, "POST", "/v1/tokens/oidc", { aud = "x" })
  sim:expect(403, "POST", "/v1/tokens/kms")
end)

t.test("regions and placements", function()
  local sim = support.account()
  local got = sim:get("/v1/platform/regions")
  t.eq(got.nearest, "iad")
  t.ok(#got.regions > 15)
  local function place(body)
    body.org_slug = "personal"
    return sim:call("POST", "/v1/platform/placements", body)
  end
  local _, some = place({ region = "iad,gru,fra", count = 3 })
  t.eq(#some.regions, 2)
  t.eq(some.regions[1], { region = "iad", count = 3, concurrency = 1 })
  local _, all = place({})
  t.ok(#all.regions > 10)
  t.eq(place({ region = "xyz" }), 400)
  t.eq(place({ compute = { cpus = 3 } }), 400)
  sim:refused(403, "POST", "/v1/platform/placements", { org_slug = "none" })
end)
