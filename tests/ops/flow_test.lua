--- Reads of several calls: what is asked, what is merged, what is refused.

local json = require "base.json"
local support = require "ops.support"
local t = require "kit"

local failure, pluck, run = support.failure, support.pluck, support.run

local ORGS = { { slug = "acme" }, { slug = "personal" } }

t.test("the apps of all organizations are one list", function()
  local list, _, ctx = run("apps.list", {}, {
    ["orgs.list_all"] = ORGS,
    ["apps.list_org acme"] = { { name = "web" }, { name = "db" } },
    ["apps.list_org personal"] = { { name = "blog" } },
  })
  t.eq(pluck(list, "name"), { "web", "db", "blog" })
  t.ok(json.is_array(list))
  t.eq(ctx.calls, { "orgs.list_all", "apps.list_org acme", "apps.list_org personal" })
end)

t.test("an organization given is the only one asked", function()
  local replies = { ["apps.list_org acme"] = { { name = "web" } } }
  local list, _, ctx = run("apps.list", { org = "acme" }, replies)
  t.eq(pluck(list, "name"), { "web" })
  t.eq(ctx.calls, { "apps.list_org acme" })
  list = run("apps.list", {}, replies, { org = "acme" })
  t.eq(pluck(list, "name"), { "web" })
end)

t.test("an argument wins over the context's organization", function()
  local _, _, ctx = run("apps.list", { org = "acme" },
    { ["apps.list_org"] = {} }, { org = "personal" })
  t.eq(ctx.calls, { "apps.list_org acme" })
end)

t.test("no organizations, no apps: an empty array", function()
  local list = run("apps.list", {}, { ["orgs.list_all"] = {} })
  t.eq(json.encode(list), "[]")
end)

t.test("an organization that refuses is left out with a notice", function()
  local list, _, ctx = run("apps.list", {}, {
    ["orgs.list_all"] = ORGS,
    ["apps.list_org acme"] = failure("forbidden", 403),
    ["apps.list_org personal"] = { { name = "blog" } },
  })
  t.eq(pluck(list, "name"), { "blog" })
  t.match(ctx.notices[1], "left out organization acme: refused: forbidden")
end)

t.test("when all refuse, the whole fails", function()
  local list, e = run("apps.list", {}, {
    ["orgs.list_all"] = ORGS, ["apps.list_org"] = failure("forbidden", 403),
  })
  t.err(list, e, "forbidden")
  t.has(e.hint, "--app")
end)

t.test("a failure that is no refusal fails the whole and names the organization", function()
  local list, e = run("apps.list", {}, {
    ["orgs.list_all"] = ORGS,
    ["apps.list_org acme"] = {},
    ["apps.list_org personal"] = failure("network"),
  })
  t.err(list, e, "network")
  t.match(e.message, "^organization personal: ")
end)

t.test("the only organization's own error is told as it is", function()
  local list, e = run("apps.list", { org = "nope" },
    { ["apps.list_org"] = failure("not_found", 404) })
  t.err(list, e, "not_found")
  t.eq(e.message, "refused: not_found")
end)

t.test("a failure to list organizations is the failure", function()
  local list, e = run("machines.list", {}, { ["orgs.list_all"] = failure("auth", 401) })
  t.err(list, e, "auth")
end)

