--- Routes of Managed Postgres as flyctl calls them, in its two generations.
--- Pure; part of the web API of api.fly.io. They want the raw slug of an
--- organization and a macaroon.

local json = require "base.json"
local tbl = require "base.tbl"
local time = require "base.time"

local access = require "sim.access"
local bodies = require "sim.bodies.postgres"
local handlers = require "sim.handlers"
local postgres = require "sim.postgres"
local problem = require "sim.problem"
local regions = require "sim.regions"
local request = require "sim.request"

local M = {}

local function check_token(ctx)
  for _, token in ipairs(ctx.caller.tokens) do
    if token.kind == "macaroon" then
      return true
    end
  end
  return problem.new(401, "a macaroon token is required")
end

-- Wraps what acts on the organization of the path; `personal` names none here.
local with_org = handlers.with(function(ctx)
  local ok, wrong = check_token(ctx)
  if not ok then
    return nil, wrong
  end
  local org = ctx.params.org ~= "personal"
    and access.org(ctx.world, ctx.caller, ctx.params.org,
      ctx.route.method ~= "GET")
  if not org then
    return problem.not_found("organization", ctx.params.org)
  end
  return org
end)

-- Wraps what acts on one cluster that the caller may see (or change).
local with_cluster = handlers.with(function(ctx)
  local ok, wrong = check_token(ctx)
  if not ok then
    return nil, wrong
  end
  local cluster = ctx.world:get("cluster", ctx.params.cluster)
  local is_write = ctx.route.method ~= "GET"
  if not cluster or postgres.is_going(cluster)
    or ctx.params.org and ctx.params.org ~= cluster.owner
    or not access.org(ctx.world, ctx.caller, cluster.owner, is_write) then
    return problem.not_found("cluster", ctx.params.cluster)
  end
  return cluster
end)

local function organization(org)
  return {
    id = org.node_id, name = org.name, slug = org.slug, raw_slug = org.id,
  }
end

