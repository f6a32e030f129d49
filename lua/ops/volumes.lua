--- Volumes: disks that machines mount.
--- Rows; what they run waits, and reaches others through its context only.

local flow = require "ops.flow"
local op = require "opkit.op"
local resource = require "opkit.resource"
local states = require "ops.volume_state"

resource {
  id = "volumes",
  singular = "volume",
  aliases = { "vol", "vols" },
  title = "Volumes",
  doc = "A volume is a disk in one region; one machine at a time mounts it.",
}

op {
  id = "volumes.list_app",
  hidden = true,
  title = "List the volumes of one app",
  effect = "read",
  http = { "GET", "/v1/apps/{app}/volumes" },
  limit = "app",
  page = "header",
  params = {
    { "app", "app", "name of the app", required = true },
    flow.page_size(1000),
  },
  returns = { list = "volume" },
}

op {
  id = "volumes.list_org",
  hidden = true,
  title = "List the volumes of one organization",
  effect = "read",
  http = { "GET", "/v1/orgs/{org}/volumes" },
  limit = "caller",
  page = "body",
  items = "volumes",
  params = {
    { "org", "org", "slug of the organization", required = true },
    flow.page_size(1000),
  },
  returns = { list = "volume" },
}

op {
  id = "volumes.list",
  title = "List volumes",
  doc = [[
    Without an app: the volumes of all apps, in the organization given or in
    every one the token can see. Volumes being destroyed are left out.
  ]],
  effect = "read",
  calls = {
    "orgs.list_all", "apps.list_org", "volumes.list_org", "volumes.list_app",
  },
  run = function(ctx, args)
    local listing = {
      org = "volumes.list_org", app = "volumes.list_app",
      counted = "volume_count",
    }
    return flow.app_or_orgs(ctx, args, listing, {}, function(volume)
      if states.is_leaving(volume)
        or (args.unattached and states.machine_of(volume))
        or (args.region and volume.region ~= args.region) then
        return nil
      end
      return volume
    end)
  end,
  order = { "app", "name", "id" },
  params = {
    { "app", "app", "only volumes of this app" },
    { "org", "org", "only volumes of this organization's apps" },
    { "region", "region", "only volumes in this region" },
    { "unattached", "boolean", "only volumes no machine mounts" },
  },
  returns = { list = "volume" },
  columns = {
    { "ID", "id" },
    { "NAME", "name", priority = 2 },
    { "APP", "app", priority = 2 },
    { "STATE", "state", format = "state", priority = 3 },
    { "REGION", "region" },
    { "SIZE", "size_gb", format = "gigabytes" },
    { "MACHINE", "attached_machine_id" },
    { "ENCRYPTED", "encrypted", format = "boolean", priority = 5, wide = true },
    { "ZONE", "zone", priority = 6, wide = true },
    { "CREATED", "created_at", format = "ago", priority = 4 },
  },
  examples = {
    "list volumes", "list volumes --app my-app", "list volumes --unattached",
  },
}

op {
  id = "volumes.get",
  title = "Show a volume",
  effect = "read",
  http = { "GET", "/v1/apps/{app}/volumes/{id}" },
  limit = "app",
  params = {
    { "app", "app", "app the volume belongs to", required = true },
    { "id", "volume", "id of the volume", required = true, pos = 1 },
  },
  returns = "volume",
  columns = {
    { "ID", "id" },
    { "NAME", "name" },
    { "STATE", "state", format = "state" },
    { "REGION", "region" },
    { "ZONE", "zone" },
    { "SIZE", "size_gb", format = "gigabytes" },
    { "USED", "bytes_used", format = "bytes" },
    { "MACHINE", "attached_machine_id" },
    { "ENCRYPTED", "encrypted", format = "boolean" },
    { "BACKUPS", "auto_backup_enabled", format = "boolean" },
    { "SNAPSHOT DAYS", "snapshot_retention", format = "number" },
    { "HOST", "host_status" },
    { "CREATED", "created_at", format = "ago" },
  },
  examples = { "get volume vol_1234 --app my-app" },
}

op {
  id = "volumes.snapshots",
  title = "List the snapshots of a volume",
  effect = "read",
  http = { "GET", "/v1/apps/{app}/volumes/{id}/snapshots" },
  limit = "app",
  params = {
    { "app", "app", "app the volume belongs to", required = true },
    { "id", "volume", "id of the volume", required = true, pos = 1 },
  },
  order = { "created_at" },
  noun = "snapshots",
  returns = { list = "snapshot" },
  columns = {
    { "ID", "id" },
    { "STATUS", "status", format = "state" },
    { "SIZE", "size", format = "bytes" },
    { "VOLUME SIZE", "volume_size", format = "bytes", priority = 4, wide = true },
    { "KEPT DAYS", "retention_days", format = "number", priority = 3 },
    { "CREATED", "created_at", format = "ago" },
  },
  cli = { "volumes snapshots", "volumes snapshots list", "volumes snapshots {id} list" },
  examples = { "volumes snapshots vol_1234 --app my-app" },
}
