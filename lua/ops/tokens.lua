--- Tokens: who may act on an app or an organization without a password.

local err = require "base.err"
local op = require "opkit.op"
local resource = require "opkit.resource"

resource {
  id = "tokens",
  singular = "token",
  title = "Tokens",
}

op {
  id = "tokens.list_app",
  hidden = true,
  title = "List the tokens of an app",
  effect = "read",
  gql = [[
    query AppTokens($app: String!, $first: Int = 50, $after: String) {
      app(name: $app) {
        tokens: limitedAccessTokens(first: $first, after: $after) {
          nodes {
            id name profile created_at: createdAt expires_at: expiresAt
            revoked_at: revokedAt user { email }
          }
          pageInfo { hasNextPage endCursor }
        }
      }
    }
  ]],
  items = "app.tokens.nodes",
  page = "graphql",
  params = {
    { "app", "app", "name of the app", required = true },
  },
  returns = { list = "token" },
}

op {
  id = "tokens.list_org",
  hidden = true,
  title = "List the tokens of an organization",
  effect = "read",
  gql = [[
    query OrgTokens($slug: String!, $first: Int = 50, $after: String) {
      organization(slug: $slug) {
        tokens: limitedAccessTokens(first: $first, after: $after) {
          nodes {
            id name profile created_at: createdAt expires_at: expiresAt
            revoked_at: revokedAt user { email }
          }
          pageInfo { hasNextPage endCursor }
        }
      }
    }
  ]],
  items = "organization.tokens.nodes",
  page = "graphql",
  params = {
    { "org", "org", "slug of the organization", required = true,
      at = "var.slug" },
  },
  returns = { list = "token" },
}

op {
  id = "tokens.list",
  title = "List tokens",
  doc = "Those of one app, or those of one organization: the service has no"
    .. " list of all. What a token is worth is never shown.",
  effect = "read",
  calls = { "tokens.list_app", "tokens.list_org" },
  run = function(ctx, args)
    if args.app then
      return ctx.call("tokens.list_app", { app = args.app })
    end
    local org = args.org or ctx.org
    if not org or org == "" then
      return nil, err.new({
        kind = "usage", op = "tokens.list",
        message = "tokens belong to an app or an organization: say which",
        hint = "give --app NAME or --org SLUG",
      })
    end
    return ctx.call("tokens.list_org", { org = org })
  end,
  order = { "name", "created_at" },
  params = {
    { "app", "app", "tokens of this app" },
    { "org", "org", "tokens of this organization" },
  },
  returns = { list = "token" },
  columns = {
    { "ID", "id" },
    { "NAME", "name" },
    { "PROFILE", "profile", priority = 2 },
    { "USER", "user.email", priority = 3 },
    { "CREATED", "created_at", format = "ago", priority = 3 },
    { "EXPIRES", "expires_at", format = "ago" },
    { "REVOKED", "revoked_at", format = "ago", priority = 4 },
  },
  examples = { "list tokens --app my-app", "list tokens --org personal" },
}