local function attached_apps(world, cluster)
  local out = {}
  for _, one in ipairs(cluster.attached) do
    local app = world:get("app", one.app)
    if app then
      out[#out + 1] = { name = app.id, id = app.internal_numeric_id }
    end
  end
  return json.array(out)
end

-- A cluster in both generations' words, as far as they agree.
local function cluster_view(world, cluster)
  return {
    id = cluster.id, name = cluster.name, region = cluster.region,
    status = cluster.status, plan = cluster.plan, disk = cluster.disk_gb,
    replicas = cluster.replicas, mpgd_cluster_id = "mpgd-" .. cluster.id,
    organization = organization(world:get("org", cluster.owner)),
    ip_assignments = { direct = "fdaa:0:18::" .. cluster.seq },
    attached_apps = attached_apps(world, cluster),
  }
end

local function view_v1(world, cluster)
  local view = cluster_view(world, cluster)
  view.version = 2
  return view
end

local function view_v2(world, cluster)
  local view = cluster_view(world, cluster)
  view.engine = "postgres"
  view.environment = "production"
  view.postgis_enabled = cluster.postgis
  for _, app in ipairs(view.attached_apps) do
    app.id = tostring(app.id)
  end
  return view
end

local function credentials_view(cluster)
  local user = cluster.users[1]
  return {
    status = cluster.status == "ready" and "ready" or "pending",
    user = user.username, password = user.password,
    dbname = cluster.databases[1],
    pgbouncer_uri = ("postgresql://%s@pgbouncer.%s.example.com/%s"):format(
      user.username, cluster.id, cluster.databases[1]),
  }
end

local function backup_view(backup)
  return {
    id = backup.id, status = backup.status, type = backup.type,
    start = time.format(backup.started_at),
    stop = time.format(backup.finished_at),
  }
end

local function attachment_view(ctx, cluster, attachment)
  local app = ctx.world:get("app", attachment.app)
  return {
    data = {
      id = app.seq, app_id = app.internal_numeric_id,
      managed_service_id = cluster.seq,
      attached_at = time.format(attachment.at),
    },
  }
end

-- What both generations do alike; where they show a cluster, each in its words.

local function list(view)
  return with_org(function(ctx, org)
    local live = tbl.filter(ctx.world:list("cluster", org.id), function(one)
      return one.status ~= "deleted"
    end)
    return 200, { data = json.array(tbl.map(live, function(cluster)
      return view(ctx.world, cluster)
    end)) }
  end)
end

local function get(view)
  return with_cluster(function(ctx, cluster)
    return 200, {
      data = view(ctx.world, cluster), credentials = credentials_view(cluster),
    }
  end)
end

local destroy = with_cluster(function(ctx, cluster)
  postgres.destroy(ctx.world, cluster)
  return 200
end)

local backups = with_cluster(function(_, cluster)
  return 200, { data = json.array(tbl.map(cluster.backups, backup_view)) }
end)

local function restore(view)
  return with_cluster(function(ctx, cluster)
    local id = request.member(ctx.body, "backup_id")
    local known = not id or tbl.find(cluster.backups, function(one)
      return one.id == id
    end)
    if not known then
      return problem.not_found("backup", id)
    end
    local copy, wrong = postgres.copy(ctx.world, cluster,
      request.member(ctx.body, "name"))
    if not copy then
      return nil, wrong
    end
    return 201, { data = view(ctx.world, copy) }
  end)
end

local attach = with_cluster(function(ctx, cluster)
  local app, wrong = access.app(ctx.world, ctx.caller, ctx.body.app_name, true)
  if not app then
    return nil, { status = 404, message = wrong.message }
  end
  local attachment = postgres.attach(ctx.world, cluster, app.id)
  return 201, attachment_view(ctx, cluster, attachment)
end)

local detach = with_cluster(function(ctx, cluster)
  if not postgres.detach(ctx.world, cluster, ctx.params.app_name) then
    return problem.not_found("attachment", ctx.params.app_name)
  end
  return 200, { data = { message = "detached" } }
end)

local deleted = with_org(function(ctx, org)
  local gone = tbl.filter(ctx.world:list("cluster", org.id), function(one)
    return one.status == "deleted"
  end)
  return 200, { data = json.array(tbl.map(gone, function(cluster)
    return view_v1(ctx.world, cluster)
  end)) }
end)

local create = with_org(function(ctx, org)
  local cluster, wrong = postgres.create(ctx.world, org, {
    name = ctx.body.name, plan = ctx.body.plan, region = ctx.body.region,
    disk_gb = request.member(ctx.body, "storage_in_gb"),
    pg_major_version = request.member(ctx.body, "pg_major_version"),
    postgis = request.member(ctx.body, "postgis_enabled") or false,
  })
  if not cluster then
    return nil, wrong
  end
  return 201, { ok = true, data = view_v2(ctx.world, cluster) }
end)

local mpg_regions = with_org(function()
  return 200, { data = tbl.map(tbl.filter(regions.ALL, function(region)
    return region.mpg
  end), function(region)
    return { code = region.code, available = true }
  end) }
end)

local builder = with_org(function(ctx, org)
  if not regions.usable(ctx.body.builder.region) then
    return problem.new(404, "no such region")
  end
  return 201, { data = {
    app_name = "builder-" .. org.id, machine_id = ctx.world.ids:machine(),
  } }
end)

local function backup(answers)
  return with_cluster(function(ctx, cluster)
    local made = postgres.backup(ctx.world, cluster,
      request.member(ctx.body, "type") or "full")
    return 201, answers and { data = backup_view(made) } or nil
  end)
end

local route = handlers.rows("none", "/api/v1")

local ORG = "/organizations/{org}"
local ONE, TWO = "/postgres/{cluster}", "/postgresv2/{cluster}"

M.with_cluster, M.route = with_cluster, route
M.ONE, M.TWO = ONE, TWO

---@type sim.Route[]
M.routes = tbl.flatten {
  {
    route("POST", ORG .. "/builders", builder, bodies.builder),
    route("GET", ORG .. "/postgres", list(view_v1)),
    route("GET", ORG .. "/postgres/deleted", deleted),
    route("GET", ORG .. ONE, get(view_v1)),
    route("DELETE", ORG .. ONE, destroy),
    route("GET", ORG .. "/postgresv2", list(view_v2)),
    route("POST", ORG .. "/postgresv2", create, bodies.v2_create),
    route("GET", ORG .. "/postgresv2/regions", mpg_regions),
    route("GET", ORG .. TWO, get(view_v2)),
    route("DELETE", ORG .. TWO, destroy),
  },
  {
    route("GET", ONE, get(view_v1)),
    route("POST", ONE .. "/attachments", attach, bodies.attach),
    route("DELETE", ONE .. "/attachments/{app_name}", detach),
    route("GET", ONE .. "/backups", backups),
    route("POST", ONE .. "/backups", backup(true), bodies.v1_backup),
    route("POST", ONE .. "/restore", restore(view_v1), bodies.v1_restore),
  },
  {
    route("GET", TWO, get(view_v2)),
    route("POST", TWO .. "/attachments", attach, bodies.attach),
    route("DELETE", TWO .. "/attachments/{app_name}", detach),
    route("GET", TWO .. "/backups", backups),
    route("POST", TWO .. "/backups", backup(false), bodies.v2_backup),
    route("POST", TWO .. "/restore", restore(view_v2), bodies.restore),
  },
}

return M
