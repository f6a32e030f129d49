--- The simulated flyctl's `postgres`: clusters that are apps of one's own.
--- Waits. Backups are kept in the metadata of a cluster's first machine, and
--- what each machine is to the cluster in its own.

local flyctl = require "sim.flyctl"
local json = require "base.json"
local os = require "sys.os"
local rollout = require "sim.flyctl.rollout"
local shapes = require "sim.flyctl.shapes"
local sizes = require "sim.flyctl.sizes"
local tbl = require "base.tbl"
local time = require "base.time"

local M = {}

local IMAGE = "flyio/postgres-flex:17"
local BACKUPS = "sim_backups"
local ROLE = require("sim.machine.view").ROLE

-- What every machine of a cluster is asked for, as flyctl asks.
local function checks()
  local list = {}
  for _, name in ipairs({ "pg", "role", "vm" }) do
    list[name] = {
      type = "http", port = 5500, path = "/flycheck/" .. name, interval = "15s",
      timeout = "10s",
    }
  end
  return list
end

local LIST = "query { apps(role: \"postgres_cluster\") { nodes { " .. shapes.APP_FIELDS
  .. " } } }"

---@async
---@param run sim.flyctl.Run
---@return any done nil when it failed, an exit code when that is not 0
---@return err.Record?
function M.postgres_list(run)
  local data, e = run.api:graphql(LIST)
  if not data then
    return nil, e
  end
  local list = tbl.map(data.apps.nodes, shapes.app)
  if #list == 0 then
    run:say("No postgres clusters found") -- with --json too
  elseif run.flags.json then
    run:json(json.array(list))
  else
    run:table({ "NAME", "OWNER", "STATUS", "LATEST DEPLOY" }, tbl.map(list, function(app)
      return {
        app.Name, app.Organization.Slug, app.Status,
        app.CurrentRelease ~= json.null and run:ago(app.CurrentRelease.CreatedAt) or "",
      }
    end))
  end
  return true
end

local function password()
  local bytes = assert(os.random(12))
  return "sim" .. bytes:gsub(".", function(c)
    return ("%02x"):format(c:byte())
  end)
end

-- The app of a new cluster.
---@async
local function create_app(run, flags)
  local data, e = run.api:graphql("query($slug: String!) { organization(slug: $slug) { id } }",
    { slug = flags.org })
  if not data then
    return nil, e
  end
  return run.api:graphql([[
    mutation($input: CreateAppInput!) { createApp(input: $input) { app { name } } }]], {
    input = {
      organizationId = data.organization.id, name = flags.name,
      appRoleId = "postgres_cluster", preferredRegion = flags.region,
    },
  })
end

-- A machine of a cluster with its volume.
---@async
local function create_machine(run, flags, guest, role)
  local volume, e = run.api:rest("POST", "/apps/%s/volumes", flags.name, {
    name = "pg_data", region = flags.region, size_gb = flags["volume-size"] or 10,
  })
  local machine
  if volume then
    machine, e = rollout.create(run, flags.name, {
      image = flags["image-ref"] or IMAGE, guest = guest,
      env = { PRIMARY_REGION = flags.region },
      mounts = { { volume = volume.id, path = "/data", name = "pg_data" } },
      checks = checks(),
      metadata = {
        ["fly-managed-postgres"] = "true", [ROLE] = role, fly_process_group = "app",
        fly_platform_version = "v2", ["managed-by-fly-deploy"] = "true",
      },
    }, flags.region, flags.detach)
  end
  if not machine then
    return nil, e
  end
  run:say("Provisioning machine with image %s\nWaiting for machine to start..."
    .. "\nMachine %s is created", flags["image-ref"] or IMAGE, machine.id)
  return machine
end

