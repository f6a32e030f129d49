--- Tokens: who may act on an app or an organization without a password.
--- Rows; what they run waits, and reaches others through its context only.

local err = require "base.err"
local flow = require "ops.flow"
local op = require "opkit.op"
local resource = require "opkit.resource"
local tbl = require "base.tbl"

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
    if args.app and args.org then
      return nil, err.new({
        kind = "usage", op = "tokens.list",
        message = "the tokens of an app, or those of an organization: not both",
        hint = "give --app NAME or --org SLUG",
      })
    elseif args.app then
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

op {
  id = "tokens.revoke",
  title = "Revoke a token",
  effect = "destroy",
  confirm = "Revoke token {id}? What uses it stops working.",
  gql = [[
    mutation RevokeToken($id: ID!) {
      deleteLimitedAccessToken(input: { id: $id }) { clientMutationId }
    }
  ]],
  params = {
    { "id", "token", "id of the token, as the list shows it", required = true,
      pos = 1 },
  },
  examples = { "tokens revoke abc123" },
}

-- What the token is worth is a secret from the moment it is read.
local MADE = {
  object = { id = "string?", token = "any?" },
}

op {
  id = "tokens.create_once",
  hidden = true,
  title = "Make a token of a profile",
  effect = "write",
  gql = [[
    mutation CreateToken(
      $name: String!, $org: ID!, $profile: String!, $params: JSON, $expiry: String!
    ) {
      createLimitedAccessToken(input: {
        name: $name, organizationId: $org, profile: $profile,
        profileParams: $params, expiry: $expiry
      }) {
        made: limitedAccessToken { id token: tokenHeader }
      }
    }
  ]],
  item = "createLimitedAccessToken.made",
  params = {
    { "name", "name", "name of the token", required = true },
    { "node", "name", "node id of the organization", required = true,
      at = "var.org" },
    { "profile", "name", "what it may do", required = true },
    { "params", "json", "of the profile" },
    { "expiry", "name", "how long it lives", required = true },
  },
  sensitive = { "token" },
  returns = MADE,
}

op {
  id = "tokens.create_readonly",
  hidden = true,
  title = "Have flyctl make a token and narrow it to reading",
  effect = "write",
  flyctl = {
    "tokens", "create", "readonly", "--org={org}", "--name={name}",
    "--expiry={expiry}s",
  },
  timeout = 120,
  params = {
    { "org", "org", "slug of the organization", required = true },
    { "name", "name", "name of the token", required = true },
    { "expiry", "integer", "seconds it lives", required = true },
  },
  sensitive = { "stdout" },
  returns = { object = { stdout = "any", stderr = "string?" } },
}

-- The organization of an app, and the app's node id.
op {
  id = "tokens.app_nodes",
  hidden = true,
  title = "Show the node ids of an app and its organization",
  effect = "read",
  gql = [[
    query AppNodes($name: String!) {
      app(name: $name) { id organization { id slug } }
    }
  ]],
  item = "app",
  params = {
    { "app", "app", "name of the app", required = true, at = "var.name" },
  },
  returns = {
    object = {
      id = "string", organization = { object = { id = "string", slug = "string" } },
    },
  },
}

-- What does not go with the type is refused: a token that may do more, or
-- something else, than was meant is no token to hand out.
local function check_scope(args)
  local is_deploy = args.type == "deploy"
  local odd = is_deploy and args.org and "org" or not is_deploy and args.app and "app"
  if not odd then
    return true
  end
  return nil, err.new({
    kind = "usage", op = "tokens.create",
    message = is_deploy and "a deploy token is for one app, not for an organization"
      or ("a token of type %s is for a whole organization, not for one app"):format(args.type),
    hint = is_deploy and "give --app NAME alone, or --type org"
      or "give --org SLUG alone, or --type deploy",
  })
end

