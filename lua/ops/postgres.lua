--- Postgres: clusters one runs oneself as an app, and managed ones beside them.
--- Rows; what they run waits, and reaches others through its context only.

local cells = require "ops.cells"
local flow = require "ops.flow"
local flow_postgres = require "ops.flow_postgres"
local kinds = require "base.json.kinds"
local op = require "opkit.op"
local resource = require "opkit.resource"
local tbl = require "base.tbl"

resource {
  id = "postgres",
  aliases = { "pg" },
  title = "Postgres",
}

op {
  id = "postgres.list_apps",
  hidden = true,
  title = "List the apps that are Postgres clusters",
  effect = "read",
  gql = [[
    query PostgresApps($first: Int = 200, $after: String) {
      apps(role: "postgres_cluster", first: $first, after: $after) {
        nodes { id name status organization { slug } }
        pageInfo { hasNextPage endCursor }
      }
    }
  ]],
  items = "apps.nodes",
  page = "graphql",
  returns = {
    list = {
      object = {
        id = "string", name = "string", status = "string?",
        organization = { object = { slug = "string?" }, optional = true },
      },
    },
  },
}

local function unmanaged(app)
  return {
    id = app.id, name = app.name, status = app.status, kind = "unmanaged",
    org = app.organization and app.organization.slug,
  }
end

local function managed(cluster)
  return {
    id = cluster.id, name = cluster.name, status = cluster.status,
    kind = "managed", org = cluster.org, plan = cluster.plan,
    region = cluster.region,
  }
end

-- The clusters of both kinds; each listing is asked at the same time.
local function list(ctx, args)
  local org = args.org or ctx.org
  local listings = {
    function()
      return flow.collect(ctx, "postgres.list_apps", {}, function(app)
        local slug = app.organization and app.organization.slug
        return (not org or org == "" or slug == org) and unmanaged(app) or nil
      end)
    end,
    function()
      local clusters, e = flow.list_orgs(ctx, args, "mpg.list_org", flow.collect)
      return clusters and tbl.map(clusters, managed), e
    end,
  }
  local lists, e = ctx.map(listings, function(listing)
    return listing()
  end)
  if not lists then
    return nil, e
  end
  return kinds.array(tbl.flatten(lists))
end

op {
  id = "postgres.list",
  title = "List Postgres clusters, managed and unmanaged",
  effect = "read",
  calls = { "orgs.list_all", "postgres.list_apps", "mpg.list_org" },
  run = list,
  order = { "org", "name" },
  params = {
    { "org", "org", "only clusters of this organization" },
  },
  returns = {
    list = {
      object = {
        id = "string", name = "string?", status = "string?", org = "string?",
        kind = { enum = { "managed", "unmanaged" } }, plan = "string?",
        region = "string?",
      },
    },
  },
  columns = {
    { "NAME", "name" },
    { "KIND", "kind" },
    { "ORG", "org", priority = 2 },
    { "STATUS", "status", format = "state" },
    { "PLAN", "plan", priority = 3 },
    { "REGION", "region", priority = 2 },
    { "ID", "id", priority = 3 },
  },
  examples = { "list postgres" },
}

op {
  id = "postgres.list_attachments",
  hidden = true,
  title = "List what is attached to an unmanaged cluster",
  effect = "read",
  gql = [[
    query PostgresAttachments($app: String, $pg: String!, $first: Int = 50, $after: String) {
      postgresAttachments(appName: $app, postgresAppName: $pg, first: $first, after: $after) {
        nodes {
          id database: databaseName user: databaseUser
          variable: environmentVariableName
        }
        pageInfo { hasNextPage endCursor }
      }
    }
  ]],
  items = "postgresAttachments.nodes",
  page = "graphql",
  params = {
    { "app", "app", "app it is attached to" },
    { "cluster", "own_cluster", "name of the cluster's app", required = true,
      at = "var.pg" },
  },
  returns = { list = "attachment" },
  order = { "database" },
  columns = cells.ATTACHMENT,
}

