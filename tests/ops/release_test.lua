--- Going back and deploying again; detaching; clusters that do not come about.

local support = require "ops.support"
local t = require "kit"

local failure, run = support.failure, support.run

local function release(version, image, more)
  local made = { id = "r" .. version, version = version, image = image, status = "complete" }
  for key, value in pairs(more or {}) do
    made[key] = value
  end
  return made
end

local function rollback(args, releases, after)
  local image
  args.app = "web"
  local value, e, ctx = run("releases.rollback", args, {
    ["releases.list"] = releases,
    ["deploy.image"] = function(given)
      image = given.image
      return { stdout = "" }
    end,
    ["releases.current"] = after or { release = release(100, "made") },
  })
  return image, e, ctx, value
end

t.test("rollback takes the newest good release before the newest", function()
  t.eq(rollback({}, {
    release(5, "five"), release(4, "four", { status = "failed", stable = false }),
    release(3, "", {}), release(2, "two"), release(1, "one"),
  }), "two")
  t.eq(rollback({}, { release(3, "same"), release(2, "same"), release(1, "one") }), "one")
  t.eq(rollback({}, { release(2, "bad", { status = "failed" }),
    release(1, "one", { status = "running", stable = true }) }), "one")
end)

t.test("a release named is the one, whatever became of it", function()
  local list = { release(3, "three"), release(2, "two", { status = "failed" }) }
  local image, _, ctx = rollback({ version = 2 }, list)
  t.eq(image, "two")
  t.match(ctx.notices[1], "deploying release 2: two")
end)

t.test("without a release to go back to nothing is deployed", function()
  for _, case in ipairs({
    { {}, { release(1, "one") }, "no earlier release" },
    { {}, {}, "no earlier release" },
    { { version = 9 }, { release(1, "one") }, "has no release 9" },
    { { version = 1 }, { release(1, nil) }, "release 1 of app web has no image" },
  }) do
    local image, e = rollback(case[1], case[2])
    t.eq(image, nil)
    t.match(e.message, case[3])
  end
end)

t.test("a deploy without a good release of its own is no success", function()
  local list = { release(3, "three"), release(2, "two") }
  for _, case in ipairs({
    { { release = release(3, "three") }, "no release after 3" },
    { {}, "no release after 3" },
    { { release = release(4, "two", { status = "failed" }) }, "release 4 of app web is failed" },
    { failure("server", 500), "looking at the new release" },
  }) do
    local image, e, _, done = rollback({}, list, case[1])
    t.eq({ image, done }, { "two" })
    t.err(nil, e, "server")
    t.match(e.message, case[2])
  end
  local _, e, _, done = rollback({ no_wait = true }, list, failure("server", 500))
  t.eq(e, nil)
  t.ok(done)
end)

t.test("redeploy deploys the image that runs", function()
  local asked
  local done, failed = run("deploy.again", { app = "web" }, {
    ["releases.current"] = function()
      return { release = asked and release(4, "three") or release(3, "three") }
    end,
    ["deploy.image"] = function(args)
      asked = args.image
      return {}
    end,
  })
  t.eq({ asked, failed }, { "three" })
  t.ok(done)
  local none, e = run("deploy.again", { app = "web" },
    { ["releases.current"] = { release = release(1) } })
  t.err(none, e, "has no image")
  none, e = run("deploy.again", { app = "web" }, { ["releases.current"] = {},
    ["apps.get"] = { name = "web", status = "pending" } })
  t.err(none, e, "conflict")
  t.match(e.message, "app web is pending")
  none, e = run("deploy.again", { app = "web" }, { ["releases.current"] = {},
    ["apps.get"] = { name = "web", status = "deployed" } })
  t.err(none, e, "was never released")
end)

