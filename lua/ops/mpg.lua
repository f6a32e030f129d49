--- Managed Postgres clusters.
--- Rows; what they run waits, and reaches others through its context only.

local err = require "base.err"
local flow = require "ops.flow"
local op = require "opkit.op"
local resource = require "opkit.resource"
local tbl = require "base.tbl"

resource {
  id = "mpg",
  title = "Managed Postgres",
  doc = "Postgres that Fly runs: backups, failover and upgrades are its work.",
}

op {
  id = "mpg.list_org",
  hidden = true,
  title = "List the managed Postgres clusters of an organization",
  effect = "read",
  http = { "GET", "/v1/postgres" },
  limit = "caller",
  items = "data",
  params = {
    { "org", "org", "slug of the organization", required = true,
      at = "query.org_slug" },
  },
  returns = { list = "cluster" },
}

op {
  id = "mpg.list",
  title = "List managed Postgres clusters",
  effect = "read",
  calls = { "orgs.list_all", "mpg.list_org" },
  run = function(ctx, args)
    return flow.list_orgs(ctx, args, "mpg.list_org")
  end,
  order = { "org", "name" },
  params = {
    { "org", "org", "only clusters of this organization" },
  },
  returns = { list = "cluster" },
  columns = {
    { "ID", "id" },
    { "NAME", "name" },
    { "ORG", "org", priority = 2 },
    { "STATUS", "status", format = "state" },
    { "PLAN", "plan", priority = 2 },
    { "REGION", "region" },
    { "CREATED", "created_at", format = "ago", priority = 3 },
  },
  examples = { "list mpg" },
}

-- The apps that use it.
local function attached(cluster)
  local names = tbl.map(cluster.attached_apps or {}, function(app)
    return app.name
  end)
  return #names > 0 and table.concat(names, ", ") or nil
end

op {
  id = "mpg.get",
  title = "Show a managed Postgres cluster",
  effect = "read",
  http = { "GET", "/v1/postgres/{id}" },
  limit = "caller",
  item = "data",
  params = {
    { "id", "cluster", "id of the cluster", required = true, pos = 1 },
  },
  returns = "cluster",
  columns = {
    { "ID", "id" },
    { "NAME", "name" },
    { "ORG", "organization.slug" },
    { "STATUS", "status", format = "state" },
    { "PLAN", "plan" },
    { "REGION", "region" },
    { "VERSION", "pg_major_version" },
    { "CPUS", "cpus", format = "number" },
    { "MEMORY", "memory_mb", format = "megabytes" },
    { "DISK", "disk_size_gb", format = "gigabytes" },
    { "USED", "storage_used_bytes", format = "bytes" },
    { "REPLICAS", "replicas", format = "number" },
    { "ATTACHED", attached },
    { "HOST", "endpoints.primary.direct.host" },
    { "CREATED", "created_at", format = "ago" },
  },
  examples = { "mpg get pg1abc" },
}

op {
  id = "mpg.backups",
  title = "List the backups of a managed Postgres cluster",
  doc = "Newest first.",
  effect = "read",
  http = { "GET", "/v1/postgres/{id}/backups" },
  limit = "caller",
  items = "data",
  params = {
    { "id", "cluster", "id of the cluster", required = true, pos = 1 },
  },
  noun = "backups",
  returns = { list = "backup" },
  columns = {
    { "ID", "id" },
    { "TYPE", "type" },
    { "STATUS", "status", format = "state" },
    { "SIZE", "size_bytes", format = "bytes" },
    { "STARTED", "started_at", format = "ago", priority = 2 },
    { "FINISHED", "finished_at", format = "ago", priority = 3 },
  },
  examples = { "mpg backups pg1abc" },
}

local PLANS = { "basic", "starter", "launch", "scale", "performance" }

