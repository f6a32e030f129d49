--- Add-ons: Redis, object storage and what else other providers run.
--- Rows; what they run waits, and reaches others through its context only.

local flow = require "ops.flow"
local op = require "opkit.op"
local resource = require "opkit.resource"

resource {
  id = "extensions",
  singular = "extension",
  aliases = { "addons", "addon" },
  title = "Extensions",
  doc = "What other providers run for an app or an organization.",
}

resource {
  id = "redis",
  title = "Redis (Upstash)",
}

resource {
  id = "tigris",
  title = "Object storage (Tigris)",
  aliases = { "buckets", "bucket" },
}

resource {
  id = "mysql",
  title = "MySQL",
}

local TYPES = {
  "arcjet", "enveloop", "fly_mysql", "kubernetes", "redis", "sentry",
  "supabase", "tigris", "upstash_kafka", "upstash_redis", "upstash_vector",
  "wafris",
}

op {
  id = "extensions.list_all",
  hidden = true,
  title = "List the add-ons of all organizations",
  effect = "read",
  gql = [[
    query ListAddOns($type: AddOnType, $first: Int = 50, $after: String) {
      addOns(type: $type, first: $first, after: $after) {
        nodes {
          id name status
          region: primaryRegion read_regions: readRegions created_at: createdAt
          provider: addOnProvider { name title: displayName }
          plan: addOnPlan { id title: displayName }
          org: organization { slug }
          app { name }
        }
        pageInfo { hasNextPage endCursor }
      }
    }
  ]],
  items = "addOns.nodes",
  page = "graphql",
  params = {
    { "type", "enum", "only add-ons of this type", values = TYPES },
  },
  returns = { list = "addon" },
}

-- The add-ons of one type (or all), of one organization (or all).
local function list(ctx, args, kind)
  local org = args.org or ctx.org
  return flow.items(ctx, "extensions.list_all", { type = kind }, function(addon)
    local slug = addon.org and addon.org.slug
    return (not org or org == "" or slug == org) and addon or nil
  end)
end

local ORG = { "org", "org", "only those of this organization" }

local COLUMNS = {
  { "NAME", "name" },
  { "ORG", "org.slug", priority = 2 },
  { "APP", "app.name", priority = 3 },
  { "STATUS", "status", format = "state" },
  { "PLAN", "plan.title", priority = 3 },
  { "REGION", "region" },
  { "REPLICAS", "read_regions", priority = 5, wide = true },
  { "CREATED", "created_at", format = "ago", priority = 4 },
  { "ID", "id", priority = 6, wide = true },
}

-- A list operation for one type of add-on.
local function list_of(id, title, kind, more)
  local row = {
    id = id .. ".list",
    title = title,
    effect = "read",
    calls = { "extensions.list_all" },
    run = function(ctx, args)
      return list(ctx, args, kind)
    end,
    order = { "org.slug", "name" },
    params = { ORG },
    returns = { list = "addon" },
    columns = COLUMNS,
    examples = { "list " .. id },
  }
  for field, value in pairs(more or {}) do
    row[field] = value
  end
  op(row)
end

list_of("redis", "List Redis databases", "upstash_redis")

list_of("tigris", "List Tigris buckets", "tigris")

list_of("mysql", "List MySQL databases", "fly_mysql", {
  doc = "The preview ended without a product: expect an empty list.",
  stability = "preview",
})

op {
  id = "extensions.list",
  title = "List extensions",
  doc = "Add-ons of every type, Redis databases and Tigris buckets too.",
  effect = "read",
  calls = { "extensions.list_all" },
  run = function(ctx, args)
    return list(ctx, args, args.type)
  end,
  order = { "provider.name", "org.slug", "name" },
  params = {
    { "type", "enum", "only extensions of this type", values = TYPES },
    ORG,
  },
  returns = { list = "addon" },
  columns = {
    { "NAME", "name" },
    { "PROVIDER", "provider.name" },
    { "ORG", "org.slug", priority = 2 },
    { "APP", "app.name", priority = 3 },
    { "STATUS", "status", format = "state", priority = 2 },
    { "REGION", "region", priority = 3 },
    { "CREATED", "created_at", format = "ago", priority = 4 },
    { "ID", "id", priority = 6, wide = true },
  },
  examples = { "list extensions", "list extensions --type sentry" },
}
