--- Secrets, secret keys, IP addresses and certificates of an app.

local json = require "base.json"
local support = require "sim.support"
local t = require "kit"
local tbl = require "base.tbl"

local APP = "/v1/apps/my-app"

local function names(list)
  return tbl.map(list, function(one)
    return one.name
  end)
end

t.test("secrets are listed by name and digest, without values", function()
  local sim = support.account()
  local list = sim:get(APP .. "/secrets").secrets
  t.eq(names(list), { "DATABASE_URL", "OLD_KEY", "SECRET_KEY_BASE" })
  t.match(list[1].digest, "^%x+$")
  t.eq(list[1].value, nil)
  t.eq(sim:get("/v1/apps/acme-staging/secrets").secrets, json.null)
end)

t.test("secrets are set and unset together, byte by byte", function()
  local sim = support.account()
  local value = "a#b\"c'\n\0\1\127\u{1F512} " .. ("x"):rep(70000)
  local got = sim:expect(200, "POST", APP .. "/secrets", {
    values = { NEW = value, DATABASE_URL = json.null, UNKNOWN = json.null },
  })
  t.eq(names(got.secrets), { "NEW" })
  t.eq(got.version, got.Version)
  t.eq(names(sim:get(APP .. "/secrets").secrets), { "NEW", "OLD_KEY", "SECRET_KEY_BASE" })
  local shown = sim:get(APP .. "/secrets/NEW?show_secrets=true")
  t.eq(shown.value, value)
  t.eq(sim:get(APP .. "/secrets/NEW").value, nil)
  sim:refused(400, "POST", APP .. "/secrets", { values = { ["BAD NAME"] = "x" } })
  sim:refused(400, "POST", APP .. "/secrets", { values = { A = 5 } })
  sim:refused(400, "GET", APP .. "/secrets?min_version=999")
end)

t.test("one secret can be set, shown and deleted", function()
  local sim = support.account()
  local before = sim.world:get("app", "my-app").secrets_version
  local got = sim:expect(201, "POST", APP .. "/secrets/ONE", { value = "1" })
  t.eq(got.version, before + 1)
  t.eq(sim:expect(200, "DELETE", APP .. "/secrets/ONE").version, before + 2)
  sim:refused(404, "GET", APP .. "/secrets/ONE")
  sim:refused(404, "DELETE", APP .. "/secrets/ONE")
end)

t.test("equal values have equal digests", function()
  local sim = support.account()
  local got = sim:expect(200, "POST", APP .. "/secrets",
    { values = { A = "same", B = "same", C = "other" } }).secrets
  t.eq(got[1].digest, got[2].digest)
  t.ok(got[1].digest ~= got[3].digest)
end)

t.test("secret keys open what they closed", function()
  local sim = support.account()
  local path = APP .. "/secretkeys"
  t.eq(sim:get(path).secret_keys, json.null)
  sim:expect(201, "POST", path .. "/k1/generate", { type = "SIGNING" })
  sim:expect(201, "POST", path .. "/k2", { type = "SIGNING", value = { 1, 2 } })
  t.eq(names(sim:get(path).secret_keys), { "k1", "k2" })
  t.eq(sim:get(path .. "/k1").type, "SIGNING")
  local closed = sim:expect(200, "POST", path .. "/k1/encrypt",
    { plaintext = "hello" }).ciphertext
  t.eq(sim:expect(200, "POST", path .. "/k1/decrypt", { ciphertext = closed }),
    { plaintext = "hello" })
  sim:refused(400, "POST", path .. "/k2/decrypt", { ciphertext = closed })
  local signature = sim:expect(200, "POST", path .. "/k1/sign",
    { plaintext = "doc" }).signature
  sim:expect(204, "POST", path .. "/k1/verify",
    { plaintext = "doc", signature = signature })
  sim:refused(400, "POST", path .. "/k1/verify",
    { plaintext = "other", signature = signature })
  sim:expect(200, "DELETE", path .. "/k1")
  sim:refused(404, "GET", path .. "/k1")
end)

t.test("addresses of every type are assigned", function()
  local sim = support.account()
  local path = APP .. "/ip_assignments"
  local function assign(kind, more)
    return sim:expect(200, "POST", path, tbl.merge({ type = kind }, more or {}))
  end
  t.match(assign("v4").ip, "^198%.")
  t.match(assign("v6", { region = "iad" }).ip, "^2001:db8:")
  t.match(assign("private_v6", { network = "n1" }).ip, "^fdaa:")
  t.eq(assign("egress_v4").egress, true)
  local pair = assign("egress_pair").ip_pair
  t.ok(pair.v4 and pair.v6)
  local shared = assign("shared_v4")
  t.eq(shared.shared, true)
  t.eq(assign("shared_v4").ip, shared.ip)
  sim:refused(400, "POST", path, { type = "v5" })
  sim:refused(400, "POST", path, { type = "v4", region = "xyz" })
end)

