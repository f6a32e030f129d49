--- Routes of what is inside a Managed Postgres cluster.
--- Pure; part of the Machines API.

local json = require "base.json"
local tbl = require "base.tbl"

local bodies = require "sim.bodies.postgres"
local clusters = require "sim.routes.postgres"
local handlers = require "sim.handlers"
local inside = require "sim.postgres_inside"
local request = require "sim.request"

local M = {}

local function named(name)
  return { name = name }
end

local function databases(_, cluster)
  return 200, { data = json.array(tbl.map(cluster.databases, named)) }
end

local function add_database(ctx, cluster)
  local ok, wrong = inside.add_database(ctx.world, cluster, ctx.body.name)
  if not ok then
    return nil, wrong
  end
  return 201, { data = named(ctx.body.name) }
end

local with_database = handlers.with(function(ctx, cluster)
  local ok, wrong = inside.check_database(cluster, ctx.params.database)
  return ok and ctx.params.database, wrong
end)

local function drop_database(ctx, cluster, name)
  inside.drop_database(ctx.world, cluster, name)
  return 200, { data = named(name) }
end

local function extensions(_, cluster, database)
  return 200, {
    data = json.array(tbl.map(inside.EXTENSIONS, function(one)
      local schema = inside.enabled_in(cluster, database, one.name)
      return {
        name = one.name, description = one.description,
        default_version = one.version, system = one.is_system or false,
        installed = schema and { schema = schema, version = one.version }
          or nil,
      }
    end)),
  }
end

local function enable(ctx, cluster, database)
  local ok, wrong = inside.enable(ctx.world, cluster, database, ctx.body.name,
    request.member(ctx.body, "schema"))
  if not ok then
    return nil, wrong
  end
  return 204
end

local function disable(ctx, cluster, database)
  local ok, wrong = inside.disable(ctx.world, cluster, database,
    ctx.params.extension)
  if not ok then
    return nil, wrong
  end
  return 204
end

local function user_view(user)
  return { username = user.username, role = user.role }
end

local function users(_, cluster)
  return 200, { data = json.array(tbl.map(cluster.users, user_view)) }
end

local function add_user(ctx, cluster)
  local user, wrong = inside.add_user(ctx.world, cluster, ctx.body.username,
    ctx.body.role)
  if not user then
    return nil, wrong
  end
  return 201, { data = user_view(user) }
end

local with_user = handlers.with(function(ctx, cluster)
  return inside.find_user(cluster, ctx.params.username)
end)

local function drop_user(ctx, cluster, user)
  inside.drop_user(ctx.world, cluster, user.username)
  return 204
end

local function set_role(ctx, cluster, user)
  inside.set_role(ctx.world, cluster, user, ctx.body.role)
  return 204
end

local function credentials(_, _, user)
  return 200, {
    data = { username = user.username, password = user.password },
  }
end

local function rotate(ctx, cluster, user)
  inside.rotate_password(ctx.world, cluster, user)
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
