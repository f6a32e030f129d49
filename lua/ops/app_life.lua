--- The life of apps: create, restart, destroy.
--- Rows; what they run waits, and reaches others through its context only.

local cells = require "ops.cells"
local err = require "base.err"
local flow = require "ops.flow"
local flow_machine = require "ops.flow_machine"
local fmt = require "base.fmt"
local kinds = require "base.json.kinds"
local op = require "opkit.op"
local proof = require "ops.flow_proof"
local tbl = require "base.tbl"

local APP = { "app", "app", "name of the app", required = true, pos = 1 }

op {
  id = "apps.create_once",
  hidden = true,
  title = "Ask for an app",
  effect = "write",
  http = { "POST", "/v1/apps" },
  limit = "caller",
  params = {
    { "name", "new_app", "name of the app", required = true },
    { "org", "org", "organization it belongs to", required = true,
      at = "body.org_slug" },
    { "network", "name", "private network of its own" },
    { "key", "name", "makes a repeated request the same one",
      at = "body.idempotency_key" },
  },
  idempotent = true,
}

op {
  id = "apps.destroy_once",
  hidden = true,
  title = "Ask to destroy an app",
  effect = "destroy",
  confirm = "Destroy app {app}?",
  http = { "DELETE", "/v1/apps/{app}" },
  limit = "app",
  params = {
    { "app", "app", "name of the app", required = true },
    { "force", "boolean", "even while machines run" },
  },
}

-- What is worth asking again with the same key: the answer got lost.
local LOST = tbl.set({ "network", "timeout", "server" })
local TRIES = 3

-- A new app is not everywhere at once: "who are you" and "no such app" mean
-- "not yet" for a while.
local function until_known(ctx, name)
  return flow.poll(ctx, {
    seconds = 60, pause = 1, what = ("app %s did not appear"):format(name),
  }, function()
    local app, e = ctx.call("apps.get", { app = name })
    if app or e.kind == "not_found" or e.kind == "auth" then
      return app
    end
    return nil, e
  end)
end

op {
  id = "apps.create",
  title = "Create an app",
  doc = "The name must be free on all of Fly. An app without machines costs"
    .. " nothing.",
  effect = "write",
  calls = { "orgs.list_all", "apps.create_once", "apps.get" },
  run = function(ctx, args)
    local org, e = flow.one_org(ctx, args)
    if not org then
      return nil, e
    end
    local asked = {
      name = args.name, org = org, network = args.network, key = ctx.unique(),
    }
    for try = 1, TRIES do
      local made
      made, e = ctx.call("apps.create_once", asked)
      if made and args.no_wait then
        return { id = made.id, name = args.name, organization = { slug = org } }
      elseif made then
        return until_known(ctx, args.name)
      elseif not LOST[e.kind] or try == TRIES then
        return nil, e
      end
      ctx.sleep(1)
    end
  end,
  params = {
    { "name", "new_app", "name of the app", required = true, pos = 1 },
    { "org", "org", "organization it belongs to" },
    { "network", "name", "private network of its own" },
    { "no_wait", "boolean", "do not wait until it is known everywhere" },
  },
  returns = "app",
  columns = {
    { "NAME", "name" },
    { "ORG", "organization.slug" },
    { "STATUS", "status", format = "state" },
    { "ID", "id" },
  },
  produces = { app = "name" },
  undo = { op = "apps.destroy", args = { app = "{name}" } },
  examples = { "apps create new-app --org personal" },
}

-- What belongs to an app: the operation that lists it, and each item's row.
local PARTS = {
  { "machines.list_app", function(machine)
    return { kind = "machine", name = machine.id,
      detail = ("%s, %s"):format(machine.state, machine.region or "?") }
  end },
  { "volumes.list_app", function(volume)
    return { kind = "volume", name = volume.id,
      detail = ("%s, %s, %s"):format(volume.name or "?",
        fmt.bytes((volume.size_gb or 0) * 2 ^ 30), volume.region or "?") }
  end },
  { "ips.list", function(address)
    return { kind = "ip", name = address.ip, detail = cells.ip_type(address) }
  end },
  { "certs.list", function(cert)
    return { kind = "cert", name = cert.hostname, detail = cert.status }
  end },
}

