--- Making, attaching and failing over Postgres clusters of one's own.

local err = require "base.err"
local flow = require "ops.flow"
local guests = require "ops.guest"
local op = require "opkit.op"
local tbl = require "base.tbl"

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

local CLUSTER = { "cluster", "own_cluster", "name of the cluster's app", required = true,
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
    { "cluster", "own_cluster", "name of the cluster's app", required = true,
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
