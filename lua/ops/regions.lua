--- Regions: where machines and volumes can be.
--- Rows; what they run waits, and reaches others through its context only.

local flow = require "ops.flow"
local op = require "opkit.op"
local resource = require "opkit.resource"

resource {
  id = "regions",
  singular = "region",
  title = "Regions",
}

op {
  id = "regions.list_all",
  hidden = true,
  title = "List regions, closing ones too",
  effect = "read",
  http = { "GET", "/v1/platform/regions" },
  limit = "caller",
  items = "regions",
  returns = { list = "region" },
}

op {
  id = "regions.list",
  title = "List regions",
  doc = "Regions that are being closed are left out unless asked for.",
  effect = "read",
  calls = { "regions.list_all" },
  run = function(ctx, args)
    return flow.items(ctx, "regions.list_all", {}, function(region)
      return (args.deprecated or not region.deprecated) and region or nil
    end)
  end,
  order = { "code" },
  params = {
    { "deprecated", "boolean", "also regions that are being closed" },
  },
  returns = { list = "region" },
  columns = {
    { "CODE", "code" },
    { "NAME", "name" },
    { "AREA", "geo_region", priority = 3 },
    { "GATEWAY", "gateway_available", format = "boolean", priority = 4 },
    { "MANAGED POSTGRES", "mpg_available", format = "boolean", priority = 5,
      wide = true },
    { "PAID PLAN", "requires_paid_plan", format = "boolean", priority = 5,
      wide = true },
  },
  examples = { "list regions" },
}

op {
  id = "regions.placements",
  hidden = true,
  title = "List the regions that have room for a machine",
  effect = "read",
  http = { "POST", "/v1/platform/placements" },
  limit = "caller",
  items = "regions",
  params = {
    { "org", "org", "organization that asks", required = true,
      at = "body.org_slug" },
    { "guest", "json", "size of the machine", at = "body.compute" },
    { "volume", "volume_name", "name of a volume to go with it",
      at = "body.volume_name" },
    { "volume_bytes", "integer", "size of that volume",
      at = "body.volume_size_bytes" },
    { "region", "text", "regions to look at" },
    { "count", "integer", "how many machines" },
  },
  returns = {
    list = {
      object = {
        region = "string", count = "integer?", concurrency = "integer?",
      },
    },
  },
}
