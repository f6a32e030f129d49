--- What a name means among Postgres clusters: an app of one's own that is one,
--- or a cluster that Fly runs.
--- Waits in the injected context only.

local err = require "base.err"
local flow = require "ops.flow"
local tbl = require "base.tbl"

local M = {}

--- Operations that finding a cluster calls.
M.CALLS = {
  "apps.get", "machines.list_app", "mpg.get", "orgs.list_all", "mpg.list_org",
}

local LEADS = { primary = true, leader = true }

-- Images that make an app a cluster, whatever their tag.
local IMAGES = { "flyio/postgres", "flyio/postgres%-flex", "flyio/postgres%-standalone" }

local function is_postgres_image(image)
  local path = type(image) == "string" and image:gsub("@.*$", ""):gsub(":[^/]*$", "") or ""
  return tbl.find(IMAGES, function(pattern)
    return path:find("^" .. pattern .. "$") or path:find("/" .. pattern .. "$")
  end) ~= nil
end

-- Whether an app is a cluster: by its role, or by what its machines are.
local function is_cluster(app, machines)
  return app.app_role == "postgres_cluster" or tbl.find(machines, function(machine)
    local config = machine.config or {}
    return (config.metadata or {})["fly-managed-postgres"] == "true"
      or is_postgres_image(config.image)
  end) ~= nil
end

--- What a machine says it is to its cluster; nil when it does not.
---@param machine table
---@return string?
function M.role(machine)
  local check = tbl.find(machine.checks or {}, function(one)
    return one.name == "role"
  end)
  return check and check.status == "passing" and check.output or nil
end

--- The machine that leads; nil when none says so.
---@param machines table[]
---@return table?
function M.leader(machines)
  return tbl.find(machines, function(machine)
    return LEADS[M.role(machine)]
  end)
end

local GONE = tbl.set({ "destroyed", "destroying", "replaced", "migrated" })

--- The machines of a cluster that are there.
---@async
---@param ctx op.Context
---@param app string
---@return table[]?
---@return err.Record?
function M.machines(ctx, app)
  return flow.collect(ctx, "machines.list_app", { app = app }, function(machine)
    return not GONE[machine.state] and machine or nil
  end)
end

---@class ops.OwnCluster
---@field app table
---@field machines table[]

-- The app of that name with its machines; false when it is no cluster.
local function find_own(ctx, name)
  local app, e = ctx.call("apps.get", { app = name })
  if not app then
    return nil, e
  end
  local machines
  machines, e = M.machines(ctx, name)
  if not machines then
    return nil, e
  end
  return is_cluster(app, machines) and { app = app, machines = machines }
end

-- Not that one, rather than not now: there may be another of that name.
local function is_absence(e)
  return flow.is_refusal(e) or e.kind == "invalid"
end

-- The managed clusters of that name, as far as they can be listed.
local function managed_named(ctx, name)
  local list = flow.list_orgs(ctx, {}, "mpg.list_org", flow.collect) or {}
  return tbl.filter(list, function(cluster)
    return cluster.name == name and cluster.status ~= "deleted"
  end)
end

local function nothing_named(name, has_app)
  return err.new({
    kind = "not_found",
    message = ("there is no Postgres cluster %s: no managed cluster has that id or"
      .. " name, and %s"):format(name, has_app and "the app of that name is no cluster"
      or "no app has that name"),
    hint = "clanker fly list postgres shows those of both kinds",
  })
end

-- The one managed cluster of that name.
local function by_name(ctx, name, has_app)
  local named = managed_named(ctx, name)
  if #named == 1 then
    return ctx.call("mpg.get", { id = named[1].id })
  elseif #named == 0 then
    return nil, nothing_named(name, has_app)
  end
  return nil, err.new({
    kind = "usage",
    message = ("%d managed clusters are called %s: which?"):format(#named, name),
    hint = "give its id: " .. table.concat(tbl.map(named, function(cluster)
      return ("%s (org %s)"):format(cluster.id, cluster.org)
    end), ", "),
  })
end

--- The cluster of either kind that goes by that id or name. An id comes first,
--- then an app, then a managed cluster's name.
---@async
---@param ctx op.Context
---@param name string
---@return table? managed as its own operation shows it
---@return ops.OwnCluster? own
---@return err.Record?
function M.find(ctx, name)
  local failures = {}
  local found = ctx.map({ "managed", "own" }, function(kind)
    local value, e
    if kind == "own" then
      value, e = find_own(ctx, name)
    else
      value, e = ctx.call("mpg.get", { id = name })
    end
    failures[kind] = e
    return { value }
  end)
  local managed, own = found[1][1], found[2][1]
  if managed or own then
    return managed, not managed and own or nil
  end
  for _, kind in ipairs({ "own", "managed" }) do
    if failures[kind] and not is_absence(failures[kind]) then
      return nil, nil, failures[kind]
    end
  end
  local cluster, e = by_name(ctx, name, own == false)
  return cluster, nil, e
end

--- The error of what cannot be done to a managed cluster.
---@param name string
---@param instead string? command line that does the same to one
---@return err.Record
function M.not_own(name, instead)
  return err.new({
    kind = "usage",
    message = ("cluster %s is a managed one, and this is for those of your own"):format(name),
    hint = instead and "clanker fly " .. instead
      or "clanker fly list mpg shows those that Fly runs",
  })
end

--- The cluster of one's own of that name, for flyctl, which must be there; a
--- managed one is told how it is spoken to.
---@async
---@param ctx op.Context
---@param name string
---@param instead string? command line that does the same to a managed cluster,
--- {id} in it
---@return ops.OwnCluster?
---@return err.Record?
function M.own(ctx, name, instead)
  local there, missing = ctx.has_flyctl()
  if not there then
    return nil, missing
  end
  local managed, own, e = M.find(ctx, name)
  if own then
    return own
  elseif not managed then
    return nil, e
  end
  return nil, M.not_own(name, instead and instead:gsub("{id}", managed.id))
end

return M
