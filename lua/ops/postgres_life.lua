--- Making, attaching and failing over Postgres clusters of one's own.
--- Rows; what they run waits, and reaches others through its context only.

local cells = require "ops.cells"
local err = require "base.err"
local flow = require "ops.flow"
local flow_postgres = require "ops.flow_postgres"
local guests = require "ops.guest"
local op = require "opkit.op"
local tbl = require "base.tbl"

-- Seconds in which machines of a cluster get ready, or another one leads.
local PATIENCE = 300

-- What a new cluster is made of; who calls flyctl has an organization.
local function create_params(is_sure)
  return {
    { "name", "new_app", "name of its app", required = true },
    { "org", "org", "organization it belongs to", required = is_sure },
    { "region", "region", "region", required = true },
    { "vm_size", "enum", "preset of CPUs and memory",
      values = guests.PRESETS, default = "shared-cpu-1x" },
    { "volume_size", "gigabytes", "size of each volume", default = 10, min = 1,
      max = 500 },
    { "count", "integer", "number of machines", default = 1, min = 1, max = 10 },
    { "no_wait", "boolean", "do not wait until its machines are ready" },
  }
end

op {
  id = "postgres.create_cluster",
  hidden = true,
  title = "Have flyctl create an unmanaged Postgres cluster",
  effect = "write",
  flyctl = {
    "postgres", "create", "--name={name}", "--org={org}", "--region={region}",
    "--vm-size={vm_size}", "--volume-size={volume_size}",
    "--initial-cluster-size={count}", { when = "no_wait", "--detach" },
  },
  finds = { PGPASSWORD = "^%s*Password:%s+(%S+)", DATABASE_URL = "(postgres://%S+)" },
  timeout = 900,
  params = create_params(true),
}

-- An app of that name must not be there: what is made could not be told from it.
local function is_free(ctx, name)
  local app, e = ctx.call("apps.get", { app = name })
  if app then
    return nil, err.new({
      kind = "conflict", message = ("there is an app %s already"):format(name),
      hint = "choose another name; names are shared by all of Fly",
    })
  elseif flow.is_refusal(e) then
    return true
  end
  return nil, e
end

-- What flyctl had made when it failed is still there.
local function half_made(ctx, name, e)
  if ctx.call("apps.get", { app = name }) then
    e.hint = ("part of it was made; look: clanker fly get postgres %s, or undo it:"
      .. " clanker fly destroy app %s"):format(name, name)
  end
  return e
end

-- Its password is in hand and would be lost with an error, so a cluster that is
-- only late is told, not failed.
local function until_started(ctx, name, credentials)
  local cluster, e = flow.poll(ctx, {
    seconds = PATIENCE, pause = 2,
    what = ("the machines of cluster %s were not all started"):format(name),
  }, function()
    local now, why = ctx.call("postgres.get", { id = name })
    local waiting = now and tbl.find(now.machines or {}, function(machine)
      return machine.state ~= "started"
    end)
    return not waiting and now or nil, why
  end)
  if not cluster then
    ctx.notice(("%s may not be ready yet: %s"):format(name, e.message))
    cluster = { id = name, name = name, kind = "unmanaged" }
  end
  cluster.credentials = credentials
  return cluster
end

