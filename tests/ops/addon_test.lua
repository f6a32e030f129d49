--- Redis and buckets: plans, terms, waiting; and what is lost is never silent.

local err = require "base.err"
local support = require "ops.support"
local t = require "kit"
local tbl = require "base.tbl"

local failure, run = support.failure, support.run

local ORG = { id = "node1", slug = "acme", name = "Acme" }

local PLANS = {
  { id = "p1", name = "payg", title = "Pay-as-you-go" },
  { id = "p2", name = "fixed", title = "Fixed 250MB" },
}

local function redis(args, replies)
  local asked
  local made, e, ctx = run("redis.create",
    tbl.merge({ name = "cache", region = "iad", org = "acme" }, args), tbl.merge({
      ["orgs.get"] = ORG,
      ["extensions.plans"] = PLANS,
      ["extensions.create_once"] = function(given)
        asked = given
        return { id = "a1", name = "cache", status = "ready",
          public_url = "redis://simulated" }
      end,
    }, replies or {}))
  return made, e, asked, ctx
end

t.test("a plan is found by id, name or title", function()
  local wanted = { ["p2"] = "p2", ["fixed"] = "p2", ["Fixed 250MB"] = "p2", ["PAYG"] = "p1" }
  for word, id in pairs(wanted) do
    local _, _, asked = redis({ plan = word })
    t.eq(asked.plan, id)
  end
  local _, _, asked = redis({})
  t.eq({ asked.plan, asked.type, asked.node, asked.options.eviction },
    { "p1", "upstash_redis", "node1", false })
  local made, e, none = redis({ plan = "gold" })
  t.err(made, e, "usage")
  t.eq(none, nil)
  t.match(e.hint, "Pay%-as%-you%-go and Fixed 250MB")
end)

t.test("the address is in the environment, wherever the provider puts it", function()
  t.eq(redis({}).environment, { REDIS_URL = "redis://simulated" })
  for _, environment in ipairs({ { REDIS_URL = "redis://own" }, {} }) do
    local made = redis({}, { ["extensions.create_once"] = {
      id = "a1", name = "cache", public_url = "redis://simulated",
      environment = environment,
    } })
    t.eq(made.environment.REDIS_URL, environment.REDIS_URL or "redis://simulated")
    t.eq(made.public_url, nil)
  end
end)

local MAKING = { id = "a1", name = "cache", status = "creating",
  public_url = "redis://simulated" }

t.test("a new add-on is waited for, a broken one is a failure", function()
  local turns = { "creating", "ready" }
  local made = redis({}, {
    ["extensions.create_once"] = MAKING,
    ["extensions.get_once"] = function()
      return { id = "a1", status = table.remove(turns, 1) }
    end,
  })
  t.eq(made.status, "ready")
  local none, e = redis({}, {
    ["extensions.create_once"] = MAKING,
    ["extensions.get_once"] = { id = "a1", status = "error", problem = "no room" },
  })
  t.err(none, e, "server")
  t.match(e.message, "no room")
end)

t.test("one that is late, or cannot be seen, keeps its credentials", function()
  for _, seen in ipairs({ { id = "a1", status = "creating" }, failure("forbidden") }) do
    local made, e, _, ctx = redis({}, {
      ["extensions.create_once"] = MAKING, ["extensions.get_once"] = seen,
    })
    t.eq(e, nil)
    t.eq(made.environment.REDIS_URL, "redis://simulated")
    t.match(ctx.notices[1], "may not be ready")
  end
end)