-- "17.2" of the image that its machines run.
local function version_of(machine)
  local tag = tbl.get(machine or {}, "image_ref.tag")
  return tag and tag:match("^v?(%d[%w.]*)$") or tag
end

local function disk_of(volumes)
  local most
  for _, volume in ipairs(volumes) do
    most = math.max(most or 0, volume.size_gb or 0)
  end
  return most
end

-- An app of one's own as a cluster.
local function show_own(ctx, own)
  local name = own.app.name
  local parts, e = ctx.map({ "volumes.list_app", "postgres.list_attachments" },
    function(id)
      return flow.collect(ctx, id,
        id == "volumes.list_app" and { app = name } or { cluster = name },
        function(item)
          return item
        end)
    end)
  if not parts then
    return nil, e
  end
  local machines = own.machines
  local leader = flow_postgres.leader(machines)
  local one = leader or machines[1] or {}
  return tbl.merge(own.app, {
    kind = "unmanaged", org = tbl.get(own.app, "organization.slug"),
    region = one.region, version = version_of(one), plan = cells.size(one),
    cpus = tbl.get(one, "config.guest.cpus"),
    memory_mb = tbl.get(one, "config.guest.memory_mb"),
    disk_size_gb = disk_of(parts[1]), leader = leader and leader.id,
    host = name .. ".internal", created_at = one.created_at,
    machines = tbl.map(machines, function(machine)
      return {
        id = machine.id, region = machine.region, state = machine.state,
        role = flow_postgres.role(machine),
      }
    end),
    replicas = math.max(#machines - 1, 0), attachments = parts[2],
  })
end

-- Nothing is added to what stands in the reply but what both kinds have.
local function show_managed(cluster)
  cluster.kind = "managed"
  cluster.org = tbl.get(cluster, "organization.slug")
  cluster.version = cluster.pg_major_version
  cluster.host = tbl.get(cluster, "endpoints.primary.direct.host")
  return cluster
end

-- Which apps, or which databases where the service does not tell the apps.
local function attached(cluster)
  local names = tbl.map(cluster.attached_apps or cluster.attachments or {}, function(one)
    return one.name or one.database
  end)
  return #names > 0 and table.concat(names, ", ") or nil
end

-- "2, of which one is stopped": only what there is to say.
local function machines_text(cluster)
  if not cluster.machines then
    return nil
  end
  return table.concat(tbl.map(cluster.machines, function(machine)
    return ("%s (%s%s)"):format(machine.id, machine.role and machine.role .. ", " or "",
      machine.state)
  end), ", ")
end

op {
  id = "postgres.get",
  title = "Show a Postgres cluster, managed or unmanaged",
  doc = [[
    A managed cluster goes by its id or its name, an unmanaged one by the name of
    its app. What is attached is told as the service tells it: apps of a managed
    cluster, databases of an unmanaged one.
  ]],
  effect = "read",
  calls = tbl.flatten({ flow_postgres.CALLS,
    { "volumes.list_app", "postgres.list_attachments" } }),
  run = function(ctx, args)
    local cluster, own, e = flow_postgres.find(ctx, args.id)
    if own then
      return show_own(ctx, own)
    end
    return cluster and show_managed(cluster), e
  end,
  params = {
    { "id", "any_cluster", "id or name of the cluster", required = true, pos = 1 },
  },
  returns = "postgres",
  columns = {
    { "NAME", "name" },
    { "KIND", "kind" },
    { "ORG", "org" },
    { "STATUS", "status", format = "state" },
    { "PLAN", "plan" },
    { "REGION", "region" },
    { "VERSION", "version" },
    { "CPUS", "cpus", format = "number" },
    { "MEMORY", "memory_mb", format = "megabytes" },
    { "DISK", "disk_size_gb", format = "gigabytes" },
    { "USED", "storage_used_bytes", format = "bytes" },
    { "REPLICAS", "replicas", format = "number" },
    { "MACHINES", machines_text },
    { "HOST", "host" },
    { "ATTACHED", attached },
    { "CREATED", "created_at", format = "ago" },
    { "ID", "id" },
  },
  examples = { "get postgres acme-db", "get postgres pg1abc" },
}
