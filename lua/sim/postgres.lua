--- Managed Postgres clusters.
--- Pure. Nothing is stored in them: databases, users and backups are names.

local json = require "base.json"
local tbl = require "base.tbl"
local time = require "base.time"

local problem = require "sim.problem"
local regions = require "sim.regions"
local request = require "sim.request"

local M = {}

local GB = 1024 * 1024 * 1024

---@class sim.Plan
---@field name string
---@field kind string
---@field cpus integer
---@field memory_mb integer

---@type table<string, sim.Plan> by lower-case name
M.PLANS = {
  basic = { name = "basic", kind = "shared", cpus = 2, memory_mb = 1024 },
  starter = { name = "starter", kind = "shared", cpus = 2, memory_mb = 2048 },
  launch = {
    name = "launch", kind = "performance", cpus = 2, memory_mb = 8192,
  },
  scale = {
    name = "scale", kind = "performance", cpus = 4, memory_mb = 32768,
  },
  performance = {
    name = "Performance", kind = "performance", cpus = 8, memory_mb = 65536,
  },
}

---@class sim.Cluster: sim.Record
---@field owner string raw slug of its organization
---@field name string
---@field plan string
---@field region string
---@field status string
---@field disk_gb integer
---@field replicas integer
---@field pg_major_version string
---@field postgis boolean
---@field attached {app: string, at: number}[]
---@field databases string[]
---@field users {username: string, role: string, password: string}[]
---@field extensions table<string, {name: string, schema: string}[]>
---@field backups table[] newest first
---@field created_at number
---@field deleted_at number?

--- A new cluster's record; ready unless a status is given.
---@param world sim.World
---@param org table
---@param spec table
---@return sim.Cluster
function M.add(world, org, spec)
  local plan = M.PLANS[spec.plan:lower()]
  return world:add("cluster", {
    id = world.ids:alnum(16), owner = org.id,
    name = spec.name or world.ids:name(), plan = plan.name,
    region = spec.region, status = spec.status or "ready",
    disk_gb = spec.disk_gb or 10, replicas = spec.replicas or 1,
    pg_major_version = spec.pg_major_version or "16",
    postgis = spec.postgis or false,
    attached = {}, databases = { "fly-db" },
    users = {
      {
        username = "fly-user", role = "schema_admin",
        password = "sim" .. world.ids:alnum(20),
      },
    },
    extensions = {}, backups = {}, created_at = world:now(),
  })
end

local function check(spec)
  local region = regions.usable(spec.region)
  if not M.PLANS[spec.plan:lower()] then
    return problem.new(422, "plan is invalid: " .. spec.plan)
  elseif not region or not region.mpg then
    return problem.new(422, ("region %s is not available for managed "
      .. "postgres"):format(spec.region))
  elseif spec.disk_gb and (spec.disk_gb < 10 or spec.disk_gb > 1000) then
    return problem.new(422, "disk_size_gb must be from 10 to 1000")
  elseif spec.name and not spec.name:find("^[%w][%w%-_]*$") then
    return problem.new(422, "name is invalid: " .. spec.name)
  end
  return true
end

-- Seconds from one status to the next, on the way to ready and to deleted.
local NEXT = {
  creating = { "initializing", 0.5 },
  initializing = { "ready", 0.5 },
  deleting = { "deleted", 0.5 },
}

local function plan_next(world, cluster)
  local step = NEXT[cluster.status]
  if step then
    world:plan("cluster", cluster, step[2] * (world.meta.pace or 1))
  end
end

--- Starts to make a cluster.
---@param world sim.World
---@param org table a record
---@param spec table
---@return sim.Cluster?
---@return sim.Problem?
function M.create(world, org, spec)
  local ok, wrong = check(spec)
  if not ok then
    return nil, wrong
  end
  spec.status = "creating"
  local cluster = M.add(world, org, spec)
  plan_next(world, cluster)
  return cluster
end

--- The agenda's handler: one status further.
---@param world sim.World
---@param cluster sim.Cluster
function M.due(world, cluster)
  cluster.status = NEXT[cluster.status][1]
  if cluster.status == "deleted" then
    cluster.deleted_at = world:now()
  end
  plan_next(world, cluster)
  world:touch("cluster", cluster)
end

---@param cluster sim.Cluster
---@return boolean
function M.is_going(cluster)
  return cluster.status == "deleting" or cluster.status == "deleted"
end

--- Starts to delete a cluster.
---@param world sim.World
---@param cluster sim.Cluster
function M.destroy(world, cluster)
  cluster.status = "deleting"
  plan_next(world, cluster)
  world:touch("cluster", cluster)
end