t.test("what has no name cannot be asked about: it is left out and told", function()
  local list, _, ctx = run("apps.list", {}, {
    ["orgs.list_all"] = { { slug = "acme" }, { name = "x" }, { slug = "" }, { slug = "personal" } },
    ["apps.list_org"] = { { name = "web" } },
  })
  t.eq(#list, 2)
  t.eq(ctx.calls, { "orgs.list_all", "apps.list_org acme", "apps.list_org personal" })
  t.eq(ctx.notices, { "left out 2 organizations without a slug" })
  list, _, ctx = run("machines.list", { org = "acme" }, {
    ["machines.list_org"] = failure("forbidden", 403),
    ["apps.list_org"] = { { id = "x" }, { name = "web" } },
    ["machines.list_app web"] = { { id = "1" } },
  })
  t.eq(pluck(list, "id"), { "1" })
  t.eq(ctx.notices, { "left out 1 app without a name" })
end)

t.test("machines of one app are one call, and say whose they are", function()
  local list, _, ctx = run("machines.list", { app = "web", state = "started" }, {
    ["machines.list_app web"] = function(args)
      t.eq(args.state, "started")
      return { { id = "1" }, { id = "2" } }
    end,
  })
  t.eq(pluck(list, "id"), { "1", "2" })
  t.eq(pluck(list, "app"), { "web", "web" })
  t.eq(ctx.calls, { "machines.list_app web" })
end)

t.test("machines of everything take one call per organization", function()
  local list, _, ctx = run("machines.list", { region = "iad" }, {
    ["orgs.list_all"] = ORGS,
    ["machines.list_org acme"] = function(args)
      t.eq(args.region, "iad")
      return { { id = "1", app_name = "web" } }
    end,
    ["machines.list_org personal"] = { { id = "2", app_name = "blog" } },
  })
  t.eq(pluck(list, "app"), { "web", "blog" })
  t.eq(#ctx.calls, 3)
end)

t.test("a refused organization listing falls back to its apps", function()
  for _, refusal in ipairs({ failure("forbidden", 403), failure("not_found", 404),
    failure("server", 501), failure("invalid", 405) }) do
    local list, e, ctx = run("machines.list", { org = "acme", region = "iad" }, {
      ["machines.list_org acme"] = refusal,
      ["apps.list_org acme"] = {
        { name = "web", machine_count = 2 }, { name = "idle", machine_count = 0 },
        { name = "old" },
      },
      ["machines.list_app web"] = function(args)
        t.eq(args.region, "iad")
        return { { id = "1" }, { id = "2" } }
      end,
      ["machines.list_app old"] = failure("not_found", 404),
    })
    t.eq(e, nil)
    t.eq(pluck(list, "app"), { "web", "web" })
    t.eq(ctx.calls, { "machines.list_org acme", "apps.list_org acme",
      "machines.list_app web", "machines.list_app old" })
  end
end)

t.test("a refused organization listing is not asked for again", function()
  local memo, replies = {}, {
    ["machines.list_org acme"] = failure("forbidden", 403),
    ["apps.list_org acme"] = { { name = "web" } },
    ["machines.list_app web"] = { { id = "1" } },
  }
  run("machines.list", { org = "acme" }, replies, { memo = memo })
  local list, _, ctx = run("machines.list", { org = "acme" }, replies, { memo = memo })
  t.eq(pluck(list, "id"), { "1" })
  t.eq(ctx.calls, { "apps.list_org acme", "machines.list_app web" })
end)

t.test("a busy or broken server is no reason to ask more often", function()
  for _, kind in ipairs({ "rate_limited", "network", "server", "timeout", "auth" }) do
    local list, e, ctx = run("machines.list", { org = "acme" },
      { ["machines.list_org"] = failure(kind) })
    t.err(list, e, kind)
    t.eq(#ctx.calls, 1)
  end
end)

t.test("an app that fails in the fall-back is named", function()
  local list, e = run("machines.list", { org = "acme" }, {
    ["machines.list_org"] = failure("forbidden", 403),
    ["apps.list_org"] = { { name = "web" } },
    ["machines.list_app"] = failure("timeout"),
  })
  t.err(list, e, "timeout")
  t.match(e.message, "^app web: ")
end)

t.test("items are handed on as they come when the caller takes them so", function()
  local seen = {}
  local list = run("machines.list", {}, {
    ["orgs.list_all"] = ORGS,
    ["machines.list_org acme"] = { { id = "1", app_name = "web" } },
    ["machines.list_org personal"] = { { id = "2", app_name = "blog" } },
  }, { each = function(item)
    seen[#seen + 1] = item.app .. item.id
  end })
  t.eq(seen, { "web1", "blog2" })
  t.eq(list, {})
end)

local VOLUMES = {
  { id = "vol_1", state = "created", region = "iad", attached_machine_id = "1" },
  { id = "vol_2", state = "created", region = "fra" },
  { id = "vol_3", state = "pending_destroy", region = "fra" },
  { id = "vol_4", state = "created", region = "iad", attached_machine_id = "" },
}

t.test("volumes on their way out are left out", function()
  local list = run("volumes.list", { app = "db" }, { ["volumes.list_app"] = VOLUMES })
  t.eq(pluck(list, "id"), { "vol_1", "vol_2", "vol_4" })
  t.eq(list[1].app, "db")
end)

t.test("unattached volumes are those no machine mounts", function()
  local list = run("volumes.list", { unattached = true, org = "acme" },
    { ["volumes.list_org"] = VOLUMES })
  t.eq(pluck(list, "id"), { "vol_2", "vol_4" })
  list = run("volumes.list", { unattached = true, region = "iad", org = "acme" },
    { ["volumes.list_org"] = VOLUMES })
  t.eq(pluck(list, "id"), { "vol_4" })
end)

t.test("volumes fall back to apps that have some", function()
  local list, _, ctx = run("volumes.list", { org = "acme" }, {
    ["volumes.list_org"] = failure("forbidden", 403),
    ["apps.list_org"] = { { name = "web", volume_count = 0 }, { name = "db", volume_count = 1 } },
    ["volumes.list_app db"] = { VOLUMES[1] },
  })
  t.eq(pluck(list, "app"), { "db" })
  t.eq(#ctx.calls, 3)
end)

t.test("closing regions are shown on request only", function()
  local replies = { ["regions.list_all"] = {
    { code = "iad" }, { code = "old", deprecated = true }, { code = "fra", deprecated = false },
  } }
  t.eq(pluck(run("regions.list", {}, replies), "code"), { "iad", "fra" })
  t.eq(#run("regions.list", { deprecated = true }, replies), 3)
end)
