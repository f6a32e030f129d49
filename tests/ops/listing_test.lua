--- Listings that put together, narrow down or reshape what the services answer.

local json = require "base.json"
local opkit = require "opkit"
local ops = require "ops"
local support = require "ops.support"
local t = require "kit"

local failure, pluck, run = support.failure, support.pluck, support.run

local ADDONS = {
  { id = "1", name = "cache", org = { slug = "acme" } },
  { id = "2", name = "queue", org = { slug = "personal" } },
  { id = "3", name = "odd" },
}

t.test("add-ons are asked for by type and narrowed to an organization", function()
  local kinds = { ["redis.list"] = "upstash_redis", ["tigris.list"] = "tigris",
    ["mysql.list"] = "fly_mysql" }
  for id, kind in pairs(kinds) do
    local list = run(id, { org = "acme" }, { ["extensions.list_all"] = function(args)
      t.eq(args.type, kind)
      return ADDONS
    end })
    t.eq(pluck(list, "name"), { "cache" })
  end
  t.eq(#run("extensions.list", {}, { ["extensions.list_all"] = ADDONS }), 3)
  local list = run("extensions.list", { type = "sentry" },
    { ["extensions.list_all"] = function(args)
      t.eq(args.type, "sentry")
      return ADDONS
    end }, { org = "personal" })
  t.eq(pluck(list, "name"), { "queue" })
end)

t.test("tokens are those of an app or of an organization", function()
  local replies = { ["tokens.list_app my-app"] = { { id = "a" } },
    ["tokens.list_org acme"] = { { id = "o" } } }
  t.eq(pluck(run("tokens.list", { app = "my-app" }, replies), "id"), { "a" })
  t.eq(pluck(run("tokens.list", { org = "acme" }, replies), "id"), { "o" })
  t.eq(pluck(run("tokens.list", {}, replies, { org = "acme" }), "id"), { "o" })
  local both, why = run("tokens.list", { app = "my-app", org = "acme" }, replies)
  t.err(both, why, "usage")
  local list, e = run("tokens.list", {}, replies)
  t.err(list, e, "usage")
  t.match(e.hint, "%-%-app NAME or %-%-org SLUG")
end)

t.test("peers say which organization they are of", function()
  local list = run("wireguard.list", {}, {
    ["orgs.list_all"] = { { slug = "acme" }, { slug = "personal" } },
    ["wireguard.list_org acme"] = { { name = "laptop" } },
    ["wireguard.list_org personal"] = { { name = "desk" } },
  })
  t.eq(pluck(list, "org"), { "acme", "personal" })
end)

t.test("Postgres of both kinds is one list", function()
  local replies = {
    ["orgs.list_all"] = { { slug = "acme" } },
    ["postgres.list_apps"] = {
      { id = "pg1", name = "pg1", status = "deployed", organization = { slug = "acme" } },
      { id = "pg2", name = "pg2", status = "suspended", organization = { slug = "other" } },
    },
    ["mpg.list_org acme"] = { { id = "m1", name = "main", status = "ready", region = "iad" } },
  }
  local list = run("postgres.list", { org = "acme" }, replies)
  t.eq(pluck(list, "kind"), { "unmanaged", "managed" })
  t.eq(pluck(list, "org"), { "acme", "acme" })
  t.eq(list[2].region, "iad")
  t.eq(#run("postgres.list", {}, replies), 3)
end)

t.test("Postgres is not listed by halves when one service fails", function()
  local list, e = run("postgres.list", { org = "acme" }, {
    ["postgres.list_apps"] = {}, ["mpg.list_org acme"] = failure("server", 500),
  })
  t.err(list, e, "server")
end)

local RELEASES = { { id = "c", version = 3 }, { id = "b", version = 2 }, { id = "a", version = 1 } }

t.test("a release is found by number, the newest without one", function()
  local replies = { ["releases.list my-app"] = RELEASES }
  t.eq(run("releases.get", { app = "my-app" }, replies).id, "c")
  t.eq(run("releases.get", { app = "my-app", version = 1 }, replies).id, "a")
  local release, e = run("releases.get", { app = "my-app", version = 9 }, replies)
  t.err(release, e, "not_found")
  t.match(e.message, "my%-app has no release 9")
  release, e = run("releases.get", { app = "my-app" }, { ["releases.list"] = {} })
  t.err(release, e, "was never released")
  release, e = run("releases.get", { app = "my-app" },
    { ["releases.list"] = failure("not_found", 404) })
  t.err(release, e, "refused")
end)

local function machine(state, region, group, memory)
  return {
    id = region .. group, state = state, region = region,
    config = {
      guest = { cpu_kind = "shared", cpus = 1, memory_mb = memory },
      metadata = { fly_process_group = group },
    },
  }
end

t.test("scale show counts machines by process group and size", function()
  local list = run("scale.show", { app = "my-app" }, { ["machines.list_app my-app"] = {
    machine("started", "iad", "web", 256), machine("stopped", "iad", "web", 256),
    machine("started", "fra", "web", 256), machine("started", "iad", "web", 512),
    machine("started", "iad", "worker", 256), machine("destroyed", "iad", "web", 256),
    { id = "x", state = "created" },
  } })
  t.eq(#list, 4)
  t.eq(pluck(list, "group"), { "app", "web", "web", "worker" })
  t.eq(list[2].count + list[3].count, 4)
  local web = list[2].count == 3 and list[2] or list[3]
  t.eq({ web.count, web.started, web.regions }, { 3, 2, { fra = 1, iad = 2 } })
  local regions = opkit.columns(ops.get("scale.show"))[7]
  t.eq(regions.text(web, 0), "fra, iad(2)")
  t.eq(json.encode(run("scale.show", { app = "a" }, { ["machines.list_app"] = {} })), "[]")
end)

t.test("metadata becomes a sorted list", function()
  local list = run("machines.metadata", { app = "a", id = "1" },
    { ["machines.metadata_map"] = { b = "2", a = "1" } })
  t.eq(list, { { key = "a", value = "1" }, { key = "b", value = "2" } })
end)

t.test("results keep to the shapes their rows declare", function()
  local schema = require "base.schema"
  local list = run("scale.show", { app = "my-app" }, { ["machines.list_app my-app"] = {
    machine("started", "iad", "web", 256) } })
  t.ok(schema.validate(list, opkit.returns(ops.get("scale.show"))))
  list = run("postgres.list", { org = "acme" }, {
    ["postgres.list_apps"] = { { id = "1", name = "pg", organization = { slug = "acme" } } },
    ["mpg.list_org acme"] = { { id = "2" } },
  })
  t.ok(schema.validate(list, opkit.returns(ops.get("postgres.list"))))
end)
