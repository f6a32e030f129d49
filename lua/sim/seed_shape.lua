--- What a seed file may hold; a misspelt word in one is an error.
--- Data only.

local machine = require "sim.bodies.machine"
local shape = require "sim.shape"

local list, object = shape.list, shape.object

local app = object {
  name = "string!", org = "string!", age = "number", network = "string",
  role = "string",
  volumes = list(object {
    name = "string!", region = "string!", size_gb = "integer",
    used_bytes = "integer", encrypted = "boolean", age = "number",
    id = "string",
  }),
  machines = list(object {
    name = "string", region = "string!", state = "string", age = "number",
    id = "string", cordoned = "boolean", host_status = "string",
    config = shape.required(machine.config),
  }),
  ips = list(object {
    type = "string!", address = "string", region = "string", age = "number",
  }),
  secrets = shape.map "string",
  certs = list(object {
    hostname = "string!", checked = "boolean", age = "number",
  }),
  releases = list(object {
    image_ref = "string!", status = "string", stable = "boolean",
    strategy = "string", description = "string", age = "number",
  }),
  logs = list(object {
    message = "string!", machine = "integer", level = "string",
    age = "number",
  }),
}

return object {
  token = "string", seed = "integer", pace = "number", chatter = "number",
  users = list(object {
    id = "string!", email = "string!", name = "string",
  }),
  orgs = list(object {
    slug = "string!", raw_slug = "string", name = "string",
    type = shape.enum { "PERSONAL", "SHARED" }, max_machines = "integer",
    members = list(object { user = "string!", role = "string" }),
  }),
  apps = list(app),
  addons = list(object {
    type = "string!", name = "string!", org = "string!", region = "string",
    app = "string", plan = "string", age = "number",
  }),
  postgres = list(object {
    name = "string!", org = "string!", region = "string!", plan = "string!",
    disk_gb = "integer", age = "number",
  }),
  peers = list(object {
    org = "string!", name = "string!", region = "string",
    pubkey = "string!",
  }),
  tokens = list(object {
    secret = "string", name = "string!", profile = "string!",
    org = "string", app = "string", user = "string", readonly = "boolean",
  }),
  full_regions = list "string", foreign_apps = list "string",
}
