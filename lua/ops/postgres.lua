--- Postgres: clusters one runs oneself as an app, and managed ones beside them.

local flow = require "ops.flow"
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
  calls = { "orgs.list", "postgres.list_apps", "mpg.list_org" },
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