local function credentials(run, flags, secret)
  run:say("\nPostgres cluster %s created", flags.name)
  run:say("  Username:    postgres\n  Password:    %s\n  Hostname:    %s.internal"
    .. "\n  Proxy port:  5432\n  Postgres port:  5433"
    .. "\n  Connection string: postgres://postgres:%s@%s.flycast:5432\n", secret, flags.name,
    secret, flags.name)
  run:say("Save your credentials in a secure place -- you won't be able to see them again!")
end

---@async
---@param run sim.flyctl.Run
---@return any done nil when it failed, an exit code when that is not 0
---@return err.Record?
function M.postgres_create(run)
  local flags = run.flags
  for _, name in ipairs({ "name", "org", "region" }) do
    if not flags[name] then
      return flyctl.fail("%s must be specified when not running interactively", name)
    end
  end
  local guest, e = sizes.resolve(flags, nil)
  local ok = guest ~= nil
  if ok then
    ok, e = flyctl.check_region(run, flags.region)
  end
  if ok then
    ok, e = create_app(run, flags)
  end
  if not ok then
    return nil, e
  end
  run:say("Creating postgres cluster in organization %s\nCreating app...", flags.org)
  local secret = flags.password or password()
  ok, e = run.api:rest("POST", "/apps/%s/secrets", flags.name, { values = {
    OPERATOR_PASSWORD = secret, REPL_PASSWORD = password(), SU_PASSWORD = password(),
  } })
  if not ok then
    return nil, e
  end
  local size = flags["initial-cluster-size"] or 1
  for i = 1, size do
    run:say("Provisioning %d of %d machines", i, size)
    ok, e = create_machine(run, flags, guest, i == 1 and "primary" or "replica")
    if not ok then
      return nil, e
    end
  end
  credentials(run, flags, secret)
  return true
end

-- A name as Postgres takes it.
local function identifier(name)
  return (name:gsub("[^%w_]", "_"))
end

---@async
---@param run sim.flyctl.Run
---@return any done nil when it failed, an exit code when that is not 0
---@return err.Record?
function M.postgres_attach(run)
  local cluster, app = run.args[1], run:app()
  local variable = run.flags["variable-name"] or "DATABASE_URL"
  local reply, e = run.api:rest("GET", "/apps/%s/secrets", app or "")
  if not app or not reply then
    return nil, e
  end
  local taken = tbl.find(reply.secrets ~= json.null and reply.secrets or {}, function(one)
    return one.name == variable
  end)
  if taken then
    return flyctl.fail("consumer app %q already contains a secret named %s", app, variable)
  end
  run:say("Checking for existing attachments\nRegistering attachment")
  local data
  data, e = run.api:graphql([[
    mutation($input: AttachPostgresClusterInput!) {
      attachPostgresCluster(input: $input) { connectionString environmentVariableName }
    }]], {
    input = {
      appId = app, postgresClusterAppId = cluster, variableName = variable,
      databaseName = run.flags["database-name"] or identifier(app),
      databaseUser = run.flags["database-user"] or identifier(app),
    },
  })
  if not data then
    return nil, e
  end
  local url = data.attachPostgresCluster.connectionString
  run:say("Creating database\nCreating user")
  local set
  set, e = run.api:rest("POST", "/apps/%s/secrets", app, { values = { [variable] = url } })
  if not set then
    return nil, e
  end
  run:say("\nPostgres cluster %s is now attached to %s\nThe following secret was added to %s:"
    .. "\n  %s=%s", cluster, app, app, variable, url)
  return true
end

--- `flyctl postgres detach`. Which attachment it is about is asked, whatever the
--- flags.
---@param run sim.flyctl.Run
---@return nil
---@return err.Record
function M.postgres_detach(run)
  local app, e = run:app()
  if not app then
    return nil, e
  end
  return run:cannot_ask()
end

