--- Operations that change things, on the demo account: what they say is so
--- afterwards, and leases are given back.

local accounts = require "ops.account"
local secret = require "sys.secret"
local t = require "kit"
local tbl = require "base.tbl"

-- Machines of an app in a state, by id.
local function machines(account, app, state)
  return account.expect("machines.list", { app = app, state = state })
end

local function state_of(account, id)
  return account.expect("machines.get", { app = "my-app", id = id }).state
end

t.test("a machine stops, starts, restarts, suspends and resumes", function()
  local account = accounts.open()
  local id = machines(account, "my-app", "started")[1].id
  for _, step in ipairs({
    { "machines.stop", "stopped" }, { "machines.start", "started" },
    { "machines.restart", "started" }, { "machines.suspend", "suspended" },
    { "machines.start", "started" },
  }) do
    local rows = account.expect(step[1], { app = "my-app", id = { id } })
    t.eq(rows[1].state, step[2])
    t.eq(state_of(account, id), step[2])
  end
  local lease, e = account.call("leases.get", { app = "my-app", id = id })
  t.err(lease, e, "not_found")
end)

t.test("all machines of an app stop together, and are gone one by one", function()
  local account = accounts.open()
  local before = #machines(account, "my-app", "started")
  local rows = account.expect("machines.stop", { app = "my-app", all = true })
  t.eq(#rows, before)
  t.eq(#machines(account, "my-app", "started"), 0)
  local id = rows[1].id
  t.eq(account.expect("machines.destroy", { app = "my-app", id = { id } })[1].state,
    "destroyed")
  local left = machines(account, "my-app")
  for _, machine in ipairs(left) do
    t.ok(machine.id ~= id or machine.state == "destroyed")
  end
end)

t.test("a machine somebody else holds is left alone, and who holds it is told", function()
  local account = accounts.open()
  local id = machines(account, "my-app", "started")[1].id
  local lease = account.expect("leases.take", { app = "my-app", id = id, ttl = 60 })
  t.ok(lease.nonce)
  local rows, e = account.call("machines.stop", { app = "my-app", id = { id } })
  t.err(rows, e, "conflict")
  t.match(e.message, "lease")
  t.eq(state_of(account, id), "started")
end)

t.test("a command runs in a machine, and its exit code comes back", function()
  local account = accounts.open()
  local id = machines(account, "my-app", "started")[1].id
  local done = account.expect("machines.exec",
    { app = "my-app", id = id, command = { "echo", "hello" } })
  t.eq(done.exit_code, 0)
  t.match(done.stdout, "hello")
end)

t.test("a cordoned machine is uncordoned", function()
  local account = accounts.open()
  local id = machines(account, "my-app", "started")[1].id
  t.eq(account.expect("machines.cordon", { app = "my-app", id = { id } })[1].outcome, "done")
  t.eq(account.expect("machines.uncordon", { app = "my-app", id = { id } })[1].outcome, "done")
end)

t.test("an app is created, restarted and destroyed with what is in it", function()
  local account = accounts.open()
  local app = account.expect("apps.create", { name = "brand-new", org = "acme" })
  t.eq(app.name, "brand-new")
  t.eq(account.expect("apps.get", { app = "brand-new" }).organization.slug, "acme")
  local taken, e = account.call("apps.create", { name = "brand-new", org = "acme" })
  t.err(taken, e, "conflict")
  local rows = account.expect("apps.restart", { app = "my-app" })
  t.eq(#rows, #machines(account, "my-app", "started"))
  t.ok(#account.expect("apps.contents", { app = "my-app" }) > 5)
  account.expect("apps.destroy", { app = "my-app", force = true })
  local gone
  gone, e = account.call("apps.get", { app = "my-app" })
  t.err(gone, e, "not_found")
end)

t.test("a volume is created, extended, copied, saved and destroyed", function()
  local account = accounts.open()
  local volume = account.expect("volumes.create",
    { app = "my-app", name = "extra", region = "iad", size_gb = 3 })
  t.eq({ volume.state, volume.size_gb, volume.region }, { "created", 3, "iad" })
  local at = { app = "my-app", id = volume.id }
  t.eq(account.expect("volumes.extend",
    { app = "my-app", id = volume.id, size_gb = "5GB" }).size_gb, 5)
  local copy = account.expect("volumes.fork", at)
  t.eq({ copy.name, copy.region, copy.size_gb }, { "extra", "iad", 5 })
  account.expect("volumes.destroy", { app = "my-app", id = volume.id, snapshot = true })
  for _, left in ipairs(account.expect("volumes.list", { app = "my-app" })) do
    t.ok(left.id ~= volume.id)
  end
end)

t.test("addresses come and go", function()
  local account = accounts.open()
  local address = account.expect("ips.allocate", { app = "my-app", type = "v6" })
  local function has(ip)
    for _, item in ipairs(account.expect("ips.list", { app = "my-app" })) do
      if item.ip == ip then
        return true
      end
    end
    return false
  end
  t.ok(has(address.ip))
  account.expect("ips.release", { app = "my-app", ip = address.ip })
  t.ok(not has(address.ip))
  local done, e = account.call("ips.release", { app = "my-app", ip = "192.0.2.1" })
  t.err(done, e, "not_found")
  t.match(e.hint, "list ips %-%-app my%-app")
end)

t.test("an address of another app is not released, nor asked to be", function()
  local account = accounts.open()
  local theirs = account.expect("ips.allocate", { app = "acme-api", type = "v6" })
  local done, e = account.call("ips.release", { app = "my-app", ip = theirs.ip })
  t.err(done, e, "not_found")
  t.match(e.message, "nothing was released")
  local left = tbl.find(account.expect("ips.list", { app = "acme-api" }), function(item)
    return item.ip == theirs.ip
  end)
  t.ok(left)
end)

t.test("certificates come, are checked and go", function()
  local account = accounts.open()
  local at = { app = "my-app", hostname = "new.example.com" }
  t.eq(account.expect("certs.add", at).hostname, "new.example.com")
  account.expect("certs.check", at)
  account.expect("certs.remove", at)
  local cert, e = account.call("certs.get", at)
  t.err(cert, e, "not_found")
end)

t.test("a certificate of one's own is sent from secrets", function()
  local account = accounts.open()
  local function pem(label)
    return secret.new(("-----BEGIN %s-----\nMA==\n-----END %s-----\n"):format(
      label, label))
  end
  local cert = account.expect("certs.add", { app = "my-app",
    hostname = "own.example.com", fullchain = pem("CERTIFICATE"),
    private_key = pem("PRIVATE KEY") })
  t.eq(cert.status, "active")
  t.eq(cert.certificates[1].source, "custom")
  local none, e = account.call("certs.add", { app = "my-app",
    hostname = "x.example.com", fullchain = pem("CERTIFICATE") })
  t.err(none, e, "usage")
  none, e = account.call("certs.add", { app = "my-app",
    hostname = "x.example.com", fullchain = "text" })
  t.err(none, e, "usage")
end)

t.test("a machine is created, updated, copied, and keeps what was not asked for", function()
  local account = accounts.open()
  account.expect("volumes.create", { app = "my-app", name = "fresh", region = "iad" })
  local machine = account.expect("machines.create", {
    app = "my-app", image = "nginx", region = "iad", size = "shared-cpu-1x", memory = 512,
    name = "made-here", env = { MODE = "test" }, port = { "80:8080" },
    volume = { "fresh:/data" },
  })
  local at = { app = "my-app", id = machine.id }
  t.eq(machine.state, "started")
  local before = account.expect("machines.get", at)
  t.eq(before.config.guest.memory_mb, 512)
  t.eq(before.config.env.MODE, "test")
  local rows = account.expect("machines.update",
    { app = "my-app", id = { machine.id }, memory = 1024, env = { MORE = "1" } })
  t.eq(rows[1].outcome, "done")
  local after = account.expect("machines.get", at)
  t.eq(after.config.guest.memory_mb, 1024)
  t.eq(after.config.env, { MODE = "test", MORE = "1" })
  t.eq(after.config.services, before.config.services)
  t.eq(after.config.mounts[1].volume, before.config.mounts[1].volume)
  t.eq(account.expect("machines.update",
    { app = "my-app", id = { machine.id }, memory = 1024 })[1].outcome, "unchanged")
  local copy = account.expect("machines.clone",
    { app = "my-app", id = machine.id, region = "fra", name = "copied-here" })
  t.eq({ copy.region, copy.config.guest.memory_mb }, { "fra", 1024 })
  t.ok(copy.config.mounts[1].volume ~= after.config.mounts[1].volume)
end)

t.test("all machines of an app get another size", function()
  local account = accounts.open()
  for _, step in ipairs({
    { "scale.vm", { app = "acme-api", size = "performance-1x" } },
    { "scale.memory", { app = "acme-api", memory = 4096 } },
    { "scale.cpu", { app = "acme-api", cpus = 2 } },
  }) do
    for _, row in ipairs(account.expect(step[1], step[2])) do
      t.eq(row.outcome, "done")
    end
  end
  local shown = account.expect("scale.show", { app = "acme-api" })
  t.eq(#shown, 1)
  t.eq({ shown[1].cpu_kind, shown[1].memory_mb }, { "performance", 4096 })
end)

t.test("secrets are unset and deployed", function()
  local account = accounts.open()
  local name = account.expect("secrets.list", { app = "my-app" })[1].name
  local reply = account.expect("secrets.unset", { app = "my-app", names = { name } })
  for _, row in ipairs(account.expect("secrets.deploy",
    { app = "my-app", version = reply.version })) do
    t.eq(row.outcome, "done")
  end
  for _, left in ipairs(account.expect("secrets.list", { app = "my-app" })) do
    t.ok(left.name ~= name)
  end
end)

t.test("a managed cluster is made, waited for and destroyed", function()
  local account = accounts.open()
  local cluster = account.expect("mpg.create",
    { name = "second", region = "iad", org = "acme", plan = "starter" })
  t.eq(cluster.status, "ready")
  local backup = account.expect("mpg.backups_create", { id = cluster.id })
  t.eq({ backup.type, backup.status }, { "full", "completed" })
  t.eq(account.expect("mpg.destroy", { id = cluster.id }).status, "deleted")
end)

local function names(list)
  local set = {}
  for _, item in ipairs(list) do
    set[item.name] = true
  end
  return set
end

t.test("Redis and buckets are made and destroyed, terms agreed to first", function()
  local account = accounts.open()
  local cache = account.expect("redis.create",
    { name = "second-cache", region = "iad", org = "acme" })
  t.eq({ cache.status, cache.public_url }, { "ready", nil })
  t.ok(secret.is(cache.environment.REDIS_URL))
  t.ok(names(account.expect("redis.list"))["second-cache"])
  account.expect("redis.destroy", { name = "second-cache" })
  t.ok(not names(account.expect("redis.list"))["second-cache"])
  local none, e = account.call("redis.create",
    { name = "x", region = "iad", org = "acme", plan = "no such plan" })
  t.err(none, e, "usage")
  none, e = account.call("tigris.create_bucket", { name = "files", org = "personal" })
  t.err(none, e, "declined")
  t.match(e.hint, "%-%-agree%-terms")
  local bucket = account.expect("tigris.create_bucket",
    { name = "files", org = "personal", agree_terms = true })
  t.ok(secret.is(bucket.environment.AWS_SECRET_ACCESS_KEY))
  t.eq(bucket.environment.BUCKET_NAME, "files")
  account.expect("tigris.destroy", { name = "files" })
  t.ok(not names(account.expect("tigris.list")).files)
end)

t.test("tokens are made, listed without their worth, and revoked", function()
  local account = accounts.open()
  local made = account.expect("tokens.create", { type = "deploy", app = "my-app", name = "ci" })
  t.ok(secret.is(made.token) and made.token:len() > 10)
  t.ok(secret.is(account.expect("tokens.create", { type = "org", org = "acme" }).token))
  account.expect("tokens.revoke", { id = made.id })
end)

t.test("a peer is removed", function()
  local account = accounts.open()
  account.expect("wireguard.remove", { name = "laptop", org = "personal" })
  t.ok(not names(account.expect("wireguard.list")).laptop)
  local none, e = account.call("wireguard.remove", { name = "laptop", org = "personal" })
  t.err(none, e, "has no peer laptop")
end)
