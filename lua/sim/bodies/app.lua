--- Request bodies of apps and what belongs to them, machines excepted.
--- Data only.

local machine = require "sim.bodies.machine"
local shape = require "sim.shape"

local enum, list, map = shape.enum, shape.list, shape.map
local object, required = shape.object, shape.required

local M = {}

M.create = object {
  app_name = "string", app_role_id = "string",
  enable_subdomains = "boolean", idempotency_key = "string",
  name = "string", network = "string", org_slug = "string!",
}

M.volume_create = object {
  auto_backup_enabled = "boolean", compute = machine.guest,
  compute_image = "string", encrypted = "boolean", fstype = "string",
  name = "string!", region = "string!", require_unique_zone = "boolean",
  size_gb = "integer", snapshot_id = "string",
  snapshot_retention = "integer", source_volume_id = "string",
  unique_zone_app_wide = "boolean",
}
M.volume_update = object {
  auto_backup_enabled = "boolean", snapshot_retention = "integer",
}
M.volume_extend = object { size_gb = "integer!" }

M.secrets_update = object { values = required(map "string") }
M.secret_create = object { value = "string!" }

M.secretkey_set = object { type = "string", value = list "integer" }
M.secretkey_encrypt = object {
  associated_data = "string", plaintext = "string",
}
M.secretkey_decrypt = object {
  associated_data = "string", ciphertext = "string",
}
M.secretkey_sign = object { plaintext = "string" }
M.secretkey_verify = object { plaintext = "string", signature = "string" }

M.ip_assign = object {
  network = "string", org_slug = "string", region = "string",
  service_name = "string",
  type = required(enum {
    "v4", "v6", "shared_v4", "private_v6", "egress_v4", "egress_v6",
    "egress_pair",
  }),
}

M.cert_acme = object { hostname = "string!" }
M.cert_custom = object {
  fullchain = "string!", hostname = "string!", private_key = "string!",
}

M.deploy_token = object { expiry = "string" }

M.placements = object {
  compute = machine.guest, count = "integer", org_slug = "string!",
  region = "string", volume_name = "string",
  volume_size_bytes = "integer", weights = map "integer",
}

M.tokens_authenticate = object { header = "string" }
M.tokens_authorize = object {
  access = object {
    action = "integer", app_feature = "string", app_name = "string",
    command = list "string", machine_feature = "string",
    machine_id = "string", mutation = "string", org_feature = "string",
    org_slug = "string", source_machine = "string",
    storage_object = "string", volume_id = "string",
  },
  header = "string",
}
M.tokens_oidc = object {
  aud = "string", aws_principal_tags = "boolean",
}

M.release_create = object {
  app_name = "string!", build_id = "integer!",
  definition = required "any", image = "string!",
  strategy = required(enum {
    "BLUEGREEN", "CANARY", "IMMEDIATE", "ROLLING", "ROLLING_ONE", "SIMPLE",
  }),
}
M.release_update = object { status = "string!", metadata = "any" }

M.build_create = object {
  app_name = "string", builder_type = "string", machine_id = "string",
  strategies_available = list "string",
}
M.build_depot = object {
  app_name = "string", builder_scope = "string", organization_id = "string",
  region = "string",
}
M.build_finish = object {
  app_name = "string!", build_id = "integer!", logs = "string!",
  machine_id = "string!", status = "string!",
  builder_meta = required(object {
    builder_type = "string!", buildkit_enabled = "boolean!",
    docker_version = "string!", platform = "string!",
    remote_app_name = "string!", remote_machine_id = "string!",
  }),
  final_image = required(object {
    id = "string!", size_bytes = "integer!", tag = "string!",
  }),
  strategies_attempted = required(list(object {
    error = "string!", note = "string!", result = "string!",
    strategy = "string!",
  })),
  timings = required(object {
    build_and_push_ms = "integer!", build_ms = "integer!",
    builder_init_ms = "integer!", context_build_ms = "integer!",
    image_build_ms = "integer!", push_ms = "integer!",
  }),
}

M.graphql = object {
  query = "string!", variables = map "any", operationName = "string",
}

return M
