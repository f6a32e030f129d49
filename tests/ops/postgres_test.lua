--- Postgres clusters of both kinds by one name: where they are looked for, and
--- what is said when they are not there.

local support = require "ops.support"
local t = require "kit"
local tbl = require "base.tbl"

local failure, run = support.failure, support.run

local APP = {
  id = "a1", name = "pg1", status = "deployed", app_role = "postgres_cluster",
  organization = { slug = "acme" },
}

local function machine(id, role, more)
  return tbl.merge({
    id = id, state = "started", region = "iad",
    image_ref = { repository = "flyio/postgres-flex", tag = "17.2" },
    config = { image = "flyio/postgres-flex:17.2",
      guest = { cpu_kind = "shared", cpus = 1, memory_mb = 256 } },
    checks = { { name = "role", status = "passing", output = role } },
  }, more or {})
end

local OWN = {
  ["mpg.get"] = failure("not_found", 404),
  ["apps.get"] = APP,
  ["machines.list_app"] = { machine("m1", "replica"), machine("m2", "primary") },
  ["volumes.list_app"] = { { id = "v1", size_gb = 10 } },
  ["postgres.list_attachments"] = { { id = "x", database = "shop", user = "shop" } },
}

local MANAGED = {
  id = "c1", name = "main", status = "ready", pg_major_version = "17",
  organization = { slug = "acme" }, attached_apps = { { name = "web" } },
}

local NONE = {
  ["mpg.get"] = failure("not_found", 404), ["apps.get"] = failure("not_found", 404),
  ["orgs.list_all"] = { { slug = "acme" }, { slug = "personal" } },
  ["mpg.list_org"] = {},
}

local function get(name, replies, more)
  return run("postgres.get", { id = name }, tbl.merge(replies, more or {}))
end

t.test("an app that is a cluster is shown with its machines and who leads", function()
  local cluster, e = get("pg1", OWN)
  t.eq(e, nil)
  t.eq({ cluster.kind, cluster.name, cluster.org, cluster.leader, cluster.version },
    { "unmanaged", "pg1", "acme", "m2", "17.2" })
  t.eq({ cluster.replicas, cluster.disk_size_gb, cluster.memory_mb, cluster.plan },
    { 1, 10, 256, "shared-cpu-1x" })
  t.eq(support.pluck(cluster.machines, "role"), { "replica", "primary" })
  t.eq(cluster.attachments[1].database, "shop")
end)

t.test("an app is a cluster by its machines too, whatever they are called", function()
  for _, config in ipairs({
    { image = "flyio/postgres-flex:15" }, { image = "registry.example.com/flyio/postgres:14" },
    { image = "flyio/postgres@sha256:00" }, { image = "own:1",
      metadata = { ["fly-managed-postgres"] = "true" } },
  }) do
    local cluster, e = get("pg1", OWN, {
      ["apps.get"] = tbl.merge(APP, { app_role = "" }),
      ["machines.list_app"] = { { id = "m1", state = "started", config = config } },
    })
    t.eq(e, nil)
    t.eq(cluster.kind, "unmanaged", config.image)
  end
end)

t.test("an id of a managed cluster is one, and so is its name", function()
  local cluster = get("c1", NONE, { ["mpg.get"] = MANAGED })
  t.eq({ cluster.kind, cluster.id, cluster.org, cluster.version },
    { "managed", "c1", "acme", "17" })
  local asked
  cluster = get("main", NONE, {
    ["mpg.get"] = function(args)
      asked = args.id
      return args.id == "c1" and MANAGED or failure("not_found", 404)
    end,
    ["mpg.list_org acme"] = { { id = "c1", name = "main", status = "ready" },
      { id = "c0", name = "main", status = "deleted" } },
  })
  t.eq({ cluster.id, asked }, { "c1", "c1" })
end)

t.test("several managed clusters of a name are told apart by their ids", function()
  local none, e = get("main", NONE, {
    ["mpg.list_org acme"] = { { id = "c1", name = "main" } },
    ["mpg.list_org personal"] = { { id = "c2", name = "main" } },
  })
  t.err(none, e, "usage")
  t.match(e.hint, "c1 %(org acme%), c2 %(org personal%)")
end)

t.test("what is not there names both places that were looked at", function()
  local none, e = get("nope", NONE)
  t.err(none, e, "not_found")
  t.match(e.message, "no managed cluster has that id or name, and no app has that name")
  t.match(e.hint, "list postgres")
  none, e = get("web", NONE, {
    ["apps.get"] = { id = "a", name = "web" }, ["machines.list_app"] = {
      { id = "m1", state = "started", config = { image = "web:postgres" } },
    },
  })
  t.err(none, e, "not_found")
  t.match(e.message, "the app of that name is no cluster")
end)

t.test("a place that could not be looked at is not one where it is not", function()
  for _, place in ipairs({ "mpg.get", "apps.get" }) do
    local none, e = get("pg1", NONE, { [place] = failure("network") })
    t.err(none, e, "network")
  end
  -- What was found in the other one is shown all the same.
  local cluster = get("pg1", OWN, { ["mpg.get"] = failure("server", 503) })
  t.eq(cluster.kind, "unmanaged")
  -- A token that sees no managed clusters, or no organizations, sees its own.
  cluster = get("pg1", OWN, { ["mpg.get"] = failure("forbidden", 403) })
  t.eq(cluster.kind, "unmanaged")
  local none, e = get("nope", NONE, { ["orgs.list_all"] = failure("forbidden") })
  t.err(none, e, "not_found")
end)

