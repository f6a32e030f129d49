--- Request bodies of Managed Postgres: its public API, and flyctl's two.
--- Data only.

local shape = require "sim.shape"

local enum, object, required = shape.enum, shape.object, shape.required

local M = {}

local ROLE = enum { "schema_admin", "writer", "reader" }

M.create = object {
  disk_size_gb = "integer", name = "string", org_slug = "string!",
  pg_major_version = enum { "16", "17" },
  plan = required(enum {
    "basic", "starter", "launch", "scale", "Performance", "performance",
  }),
  pool_mode = enum { "session", "transaction" },
  postgis_enabled = "boolean", region = "string!",
}
M.attach = object { app_name = "string!" }
M.backup = object { type = required(enum { "full", "incr", "diff" }) }
M.database = object { name = "string!" }
M.extension = object {
  create_schema = "boolean", name = "string!", schema = "string",
}
M.fork = object { name = "string" }
M.restore = object {
  backup_id = "string", name = "string", pitr_time = "string",
}
M.user_create = object { role = required(ROLE), username = "string!" }
M.user_update = object { role = required(ROLE) }
M.rotate_password = object { kill_sessions = "boolean" }

-- What flyctl sends to api.fly.io differs in a few names.
M.v1_backup = object { type = "string!" }
M.v1_restore = object { backup_id = "string!", name = "string" }
M.v1_user_create = shape.any_of {
  object { user_name = "string!", role = "string!" },
  object { user_name = "string!", db_name = "string!" },
}
M.v1_user_update = object { role = "string!" }
M.v1_extension = object {
  name = "string!", schema = "string",
  create_schema_if_needed = required "boolean",
}
M.v2_create = object {
  name = "string!", region = "string!", plan = "string!",
  pg_major_version = "string", storage_in_gb = "integer",
  postgis_enabled = "boolean", org_slug = "string",
}
M.v2_backup = object { type = "string" }
M.v2_extension = object {
  name = "string!", schema = "string", create_schema_if_needed = "boolean",
}

M.builder = object { builder = required(object { region = "string!" }) }

return M