op {
  id = "postgres.create",
  title = "Create an unmanaged Postgres cluster",
  doc = [[
    It is an app of your own to look after; `mpg create` makes a managed one. The
    password is shown once, at a terminal, or written to the new file of --out,
    in the form that `secrets set --import` reads. What flyctl says goes to
    stderr, without the password.
  ]],
  effect = "write",
  cost = "its machines and volumes are billed.",
  calls = {
    "orgs.list_all", "regions.list_all", "apps.get", "postgres.create_cluster",
    "postgres.get",
  },
  run = function(ctx, args)
    local known, e = ctx.has_flyctl()
    if known then
      known, e = flow.known_region(ctx, args.region)
    end
    local org
    if known then
      org, e = flow.one_org(ctx, args)
    end
    if org then
      known, e = is_free(ctx, args.name)
    end
    if not org or not known then
      return nil, e
    end
    local asked = tbl.merge(args, { org = org })
    asked.out = nil
    local made
    made, e = ctx.call("postgres.create_cluster", asked)
    if not made then
      return nil, half_made(ctx, args.name, e)
    elseif args.no_wait then
      return { id = args.name, name = args.name, org = org, kind = "unmanaged",
        region = args.region, credentials = made.found }
    end
    return until_started(ctx, args.name, made.found)
  end,
  params = tbl.flatten({ create_params(nil), { flow.out("its password") } }),
  sensitive = { "credentials" },
  returns = "postgres",
  columns = {
    { "NAME", "name" },
    { "KIND", "kind" },
    { "ORG", "org" },
    { "STATUS", "status", format = "state" },
    { "PLAN", "plan" },
    { "REGION", "region" },
    { "HOST", "host" },
    { "PASSWORD", "credentials" },
  },
  produces = { app = "name" },
  undo = { op = "apps.destroy", args = { app = "{name}" } },
  examples = {
    "postgres create --name pg1 --region iad --org personal",
    "postgres create --name pg1 --region iad --org personal --vm-size shared-cpu-2x"
      .. " --volume-size 20 --out pg1.env",
  },
}

local CLUSTER = { "cluster", "own_cluster", "name of the cluster's app", required = true,
  pos = 1 }

local ATTACH = {
  CLUSTER,
  { "app", "app", "app that gets it", required = true },
  { "database", "name", "name of the database; that of the app unless told" },
  { "variable", "name", "name of the secret", default = "DATABASE_URL" },
}

op {
  id = "postgres.attach_once",
  hidden = true,
  title = "Have flyctl give an app a database of an unmanaged cluster",
  effect = "write",
  flyctl = {
    "postgres", "attach", "{cluster}", "--app={app}", "--yes",
    { when = "database", "--database-name={database}" },
    "--variable-name={variable}",
  },
  finds = { url = "(postgres://%S+)" },
  timeout = 300,
  params = ATTACH,
}

-- Whether an app has a secret of that name.
local function has_secret(ctx, app, name)
  local secrets, e = flow.collect(ctx, "secrets.list_app", { app = app }, function(one)
    return one.name == name and one or nil
  end)
  if not secrets then
    return nil, e
  end
  return #secrets > 0
end

-- Refuses what flyctl would refuse only after it has built its tunnel.
local function check_attach(ctx, args)
  local own, e = flow_postgres.own(ctx, args.cluster)
  if not own then
    return nil, e
  end
  local is_taken
  is_taken, e = has_secret(ctx, args.app, args.variable)
  if is_taken == nil then
    return nil, e
  elseif is_taken then
    return nil, err.new({
      kind = "conflict",
      message = ("app %s has a secret %s already"):format(args.app, args.variable),
      hint = ("give --variable NAME, or detach it first: clanker fly postgres detach"
        .. " %s --app %s"):format(args.cluster, args.app),
    })
  end
  return true
end

-- The attachment as it is recorded now, and the secret set.
local function attachment_of(ctx, args)
  local is_set, e = has_secret(ctx, args.app, args.variable)
  if is_set == nil then
    return nil, e
  elseif not is_set then
    return nil, err.new({
      kind = "server",
      message = ("flyctl is done, but app %s has no secret %s"):format(
        args.app, args.variable),
      hint = "look: clanker fly list secrets --app " .. args.app,
    })
  end
  local list = ctx.call("postgres.list_attachments",
    { app = args.app, cluster = args.cluster })
  return tbl.find(list or {}, function(one)
    return one.variable == args.variable
  end) or {}
end

