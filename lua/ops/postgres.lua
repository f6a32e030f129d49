--- Postgres: clusters one runs oneself as an app, and managed ones beside them.

local err = require "base.err"
local flow = require "ops.flow"
local guests = require "ops.guest"
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

-- What a new cluster is made of; who calls flyctl has an organization.
local function create_params(is_sure)
  return {
    { "name", "new_app", "name of its app", required = true },
    { "org", "org", "organization it belongs to", required = is_sure },
    { "region", "region", "region", required = true },
    { "vm_size", "enum", "preset of CPUs and memory",
      values = guests.PRESETS, default = "shared-cpu-1x" },
    { "volume_size", "gigabytes", "size of each volume", default = 10, min = 1,
      max = 500 },
    { "count", "integer", "number of machines", default = 1, min = 1, max = 10 },
  }
end

op {
  id = "postgres.create_cluster",
  hidden = true,
  title = "Have flyctl create an unmanaged Postgres cluster",
  effect = "write",
  flyctl = {
    "postgres", "create", "--name={name}", "--org={org}", "--region={region}",
    "--vm-size={vm_size}", "--volume-size={volume_size}",
    "--initial-cluster-size={count}",
  },
  timeout = 900,
  params = create_params(true),
}

op {
  id = "postgres.create",
  title = "Create an unmanaged Postgres cluster",
  doc = "It is an app of your own to look after; `mpg create` makes a managed"
    .. " one. The password is shown once.",
  effect = "write",
  cost = "its machines and volumes are billed.",
  calls = { "orgs.list", "regions.list_all", "postgres.create_cluster" },
  run = function(ctx, args)
    local known, e = flow.known_region(ctx, args.region)
    local org
    if known then
      org, e = flow.one_org(ctx, args)
    end
    if not org then
      return nil, e
    end
    return ctx.call("postgres.create_cluster", tbl.merge(args, { org = org }))
  end,
  params = create_params(nil),
  examples = { "postgres create --name pg1 --org personal --region iad" },
}

local CLUSTER = { "cluster", "app", "name of the cluster's app", required = true,
  pos = 1 }

op {
  id = "postgres.attach",
  title = "Give an app a database of an unmanaged cluster",
  doc = "Makes a user and a database, and sets DATABASE_URL as a secret.",
  effect = "write",
  flyctl = {
    "postgres", "attach", "{cluster}", "--app={app}", "--yes",
    { when = "database", "--database-name={database}" },
    { when = "variable", "--variable-name={variable}" },
  },
  timeout = 300,
  params = {
    CLUSTER,
    { "app", "app", "app that gets it", required = true },
    { "database", "name", "name of the database" },
    { "variable", "name", "name of the secret" },
  },
  examples = { "postgres attach pg1 --app my-app" },
}

op {
  id = "postgres.failover",
  title = "Let another machine of an unmanaged cluster lead",
  doc = "The cluster needs two machines or more; connections break for a moment.",
  effect = "write",
  flyctl = {
    "postgres", "failover", "--app={cluster}", { when = "force", "--force" },
  },
  timeout = 300,
  params = {
    CLUSTER,
    { "force", "boolean", "even when the leader cannot be reached" },
  },
  examples = { "postgres failover pg1" },
}

op {
  id = "postgres.backups",
  title = "List the backups of an unmanaged cluster",
  doc = "Backups are off until `flyctl postgres backup enable` turns them on.",
  effect = "read",
  flyctl = { "postgres", "backup", "list", "--app={cluster}" },
  timeout = 120,
  params = { CLUSTER },
  returns = { object = { stdout = "string?", stderr = "string?" } },
  examples = { "postgres backups pg1" },
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
    { "cluster", "app", "name of the cluster's app", required = true,
      at = "var.pg" },
  },
  returns = {
    list = {
      object = {
        id = "string", database = "string?", user = "string?",
        variable = "string?",
      },
    },
  },
}

op {
  id = "postgres.forget_attachment",
  hidden = true,
  title = "Remove the record of an attachment",
  effect = "write",
  gql = [[
    mutation DetachPostgres($app: ID!, $pg: ID!, $attachment: ID!) {
      detachPostgresCluster(input: {
        appId: $app, postgresClusterAppId: $pg, postgresClusterAttachmentId: $attachment
      }) { clientMutationId }
    }
  ]],
  params = {
    { "app", "app", "app it is attached to", required = true },
    { "cluster", "app", "name of the cluster's app", required = true,
      at = "var.pg" },
    { "attachment", "name", "id of the attachment", required = true },
  },
}

op {
  id = "postgres.detach",
  title = "Take the database of an unmanaged cluster from an app",
  doc = [[
    Removes the record of the attachment and the secret (staged: it goes with
    the next deploy). The database and its user stay in the cluster: drop them
    there.
  ]],
  effect = "destroy",
  confirm = "Detach cluster {cluster} from app {app}? Its secret goes.",
  calls = {
    "postgres.list_attachments", "postgres.forget_attachment", "secrets.unset",
  },
  run = function(ctx, args)
    local found, e = ctx.call("postgres.list_attachments",
      { app = args.app, cluster = args.cluster })
    if not found then
      return nil, e
    elseif #found == 0 then
      return nil, err.new({ kind = "not_found",
        message = ("cluster %s is not attached to app %s"):format(
          args.cluster, args.app) })
    end
    for _, attachment in ipairs(found) do
      local done, why = ctx.call("postgres.forget_attachment", {
        app = args.app, cluster = args.cluster, attachment = attachment.id,
      })
      if done and (attachment.variable or "") ~= "" then
        done, why = ctx.call("secrets.unset",
          { app = args.app, names = { attachment.variable }, stage = true })
        done = done or why.kind == "not_found" -- it may be gone already
      end
      if not done then
        return nil, why
      end
      ctx.notice(("database %s and user %s stay in cluster %s"):format(
        attachment.database or "?", attachment.user or "?", args.cluster))
    end
    return found
  end,
  params = {
    CLUSTER,
    { "app", "app", "app it is attached to", required = true },
  },
  returns = {
    list = {
      object = {
        id = "string", database = "string?", user = "string?",
        variable = "string?",
      },
    },
  },
  order = { "database" },
  columns = {
    { "DATABASE", "database" },
    { "USER", "user" },
    { "SECRET", "variable" },
  },
  examples = { "postgres detach pg1 --app my-app" },
}