-- The cluster's machines; refuses an app that is none.
---@async
local function cluster_machines(run)
  local app, e = run:app()
  local machines
  if app then
    machines, e = rollout.machines(run, app)
  end
  if not machines then
    return nil, e
  end
  for _, machine in ipairs(machines) do
    local metadata = machine.config.metadata
    if type(metadata) == "table" and metadata["fly-managed-postgres"] then
      return machines, app
    end
  end
  return flyctl.fail("app %s is not a postgres app", app)
end

---@async
local function set_metadata(run, app, machine, values)
  for name, value in tbl.sorted(values) do
    local ok, e = run.api:rest("POST", "/apps/%s/machines/%s/metadata/%s", app, machine.id,
      name, { value = value })
    if not ok then
      return nil, e
    end
  end
  return true
end

---@async
---@param run sim.flyctl.Run
---@return any done nil when it failed, an exit code when that is not 0
---@return err.Record?
function M.postgres_failover(run)
  local machines, app = cluster_machines(run)
  if not machines then
    return nil, app
  elseif #machines < 2 then
    return flyctl.fail("failover is not available for standalone postgres")
  end
  if #machines < 3 then
    return flyctl.fail("Failed to run failover: Not enough machines to meet quorum requirements")
  end
  local primary, replica
  for _, machine in ipairs(machines) do
    if machine.config.metadata[ROLE] == "primary" then
      primary = machine
    elseif machine.state == "started" then
      replica = replica or machine
    end
  end
  if not replica then
    return flyctl.fail("no eligible replicas found to promote")
  end
  run:say("Performing a failover\nPromoting new leader... %s", replica.id)
  local ok, e = set_metadata(run, app, replica, { [ROLE] = "primary" })
  if ok and primary then
    ok, e = set_metadata(run, app, primary, { [ROLE] = "replica" })
  end
  if not ok then
    return nil, e
  end
  run:say("Failover complete")
  return true
end

-- The machine that keeps the backups, and they; nil when they are off.
---@async
local function backups_of(run)
  local machines, app = cluster_machines(run)
  if not machines then
    return nil, app
  end
  local text = machines[1].config.metadata[BACKUPS]
  if not text then
    return flyctl.fail("backups are not enabled. Run `fly pg backup enable -a %s` to enable them",
      app)
  end
  return { app = app, machine = machines[1], list = assert(json.decode(text)) }
end

---@async
---@param run sim.flyctl.Run
---@return any done nil when it failed, an exit code when that is not 0
---@return err.Record?
function M.postgres_backup_enable(run)
  local machines, app = cluster_machines(run)
  if not machines then
    return nil, app
  elseif machines[1].config.metadata[BACKUPS] then
    return flyctl.fail("backups are already enabled")
  end
  run:say("Provisioning a tigris bucket...\nBackups enabled for app %s", app)
  return set_metadata(run, app, machines[1], { [BACKUPS] = "[]" })
end

---@async
---@param run sim.flyctl.Run
---@return any done nil when it failed, an exit code when that is not 0
---@return err.Record?
function M.postgres_backup_create(run)
  local found, e = backups_of(run)
  if not found then
    return nil, e
  end
  local now = time.format(os.wall())
  local id = now:gsub("[-:Z]", "")
  found.list[#found.list + 1] = { id = id, name = run.flags.name or "", at = now }
  local ok, why = set_metadata(run, found.app, found.machine,
    { [BACKUPS] = json.encode(json.array(found.list)) })
  if not ok then
    return nil, why
  end
  run:say("Performing backup...\nBackup completed successfully!")
  return true
end

---@async
---@param run sim.flyctl.Run
---@return any done nil when it failed, an exit code when that is not 0
---@return err.Record?
function M.postgres_backup_list(run)
  local found, e = backups_of(run)
  if not found then
    return nil, e
  elseif #found.list == 0 then
    run:say("No backups found")
    return true
  end
  run:table({ "ID", "ALIAS", "STATUS", "END TIME" }, tbl.map(found.list, function(backup)
    return { backup.id, backup.name, "DONE", backup.at }
  end))
  return true
end

return M
