--- Routes of what is inside a Managed Postgres cluster, as flyctl calls them.
--- Pure; part of the web API of api.fly.io. The two generations differ in words
--- and in which answers have a body.

local json = require "base.json"
local tbl = require "base.tbl"

local bodies = require "sim.bodies.postgres"
local handlers = require "sim.handlers"
local inside = require "sim.postgres_inside"
local mpg = require "sim.routes.mpg"
local request = require "sim.request"

local M = {}

local with_cluster, route = mpg.with_cluster, mpg.route

local function named(name)
  return { name = name }
end

local databases = with_cluster(function(_, cluster)
  return 200, { data = json.array(tbl.map(cluster.databases, named)) }
end)

local function add_database(answers)
  return with_cluster(function(ctx, cluster)
    local ok, wrong = inside.add_database(ctx.world, cluster, ctx.body.name)
    if not ok then
      return nil, wrong
    end
    return 201, answers and { data = named(ctx.body.name) } or nil
  end)
end

local find_database = handlers.with(function(ctx, cluster)
  local ok, wrong = inside.check_database(cluster, ctx.params.database)
  return ok and ctx.params.database, wrong
end)

-- Wraps what acts on one database.
local function with_database(run)
  return with_cluster(find_database(run))
end

local extensions = with_database(function(_, cluster, database)
  return 200, {
    data = json.array(tbl.map(inside.EXTENSIONS, function(one)
      local schema = inside.enabled_in(cluster, database, one.name)
      return {
        name = one.name, description = one.description,
        docs_url = "https://example.com/" .. one.name,
        default_version = one.version, is_system = one.is_system or false,
        installed = schema and { schema = schema, version = one.version }
          or nil,
      }
    end)),
  }
end)

local enable = with_database(function(ctx, cluster, database)
  local ok, wrong = inside.enable(ctx.world, cluster, database, ctx.body.name,
    request.member(ctx.body, "schema"))
  if not ok then
    return nil, wrong
  end
  return 201
end)

local disable = with_database(function(ctx, cluster, database)
  local ok, wrong = inside.disable(ctx.world, cluster, database,
    ctx.params.extension)
  if not ok then
    return nil, wrong
  end
  return 200
end)

local function view_v1(user)
  return { name = user.username, role = user.role }
end

local function view_v2(user)
  return { name = user.username, username = user.username, role = user.role }
end

local function users(view)
  return with_cluster(function(_, cluster)
    return 200, { data = json.array(tbl.map(cluster.users, view)) }
  end)
end

-- The first generation also takes a database instead of a role.
local function add_user(view)
  return with_cluster(function(ctx, cluster)
    local name = ctx.body.username or ctx.body.user_name
    local user, wrong = inside.add_user(ctx.world, cluster, name,
      request.member(ctx.body, "role") or "writer")
    if not user then
      return nil, wrong
    end
    return 201, { data = view(user) }
  end)
end

local find_user = handlers.with(function(ctx, cluster)
  return inside.find_user(cluster, ctx.params.username)
end)

-- Wraps what acts on one user.
local function with_user(run)
  return with_cluster(find_user(run))
end

local drop_user = with_user(function(ctx, cluster, user)
  inside.drop_user(ctx.world, cluster, user.username)
  return 200
end)

local function set_role(view)
  return with_user(function(ctx, cluster, user)
    inside.set_role(ctx.world, cluster, user, ctx.body.role)
    return 200, view and { data = view(user) } or nil
  end)
end

local credentials_v1 = with_user(function(_, _, user)
  return 200, { data = { user = user.username, password = user.password } }
end)

local credentials_v2 = with_user(function(_, _, user)
  return 200, { data = {
    username = user.username, user = user.username, password = user.password,
  } }
end)

-- The routes under one generation's path; `words` are what differs.
local function generation(path, words)
  local database = path .. "/databases/{database}"
  local user = path .. "/users/{username}"
  return {
    route("GET", path .. "/databases", databases),
    route("POST", path .. "/databases", words.add_database, bodies.database),
    route("GET", database .. "/extensions", extensions),
    route("POST", database .. "/extensions", enable, words.extension),
    route("DELETE", database .. "/extensions/{extension}", disable),
    route("GET", path .. "/users", words.users),
    route("POST", path .. "/users", words.add_user, words.user_create),
    route("DELETE", user, drop_user),
    route("PATCH", user, words.set_role, words.user_update),
    route("GET", user .. "/credentials", words.credentials),
  }
end

---@type sim.Route[]
M.routes = tbl.flatten {
  generation(mpg.ONE, {
    add_database = add_database(true), extension = bodies.v1_extension,
    users = users(view_v1), add_user = add_user(view_v1),
    user_create = bodies.v1_user_create, set_role = set_role(view_v1),
    user_update = bodies.v1_user_update, credentials = credentials_v1,
  }),
  generation(mpg.TWO, {
    add_database = add_database(false), extension = bodies.v2_extension,
    users = users(view_v2), add_user = add_user(view_v2),
    user_create = bodies.user_create, set_role = set_role(nil),
    user_update = bodies.user_update, credentials = credentials_v2,
  }),
}

return M