-- Profile, parameters and organization of the token asked for.
local function plan_token(ctx, args)
  if args.type == "deploy" then
    if not args.app then
      return nil, err.new({ kind = "usage", op = "tokens.create",
        message = "a deploy token is for one app: say which",
        hint = "give --app NAME" })
    end
    local app, e = ctx.call("tokens.app_nodes", { app = args.app })
    local node = app and tbl.get(app, "organization.id")
    if app and not (app.id and node) then
      -- Without them the token could be for more than this app.
      return nil, err.new({ kind = "protocol",
        message = ("app %s came without its ids: no token was made"):format(args.app),
        hint = "try again in a moment" })
    end
    return app and {
      profile = "deploy", params = { app_id = app.id }, node = node,
      name = "flyctl deploy token", where = "--app " .. args.app,
    }, e
  end
  local org, e = flow.one_org_node(ctx, args)
  return org and {
    profile = "deploy_organization", node = org.id, name = "Org deploy token",
    where = "--org " .. org.slug,
  }, e
end

-- The newest token of that name: flyctl does not tell which one it made.
local function newest_id(ctx, org, name)
  local newest
  ctx.call("tokens.list_org", { org = org }, {
    each = function(token)
      local is_newer = token.name == name and (not newest
        or (token.created_at or "") > (newest.created_at or ""))
      newest = is_newer and token or newest
    end,
  })
  return newest and newest.id
end

-- A token that only reads is one of the organization that its holder narrowed;
-- flyctl knows how.
local function create_readonly(ctx, args)
  local slug, e = flow.one_org(ctx, args)
  local safe = nil
  if slug then
    safe, e = ctx.flyctl()
  end
  if not safe then
    return nil, e
  end
  local name = args.name or "Read-only org token"
  local made
  made, e = ctx.call("tokens.create_readonly",
    { org = slug, name = name, expiry = math.ceil(args.expiry) })
  if not made then
    return nil, e
  end
  local token = made.stdout:trim()
  if not token:starts_with("FlyV1 ") then
    return nil, err.new({ kind = "protocol", message = "flyctl printed no token",
      hint = "look for it: clanker fly list tokens --org " .. slug })
  end
  return { id = newest_id(ctx, slug, name), token = token }
end

op {
  id = "tokens.create",
  title = "Create a token",
  doc = [[
    A deploy token is for one app, an org token for everything in an
    organization, a readonly token for looking at it (flyctl makes that one).
    The token is shown once, at a terminal, or written to the new file of --out;
    there is no other way to get it.
  ]],
  effect = "write",
  calls = {
    "orgs.list_all", "orgs.get", "tokens.app_nodes", "tokens.create_once",
    "tokens.create_readonly", "tokens.list_org",
  },
  run = function(ctx, args)
    local fits, misfit = check_scope(args)
    if not fits then
      return nil, misfit
    elseif args.type == "readonly" then
      return create_readonly(ctx, args)
    end
    local plan, e = plan_token(ctx, args)
    if not plan then
      return nil, e
    end
    local made
    made, e = ctx.call("tokens.create_once", {
      name = args.name or plan.name, node = plan.node, profile = plan.profile,
      params = plan.params, expiry = ("%ds"):format(math.ceil(args.expiry)),
    })
    return made, e and flow.may_exist(e, "list tokens " .. plan.where)
  end,
  params = {
    { "type", "enum", "what it may act on", required = true,
      values = { "deploy", "org", "readonly" } },
    { "app", "app", "app of a deploy token" },
    { "org", "org", "organization of an org or readonly token" },
    { "name", "name", "name of the token" },
    { "expiry", "duration", "how long it lives", default = 86400, min = 60 },
    flow.out("the token"),
  },
  sensitive = { "token" },
  returns = MADE,
  columns = {
    { "ID", "id" },
    { "TOKEN", "token" },
  },
  produces = { id = "id" },
  undo = { op = "tokens.revoke", args = { id = "{id}" } },
  examples = {
    "tokens create --type deploy --app my-app --expiry 24h",
    "tokens create --type org --org personal --out token.txt",
  },
}
