--- Leases: who may change a machine just now. Building blocks for writes.
--- Rows, which are data: nothing here runs.

local op = require "opkit.op"
local resource = require "opkit.resource"

resource {
  id = "leases",
  title = "Leases",
  doc = "While somebody holds a machine's lease, nobody else can change it.",
}

local TARGET = {
  { "app", "app", "app the machine belongs to", required = true },
  { "id", "machine", "id of the machine", required = true },
}

local LEASE = {
  object = {
    nonce = "string?", owner = "string?", description = "string?",
    expires_at = "integer?", version = "string?",
  },
}

op {
  id = "leases.take",
  hidden = true,
  title = "Take or renew the lease of a machine",
  effect = "write",
  http = { "POST", "/v1/apps/{app}/machines/{id}/lease" },
  body = "optional",
  limit = "machine",
  lease = "optional",
  item = "data",
  params = {
    TARGET[1], TARGET[2],
    { "ttl", "integer", "seconds until it ends by itself", min = 1,
      max = 86400, at = "query.ttl" },
    { "description", "text", "what it is held for", max = 200 },
  },
  returns = LEASE,
}

op {
  id = "leases.get",
  hidden = true,
  title = "Show who holds the lease of a machine",
  effect = "read",
  http = { "GET", "/v1/apps/{app}/machines/{id}/lease" },
  limit = "machine",
  item = "data",
  params = TARGET,
  returns = LEASE,
}

op {
  id = "leases.release",
  hidden = true,
  title = "Give the lease of a machine back",
  effect = "write",
  http = { "DELETE", "/v1/apps/{app}/machines/{id}/lease" },
  limit = "machine",
  lease = "required",
  params = TARGET,
}
