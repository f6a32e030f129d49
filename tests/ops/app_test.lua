--- The life of apps: whose they are, what goes with them, when they are there.

local support = require "ops.support"
local t = require "kit"
local tbl = require "base.tbl"

local failure, pluck, run = support.failure, support.pluck, support.run

local APP = { id = "1", name = "my-app", organization = { slug = "acme" } }

t.test("an app is created in the organization named, or the only one", function()
  local function org_of(args, replies, more)
    local org
    local app, e = run("apps.create", tbl.merge({ name = "my-app" }, args), tbl.merge({
      ["apps.create_once"] = function(given)
        org = given.org
        t.eq(given.key, "unique")
        return {}
      end,
      ["apps.get"] = APP,
    }, replies), more)
    return org, app, e
  end
  t.eq(org_of({ org = "acme" }, {}), "acme")
  t.eq(org_of({}, {}, { org = "personal" }), "personal")
  t.eq(org_of({}, { ["orgs.list_all"] = { { slug = "only" } } }), "only")
  local org, app, e = org_of({}, { ["orgs.list_all"] = { { slug = "a" }, { slug = "b" } } })
  t.eq(org, nil)
  t.err(app, e, "which organization%? there are a and b")
end)

t.test("a new app is asked for until it is known everywhere", function()
  local answers = { failure("not_found", 404), failure("auth", 401), APP }
  local app, _, ctx = run("apps.create", { name = "my-app", org = "acme" }, {
    ["apps.create_once"] = {},
    ["apps.get"] = function()
      return table.remove(answers, 1)
    end,
  })
  t.eq(app.name, "my-app")
  t.eq(ctx.slept, 2)
end)

t.test("with no_wait a new app is not looked for", function()
  local app, _, ctx = run("apps.create", { name = "my-app", org = "acme", no_wait = true },
    { ["apps.create_once"] = { id = "a1", created_at = 1 } })
  t.eq(app, { id = "a1", name = "my-app", organization = { slug = "acme" } })
  t.eq(ctx.calls, { "apps.create_once acme" })
end)

t.test("a lost answer is asked for again under the same key", function()
  local keys, answers = {}, { failure("network"), failure("timeout"), {} }
  local app = run("apps.create", { name = "my-app", org = "acme" }, {
    ["apps.create_once"] = function(args)
      keys[#keys + 1] = args.key
      return table.remove(answers, 1)
    end,
    ["apps.get"] = APP,
  })
  t.eq(app.name, "my-app")
  t.eq(keys, { "unique", "unique", "unique" })
end)

t.test("a name that is taken is not asked for again", function()
  local app, e, ctx = run("apps.create", { name = "my-app", org = "acme" },
    { ["apps.create_once"] = failure("conflict", 422) })
  t.err(app, e, "conflict")
  t.eq(#ctx.calls, 1)
end)

t.test("what belongs to an app is shown in one list", function()
  local list, _, ctx = run("apps.contents", { app = "my-app" }, {
    ["machines.list_app"] = { { id = "m1", state = "started", region = "iad" } },
    ["volumes.list_app"] = { { id = "vol_1", name = "data", size_gb = 10, region = "iad" } },
    ["ips.list"] = { { ip = "203.0.113.7", shared = true } },
    ["certs.list"] = { { hostname = "www.example.com", status = "active" } },
    ["extensions.list_all"] = {
      { id = "1", name = "cache", app = { name = "my-app" }, provider = { name = "upstash" } },
      { id = "2", name = "other", app = { name = "else" } }, { id = "3", name = "free" },
    },
  })
  t.eq(pluck(list, "kind"), { "machine", "volume", "ip", "cert", "extension" })
  t.eq(pluck(list, "detail"), { "started, iad", "data, 10 GB, iad", "shared", "active",
    "upstash" })
  t.eq(#ctx.notices, 0)
end)

t.test("extensions that cannot be listed are told, the rest must be", function()
  local parts = { ["machines.list_app"] = {}, ["volumes.list_app"] = {}, ["ips.list"] = {},
    ["certs.list"] = {}, ["extensions.list_all"] = failure("forbidden") }
  local list, _, ctx = run("apps.contents", { app = "my-app" }, parts)
  t.eq(#list, 0)
  t.match(ctx.notices[1], "extensions could not be listed")
  parts["volumes.list_app"] = failure("network")
  local none, e = run("apps.contents", { app = "my-app" }, parts)
  t.err(none, e, "network")
end)

t.test("destroying reports when the app is gone", function()
  local answers = { APP, APP, failure("not_found", 404) }
  local app, _, ctx = run("apps.destroy", { app = "my-app" }, {
    ["apps.get"] = function()
      return table.remove(answers, 1)
    end,
    ["apps.destroy_once"] = {},
  })
  t.eq(app.name, "my-app")
  t.eq(ctx.calls, { "apps.get my-app", "apps.destroy_once my-app", "apps.get my-app",
    "apps.get my-app" })
  local _, e = run("apps.destroy", { app = "nope" }, { ["apps.get"] = failure("not_found") })
  t.eq(e.kind, "not_found")
end)

t.test("restarting an app restarts what is started, one by one", function()
  local rows, _, ctx = run("apps.restart", { app = "my-app" }, {
    ["machines.list_app"] = { { id = "2", state = "started" }, { id = "1", state = "started" },
      { id = "3", state = "stopped" } },
    ["machines.get"] = support.restarting(), ["machines.restart_once"] = {},
  })
  t.eq(pluck(rows, "id"), { "1", "2" })
  t.eq(ctx.calls[2], "lease my-app 1")
  t.eq(ctx.calls[5], "wait my-app 1 started")
  t.eq(ctx.calls[7], "release my-app 1")
  t.eq(ctx.calls[8], "lease my-app 2")
  local none, e = run("apps.restart", { app = "my-app" },
    { ["machines.list_app"] = { { id = "3", state = "stopped" } } })
  t.err(none, e, "no machine of app my%-app is started")
end)