op {
  id = "mpg.create_once",
  hidden = true,
  title = "Ask for a managed Postgres cluster",
  effect = "write",
  http = { "POST", "/v1/postgres" },
  limit = "caller",
  item = "data",
  params = {
    { "org", "org", "organization it belongs to", required = true,
      at = "body.org_slug" },
    { "name", "name", "name of the cluster" },
    { "region", "region", "region", required = true },
    { "plan", "enum", "plan", required = true, values = PLANS,
      wire = function(plan)
        return plan == "performance" and "Performance" or plan
      end },
    { "disk_gb", "gigabytes", "size of its disk", at = "body.disk_size_gb" },
    { "version", "enum", "major version", values = { "16", "17" },
      at = "body.pg_major_version" },
  },
  returns = "cluster",
}

op {
  id = "mpg.destroy_once",
  hidden = true,
  title = "Ask to destroy a managed Postgres cluster",
  effect = "destroy",
  confirm = "Destroy cluster {id}?",
  http = { "DELETE", "/v1/postgres/{id}" },
  limit = "caller",
  params = { { "id", "cluster", "id of the cluster", required = true } },
}

local FAILED = { failed = true, error = true }

-- Waits until a new cluster can be used; that takes minutes.
local function until_ready(ctx, id)
  return flow.poll(ctx, {
    seconds = 1800, pause = 5, what = ("cluster %s was not ready"):format(id),
  }, function()
    local cluster, e = ctx.call("mpg.get", { id = id })
    if not cluster then
      return nil, e
    elseif FAILED[cluster.status] then
      return nil, err.new({
        kind = "server",
        message = ("cluster %s could not be made: it is %s"):format(
          id, cluster.status),
        hint = "destroy it: clanker fly mpg destroy " .. id,
      })
    end
    return cluster.status == "ready" and cluster or nil
  end)
end

local COLUMNS = {
  { "ID", "id" },
  { "NAME", "name" },
  { "STATUS", "status", format = "state" },
  { "PLAN", "plan" },
  { "REGION", "region" },
}

op {
  id = "mpg.create",
  title = "Create a managed Postgres cluster",
  doc = "Waits until it can be used, which takes minutes.",
  effect = "write",
  cost = "the plan is billed by the month, the disk by the gigabyte.",
  calls = { "orgs.list_all", "mpg.create_once", "mpg.get", "regions.list_all" },
  run = function(ctx, args)
    local org, e = flow.one_org(ctx, args)
    if not org then
      return nil, e
    end
    local cluster
    cluster, e = ctx.call("mpg.create_once", {
      org = org, name = args.name, region = args.region, plan = args.plan,
      disk_gb = args.disk_gb, version = args.version,
    })
    if not cluster then
      return nil, flow.with_regions(ctx,
        flow.may_exist(e, "list mpg --org " .. org), "mpg_available")
    elseif args.no_wait then
      return cluster
    end
    return until_ready(ctx, cluster.id)
  end,
  params = {
    { "name", "name", "name of the cluster", required = true },
    { "region", "region", "region", required = true },
    { "org", "org", "organization it belongs to" },
    { "plan", "enum", "plan", values = PLANS, default = "basic" },
    { "disk_gb", "gigabytes", "size of its disk", default = 10, min = 10,
      max = 1000 },
    { "version", "enum", "major version", values = { "16", "17" } },
    { "no_wait", "boolean", "do not wait until it can be used" },
  },
  returns = "cluster",
  columns = COLUMNS,
  produces = { id = "id" },
  undo = { op = "mpg.destroy", args = { id = "{id}" } },
  examples = { "mpg create --name main --region iad --org personal" },
}

-- Gone, or on its way: 404 or 410 however one asks, or a status that says so.
local GOING = { deleting = true, deleted = true }

local function is_gone(e)
  return e.status == 404 or e.status == 410
end

local function until_gone(ctx, cluster)
  return flow.poll(ctx, {
    seconds = 600, pause = 2,
    what = ("cluster %s was not gone"):format(cluster.id),
  }, function()
    local now, e = ctx.call("mpg.get", { id = cluster.id })
    if now then
      return now.status == "deleted" and cluster or nil
    elseif is_gone(e) then
      return cluster
    end
    return nil, e
  end)
end

