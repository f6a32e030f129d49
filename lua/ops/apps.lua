--- Apps: what machines, volumes, addresses and secrets belong to.
--- Rows; what they run waits, and reaches others through its context only.

local flow = require "ops.flow"
local op = require "opkit.op"
local resource = require "opkit.resource"

resource {
  id = "apps",
  singular = "app",
  title = "Apps",
  doc = "An app groups machines under one name; it belongs to an organization.",
}

op {
  id = "apps.list_org",
  hidden = true,
  title = "List the apps of one organization",
  effect = "read",
  http = { "GET", "/v1/apps" },
  limit = "caller",
  page = "body",
  items = "apps",
  params = {
    { "org", "org", "slug of the organization", required = true,
      at = "query.org_slug" },
    { "role", "name", "only apps with this role", at = "query.app_role" },
  },
  returns = { list = "app" },
}

op {
  id = "apps.list",
  title = "List apps",
  doc = "Without an organization: the apps of every one the token can see.",
  effect = "read",
  calls = { "orgs.list_all", "apps.list_org" },
  run = function(ctx, args)
    local slugs, e = flow.orgs(ctx, args)
    if not slugs then
      return nil, e
    end
    return flow.over_orgs(ctx, slugs, function(slug)
      return flow.items(ctx, "apps.list_org", { org = slug }, function(app)
        return app
      end)
    end)
  end,
  order = { "organization.slug", "name" },
  params = {
    { "org", "org", "only apps of this organization" },
  },
  returns = { list = "app" },
  columns = {
    { "NAME", "name" },
    { "ORG", "organization.slug", priority = 2 },
    { "STATUS", "status", format = "state" },
    { "MACHINES", "machine_count", format = "number", priority = 2 },
    { "VOLUMES", "volume_count", format = "number", priority = 3 },
    { "NETWORK", "network", priority = 4, wide = true },
    { "ID", "id", priority = 5, wide = true },
  },
  examples = { "list apps", "list apps --org personal" },
}

op {
  id = "apps.get",
  title = "Show an app",
  effect = "read",
  http = { "GET", "/v1/apps/{app}" },
  limit = "app",
  params = {
    { "app", "app", "name of the app", required = true, pos = 1 },
  },
  returns = "app",
  columns = {
    { "NAME", "name" },
    { "ORG", "organization.slug" },
    { "STATUS", "status", format = "state" },
    { "MACHINES", "machine_count", format = "number" },
    { "VOLUMES", "volume_count", format = "number" },
    { "NETWORK", "network" },
    { "ID", "id" },
  },
  examples = { "get app my-app" },
}
