--- Managed Postgres clusters.

local flow = require "ops.flow"
local op = require "opkit.op"
local resource = require "opkit.resource"

resource {
  id = "mpg",
  title = "Managed Postgres",
  doc = "Postgres that Fly runs: backups, failover and upgrades are its work.",
}

op {
  id = "mpg.list_org",
  hidden = true,
  title = "List the managed Postgres clusters of an organization",
  effect = "read",
  http = { "GET", "/v1/postgres" },
  limit = "caller",
  items = "data",
  params = {
    { "org", "org", "slug of the organization", required = true,
      at = "query.org_slug" },
  },
  returns = { list = "cluster" },
}

op {
  id = "mpg.list",
  title = "List managed Postgres clusters",
  effect = "read",
  calls = { "orgs.list", "mpg.list_org" },
  run = function(ctx, args)
    return flow.list_orgs(ctx, args, "mpg.list_org")
  end,
  order = { "org", "name" },
  params = {
    { "org", "org", "only clusters of this organization" },
  },
  returns = { list = "cluster" },
  columns = {
    { "ID", "id" },
    { "NAME", "name" },
    { "ORG", "org", priority = 2 },
    { "STATUS", "status", format = "state" },
    { "PLAN", "plan", priority = 2 },
    { "REGION", "region" },
    { "CREATED", "created_at", format = "ago", priority = 3 },
  },
  examples = { "list mpg" },
}

op {
  id = "mpg.get",
  title = "Show a managed Postgres cluster",
  effect = "read",
  http = { "GET", "/v1/postgres/{id}" },
  limit = "caller",
  item = "data",
  params = {
    { "id", "cluster", "id of the cluster", required = true, pos = 1 },
  },
  returns = "cluster",
  columns = {
    { "ID", "id" },
    { "NAME", "name" },
    { "ORG", "organization.slug" },
    { "STATUS", "status", format = "state" },
    { "PLAN", "plan" },
    { "REGION", "region" },
    { "VERSION", "pg_major_version" },
    { "CPUS", "cpus", format = "number" },
    { "MEMORY", "memory_mb", format = "megabytes" },
    { "DISK", "disk_size_gb", format = "gigabytes" },
    { "USED", "storage_used_bytes", format = "bytes" },
    { "REPLICAS", "replicas", format = "number" },
    { "CREATED", "created_at", format = "ago" },
  },
  examples = { "mpg get pg1abc" },
}

op {
  id = "mpg.backups",
  title = "List the backups of a managed Postgres cluster",
  doc = "Newest first.",
  effect = "read",
  http = { "GET", "/v1/postgres/{id}/backups" },
  limit = "caller",
  items = "data",
  params = {
    { "id", "cluster", "id of the cluster", required = true, pos = 1 },
  },
  returns = { list = "backup" },
  columns = {
    { "ID", "id" },
    { "TYPE", "type" },
    { "STATUS", "status", format = "state" },
    { "SIZE", "size_bytes", format = "bytes" },
    { "STARTED", "started_at", format = "ago", priority = 2 },
    { "FINISHED", "finished_at", format = "ago", priority = 3 },
  },
  examples = { "mpg backups pg1abc" },
}