-- Add-ons are listed for all apps at once; where they cannot be, that is told.
local function addons(ctx, app)
  local rows, e = flow.collect(ctx, "extensions.list_all", {}, function(addon)
    local is_ours = addon.app and addon.app.name == app
    return is_ours and {
      kind = "extension", name = addon.name or addon.id,
      detail = addon.provider and addon.provider.name,
    } or nil
  end)
  if not rows then
    ctx.notice("extensions could not be listed: " .. e.message)
  end
  return rows or {}
end

op {
  id = "apps.contents",
  hidden = true,
  title = "List what belongs to an app",
  effect = "read",
  calls = {
    "machines.list_app", "volumes.list_app", "ips.list", "certs.list",
    "extensions.list_all",
  },
  run = function(ctx, args)
    local jobs = tbl.map(PARTS, function(part)
      return function()
        return flow.collect(ctx, part[1], { app = args.app }, part[2])
      end
    end)
    jobs[#jobs + 1] = function()
      return addons(ctx, args.app)
    end
    local lists, e = ctx.map(jobs, function(job)
      return job()
    end)
    if not lists then
      return nil, e
    end
    return kinds.array(tbl.flatten(lists))
  end,
  params = { { "app", "app", "name of the app", required = true } },
  returns = {
    list = {
      object = { kind = "string", name = "string", detail = "string?" },
    },
  },
  order = { "kind", "name" },
  columns = {
    { "KIND", "kind" },
    { "NAME", "name" },
    { "DETAIL", "detail" },
  },
}

op {
  id = "apps.destroy",
  title = "Destroy an app",
  doc = "Its machines, volumes, addresses and certificates go with it.",
  effect = "destroy",
  confirm = "Destroy app {app} with everything in it?",
  preview = "apps.contents",
  calls = { "apps.get", "apps.destroy_once" },
  run = function(ctx, args)
    local app, e = ctx.call("apps.get", { app = args.app })
    if not app then
      return nil, e
    end
    local done
    done, e = ctx.call("apps.destroy_once",
      { app = args.app, force = args.force })
    if not done then
      return nil, e
    elseif args.no_wait then
      return app
    end
    return flow.poll(ctx, {
      seconds = 120, pause = 1,
      what = ("app %s was not gone"):format(args.app),
    }, function()
      local still, why = ctx.call("apps.get", { app = args.app })
      if still then
        return nil
      elseif flow.is_refusal(why) then
        return app
      end
      return nil, why
    end)
  end,
  params = {
    APP,
    { "force", "boolean", "even while machines run" },
    { "no_wait", "boolean", "do not wait until it is gone" },
  },
  returns = "app",
  columns = {
    { "NAME", "name" },
    { "ORG", "organization.slug" },
  },
  examples = { "destroy app my-app" },
}

-- Why there is nothing to restart.
local function nothing_started(ctx, name)
  return flow_machine.pending(ctx, name) or err.new({
    kind = "conflict",
    message = ("no machine of app %s is started"):format(name),
    hint = "start them: clanker fly start --all --app " .. name,
  })
end

op {
  id = "apps.restart",
  title = "Restart the machines of an app",
  doc = "Those that are started, one after another unless told otherwise, so"
    .. " that the app stays up. The API restarts machines, not apps.",
  effect = "write",
  calls = tbl.flatten({
    flow_machine.CALLS, { "machines.list_app", "machines.restart_once" },
  }),
  run = function(ctx, args)
    local targets, e = flow_machine.targets(ctx, { app = args.app, all = true },
      { started = true })
    if not targets then
      return nil, e
    elseif #targets == 0 then
      return nil, nothing_started(ctx, args.app)
    end
    return flow_machine.each(ctx, targets, args.parallel, function(target)
      return flow_machine.act(ctx, target, {
        call = "machines.restart_once", state = "started",
        shows = proof.restarted, result = "restarted", no_wait = args.no_wait,
      })
    end)
  end,
  params = {
    APP,
    { "parallel", "integer", "how many at a time", default = 1, min = 1,
      max = 50 },
    { "no_wait", "boolean", "do not wait until they are started" },
  },
  order = { "id" },
  returns = { list = "outcome" },
  columns = cells.OUTCOME,
  examples = { "restart app my-app" },
}
