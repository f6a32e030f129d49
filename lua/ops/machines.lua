--- Machines: the virtual machines that run an app.
--- Rows; what they run waits, and reaches others through its context only.

local cells = require "ops.cells"
local flow = require "ops.flow"
local kinds = require "base.json.kinds"
local op = require "opkit.op"
local resource = require "opkit.resource"
local tbl = require "base.tbl"

resource {
  id = "machines",
  singular = "machine",
  title = "Machines",
  doc = "A machine is a small virtual machine in one region.",
}

local STATES = {
  "created", "started", "stopped", "suspended", "failed", "creating",
  "starting", "stopping", "restarting", "suspending", "destroying", "updating",
  "replacing", "launch_failed", "destroyed", "replaced", "migrated",
}

-- What both listings can be narrowed by.
local FILTERS = {
  { "region", "region", "only machines in this region" },
  { "state", "enum", "only machines in this state", values = STATES },
}

-- A parameter list of the operations on one machine.
local function one_machine(...)
  return {
    { "app", "app", "app the machine belongs to", required = true },
    { "id", "machine", "id of the machine", required = true, pos = 1 },
    ...,
  }
end

local COLUMNS = {
  { "ID", "id" },
  { "NAME", "name", priority = 3 },
  { "APP", "app", priority = 2 },
  { "STATE", "state", format = "state" },
  { "REGION", "region" },
  { "SIZE", cells.size, priority = 3 },
  { "MEMORY", "config.guest.memory_mb", format = "megabytes", priority = 2 },
  { "IMAGE", cells.image, priority = 5 },
  { "UPDATED", "updated_at", format = "ago", priority = 4 },
  { "CREATED", "created_at", format = "ago", priority = 6, wide = true },
  { "PRIVATE IP", "private_ip", priority = 6, wide = true },
}

op {
  id = "machines.list_app",
  hidden = true,
  title = "List the machines of one app",
  effect = "read",
  http = { "GET", "/v1/apps/{app}/machines" },
  limit = "app",
  page = "header",
  params = tbl.flatten({
    { { "app", "app", "name of the app", required = true } }, FILTERS,
    { flow.page_size(1000) },
  }),
  returns = { list = "machine" },
}

op {
  id = "machines.list_org",
  hidden = true,
  title = "List the machines of one organization",
  effect = "read",
  http = { "GET", "/v1/orgs/{org}/machines" },
  limit = "caller",
  page = "body",
  items = "machines",
  params = tbl.flatten({
    { { "org", "org", "slug of the organization", required = true } }, FILTERS,
    { flow.page_size(1000) },
  }),
  returns = { list = "machine" },
}

op {
  id = "machines.list",
  title = "List machines",
  doc = [[
    Without an app: the machines of all apps, in the organization given or in
    every one the token can see. Of these the API tells size, image and
    metadata; with --app their whole config.
  ]],
  effect = "read",
  calls = {
    "orgs.list_all", "apps.list_org", "machines.list_org", "machines.list_app",
  },
  run = function(ctx, args)
    local listing = {
      org = "machines.list_org", app = "machines.list_app",
      counted = "machine_count",
    }
    local filters = { region = args.region, state = args.state }
    return flow.app_or_orgs(ctx, args, listing, filters, function(machine)
      return machine
    end)
  end,
  order = { "app", "region", "id" },
  params = tbl.flatten({
    {
      { "app", "app", "only machines of this app" },
      { "org", "org", "only machines of this organization's apps" },
    },
    FILTERS,
  }),
  returns = { list = "machine" },
  columns = COLUMNS,
  examples = {
    "list machines", "list machines --app my-app",
    "list machines --org personal --state stopped",
  },
}

