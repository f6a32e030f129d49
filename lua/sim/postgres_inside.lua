--- What is inside a Managed Postgres cluster: databases, extensions, users.
--- Pure. Everything changes the cluster's record and nothing else.

local tbl = require "base.tbl"

local postgres = require "sim.postgres"
local problem = require "sim.problem"

local M = {}

local NAME = "^[%a_][%w_%-]*$"

---@class sim.Extension
---@field name string
---@field description string
---@field version string
---@field is_system boolean?

---@type sim.Extension[]
M.EXTENSIONS = {
  { name = "pg_trgm", description = "text similarity", version = "1.6" },
  { name = "plpgsql", description = "PL/pgSQL", version = "1.0",
    is_system = true },
  { name = "postgis", description = "geography", version = "3.4" },
  { name = "vector", description = "vector data", version = "0.7" },
}

local function touch(world, cluster)
  world:touch("cluster", cluster)
end

---@param world sim.World
---@param cluster sim.Cluster
---@param name string
---@return boolean?
---@return sim.Problem?
function M.add_database(world, cluster, name)
  if not name:find(NAME) then
    return problem.new(422, "name is invalid: " .. name)
  elseif tbl.contains(cluster.databases, name) then
    return problem.new(422, "name has already been taken")
  end
  table.insert(cluster.databases, name)
  touch(world, cluster)
  return true
end

---@param cluster sim.Cluster
---@param name string
---@return boolean?
---@return sim.Problem?
function M.check_database(cluster, name)
  if not tbl.contains(cluster.databases, name) then
    return problem.not_found("database", name)
  end
  return true
end

--- Takes a database away, which is there.
---@param world sim.World
---@param cluster table a record of the cluster
---@param name string
function M.drop_database(world, cluster, name)
  local _, at = tbl.find(cluster.databases, function(one)
    return one == name
  end)
  table.remove(cluster.databases, at)
  cluster.extensions[name] = nil
  touch(world, cluster)
end

--- The schema in which an extension is enabled; nil when it is not.
---@param cluster sim.Cluster
---@param database string
---@param extension string
---@return string?
function M.enabled_in(cluster, database, extension)
  return (cluster.extensions[database] or {})[extension]
end

---@param world sim.World
---@param cluster sim.Cluster
---@param database string
---@param name string
---@param schema string?
---@return boolean?
---@return sim.Problem?
function M.enable(world, cluster, database, name, schema)
  local known = tbl.find(M.EXTENSIONS, function(one)
    return one.name == name
  end)
  if not known then
    return problem.new(422, "unknown extension: " .. name)
  elseif M.enabled_in(cluster, database, name) then
    return problem.new(409, "the extension is enabled already")
  end
  cluster.extensions[database] = cluster.extensions[database] or {}
  cluster.extensions[database][name] = schema or "public"
  touch(world, cluster)
  return true
end

---@param world sim.World
---@param cluster sim.Cluster
---@param database string
---@param name string
---@return boolean?
---@return sim.Problem?
function M.disable(world, cluster, database, name)
  if not M.enabled_in(cluster, database, name) then
    return problem.not_found("extension", name)
  end
  cluster.extensions[database][name] = nil
  touch(world, cluster)
  return true
end

local function new_password(world)
  return "sim" .. world.ids:alnum(20)
end

---@param world sim.World
---@param cluster sim.Cluster
---@param name string
---@param role string
---@return table? user
---@return sim.Problem?
function M.add_user(world, cluster, name, role)
  if not name:find(NAME) then
    return problem.new(422, "username is invalid: " .. name)
  elseif postgres.user(cluster, name) then
    return problem.new(409, "username has already been taken")
  end
  local user = {
    username = name, role = role, password = new_password(world),
  }
  table.insert(cluster.users, user)
  touch(world, cluster)
  return user
end

---@param cluster sim.Cluster
---@param name string
---@return table? user
---@return sim.Problem?
function M.find_user(cluster, name)
  local user = postgres.user(cluster, name)
  if not user then
    return problem.not_found("user", name)
  end
  return user
end

--- Takes a user away, who is there.
---@param world sim.World
---@param cluster table a record of the cluster
---@param name string
function M.drop_user(world, cluster, name)
  local _, at = postgres.user(cluster, name)
  table.remove(cluster.users, at)
  touch(world, cluster)
end

--- Gives a user another role.
---@param world sim.World
---@param cluster table a record of the cluster
---@param user table of the cluster
---@param role string
function M.set_role(world, cluster, user, role)
  user.role = role
  touch(world, cluster)
end

--- Gives a user a new password.
---@param world sim.World
---@param cluster table a record of the cluster
---@param user table of the cluster
function M.rotate_password(world, cluster, user)
  user.password = new_password(world)
  touch(world, cluster)
end

return M
