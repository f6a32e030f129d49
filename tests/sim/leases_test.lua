--- Leases: who may change a machine.

local support = require "sim.support"
local t = require "kit"

local function setup()
  local sim = support.account()
  local machine = sim:machine("my-app", "started")
  return sim, "/v1/apps/my-app/machines/" .. machine.id, machine
end

local function with(nonce)
  return { ["fly-machine-lease-nonce"] = nonce }
end

t.test("a lease comes wrapped, with nonce, owner and end", function()
  local sim, path, machine = setup()
  sim:refused(404, "GET", path .. "/lease")
  local got = sim:expect(201, "POST", path .. "/lease?ttl=120")
  t.eq(got.status, "success")
  t.match(got.data.nonce, "^%x+$")
  t.eq(got.data.owner, "sim@example.com")
  t.eq(got.data.expires_at, support.EPOCH + 120)
  t.eq(got.data.version, machine.version)
  local seen = sim:get(path .. "/lease")
  t.eq(seen.data.nonce, nil)
  t.eq(seen.data.owner, "sim@example.com")
end)

t.test("its terms can be in the body too", function()
  local sim, path = setup()
  local got = sim:expect(201, "POST", path .. "/lease",
    { ttl = 10, description = "a deploy" })
  t.eq(got.data.expires_at, support.EPOCH + 10)
  t.eq(got.data.description, "a deploy")
  sim:refused(400, "POST", path .. "/lease", { ttl = 0 })
  sim:refused(400, "POST", path .. "/lease?ttl=-5")
end)

t.test("while it is held, writes need the nonce", function()
  local sim, path, machine = setup()
  local nonce = sim:expect(201, "POST", path .. "/lease?ttl=60").data.nonce
  local message = ("machine ID %s lease currently held by sim@example.com, "
    .. "expires at "):format(machine.id)
  for _, action in ipairs { "stop", "start", "suspend", "restart", "cordon",
    "uncordon" } do
    t.has(sim:refused(409, "POST", path .. "/" .. action), message)
    t.has(sim:refused(409, "POST", path .. "/" .. action, nil, with("wrong")),
      message)
  end
  sim:refused(409, "POST", path, { config = machine.config })
  sim:refused(409, "DELETE", path .. "?force=true")
  sim:refused(409, "POST", path .. "/lease")
  sim:expect(200, "POST", path .. "/cordon", nil, with(nonce))
  sim:expect(200, "POST", path, { config = machine.config }, with(nonce))
end)

t.test("what needs no lease stays open to all", function()
  local sim, path = setup()
  sim:expect(201, "POST", path .. "/lease?ttl=60")
  sim:get(path)
  sim:get(path .. "/ps")
  sim:expect(200, "POST", path .. "/exec", { command = { "true" } })
  sim:expect(204, "PATCH", path .. "/metadata", { metadata = { a = "1" } })
  sim:get(path .. "/wait")
end)

t.test("its holder renews it, and it ends by itself", function()
  local sim, path = setup()
  local nonce = sim:expect(201, "POST", path .. "/lease?ttl=10").data.nonce
  sim:advance(8)
  local again = sim:expect(201, "POST", path .. "/lease?ttl=10", nil, with(nonce))
  t.eq(again.data.nonce, nonce)
  sim:advance(8)
  sim:refused(409, "POST", path .. "/stop")
  sim:advance(3)
  t.match(sim:refused(409, "POST", path .. "/stop", nil, with(nonce)),
    "expired or was released")
  sim:expect(200, "POST", path .. "/stop")
end)

t.test("a release needs the nonce", function()
  local sim, path = setup()
  local nonce = sim:expect(201, "POST", path .. "/lease?ttl=60").data.nonce
  sim:refused(400, "DELETE", path .. "/lease")
  sim:refused(409, "DELETE", path .. "/lease", nil, with("wrong"))
  local got = sim:expect(200, "DELETE", path .. "/lease", nil, with(nonce))
  t.eq(got, { status = "success", data = { ok = true } })
  sim:refused(404, "DELETE", path .. "/lease", nil, with(nonce))
  sim:expect(201, "POST", path .. "/lease")
end)

t.test("a lease that cannot be is refused before anything is done", function()
  local sim = support.account()
  local machines = "/v1/apps/my-app/machines"
  local count = #sim:get(machines)
  for _, ttl in ipairs { -5, 86401, math.maxinteger } do
    t.match(sim:refused(400, "POST", machines, { lease_ttl = ttl,
      config = { image = "example.com/a" } }), "^invalid ttl")
  end
  t.eq(#sim:get(machines), count)
  local machine = sim:expect(200, "POST", machines,
    { config = { image = "example.com/a" }, lease_ttl = 0 })
  t.eq(machine.nonce, nil)
end)

t.test("a create can lease, and only its answer has the nonce", function()
  local sim = support.account()
  local machine = sim:expect(200, "POST", "/v1/apps/my-app/machines",
    { config = { image = "example.com/a" }, lease_ttl = 30 })
  t.match(machine.nonce, "^%x+$")
  local path = "/v1/apps/my-app/machines/" .. machine.id
  t.eq(sim:get(path).nonce, nil)
  local shown = sim:get(path .. "?include_leases=true")
  t.eq(shown.lease.owner, "sim@example.com")
  sim:refused(409, "POST", path .. "/stop")
  sim:advance(2)
  local updated = sim:expect(200, "POST", path,
    { config = machine.config, lease_ttl = 60 }, with(machine.nonce))
  t.eq(updated.nonce, machine.nonce)
  t.eq(sim:get("/v1/apps/my-app/machines?include_leases=true")[4].lease
    .expires_at, support.EPOCH + 62)
end)