op {
  id = "machines.get",
  title = "Show a machine",
  effect = "read",
  http = { "GET", "/v1/apps/{app}/machines/{id}" },
  limit = "machine_get",
  params = one_machine(
    { "version", "name", "an earlier version of its config" }
  ),
  returns = "machine",
  columns = {
    { "ID", "id" },
    { "NAME", "name" },
    { "STATE", "state", format = "state" },
    { "REGION", "region" },
    { "SIZE", cells.size },
    { "MEMORY", "config.guest.memory_mb", format = "megabytes" },
    { "IMAGE", cells.image },
    { "CHECKS", cells.checks },
    { "PRIVATE IP", "private_ip" },
    { "CORDONED", "cordoned", format = "boolean" },
    { "HOST", "host_status" },
    { "CREATED", "created_at", format = "ago" },
    { "UPDATED", "updated_at", format = "ago" },
    { "VERSION", "instance_id" },
  },
  examples = { "get machine 1234abcd --app my-app" },
}

op {
  id = "machines.wait_once",
  hidden = true,
  title = "Wait up to a minute for a machine to reach a state",
  effect = "read",
  http = { "GET", "/v1/apps/{app}/machines/{id}/wait" },
  limit = "machine",
  -- Longer than the server may take, which is the time asked for.
  timeout = 75,
  params = {
    { "app", "app", "app the machine belongs to", required = true },
    { "id", "machine", "id of the machine", required = true },
    { "state", "enum", "states, one of which to wait for", required = true,
      many = true, values = {
        "started", "stopped", "suspended", "destroyed", "failed", "settled",
      } },
    { "version", "name", "version of the machine to wait for" },
    { "timeout", "integer", "seconds the server waits", min = 1, max = 60 },
  },
  returns = {
    object = { ok = "boolean?", state = "string?", version = "string?" },
  },
}

op {
  id = "machines.events",
  title = "List what happened to a machine",
  doc = "Newest first.",
  effect = "read",
  http = { "GET", "/v1/apps/{app}/machines/{id}/events" },
  limit = "machine",
  params = one_machine(
    { "limit", "integer", "how many at most", min = 1, max = 50, default = 20 }
  ),
  noun = "events",
  returns = { list = "event" },
  columns = {
    { "TIME", "timestamp", format = "millis" },
    { "TYPE", "type" },
    { "STATUS", "status", format = "state" },
    { "SOURCE", "source", priority = 2 },
    { "EXIT CODE", "request.exit_event.exit_code", priority = 3 },
    { "ID", "id", priority = 4, wide = true },
  },
  examples = { "machines events 1234abcd --app my-app" },
}

op {
  id = "machines.ps",
  title = "List the processes in a machine",
  effect = "read",
  http = { "GET", "/v1/apps/{app}/machines/{id}/ps" },
  limit = "machine",
  params = one_machine(),
  order = { "pid" },
  noun = "processes",
  returns = { list = "process" },
  columns = {
    { "PID", "pid", format = "number" },
    { "CPU", "cpu", format = "number" },
    { "MEMORY", "rss", format = "bytes" },
    { "COMMAND", "command" },
    { "DIRECTORY", "directory", priority = 3 },
  },
  examples = { "machines ps 1234abcd --app my-app" },
}

op {
  id = "machines.metadata_map",
  hidden = true,
  title = "Read the metadata of a machine",
  effect = "read",
  http = { "GET", "/v1/apps/{app}/machines/{id}/metadata" },
  limit = "machine",
  params = one_machine(),
  returns = { map = "string" },
}

op {
  id = "machines.metadata",
  title = "List the metadata of a machine",
  effect = "read",
  calls = { "machines.metadata_map" },
  run = function(ctx, args)
    local map, e = ctx.call("machines.metadata_map", args)
    if not map then
      return nil, e
    end
    local list = kinds.array()
    for key, value in tbl.sorted(map) do
      list[#list + 1] = { key = key, value = value }
    end
    return list
  end,
  order = { "key" },
  params = one_machine(),
  noun = "metadata",
  returns = { list = { object = { key = "string", value = "string?" } } },
  columns = {
    { "KEY", "key" },
    { "VALUE", "value" },
  },
  examples = { "machines metadata 1234abcd --app my-app" },
}