--- A cluster that starts as a copy of another.
---@param world sim.World
---@param cluster sim.Cluster
---@param name string
---@return sim.Cluster?
---@return sim.Problem?
function M.copy(world, cluster, name)
  local org = world:get("org", cluster.owner)
  local copy, wrong = M.create(world, org, {
    name = name, plan = cluster.plan, region = cluster.region,
    disk_gb = cluster.disk_gb, pg_major_version = cluster.pg_major_version,
    postgis = cluster.postgis,
  })
  if not copy then
    return nil, wrong
  end
  copy.databases = table.move(cluster.databases, 1, #cluster.databases, 1, {})
  return copy
end

--- Starts a backup.
---@param world sim.World
---@param cluster sim.Cluster
---@param kind string
---@return table backup
function M.backup(world, cluster, kind)
  local backup = {
    id = world.ids:alnum(16), type = kind, status = "completed",
    started_at = world:now(), finished_at = world:now(),
    size_bytes = cluster.disk_gb * GB // 20,
  }
  table.insert(cluster.backups, 1, backup)
  world:touch("cluster", cluster)
  return backup
end

--- Records that an app uses a cluster.
---@param world sim.World
---@param cluster sim.Cluster
---@param app string its name
---@return table attachment
---@return boolean is_new
function M.attach(world, cluster, app)
  local known = tbl.find(cluster.attached, function(one)
    return one.app == app
  end)
  if known then
    return known, false
  end
  local attachment = { app = app, at = world:now() }
  table.insert(cluster.attached, attachment)
  world:touch("cluster", cluster)
  return attachment, true
end

---@param world sim.World
---@param cluster sim.Cluster
---@param app string its name
---@return boolean whether it was attached
function M.detach(world, cluster, app)
  local _, at = tbl.find(cluster.attached, function(one)
    return one.app == app
  end)
  if at then
    table.remove(cluster.attached, at)
    world:touch("cluster", cluster)
  end
  return at ~= nil
end

local function attached_apps(cluster)
  return json.array(tbl.map(cluster.attached, function(one)
    return { name = one.app }
  end))
end

--- A row of the list.
---@param cluster sim.Cluster
---@return table
function M.summary(cluster)
  return {
    id = cluster.id, name = cluster.name, plan = cluster.plan,
    region = cluster.region, status = cluster.status,
    attached_apps = attached_apps(cluster),
    created_at = time.format(cluster.created_at),
    deleted_at = cluster.deleted_at and time.format(cluster.deleted_at),
  }
end

--- One cluster with all there is to know about it.
---@param world sim.World
---@param cluster sim.Cluster
---@return table
function M.view(world, cluster)
  local plan = M.PLANS[cluster.plan:lower()]
  local org = world:get("org", cluster.owner)
  local function endpoint(name)
    return {
      host = ("%s.%s.example.com"):format(name, cluster.id), port = 5432,
    }
  end
  local is_ready = cluster.status == "ready"
  return {
    id = cluster.id, name = cluster.name, plan = cluster.plan,
    region = cluster.region, status = cluster.status,
    attached_apps = attached_apps(cluster),
    created_at = time.format(cluster.created_at),
    cpu_kind = plan.kind, cpus = plan.cpus, memory_mb = plan.memory_mb,
    disk_size_gb = cluster.disk_gb, replicas = cluster.replicas,
    pg_major_version = cluster.pg_major_version,
    postgis_enabled = cluster.postgis,
    organization = { name = org.name, slug = org.slug },
    endpoints = {
      primary = { direct = endpoint("direct"), pooler = endpoint("pooler") },
    },
    storage_provisioned_bytes = is_ready and cluster.disk_gb * GB or json.null,
    storage_used_bytes = is_ready and cluster.disk_gb * GB // 10 or json.null,
  }
end

---@param backup table of the cluster
---@return table
function M.view_backup(backup)
  return {
    id = backup.id, type = backup.type, status = backup.status,
    size_bytes = backup.size_bytes,
    started_at = time.format(backup.started_at),
    finished_at = time.format(backup.finished_at),
  }
end

--- A user of a cluster by name.
---@param cluster sim.Cluster
---@param username string
---@return table? user
---@return integer? position
function M.user(cluster, username)
  return tbl.find(cluster.users, function(user)
    return user.username == username
  end)
end

--- The spec in a create body of the public API.
---@param body table
---@return table
function M.spec(body)
  return {
    name = request.member(body, "name"), plan = body.plan,
    region = body.region, disk_gb = request.member(body, "disk_size_gb"),
    pg_major_version = request.member(body, "pg_major_version"),
    postgis = request.member(body, "postgis_enabled") or false,
  }
end

return M
