--- The machine config as request bodies may hold it, and the bodies around it.
--- Data only.

local shape = require "sim.shape"

local any_of, enum, list = shape.any_of, shape.enum, shape.list
local map, object = shape.map, shape.object

local STRINGS = list "string"
local STOP_SIGNAL = enum {
  "SIGHUP", "SIGINT", "SIGQUIT", "SIGKILL", "SIGUSR1", "SIGUSR2", "SIGTERM",
}
local PERSIST = enum { "never", "always", "restart" }
local HEADERS = list(object { name = "string", values = STRINGS })

local guest = object {
  cpu_kind = "string", cpus = "integer", gpu_kind = "string",
  gpus = "integer", host_dedication_id = "string", kernel_args = STRINGS,
  max_memory_mb = "integer", memory_mb = "integer", persist_rootfs = PERSIST,
  required_host_features = STRINGS,
}

local env_from = list(object {
  env_var = "string",
  field_ref = enum {
    "id", "version", "app_name", "private_ip", "region", "image",
  },
})
local secrets = list(object { env_var = "string", name = "string" })
local stop_config = object { signal = STOP_SIGNAL, timeout = "string" }
local restart = object {
  gpu_bid_price = "number", max_retries = "integer",
  policy = enum { "no", "always", "on-failure", "spot-price", "" },
}
local files = list(object {
  guest_path = "string", image_config = "string", mode = "integer",
  raw_value = "string", secret_name = "string",
})

local service_check = {
  grace_period = "string", headers = HEADERS, interval = "string",
  method = "string", path = "string", port = "integer", protocol = "string",
  timeout = "string", tls_server_name = "string",
  tls_skip_verify = "boolean", type = "string",
}
local machine_check = { kind = enum { "informational", "readiness" } }
for name, spec in pairs(service_check) do
  machine_check[name] = spec
end

local port = object {
  end_port = "integer", force_https = "boolean", handlers = STRINGS,
  http_options = object {
    compress = "boolean", h2_backend = "boolean",
    headers_read_timeout = "integer", idle_timeout = "integer",
    replay_cache = list(object {
      allow_bypass = "boolean", name = "string", path_prefix = "string",
      ttl_seconds = "integer", type = enum { "cookie", "header" },
    }),
    response = object { headers = map "any", pristine = "boolean" },
  },
  port = "integer",
  proxy_proto_options = object { version = "string" },
  start_port = "integer",
  tls_options = object {
    alpn = STRINGS, default_self_signed = "boolean", versions = STRINGS,
  },
}

local service = object {
  autostart = "boolean",
  autostop = any_of { enum { "off", "stop", "suspend" }, "boolean" },
  checks = list(object(service_check)),
  concurrency = object {
    hard_limit = "integer", soft_limit = "integer", type = "string",
  },
  force_instance_description = "string", force_instance_key = "string",
  internal_port = "integer", min_machines_running = "integer",
  ports = list(port), protocol = "string",
}

local mount = object {
  add_size_gb = "integer", add_size_percent = "integer",
  encrypted = "boolean", extend_threshold_percent = "integer",
  min_add_size_gb = "integer", name = "string", path = "string",
  size_gb = "integer", size_gb_limit = "integer", volume = "string",
}

local process = {
  cmd = STRINGS, entrypoint = STRINGS, env = map "string",
  env_from = env_from, exec = STRINGS, secrets = secrets, user = "string",
}

local container = {
  depends_on = list(object {
    condition = enum { "exited_successfully", "healthy", "started" },
    name = "string",
  }),
  files = files,
  healthchecks = list(object {
    exec = object { command = STRINGS },
    failure_threshold = "integer", grace_period = "integer",
    http = object {
      headers = HEADERS, method = "string", path = "string",
      port = "integer", scheme = enum { "http", "https" },
      tls_server_name = "string", tls_skip_verify = "boolean",
    },
    interval = "integer", kind = enum { "readiness", "liveness" },
    name = "string", success_threshold = "integer",
    tcp = object { port = "integer" }, timeout = "integer",
    unhealthy = enum { "stop" },
  }),
  image = "string", mounts = list "any", name = "string",
  restart = restart, stop = stop_config,
}
for name, spec in pairs(process) do
  container[name] = spec
end
process.ignore_app_secrets = "boolean"

local dns = object {
  dns_forward_rules = list(object { addr = "string", basename = "string" }),
  hostname = "string", hostname_fqdn = "string", nameservers = STRINGS,
  options = list(object { name = "string", value = "string" }),
  searches = STRINGS, skip_registration = "boolean",
}

local config = object {
  auto_destroy = "boolean", cache_drive = object { size_mb = "integer" },
  checks = map(object(machine_check)), containers = list(object(container)),
  disable_machine_autostart = "boolean", dns = dns, env = map "string",
  files = files, guest = guest, image = "string",
  init = object {
    cmd = STRINGS, entrypoint = STRINGS, exec = STRINGS,
    kernel_args = STRINGS, swap_size_mb = "integer", tty = "boolean",
  },
  metadata = map "string",
  metrics = object {
    https = "boolean", path = "string", port = "integer",
  },
  mounts = list(mount), processes = list(object(process)),
  restart = restart,
  rootfs = object { persist = PERSIST, size_gb = "integer" },
  schedule = "string", services = list(service), size = "string",
  spot = object { max_price_fraction = "number" }, standbys = STRINGS,
  statics = list(object {
    guest_path = "string!", index_document = "string",
    tigris_bucket = "string", url_prefix = "string!",
  }),
  stop_config = stop_config, volumes = list "any",
}

local launch = {
  config = shape.required(config), lease_ttl = "integer", lsvd = "boolean",
  min_secrets_version = "integer", name = "string", region = "string",
  skip_launch = "boolean", skip_secrets = "boolean",
  skip_service_registration = "boolean",
}

local M = { config = config, guest = guest, create = object(launch) }

launch.current_version = "string"
launch.id = "string"
M.update = object(launch)

M.stop = object { signal = STOP_SIGNAL, timeout = "string", id = "string" }
M.signal = object {
  signal = shape.required(any_of {
    enum {
      "SIGABRT", "SIGALRM", "SIGFPE", "SIGHUP", "SIGILL", "SIGINT",
      "SIGKILL", "SIGPIPE", "SIGQUIT", "SIGSEGV", "SIGTERM", "SIGTRAP",
      "SIGUSR1", "SIGUSR2",
    },
    "integer",
  }),
}
M.restart_signal = STOP_SIGNAL
M.exec = object {
  cmd = "string", command = STRINGS, container = "string",
  machine = "boolean", stdin = "string", timeout = "integer",
}
M.lease = object { description = "string", ttl = "integer" }
M.metadata = object {
  machine_version = "string", metadata = map "string", updated_at = "string",
}
M.metadata_value = object { updated_at = "string", value = "string!" }
M.memory_limit = object { limit_mb = "integer!" }
M.memory_reclaim = object { amount_mb = "integer" }

return M
