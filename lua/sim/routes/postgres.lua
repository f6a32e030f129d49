--- Routes of Managed Postgres clusters.
--- Pure; part of the Machines API.

local json = require "base.json"
local tbl = require "base.tbl"
local time = require "base.time"

local access = require "sim.access"
local bodies = require "sim.bodies.postgres"
local handlers = require "sim.handlers"
local postgres = require "sim.postgres"
local problem = require "sim.problem"
local request = require "sim.request"

local M = {}

-- Who may not see a cluster is told that there is none.
local with_cluster = handlers.with(function(ctx)
  local cluster = ctx.world:get("cluster", ctx.params.cluster)
  local is_write = ctx.route.method ~= "GET"
  if not cluster
    or not access.org(ctx.world, ctx.caller, cluster.owner, is_write) then
    return problem.not_found("postgres cluster", ctx.params.cluster)
  elseif postgres.is_going(cluster) and is_write then
    return problem.new(410, "the cluster is deleted or being deleted")
  end
  return cluster
end)

-- Databases and users are the cluster's own business: it must be up.
local function with_ready(run)
  return with_cluster(function(ctx, cluster)
    if cluster.status ~= "ready" then
      return nil, {
        status = 503, retry_after = 1,
        message = "the cluster's admin service is not available",
      }
    end
    return run(ctx, cluster)
  end)
end

local function list(ctx)
  local slug = request.text(ctx.query, "org_slug")
  if not slug then
    return problem.new(400, "org_slug is required")
  end
  local org, wrong = access.org(ctx.world, ctx.caller, slug)
  local with_deleted
  if org then
    with_deleted, wrong = request.flag(ctx.query, "include_deleted")
  end
  if wrong then
    return nil, { status = 404, message = wrong.message }
  end
  local found = tbl.filter(ctx.world:list("cluster", org.id),
    function(cluster)
      return with_deleted or cluster.status ~= "deleted"
    end)
  return 200, { data = json.array(tbl.map(found, postgres.summary)) }
end

local function create(ctx)
  local org, wrong = access.org(ctx.world, ctx.caller, ctx.body.org_slug, true)
  if not org then
    return nil, { status = 404, message = wrong.message }
  end
  local cluster
  cluster, wrong = postgres.create(ctx.world, org, postgres.spec(ctx.body))
  if not cluster then
    return nil, wrong
  end
  return 201, { data = postgres.view(ctx.world, cluster) }
end

local function get(ctx, cluster)
  return 200, { data = postgres.view(ctx.world, cluster) }
end

local function destroy(ctx, cluster)
  postgres.destroy(ctx.world, cluster)
  return 202
end

local function backups(_, cluster)
  return 200, {
    data = json.array(tbl.map(cluster.backups, postgres.view_backup)),
  }
end

local function backup(ctx, cluster)
  if cluster.status ~= "ready" then
    return problem.new(409, "the cluster is not ready")
  end
  postgres.backup(ctx.world, cluster, ctx.body.type)
  return 202
end

local function copied(ctx, cluster)
  local copy, wrong = postgres.copy(ctx.world, cluster,
    request.member(ctx.body, "name"))
  if not copy then
    return nil, wrong
  end
  return 201, { data = postgres.view(ctx.world, copy) }
end

local function restore(ctx, cluster)
  local id = request.member(ctx.body, "backup_id")
  local at = request.member(ctx.body, "pitr_time")
  if not id and not at then
    return problem.new(422, "backup_id or pitr_time is required")
  elseif at and not time.parse(at) then
    return problem.new(422, "pitr_time is not a time")
  end
  local known = not id or tbl.find(cluster.backups, function(one)
    return one.id == id
  end)
  if not known then
    return problem.not_found("backup", id)
  end
  return copied(ctx, cluster)
end

local function attach(ctx, cluster)
  local app, wrong = access.app(ctx.world, ctx.caller, ctx.body.app_name, true)
  if not app then
    return nil, { status = 404, message = wrong.message }
  end
  local attachment, is_new = postgres.attach(ctx.world, cluster, app.id)
  return is_new and 201 or 200, {
    data = {
      app_name = app.id, postgres_cluster_id = cluster.id,
      attached_at = time.format(attachment.at),
    },
  }
end

local function detach(ctx, cluster)
  if not postgres.detach(ctx.world, cluster, ctx.params.app_name) then
    return problem.not_found("attachment", ctx.params.app_name)
  end
  return 204
end

local function queries()
  return 200, { data = json.array() }
end

local ALL = "/v1/postgres"
local ONE = ALL .. "/{cluster}"

local route = handlers.rows("caller")

M.with_ready = with_ready
M.route = route
M.ONE = ONE

---@type sim.Route[]
M.routes = {
  route("GET", ALL, list),
  route("POST", ALL, create, bodies.create),
  route("GET", ONE, with_cluster(get)),
  route("DELETE", ONE, with_cluster(destroy)),
  route("GET", ONE .. "/backups", with_cluster(backups)),
  route("POST", ONE .. "/backups", with_cluster(backup), bodies.backup),
  route("POST", ONE .. "/fork", with_cluster(copied), bodies.fork, true),
  route("POST", ONE .. "/restore", with_cluster(restore), bodies.restore),
  route("POST", ONE .. "/attachments", with_cluster(attach), bodies.attach),
  {
    method = "DELETE", path = ONE .. "/attachments/{app_name}", limit = "app",
    run = with_cluster(detach),
  },
  route("GET", ONE .. "/queries/active", with_ready(queries)),
  route("GET", ONE .. "/queries/slow", with_ready(queries)),
}

return M
