--- Tokens of limited reach, and what the account looks like to them.

local accounts = require "ops.account"
local client = require "fly.client"
local err = require "base.err"
local secret = require "sys.secret"
local support = require "ops.support"
local t = require "kit"

local failure, run = support.failure, support.run

-- A client that has a token of that type.
local function limited(account, args)
  local made = account.expect("tokens.create", args)
  local one = client.new({
    settings = {
      token = made.token, token_source = "test",
      bases = { machines = account.running.url, api = account.running.url },
    },
    version = "test",
  })
  t.cleanup(function()
    one:close()
  end)
  return one
end

t.test("a limited token knows who it is, its organization and its members", function()
  local account = accounts.open()
  local org = limited(account, { type = "org", org = "acme" })
  local viewer = assert(org:call("auth.whoami"))
  t.eq(viewer.kind, "Macaroon")
  t.ok(viewer.email)
  local orgs = assert(org:call("orgs.list"))
  t.eq(support.pluck(orgs, "slug"), { "acme" })
  t.ok(#assert(org:call("orgs.members", { org = "acme" })) > 0)
  local none, e = org:call("orgs.members", { org = "personal" })
  t.ok(none == nil and (e.kind == "not_found" or e.kind == "forbidden"), tostring(e))
end)

t.test("a deploy token is for one app", function()
  local account = accounts.open()
  local deploy = limited(account, { type = "deploy", app = "my-app" })
  t.eq(assert(deploy:call("auth.whoami")).kind, "Macaroon")
  t.ok(deploy:call("machines.list", { app = "my-app" }))
  local none, e = deploy:call("machines.list", { app = "acme-api" })
  t.ok(none == nil and err.is(e), "acme-api is another app")
  none, e = deploy:call("tokens.create", { type = "deploy", app = "my-app" })
  t.ok(none == nil and err.is(e), "scoped tokens make no tokens")
end)

t.test("revoking what is not there is a failure", function()
  local account = accounts.open()
  local made = account.expect("tokens.create", { type = "org", org = "acme" })
  account.expect("tokens.revoke", { id = made.id })
  local none, e = account.call("tokens.revoke", { id = made.id })
  t.err(none, e, "not_found")
end)

local function readonly(more, replies)
  local full = { ["tokens.create_readonly"] = { stdout = secret.new("FlyV1 fm2_simulated\n") },
    ["tokens.list_org"] = {
      { id = "old", name = "Read-only org token", created_at = "2024-05-01T12:00:00Z" },
      { id = "new", name = "Read-only org token", created_at = "2024-05-02T12:00:00Z" },
      { id = "odd", name = "another", created_at = "2024-05-03T12:00:00Z" },
    } }
  for id, reply in pairs(replies or {}) do
    full[id] = reply
  end
  return run("tokens.create", { type = "readonly", org = "acme", expiry = "1h" }, full, more)
end

t.test("a readonly token is flyctl's, known by its name", function()
  local made = readonly({ flyctl = function() return true end })
  t.eq(made.id, "new")
  t.ok(secret.is(made.token) and made.token:equals("FlyV1 fm2_simulated"))
end)

t.test("flyctl that is not there, or prints something else, is an error", function()
  local none, e, ctx = readonly({ flyctl = function()
    return nil, failure("error")
  end })
  t.err(none, e, "refused")
  t.eq(ctx.calls, {})
  none, e = readonly({ flyctl = function() return true end },
    { ["tokens.create_readonly"] = { stdout = secret.new("Update available") } })
  t.err(none, e, "protocol")
end)

t.test("an answer that got lost says where to look", function()
  local none, e = run("tokens.create", { type = "org", org = "acme" }, {
    ["orgs.get"] = { id = "n1", slug = "acme", name = "Acme" },
    ["tokens.create_once"] = failure("timeout"),
  })
  t.err(none, e, "timeout")
  t.match(e.hint, "list tokens %-%-org acme")
end)

t.test("what does not go with the type is refused before anything is asked", function()
  for _, args in ipairs({
    { type = "org", org = "acme", app = "web" }, { type = "readonly", app = "web" },
    { type = "deploy", app = "web", org = "acme" },
  }) do
    local none, e, ctx = run("tokens.create", args, {})
    t.err(none, e, "usage")
    t.match(e.hint, "alone, or %-%-type")
    t.eq(ctx.calls, {})
  end
end)
