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

-- What one asks for → what the API calls it.
local WIRE = {
  v4 = "v4", v6 = "v6", shared = "shared_v4", private = "private_v6",
}

op {
  id = "ips.allocate",
  title = "Allocate an IP address",
  effect = "write",
  cost = "a v4 address of one's own is billed by the month; the others are free.",
  http = { "POST", "/v1/apps/{app}/ip_assignments" },
  limit = "app",
  params = {
    { "app", "app", "name of the app", required = true },
    { "type", "enum", "kind of address", required = true,
      values = { "v4", "v6", "shared", "private" },
      wire = function(value)
        return WIRE[value]
      end },
    { "region", "region", "region of the address; everywhere unless told" },
    { "network", "name", "network of a private address" },
    { "org", "org", "organization of that network", at = "body.org_slug" },
  },
  returns = "ip",
  columns = {
    { "IP", "ip" },
    { "TYPE", cells.ip_type },
    { "REGION", "region" },
  },
  produces = { ip = "ip" },
  undo = { op = "ips.release", args = { app = "{app}", ip = "{ip}" } },
  examples = { "ips allocate --app my-app --type v6" },
}

op {
  id = "ips.release",
  title = "Release an IP address",
  effect = "destroy",
  confirm = "Release {ip} from app {app}? DNS records that name it will break,"
    .. " and somebody else may get it.",
  http = { "DELETE", "/v1/apps/{app}/ip_assignments/{ip}" },
  limit = "app",
  params = {
    { "app", "app", "name of the app", required = true },
    { "ip", "ip", "the address", required = true, pos = 1 },
  },
  examples = { "ips release 2001:db8::1 --app my-app" },
}
