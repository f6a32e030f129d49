--- A Postgres cluster of either kind: what both kinds have, then what only one
--- has.

local attachment = require "ops.schemas.attachment"

return {
  object = {
    id = "string", name = "string?", status = "string?", org = "string?",
    kind = { enum = { "managed", "unmanaged" } }, plan = "string?",
    region = "string?", version = "string?", cpus = "integer?",
    memory_mb = "integer?", disk_size_gb = "integer?",
    storage_used_bytes = "integer?", replicas = "integer?", host = "string?",
    leader = "string?", created_at = "time?",
    machines = {
      list = {
        object = {
          id = "string", region = "string?", state = "string?", role = "string?",
        },
      },
      optional = true,
    },
    attached_apps = { list = { object = { name = "string?" } }, optional = true },
    attachments = { list = attachment, optional = true },
    credentials = "any?",
  },
}