t.test("an address is released by the app that has it", function()
  local sim = support.account()
  local path = APP .. "/ip_assignments"
  t.eq(#sim:get(path).ips, 2)
  local ip = sim:expect(200, "POST", path, { type = "v4" }).ip
  sim:refused(404, "DELETE", "/v1/apps/acme-api/ip_assignments/" .. ip)
  sim:expect(204, "DELETE", path .. "/" .. ip)
  sim:refused(404, "DELETE", path .. "/" .. ip)
  sim:expect(204, "DELETE", path .. "/2001%3Adb8%3A1%3A%3A1%3A1")
  sim:expect(204, "DELETE", path .. "/198.18.0.1")
  t.eq(sim:get(path).ips, json.null)
end)

t.test("the demo has one certificate, issued", function()
  local sim = support.account()
  local list = sim:get(APP .. "/certificates")
  t.eq(list.total_count, 1)
  t.eq(list.certificates[1].hostname, "www.example.com")
  t.eq(list.certificates[1].configured, true)
  local one = sim:get(APP .. "/certificates/www.example.com")
  t.eq(one.status, "active")
  t.eq(one.certificates[1].issued[1].type, "ecdsa")
  t.eq(sim:get("/v1/apps/acme-api/certificates").certificates, json.null)
end)

t.test("a certificate is requested, checked and removed", function()
  local sim = support.account()
  local path = APP .. "/certificates"
  local got = sim:expect(201, "POST", path .. "/acme", { hostname = "A.example.com" })
  t.eq(got.hostname, "a.example.com")
  t.eq(got.configured, false)
  t.eq(got.dns_requirements.aaaa, { "2001:db8:1::1:1" })
  local checked = sim:expect(200, "POST", path .. "/a.example.com/check")
  t.eq(checked.configured, true)
  t.eq(checked.status, "active")
  sim:expect(204, "DELETE", path .. "/a.example.com")
  sim:refused(404, "GET", path .. "/a.example.com")
  sim:refused(404, "POST", path .. "/a.example.com/check")
end)

t.test("a hostname that points elsewhere stays pending", function()
  local sim = support.account()
  local path = APP .. "/certificates"
  sim:expect(201, "POST", path .. "/acme", { hostname = "pending.example.com" })
  sim:advance(1)
  local got = sim:expect(200, "POST", path .. "/pending.example.com/check")
  t.eq(got.configured, false)
  t.eq(got.status, "pending_validation")
  t.eq(got.validation_errors[1].code, "dns_not_configured")
end)

t.test("hostnames are checked, and taken once", function()
  local sim = support.account()
  local path = APP .. "/certificates/acme"
  for _, bad in ipairs { "https://a.example.com", "localhost", "a..b", "-a.b",
    "a_b.example.com", "" } do
    sim:refused(422, "POST", path, { hostname = bad })
  end
  sim:refused(409, "POST", path, { hostname = "www.example.com" })
  sim:refused(409, "POST", "/v1/apps/acme-api/certificates/acme",
    { hostname = "www.example.com" })
  sim:expect(201, "POST", path, { hostname = "*.example.com" })
end)

t.test("an own certificate stands beside the requested one", function()
  local sim = support.account()
  local path = APP .. "/certificates"
  local pem = {
    hostname = "www.example.com",
    fullchain = "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n",
    private_key = "-----BEGIN PRIVATE KEY-----\nMA==\n-----END PRIVATE KEY-----\n",
  }
  local got = sim:expect(201, "POST", path .. "/custom", pem)
  t.eq(tbl.map(got.certificates, function(one)
    return one.source
  end), { "fly", "custom" })
  sim:refused(422, "POST", path .. "/custom",
    tbl.merge(pem, { fullchain = "no pem" }))
  sim:expect(200, "DELETE", path .. "/www.example.com/acme")
  sim:refused(404, "DELETE", path .. "/www.example.com/acme")
  sim:expect(200, "DELETE", path .. "/www.example.com/custom")
  sim:refused(404, "GET", path .. "/www.example.com")
end)

t.test("the list of certificates pages and filters", function()
  local sim = support.account()
  local path = APP .. "/certificates"
  for i = 1, 30 do
    sim:expect(201, "POST", path .. "/acme",
      { hostname = ("h%02d.example.com"):format(i) })
  end
  local first = sim:get(path)
  t.eq(#first.certificates, 25)
  t.eq(first.total_count, 31)
  t.eq(#sim:get(path .. "?cursor=" .. first.next_cursor).certificates, 6)
  t.eq(#sim:get(path .. "?filter=h07").certificates, 1)
  t.eq(#sim:get(path .. "?limit=500").certificates, 31)
end)