t.test("no_wait does not look", function()
  local made, _, _, ctx = redis({ no_wait = true },
    { ["extensions.create_once"] = MAKING })
  t.eq(made.status, "creating")
  t.eq(ctx.calls[#ctx.calls], "extensions.create_once")
end)

t.test("an answer that got lost says where to look", function()
  local made, e = redis({}, { ["extensions.create_once"] = failure("timeout") })
  t.err(made, e, "timeout")
  t.match(e.hint, "list extensions")
end)

local TERMS = { name = "tigris", title = "Tigris", terms = "https://example.com/t" }

local function bucket(args, replies)
  local made, e, ctx = run("tigris.create_bucket",
    tbl.merge({ name = "files", org = "acme" }, args), tbl.merge({
      ["orgs.get"] = ORG,
      ["extensions.provider"] = TERMS,
      ["extensions.has_agreed"] = { agreed = false },
      ["extensions.has_agreed_self"] = { kind = "User", agreed = false },
      ["extensions.agree"] = {},
      ["extensions.create_once"] = { id = "b1", name = "files", environment = {} },
    }, replies or {}))
  return made, e, ctx
end

local function agreed(ctx)
  return tbl.contains(ctx.calls, "extensions.agree")
end

t.test("terms are agreed to when they are to be, and only then", function()
  local made, e, ctx = bucket({})
  t.err(made, e, "declined")
  t.match(e.hint, "https://example.com/t and say %-%-agree%-terms")
  t.ok(not agreed(ctx))
  made, e, ctx = bucket({ agree_terms = true })
  t.eq(e, nil)
  t.ok(made and agreed(ctx))
  for _, known in ipairs({
    { ["extensions.has_agreed"] = { agreed = true } },
    { ["extensions.has_agreed_self"] = { kind = "User", agreed = true } },
    { ["extensions.provider"] = { name = "tigris", title = "Tigris" } },
  }) do
    made, e, ctx = bucket({ agree_terms = true }, known)
    t.eq(e, nil)
    t.ok(made and not agreed(ctx))
  end
end)

t.test("a token that may not agree is told who may", function()
  local made, e = bucket({ agree_terms = true }, {
    ["extensions.has_agreed_self"] = { kind = "Macaroon" },
    ["extensions.agree"] = err.new({
      kind = "forbidden", request_id = "r1",
      message = "Not authorized to access this createextensiontosagreement",
    }),
  })
  t.err(made, e, "forbidden")
  t.match(e.message, "may not agree to the terms of Tigris")
  t.match(e.hint, "user's token")
  t.eq(e.request_id, "r1")
end)

t.test("what is not there is not destroyed, nor another provider's", function()
  local asked
  local gone, e, ctx = run("redis.destroy", { name = "files" }, {
    ["extensions.get_once"] = function(args)
      asked = args.provider
      return failure("not_found", 404)
    end,
  })
  t.err(gone, e, "not_found")
  t.match(e.hint, "list redis")
  t.eq({ asked, #ctx.calls }, { "upstash_redis", 1 })
end)

t.test("what is destroyed is gone before that is said", function()
  local function destroy(seen, args)
    return run("redis.destroy", tbl.merge({ name = "cache" }, args or {}), {
      ["extensions.get_once"] = seen, ["extensions.destroy_once"] = {},
    })
  end
  local turns = 0
  local addon, e = destroy(function()
    turns = turns + 1
    return turns < 4 and { id = "a1", name = "cache" } or failure("not_found", 404)
  end)
  t.eq({ addon.name, e, turns }, { "cache", nil, 4 })
  addon, e = destroy({ id = "a1", name = "cache" })
  t.err(addon, e, "timeout")
  t.match(e.message, "cache was not gone")
  addon = destroy({ id = "a1", name = "cache" }, { no_wait = true })
  t.eq(addon.name, "cache")
end)

t.test("eviction, public access and what the provider wants go out as asked", function()
  local _, _, asked = redis({ eviction = true, replica = { "fra", "ams" } })
  t.eq(asked.options, { eviction = true, auto_upgrade = false, prod_pack = false })
  t.eq(asked.read_regions, { "fra", "ams" })
  for _, public in ipairs({ true, false }) do
    local sent
    bucket({ agree_terms = true, public = public }, {
      ["extensions.create_once"] = function(args)
        sent = args
        return { id = "b1", name = "files", environment = {} }
      end,
    })
    t.eq({ sent.type, sent.node, sent.name }, { "tigris", "node1", "files" })
    t.eq(sent.options,
      { public = public, accelerate = false, website = { domain_name = "" } })
  end
end)