op {
  id = "mpg.destroy",
  title = "Destroy a managed Postgres cluster",
  doc = "One that is going already counts as destroyed.",
  effect = "destroy",
  confirm = "Destroy cluster {id}? Its databases and backups are lost.",
  preview = "mpg.get",
  calls = { "mpg.get", "mpg.destroy_once" },
  run = function(ctx, args)
    local cluster, e = ctx.call("mpg.get", { id = args.id })
    if not cluster and e.status ~= 410 then
      return nil, e
    end
    cluster = cluster or { id = args.id, status = "deleting" }
    if not GOING[cluster.status] then
      local done
      done, e = ctx.call("mpg.destroy_once", { id = args.id })
      if not done and e.status ~= 410 then
        return nil, e
      end
      cluster.status = "deleting"
    end
    if args.no_wait then
      return cluster
    end
    local gone
    gone, e = until_gone(ctx, cluster)
    return gone and tbl.merge(gone, { status = "deleted" }), e
  end,
  params = {
    { "id", "cluster", "id of the cluster", required = true, pos = 1 },
    { "no_wait", "boolean", "do not wait until it is gone" },
  },
  returns = "cluster",
  columns = COLUMNS,
  examples = { "mpg destroy pg1abc" },
}

op {
  id = "mpg.backup_once",
  hidden = true,
  title = "Ask for a backup of a managed Postgres cluster",
  effect = "write",
  http = { "POST", "/v1/postgres/{id}/backups" },
  limit = "caller",
  params = {
    { "id", "cluster", "id of the cluster", required = true },
    { "type", "enum", "how much of it", required = true,
      values = { "full", "incr", "diff" } },
  },
}

-- The ids of a cluster's backups, and each backup by id.
local function backups_of(ctx, id)
  local list, e = ctx.call("mpg.backups", { id = id })
  if not list then
    return nil, e
  end
  local by_id = {}
  for _, backup in ipairs(list) do
    by_id[backup.id] = backup
  end
  return by_id
end

-- Waits until there is a finished backup that was not there before.
local function until_backed_up(ctx, id, before)
  return flow.poll(ctx, {
    seconds = 3600, pause = 5,
    what = ("the backup of cluster %s was not complete"):format(id),
  }, function()
    local now, e = backups_of(ctx, id)
    for name, backup in tbl.sorted(now or {}) do
      if not before[name] and FAILED[backup.status] then
        return nil, err.new({
          kind = "server",
          message = ("backup %s of cluster %s is %s"):format(name, id, backup.status),
          hint = "take it again: clanker fly mpg backups create " .. id,
        })
      elseif not before[name] and (backup.finished_at
        or backup.status == "completed") then
        return backup
      end
    end
    return nil, e
  end)
end

op {
  id = "mpg.backups_create",
  title = "Take a backup of a managed Postgres cluster",
  effect = "write",
  cost = "backups are billed by their size.",
  calls = { "mpg.backups", "mpg.backup_once" },
  run = function(ctx, args)
    local before, e = backups_of(ctx, args.id)
    if not before then
      return nil, e
    end
    local done
    done, e = ctx.call("mpg.backup_once", { id = args.id, type = args.type })
    if not done then
      return nil, e
    elseif args.no_wait then
      return { type = args.type, status = "requested" }
    end
    return until_backed_up(ctx, args.id, before)
  end,
  params = {
    { "id", "cluster", "id of the cluster", required = true, pos = 1 },
    { "type", "enum", "how much of it: all, or what changed",
      values = { "full", "incr", "diff" }, default = "full" },
    { "no_wait", "boolean", "do not wait until it is complete" },
  },
  returns = {
    object = {
      id = "string?", type = "string?", status = "string?",
      size_bytes = "integer?", started_at = "time?", finished_at = "time?",
    },
  },
  columns = {
    { "ID", "id" },
    { "TYPE", "type" },
    { "STATUS", "status", format = "state" },
    { "SIZE", "size_bytes", format = "bytes" },
  },
  cli = { "mpg backups create", "mpg backups {id} create" },
  examples = { "mpg backups create pg1abc", "mpg backups pg1abc create" },
}