local secret = require "sys.secret"

local CREATE = { name = "pg2", region = "iad", org = "acme" }

-- Replies to a create that works; the app is there once flyctl has run.
local function create(more, args)
  local is_made = false
  return run("postgres.create", tbl.merge(CREATE, args or {}), tbl.merge({
    ["regions.list_all"] = { { code = "iad" } },
    ["apps.get"] = function()
      return is_made and APP or failure("not_found", 404)
    end,
    ["postgres.create_cluster"] = function()
      is_made = true
      return { stdout = "", found = { PGPASSWORD = secret.new("simulated-password") } }
    end,
    ["postgres.get"] = { id = "a1", name = "pg2", kind = "unmanaged", machines = {
      { id = "m1", state = "started" } } },
  }, more or {}))
end

t.test("a new cluster is waited for and keeps its password", function()
  local turns = { "starting", "started" }
  local cluster, e = create({ ["postgres.get"] = function()
    return { id = "a1", kind = "unmanaged", machines = {
      { id = "m1", state = table.remove(turns, 1) } } }
  end })
  t.eq(e, nil)
  t.eq({ cluster.machines[1].state, #turns }, { "started", 0 })
  t.ok(cluster.credentials.PGPASSWORD:equals("simulated-password"))
end)

t.test("one that is late, or cannot be seen, keeps its password too", function()
  for _, seen in ipairs({ failure("forbidden"),
    { id = "a1", kind = "unmanaged", machines = { { id = "m1", state = "created" } } } }) do
    local cluster, e, ctx = create({ ["postgres.get"] = seen })
    t.eq(e, nil)
    t.ok(cluster.credentials.PGPASSWORD)
    t.match(ctx.notices[1], "pg2 may not be ready yet")
  end
  local cluster, _, ctx = create(nil, { no_wait = true })
  t.eq(ctx.calls[#ctx.calls], "postgres.create_cluster acme")
  t.ok(cluster.credentials.PGPASSWORD)
end)

t.test("a name that is taken is refused before flyctl runs", function()
  local none, e, ctx = create({ ["apps.get"] = APP })
  t.err(none, e, "conflict")
  t.ok(not tbl.contains(ctx.calls, "postgres.create_cluster acme"))
  none, e, ctx = create(nil, { region = "zzz" })
  t.err(none, e, "there is no region zzz")
  t.ok(not tbl.contains(ctx.calls, "postgres.create_cluster acme"))
end)

t.test("what was made in part is told with how to undo it", function()
  local turns = 0
  local none, e = create({
    ["postgres.create_cluster"] = failure("error"),
    ["apps.get"] = function()
      turns = turns + 1
      return turns > 1 and APP or failure("not_found", 404)
    end,
  })
  t.err(none, e, "refused: error")
  t.match(e.hint, "destroy app pg2")
end)

local ATTACH = { cluster = "pg1", app = "web" }

t.test("attaching is done when the secret is there, and says what comes next", function()
  local is_set = false
  local replies = tbl.merge(OWN, {
    ["secrets.list_app"] = function()
      return is_set and { { name = "DATABASE_URL" } } or {}
    end,
    ["postgres.attach_once"] = function()
      is_set = true
      return { found = { url = secret.new("postgres://simulated") } }
    end,
    ["postgres.list_attachments"] = { { id = "x", database = "web", user = "web",
      variable = "DATABASE_URL" } },
  })
  local made, e, ctx = run("postgres.attach", ATTACH, replies)
  t.eq(e, nil)
  t.eq({ made.database, made.user, made.variable }, { "web", "web", "DATABASE_URL" })
  t.ok(secret.is(made.credentials.DATABASE_URL))
  t.match(ctx.notices[1], "secrets deploy %-%-app web")
  made, e = run("postgres.attach", ATTACH, tbl.merge(replies,
    { ["secrets.list_app"] = {} }))
  t.err(made, e, "has no secret DATABASE_URL")
end)

t.test("a secret of that name is not replaced", function()
  local made, e, ctx = run("postgres.attach", ATTACH, tbl.merge(OWN,
    { ["secrets.list_app"] = { { name = "DATABASE_URL" } } }))
  t.err(made, e, "conflict")
  t.match(e.hint, "%-%-variable NAME, or detach it first")
  t.ok(not tbl.contains(ctx.calls, "postgres.attach_once web"))
end)

local function failover(machines, args)
  return run("postgres.failover", tbl.merge({ cluster = "pg1" }, args or {}),
    tbl.merge(OWN, { ["machines.list_app"] = machines, ["postgres.failover_once"] = {} }))
end

t.test("a failover is done when another machine says that it leads", function()
  local turns = 0
  local done, e = failover(function()
    turns = turns + 1
    return turns < 3 and { machine("m1", "primary"), machine("m2", "replica") }
      or { machine("m1", "replica"), machine("m2", "primary") }
  end)
  t.eq(e, nil)
  t.eq({ done, turns }, { {}, 3 })
  done, e = failover({ machine("m1", "primary"), machine("m2", "replica") })
  t.err(done, e, "timeout")
  t.match(e.message, "no other machine of cluster pg1 led")
  done = failover({ machine("m1", "primary"), machine("m2", "replica") }, { no_wait = true })
  t.ok(done)
end)

t.test("one machine has nobody to hand over to", function()
  local done, e, ctx = failover({ machine("m1", "primary") })
  t.err(done, e, "conflict")
  t.match(e.hint, "clone m1 %-%-app pg1")
  t.ok(not tbl.contains(ctx.calls, "postgres.failover_once"))
end)