op {
  id = "postgres.attach",
  title = "Give an app a database of an unmanaged cluster",
  doc = [[
    Makes a user and a database, and sets DATABASE_URL as a secret, which machines
    get with the next deploy. The address holds the password: it is shown once, at
    a terminal, or written to the new file of --out; elsewhere it is only in the
    secret. What flyctl says goes to stderr, without the password.
  ]],
  effect = "write",
  calls = tbl.flatten({ flow_postgres.CALLS, { "postgres.attach_once",
    "secrets.list_app", "postgres.list_attachments" } }),
  run = function(ctx, args)
    local fine, e = check_attach(ctx, args)
    if not fine then
      return nil, e
    end
    local asked = tbl.copy(args)
    asked.out = nil
    local made
    made, e = ctx.call("postgres.attach_once", asked)
    if not made then
      return nil, flow.may_exist(e, "list secrets --app " .. args.app)
    end
    local attachment
    attachment, e = attachment_of(ctx, args)
    if not attachment then
      return nil, e
    end
    ctx.notice(("machines get %s with the next deploy: clanker fly secrets deploy"
      .. " --app %s"):format(args.variable, args.app))
    return {
      cluster = args.cluster, app = args.app, variable = args.variable,
      database = attachment.database, user = attachment.user,
      credentials = { [args.variable] = made.found.url },
    }
  end,
  params = tbl.flatten({ ATTACH, { flow.out("the address") } }),
  sensitive = { "credentials" },
  kept = "it is in the secret {variable} of app {app}",
  returns = {
    object = {
      cluster = "string", app = "string", variable = "string", database = "string?",
      user = "string?", credentials = "any?",
    },
  },
  columns = {
    { "CLUSTER", "cluster" },
    { "APP", "app" },
    { "DATABASE", "database" },
    { "USER", "user" },
    { "SECRET", "variable" },
    { "ADDRESS", "credentials" },
  },
  undo = { op = "postgres.detach", args = { cluster = "{cluster}", app = "{app}" } },
  examples = { "postgres attach pg1 --app my-app" },
}

op {
  id = "postgres.failover_once",
  hidden = true,
  title = "Have flyctl let another machine of a cluster lead",
  effect = "write",
  flyctl = {
    "postgres", "failover", "--app={cluster}", { when = "force", "--force" },
  },
  timeout = 300,
  params = {
    CLUSTER,
    { "force", "boolean", "even when the leader cannot be reached" },
  },
}

-- Waits until another machine than that one says that it leads.
local function until_led(ctx, cluster, former)
  return flow.poll(ctx, {
    seconds = PATIENCE, pause = 2,
    what = ("no other machine of cluster %s led"):format(cluster),
  }, function()
    local machines, e = flow_postgres.machines(ctx, cluster)
    local leader = machines and flow_postgres.leader(machines)
    return leader and leader.id ~= former.id and leader or nil, e
  end)
end

op {
  id = "postgres.failover",
  title = "Let another machine of an unmanaged cluster lead",
  doc = "The cluster needs several machines, one of flyctl's newer kind three or"
    .. " more; connections break for a moment.",
  effect = "write",
  calls = tbl.flatten({ flow_postgres.CALLS, { "postgres.failover_once" } }),
  run = function(ctx, args)
    local own, e = flow_postgres.own(ctx, args.cluster)
    if not own then
      return nil, e
    elseif #own.machines < 2 then
      return nil, err.new({
        kind = "conflict",
        message = ("cluster %s has one machine: no other can lead"):format(args.cluster),
        hint = own.machines[1] and ("add some first: clanker fly clone %s --app %s"):format(
          own.machines[1].id, args.cluster) or nil,
      })
    end
    local done
    done, e = ctx.call("postgres.failover_once",
      { cluster = args.cluster, force = args.force })
    local former = flow_postgres.leader(own.machines)
    if done and former and not args.no_wait then
      done, e = until_led(ctx, args.cluster, former)
    end
    return done and {}, e
  end,
  params = {
    CLUSTER,
    { "force", "boolean", "even when the leader cannot be reached" },
    { "no_wait", "boolean", "do not wait until another machine says that it leads" },
  },
  examples = { "postgres failover pg1" },
}

local OUTPUT = { object = { stdout = "string?", stderr = "string?" } }

op {
  id = "postgres.backups_once",
  hidden = true,
  title = "Have flyctl list the backups of an unmanaged cluster",
  effect = "read",
  flyctl = { "postgres", "backup", "list", "--app={cluster}" },
  timeout = 120,
  params = { CLUSTER },
  returns = OUTPUT,
}

