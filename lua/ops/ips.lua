--- IP addresses of an app.

local cells = require "ops.cells"
local op = require "opkit.op"
local resource = require "opkit.resource"

resource {
  id = "ips",
  singular = "ip",
  title = "IP addresses",
}

op {
  id = "ips.list",
  title = "List IP addresses",
  effect = "read",
  http = { "GET", "/v1/apps/{app}/ip_assignments" },
  limit = "app",
  items = "ips",
  order = { "ip" },
  params = {
    { "app", "app", "name of the app", required = true },
  },
  returns = { list = "ip" },
  columns = {
    { "IP", "ip" },
    { "TYPE", cells.ip_type },
    { "REGION", "region", priority = 2 },
    { "SERVICE", "service_name", priority = 5, wide = true },
    { "NETWORK", "network.name", priority = 5, wide = true },
    { "CREATED", "created_at", format = "ago", priority = 4 },
  },
  examples = { "list ips --app my-app" },
}
