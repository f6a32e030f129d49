--- What mutations change, and what they refuse.

local support = require "sim.support"
local t = require "kit"
local tbl = require "base.tbl"

-- Runs a mutation with one input: its payload, or its one error's message.
local function mutate(sim, name, input, selection)
  local kind = name:sub(1, 1):upper() .. name:sub(2)
  kind = kind:gsub("IpAddress", "IPAddress")
  local data, errors = sim:graphql(("mutation ($i: %sInput!) { "
    .. "%s(input: $i) { clientMutationId %s } }"):format(
    kind, name, selection or ""), { i = input })
  if errors then
    t.eq(#errors, 1)
    return nil, errors[1].message
  end
  return data[name]
end

local function refused(sim, pattern, name, input)
  local got, message = mutate(sim, name, input)
  t.eq(got, nil)
  t.match(message, pattern)
end

t.test("an add-on is made, found and deleted", function()
  local sim = support.account()
  local made = mutate(sim, "createAddOn", {
    type = "upstash_redis", organizationId = "acme", name = "cache-2",
    primaryRegion = "fra", planId = "plan_redis_payg", readRegions = { "iad" },
    clientMutationId = "m1",
  }, "addOn { id status primaryRegion readRegions publicUrl environment }")
  t.eq(made.clientMutationId, "m1")
  t.eq(made.addOn.primaryRegion, "fra")
  t.eq(made.addOn.readRegions, { "iad" })
  t.eq(made.addOn.status, "creating")
  sim:advance(1)
  local found = sim:graphql('{ addOn(name: "cache-2", provider: '
    .. '"upstash_redis") { status addOnPlan { displayName } } }').addOn
  t.eq(found, { status = "ready", addOnPlan = { displayName = "Pay-as-you-go" } })
  mutate(sim, "updateAddOn", { addOnId = made.addOn.id,
    planId = "plan_redis_1g" })
  t.eq(mutate(sim, "deleteAddOn", { name = "cache-2",
    provider = "upstash_redis" }, "deletedAddOnName").deletedAddOnName, "cache-2")
  refused(sim, "Could not find", "deleteAddOn", { name = "cache-2" })
end)

t.test("an add-on's organization, plan, region and name are checked", function()
  local sim = support.account()
  local function input(more)
    return tbl.merge({ type = "upstash_redis", organizationId = "acme",
      name = "x", primaryRegion = "iad" }, more)
  end
  refused(sim, "Could not find Organization", "createAddOn",
    input({ organizationId = "nobody" }))
  refused(sim, "Could not find plan", "createAddOn", input({ planId = "p" }))
  refused(sim, "not a region", "createAddOn", input({ primaryRegion = "xyz" }))
  refused(sim, "already been taken", "createAddOn",
    input({ name = "acme-cache" }))
  refused(sim, "primaryRegion is required", "createAddOn",
    { type = "upstash_redis", organizationId = "acme" })
  mutate(sim, "createAddOn", { type = "tigris", organizationId = "acme",
    name = "acme-cache" })
end)

t.test("terms are agreed to once, and not with other tokens", function()
  local sim = support.account()
  local query = '{ viewer { ... on User { agreedToProviderTos('
    .. 'providerName: "tigris") } } }'
  t.eq(sim:graphql(query).viewer.agreedToProviderTos, false)
  mutate(sim, "createExtensionTosAgreement", { addOnProviderName = "tigris" })
  t.eq(sim:graphql(query).viewer.agreedToProviderTos, true)
  local token = sim:expect(200, "POST", "/v1/apps/my-app/deploy_token").token
  local _, errors = sim:graphql([[mutation { createExtensionTosAgreement(
    input: { addOnProviderName: "tigris" }) { clientMutationId } }]], nil,
    { authorization = token })
  t.match(errors[1].message, "createextensiontosagreement")
end)

t.test("peers are added and removed", function()
  local sim = support.account()
  local input = { organizationId = "personal", name = "p2", region = "fra",
    pubkey = "c2ltdWxhdG9yLXBlZXItcHVibGljLWtleS0tLS0tLTE=" }
  local made = mutate(sim, "addWireGuardPeer", input,
    "peerip endpointip pubkey network")
  t.match(made.peerip, "^fdaa:")
  t.match(made.endpointip, "^fra1%.gateway%.example%.com$")
  t.eq(#made.pubkey, 44)
  refused(sim, "already been taken", "addWireGuardPeer", input)
  refused(sim, "public key", "addWireGuardPeer",
    tbl.merge(input, { name = "p3", pubkey = "short" }))
  refused(sim, "no gateway", "addWireGuardPeer",
    tbl.merge(input, { name = "p3", region = "arn" }))
  local peers = sim:graphql('{ organization(slug: "personal") { '
    .. "wireGuardPeers { nodes { name region } } } }")
    .organization.wireGuardPeers.nodes
  t.eq(peers[2], { name = "p2", region = "fra" })
  mutate(sim, "removeWireGuardPeer", { organizationId = "personal", name = "p2" })
  refused(sim, "Could not find WireGuardPeer", "removeWireGuardPeer",
    { organizationId = "personal", name = "p2" })
end)

t.test("addresses are allocated and released", function()
  local sim = support.account()
  local made = mutate(sim, "allocateIpAddress", { appId = "my-app", type = "v4" },
    "ipAddress { id address type } app { sharedIpAddress }")
  t.eq(made.ipAddress.type, "v4")
  t.eq(made.app.sharedIpAddress, "198.18.0.1")
  mutate(sim, "releaseIpAddress", { ipAddressId = made.ipAddress.id })
  refused(sim, "Could not find IPAddress", "releaseIpAddress",
    { appId = "my-app", ip = made.ipAddress.address })
  refused(sim, "Could not find IPAddress", "releaseIpAddress",
    { appId = "acme-api", ip = "2001:db8:1::1:1" })
  refused(sim, "Could not find App", "releaseIpAddress",
    { appId = "taken", ip = "2001:db8:1::1:1" })
end)

t.test("tokens need a profile and an app where one belongs", function()
  local sim = support.account()
  local function input(more)
    return tbl.merge({ name = "t", organizationId = "personal",
      profile = "deploy", profileParams = { app_id = "my-app" } }, more)
  end
  local token = mutate(sim, "createLimitedAccessToken", input({}),
    "limitedAccessToken { tokenHeader profile }").limitedAccessToken
  sim:get("/v1/apps/my-app", { authorization = token.tokenHeader })
  refused(sim, "Profile is invalid", "createLimitedAccessToken",
    input({ profile = "root" }))
  refused(sim, "Could not find App", "createLimitedAccessToken",
    input({ profileParams = { app_id = "none" } }))
  refused(sim, "needs an app_id", "createLimitedAccessToken",
    input({ profileParams = {} }))
  refused(sim, "invalid expiry", "createLimitedAccessToken",
    input({ expiry = "soon" }))
end)

t.test("apps, secrets and certificates can be written here too", function()
  local sim = support.account()
  mutate(sim, "createApp", { organizationId = "personal", name = "new-app" })
  refused(sim, "already been taken", "createApp",
    { organizationId = "personal", name = "new-app" })
  mutate(sim, "setSecrets", { appId = "new-app",
    secrets = { { key = "A", value = "1" }, { key = "B", value = "2" } } })
  mutate(sim, "unsetSecrets", { appId = "new-app", keys = { "A" } })
  local names = sim:get("/v1/apps/new-app/secrets").secrets
  t.eq(#names, 1)
  local data = sim:graphql([[mutation { addCertificate(appId: "new-app",
    hostname: "n.example.com") { certificate { hostname isConfigured } } }]])
  t.eq(data.addCertificate.certificate,
    { hostname = "n.example.com", isConfigured = false })
  sim:graphql([[mutation { deleteCertificate(appId: "new-app",
    hostname: "n.example.com") { app { id } } }]])
  sim:graphql('mutation { deleteApp(appId: "new-app") { organization { id } } }')
  sim:advance(1)
  sim:refused(404, "GET", "/v1/apps/new-app")
end)

t.test("releases can be written here too", function()
  local sim = support.account()
  local made = mutate(sim, "createRelease", {
    appId = "my-app", definition = {}, image = "registry.example.com/a:1",
    platformVersion = "machines", strategy = "ROLLING",
  }, "release { id version status inProgress }").release
  t.eq(made.version, 4)
  t.eq(made.inProgress, true)
  local done = mutate(sim, "updateRelease", { releaseId = made.id,
    status = "complete" }, "release { status stable }").release
  t.eq(done, { status = "complete", stable = true })
end)

t.test("restartApp restarts what runs", function()
  local sim = support.account()
  mutate(sim, "restartApp", { appId = "my-app" }, "app { name }")
  t.eq(#sim:get("/v1/apps/my-app/machines?state=restarting"), 2)
end)

t.test("several mutations run in order", function()
  local sim = support.account()
  local data = sim:graphql([[mutation {
    a: createApp(input: { organizationId: "personal", name: "one" }) {
      app { name } }
    b: deleteApp(appId: "one") { organization { slug } } }]])
  t.eq(data.a.app.name, "one")
  t.eq(data.b.organization.slug, "personal")
end)