op {
  id = "postgres.backups",
  title = "List the backups of an unmanaged cluster",
  doc = "Backups are off until `flyctl postgres backup enable` turns them on. Those"
    .. " of a managed cluster: `mpg backups`.",
  effect = "read",
  calls = tbl.flatten({ flow_postgres.CALLS, { "postgres.backups_once" } }),
  run = function(ctx, args)
    local own, e = flow_postgres.own(ctx, args.cluster, "mpg backups {id}")
    if not own then
      return nil, e
    end
    return ctx.call("postgres.backups_once", { cluster = args.cluster })
  end,
  params = { CLUSTER },
  returns = OUTPUT,
  examples = { "postgres backups pg1" },
}

op {
  id = "postgres.forget_attachment",
  hidden = true,
  title = "Remove the record of an attachment",
  effect = "write",
  gql = [[
    mutation DetachPostgres($app: ID!, $pg: ID!, $attachment: ID!) {
      detachPostgresCluster(input: {
        appId: $app, postgresClusterAppId: $pg, postgresClusterAttachmentId: $attachment
      }) { clientMutationId }
    }
  ]],
  params = {
    { "app", "app", "app it is attached to", required = true },
    { "cluster", "own_cluster", "name of the cluster's app", required = true,
      at = "var.pg" },
    { "attachment", "name", "id of the attachment", required = true },
  },
}

-- What is attached to the app; an error when nothing is.
local function attachments(ctx, args)
  local at = { app = args.app, cluster = args.cluster }
  local found, e = ctx.call("postgres.list_attachments", at)
  if found and #found > 0 then
    return found
  elseif not found and not flow.is_refusal(e) then
    return nil, e
  end
  -- Whether there is such a cluster at all says more.
  local _, own, why = flow_postgres.find(ctx, args.cluster)
  if why or e or not own then
    return nil, why or e or flow_postgres.not_own(args.cluster)
  end
  return nil, err.new({
    kind = "not_found",
    message = ("cluster %s is not attached to app %s"):format(args.cluster, args.app),
    hint = "what is attached to it: clanker fly get postgres " .. args.cluster,
  })
end

-- Takes one database from the app.
local function detach(ctx, args, attachment)
  local done, e = ctx.call("postgres.forget_attachment", {
    app = args.app, cluster = args.cluster, attachment = attachment.id,
  })
  if done and (attachment.variable or "") ~= "" then
    done, e = ctx.call("secrets.unset",
      { app = args.app, names = { attachment.variable }, stage = true })
    done = done or e.kind == "not_found" -- it may be gone already
  end
  if not done then
    return nil, e
  end
  ctx.notice(("database %s and user %s stay in cluster %s"):format(
    attachment.database or "?", attachment.user or "?", args.cluster))
  return true
end

local function until_detached(ctx, args)
  return flow.poll(ctx, {
    seconds = 60, pause = 1,
    what = ("cluster %s was not detached from app %s"):format(args.cluster, args.app),
  }, function()
    local left, e = ctx.call("postgres.list_attachments",
      { app = args.app, cluster = args.cluster })
    return left and #left == 0 or nil, e
  end)
end

op {
  id = "postgres.detach",
  title = "Take the database of an unmanaged cluster from an app",
  doc = [[
    Removes the record of the attachment and the secret (staged: it goes with
    the next deploy). The database and its user stay in the cluster: drop them
    there.
  ]],
  effect = "destroy",
  confirm = "Detach cluster {cluster} from app {app}? Its secret goes.",
  preview = "postgres.list_attachments",
  calls = tbl.flatten({ flow_postgres.CALLS, { "postgres.list_attachments",
    "postgres.forget_attachment", "secrets.unset" } }),
  run = function(ctx, args)
    local found, e = attachments(ctx, args)
    for _, attachment in ipairs(found or {}) do
      local done, why = detach(ctx, args, attachment)
      if not done then
        return nil, why
      end
    end
    if not found then
      return nil, e
    end
    local gone
    gone, e = until_detached(ctx, args)
    return gone and found, e
  end,
  params = {
    CLUSTER,
    { "app", "app", "app it is attached to", required = true },
  },
  returns = { list = "attachment" },
  order = { "database" },
  columns = cells.ATTACHMENT,
  examples = { "postgres detach pg1 --app my-app" },
}