t.test("detaching removes record and secret, and tells what stays", function()
  local unset
  local attached = { { id = "a1", database = "web", user = "web",
    variable = "DATABASE_URL" } }
  local list, e, ctx = run("postgres.detach", { cluster = "pg1", app = "web" }, {
    ["postgres.list_attachments"] = function()
      return unset and {} or attached
    end,
    ["postgres.forget_attachment"] = {},
    ["secrets.unset"] = function(args)
      unset = args.names
      return {}
    end,
  })
  t.eq(e, nil)
  t.eq(#list, 1)
  t.eq(unset, { "DATABASE_URL" })
  t.match(ctx.notices[1], "database web and user web stay in cluster pg1")
  local none
  none, e = run("postgres.detach", { cluster = "pg1", app = "web" },
    { ["postgres.list_attachments"] = {}, ["mpg.get"] = failure("not_found", 404),
      ["apps.get"] = { id = "a", name = "pg1", app_role = "postgres_cluster" },
      ["machines.list_app"] = {} })
  t.err(none, e, "not attached")
end)

t.test("an attachment that stays is no success", function()
  local none, e = run("postgres.detach", { cluster = "pg1", app = "web" }, {
    ["postgres.list_attachments"] = { { id = "a1", variable = "" } },
    ["postgres.forget_attachment"] = {},
  })
  t.err(none, e, "timeout")
  t.match(e.message, "was not detached from app web")
end)

t.test("a record that cannot be removed keeps its secret", function()
  local _, e, ctx = run("postgres.detach", { cluster = "pg1", app = "web" }, {
    ["postgres.list_attachments"] = { { id = "a1", variable = "DATABASE_URL" } },
    ["postgres.forget_attachment"] = failure("forbidden"),
  })
  t.eq(e.kind, "forbidden")
  t.eq(#ctx.calls, 2)
end)

t.test("a cluster that fails is told as failed", function()
  local states = { "creating", "initializing", "failed" }
  local cluster, e = run("mpg.create", { name = "main", region = "iad", org = "acme" }, {
    ["mpg.create_once"] = { id = "c1", status = "creating" },
    ["mpg.get"] = function()
      return { id = "c1", status = table.remove(states, 1) }
    end,
  })
  t.err(cluster, e, "server")
  t.match(e.hint, "mpg destroy c1")
end)

t.test("a cluster is waited for unless told not to, and asked for as the API wants", function()
  local asked
  local replies = {
    ["mpg.create_once"] = function(args)
      asked = args
      return { id = "c1", status = "creating" }
    end,
    ["mpg.get"] = { id = "c1", status = "ready" },
  }
  local args = { name = "main", region = "iad", org = "acme", plan = "performance",
    disk_gb = 50 }
  local cluster, _, ctx = run("mpg.create", args, replies)
  t.eq({ cluster.status, #ctx.calls }, { "ready", 2 })
  t.eq({ asked.org, asked.plan, asked.disk_gb }, { "acme", "performance", 50 })
  local request = require "opkit".http(require("ops").get("mpg.create_once"), asked)
  t.match(require("base.json").encode(request), '"plan":"Performance"')
  args.no_wait = true
  cluster, _, ctx = run("mpg.create", args, replies)
  t.eq({ cluster.status, #ctx.calls }, { "creating", 1 })
end)

t.test("a cluster somebody else destroyed meanwhile is destroyed", function()
  local cluster = run("mpg.destroy", { id = "c1", no_wait = true }, {
    ["mpg.get"] = { id = "c1" }, ["mpg.destroy_once"] = failure("error", 410),
  })
  t.eq(cluster.id, "c1")
end)

-- Replies of mpg.get in turn; the last one stays.
local function clusters(...)
  local turns = { ... }
  return function()
    return #turns > 1 and table.remove(turns, 1) or turns[1]
  end
end

t.test("a destroyed cluster is waited for until it is gone", function()
  local gone, _, ctx = run("mpg.destroy", { id = "c1" }, {
    ["mpg.destroy_once"] = {},
    ["mpg.get"] = clusters({ id = "c1", status = "ready" },
      { id = "c1", status = "deleting" }, failure("not_found", 404)),
  })
  t.eq({ gone.id, gone.status }, { "c1", "deleted" })
  t.eq(#ctx.calls, 4)
  gone, _, ctx = run("mpg.destroy", { id = "c1", no_wait = true }, {
    ["mpg.destroy_once"] = {}, ["mpg.get"] = { id = "c1", status = "ready" },
  })
  t.eq({ gone.status, #ctx.calls }, { "deleting", 2 })
end)

t.test("a cluster that is going is not destroyed again", function()
  for _, first in ipairs({ { id = "c1", status = "deleting" }, failure("error", 410) }) do
    local gone, e, ctx = run("mpg.destroy", { id = "c1" }, {
      ["mpg.get"] = clusters(first, failure("error", 410)),
    })
    t.eq(e, nil)
    t.eq({ gone.id, gone.status }, { "c1", "deleted" })
    t.eq(ctx.calls, { "mpg.get c1", "mpg.get c1" })
  end
end)

t.test("a region without managed Postgres is answered with those that have it", function()
  local none, e = run("mpg.create", { name = "main", region = "bom", org = "acme" }, {
    ["mpg.create_once"] = require("base.err").new({
      kind = "invalid", status = 422, message = "region bom is not available",
    }),
    ["regions.list_all"] = {
      { code = "iad", name = "A", mpg_available = true },
      { code = "bom", name = "B", mpg_available = false },
      { code = "fra", name = "C", mpg_available = true },
    },
  })
  t.err(none, e, "invalid")
  t.eq(e.hint, "the regions for it are fra and iad")
end)

t.test("a backup is the one that was not there before", function()
  local turns = clusters({ { id = "b1", status = "completed" } },
    { { id = "b1", status = "completed" }, { id = "b2", status = "running" } },
    { { id = "b1", status = "completed" }, { id = "b2", status = "completed" } })
  local backup = run("mpg.backups_create", { id = "c1" },
    { ["mpg.backups"] = turns, ["mpg.backup_once"] = {} })
  t.eq(backup.id, "b2")
  local none, e = run("mpg.backups_create", { id = "c1" }, {
    ["mpg.backups"] = clusters({ { id = "b1" } }, { { id = "b1" }, { id = "b2",
      status = "failed" } }),
    ["mpg.backup_once"] = {},
  })
  t.err(none, e, "server")
  t.match(e.hint, "backups create c1")
end)
