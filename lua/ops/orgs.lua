--- Organizations and who is in them.
--- Rows; what they run waits, and reaches others through its context only.

local err = require "base.err"
local flow = require "ops.flow"
local op = require "opkit.op"
local resource = require "opkit.resource"

resource {
  id = "orgs",
  singular = "org",
  aliases = { "organizations", "organization" },
  title = "Organizations",
  doc = "An organization owns apps and pays for them.",
}

op {
  id = "orgs.list_all",
  hidden = true,
  title = "List every organization you can see",
  effect = "read",
  gql = [[
    query ListOrgs($first: Int = 50, $after: String) {
      organizations(first: $first, after: $after) {
        nodes {
          id slug name type billable
          raw_slug: rawSlug paid_plan: paidPlan role: viewerRole
        }
        pageInfo { hasNextPage endCursor }
      }
    }
  ]],
  items = "organizations.nodes",
  page = "graphql",
  returns = { list = "org" },
}

op {
  id = "orgs.list",
  title = "List the organizations you can see",
  doc = "All of them, whichever one is configured; --org shows that one only.",
  effect = "read",
  calls = { "orgs.list_all" },
  run = function(ctx, args)
    local found = not args.org
    local list, e = flow.items(ctx, "orgs.list_all", {}, function(org)
      local is_wanted = not args.org or org.slug == args.org or org.raw_slug == args.org
      found = found or is_wanted
      return is_wanted and org or nil
    end)
    if not list or found then
      return list, e
    end
    return nil, err.new({
      kind = "not_found",
      message = ("no organization %q among those this token sees"):format(args.org),
      hint = "`clanker fly list orgs` shows them",
    })
  end,
  order = { "slug" },
  params = {
    { "org", "org", "only this organization" },
  },
  returns = { list = "org" },
  columns = {
    { "SLUG", "slug" },
    { "NAME", "name" },
    { "TYPE", "type", priority = 3 },
    { "ROLE", "role", priority = 2 },
    { "PAID", "paid_plan", format = "boolean", priority = 4, wide = true },
    { "ID", "id", priority = 5, wide = true },
  },
  examples = { "list orgs", "list orgs --org personal" },
}

op {
  id = "orgs.get",
  title = "Show an organization",
  effect = "read",
  gql = [[
    query GetOrg($slug: String!) {
      organization(slug: $slug) {
        id slug name type billable
        raw_slug: rawSlug paid_plan: paidPlan role: viewerRole
        billing_status: billingStatus
      }
    }
  ]],
  item = "organization",
  params = {
    { "org", "org", "slug of the organization", required = true, pos = 1,
      at = "var.slug" },
  },
  returns = "org",
  columns = {
    { "SLUG", "slug" },
    { "NAME", "name" },
    { "TYPE", "type" },
    { "ROLE", "role" },
    { "PAID", "paid_plan", format = "boolean" },
    { "BILLING", "billing_status" },
    { "RAW SLUG", "raw_slug" },
    { "ID", "id" },
  },
  examples = { "get org personal" },
}

op {
  id = "orgs.members",
  title = "List the members of an organization",
  effect = "read",
  gql = [[
    query OrgMembers($slug: String!, $first: Int = 50, $after: String) {
      organization(slug: $slug) {
        members(first: $first, after: $after) {
          edges { role joined_at: joinedAt user: node { id name email } }
          pageInfo { hasNextPage endCursor }
        }
      }
    }
  ]],
  items = "organization.members.edges",
  page = "graphql",
  order = { "user.email" },
  noun = "members",
  params = {
    { "org", "org", "slug of the organization", required = true, pos = 1,
      at = "var.slug" },
  },
  returns = { list = "member" },
  columns = {
    { "EMAIL", "user.email" },
    { "NAME", "user.name", priority = 2 },
    { "ROLE", "role" },
    { "JOINED", "joined_at", format = "ago", priority = 3 },
  },
  examples = { "orgs members personal" },
}
