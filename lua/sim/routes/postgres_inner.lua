--- Routes of what is inside a Managed Postgres cluster.
--- Pure; part of the Machines API.

local json = require "base.json"
local tbl = require "base.tbl"

local bodies = require "sim.bodies.postgres"
local clusters = require "sim.routes.postgres"
local postgres = require "sim.postgres"
local problem = require "sim.problem"
local request = require "sim.request"

local M = {}

local function touch(ctx, cluster)
  ctx.world:touch("cluster", cluster)
end

local function database_view(name)
  return { name = name }
end

local function databases(_, cluster)
  return 200, {
    data = json.array(tbl.map(cluster.databases, database_view)),
  }
end

local function add_database(ctx, cluster)
  local name = ctx.body.name
  if not name:find("^[%a_][%w_%-]*$") then
    return problem.new(422, "name is invalid: " .. name)
  elseif tbl.contains(cluster.databases, name) then
    return problem.new(422, "name has already been taken")
  end
  table.insert(cluster.databases, name)
  touch(ctx, cluster)
  return 201, { data = database_view(name) }
end

-- Wraps what acts on one database.
local function with_database(run)
  return function(ctx, cluster)
    local _, at = tbl.find(cluster.databases, function(name)
      return name == ctx.params.database
    end)
    if not at then
      return problem.not_found("database", ctx.params.database)
    end
    return run(ctx, cluster, at)
  end
end

local function drop_database(ctx, cluster, at)
  local name = table.remove(cluster.databases, at)
  cluster.extensions[name] = nil
  touch(ctx, cluster)
  return 200, { data = database_view(name) }
end

local KNOWN = {
  { name = "pg_trgm", description = "text similarity", version = "1.6" },
  { name = "plpgsql", description = "PL/pgSQL", version = "1.0",
    is_system = true },
  { name = "postgis", description = "geography", version = "3.4" },
  { name = "vector", description = "vector data", version = "0.7" },
}

local function extensions(ctx, cluster)
  local enabled = cluster.extensions[ctx.params.database] or {}
  return 200, {
    data = json.array(tbl.map(KNOWN, function(known)
      local one = enabled[known.name]
      return {
        name = known.name, description = known.description,
        default_version = known.version, system = known.is_system or false,
        installed = one and { schema = one, version = known.version } or nil,
      }
    end)),
  }
end

local function is_known(name)
  return tbl.find(KNOWN, function(known)
    return known.name == name
  end) ~= nil
end

local function enable(ctx, cluster)
  local name, database = ctx.body.name, ctx.params.database
  if not is_known(name) then
    return problem.new(422, "unknown extension: " .. name)
  end
  local enabled = cluster.extensions[database] or {}
  if enabled[name] then
    return problem.new(409, "the extension is enabled already")
  end
  enabled[name] = request.member(ctx.body, "schema") or "public"
  cluster.extensions[database] = enabled
  touch(ctx, cluster)
  return 204
end

local function disable(ctx, cluster)
  local enabled = cluster.extensions[ctx.params.database]
  if not enabled or not enabled[ctx.params.extension] then
    return problem.not_found("extension", ctx.params.extension)
  end
  enabled[ctx.params.extension] = nil
  touch(ctx, cluster)
  return 204
end

local function user_view(user)
  return { username = user.username, role = user.role }
end

local function users(_, cluster)
  return 200, { data = json.array(tbl.map(cluster.users, user_view)) }
end

local function add_user(ctx, cluster)
  local name = ctx.body.username
  if not name:find("^[%a_][%w_%-]*$") then
    return problem.new(422, "username is invalid: " .. name)
  elseif postgres.user(cluster, name) then
    return problem.new(409, "username has already been taken")
  end
  local user = {
    username = name, role = ctx.body.role,
    password = "sim" .. ctx.world.ids:alnum(20),
  }
  table.insert(cluster.users, user)
  touch(ctx, cluster)
  return 201, { data = user_view(user) }
end

-- Wraps what acts on one user.
local function with_user(run)
  return function(ctx, cluster)
    local user, at = postgres.user(cluster, ctx.params.username)
    if not user then
      return problem.not_found("user", ctx.params.username)
    end
    return run(ctx, cluster, user, at)
  end
end

local function drop_user(ctx, cluster, _, at)
  table.remove(cluster.users, at)
  touch(ctx, cluster)
  return 204
end

local function set_role(ctx, cluster, user)
  user.role = ctx.body.role
  touch(ctx, cluster)
  return 204
end

local function credentials(_, _, user)
  return 200, {
    data = { username = user.username, password = user.password },
  }
end

local function rotate(ctx, cluster, user)
  user.password = "sim" .. ctx.world.ids:alnum(20)
  touch(ctx, cluster)
  return credentials(ctx, cluster, user)
end

local ready, route = clusters.with_ready, clusters.route
local DATABASES = clusters.ONE .. "/databases"
local DATABASE = DATABASES .. "/{database}"
local USERS = clusters.ONE .. "/users"
local USER = USERS .. "/{username}"

---@type sim.Route[]
M.routes = {
  route("GET", DATABASES, ready(databases)),
  route("POST", DATABASES, ready(add_database), bodies.database),
  route("DELETE", DATABASE, ready(with_database(drop_database))),
  route("GET", DATABASE .. "/extensions", ready(with_database(extensions))),
  route("POST", DATABASE .. "/extensions", ready(with_database(enable)),
    bodies.extension),
  route("DELETE", DATABASE .. "/extensions/{extension}",
    ready(with_database(disable))),
  route("GET", USERS, ready(users)),
  route("POST", USERS, ready(add_user), bodies.user_create),
  route("DELETE", USER, ready(with_user(drop_user))),
  route("PATCH", USER, ready(with_user(set_role)), bodies.user_update),
  route("GET", USER .. "/credentials", ready(with_user(credentials))),
  route("POST", USER .. "/rotate_password", ready(with_user(rotate)),
    bodies.rotate_password, true),
}

return M
