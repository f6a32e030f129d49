--- The demo account: 3 apps in 2 organizations, 7 machines in 4 regions.
--- Data only; every name is reserved for examples. The expected outputs under
--- tests/face show this account: they change with it (`make golden`). It holds
--- what the examples of the operations speak of, so that these can be tried.

local HOUR, DAY = 3600, 86400

local WEB_SERVICE = {
  protocol = "tcp", internal_port = 8080, autostart = true,
  autostop = "stop", min_machines_running = 1,
  concurrency = { type = "requests", soft_limit = 200, hard_limit = 250 },
  ports = {
    { port = 80, handlers = { "http" }, force_https = true },
    { port = 443, handlers = { "http", "tls" } },
  },
  checks = {
    {
      type = "http", method = "GET", path = "/healthz", port = 8080,
      interval = "15s", timeout = "2s", grace_period = "5s",
    },
  },
}

-- A config as deploys leave it.
local function config(opts)
  return {
    image = opts.image,
    env = {
      FLY_PROCESS_GROUP = opts.group or "app", LOG_LEVEL = "info",
      PRIMARY_REGION = "iad",
    },
    guest = {
      cpu_kind = opts.kind or "shared", cpus = opts.cpus or 1,
      memory_mb = opts.memory,
    },
    metadata = {
      fly_platform_version = "v2",
      fly_process_group = opts.group or "app",
      fly_release_version = opts.release,
    },
    services = opts.group ~= "worker" and { WEB_SERVICE } or nil,
    mounts = opts.volume and {
      { name = opts.volume, path = "/data", encrypted = true },
    } or nil,
    restart = { policy = "on-failure", max_retries = 10 },
  }
end

-- The image that a deploy of the app pushed.
local function image(app, number)
  return ("registry.fly.io/%s:deployment-%02d"):format(app, number)
end

local MY_APP = image("my-app", 3)
local API = image("acme-api", 7)
local STAGING = image("acme-staging", 1)

local my_app = {
  name = "my-app", org = "personal", age = 90 * DAY,
  secrets = {
    DATABASE_URL = "postgres://example.com/my_app", OLD_KEY = "not-in-use",
    SECRET_KEY_BASE = "not-a-real-key",
  },
  volumes = {
    {
      name = "data", region = "iad", size_gb = 10, used_bytes = 3221225472,
      age = 80 * DAY,
    },
    {
      id = "vol_1234", name = "data", region = "fra", size_gb = 3,
      used_bytes = 104857600, age = 30 * DAY,
    },
  },
  machines = {
    {
      name = "quiet-river-4821", region = "iad", age = 2 * DAY,
      config = config {
        image = MY_APP, memory = 512, release = "3", volume = "data",
      },
    },
    {
      id = "1234abcd", name = "misty-pine-1177", region = "iad", age = 2 * DAY,
      config = config { image = MY_APP, memory = 256, release = "3" },
    },
    {
      name = "late-wave-9034", region = "fra", age = 2 * DAY,
      state = "stopped",
      config = config {
        image = MY_APP, memory = 256, release = "3", group = "worker",
      },
    },
  },
  ips = {
    { type = "shared_v4", age = 90 * DAY },
    { type = "v6", address = "2001:db8:1::1:1", age = 90 * DAY },
  },
  certs = { { hostname = "www.example.com", age = 60 * DAY } },
  releases = {
    {
      image_ref = image("my-app", 1), age = 20 * DAY,
      description = "First deploy",
    },
    {
      image_ref = image("my-app", 2), age = 9 * DAY, status = "failed",
      stable = false, description = "Deploy image",
    },
    { image_ref = MY_APP, age = 2 * DAY, description = "Deploy image" },
  },
  logs = {
    { message = "listening on 0.0.0.0:8080", age = 2 * DAY - 60 },
    { message = "GET / 200 in 12ms", age = 3 * HOUR },
    { message = "GET /healthz 200 in 1ms", age = 2 * HOUR, machine = 2 },
    {
      message = "POST /orders 500 in 48ms", level = "error", age = HOUR,
    },
    { message = "GET /orders 200 in 20ms", age = 600, machine = 2 },
  },
}

local acme_api = {
  name = "acme-api", org = "acme", age = 200 * DAY,
  secrets = { STRIPE_KEY = "not-a-real-key" },
  volumes = {
    {
      name = "pgdata", region = "iad", size_gb = 20,
      used_bytes = 9663676416, age = 150 * DAY,
    },
  },
  machines = {
    {
      name = "bold-forest-2207", region = "iad", age = 5 * DAY,
      config = config {
        image = API, memory = 4096, kind = "performance", cpus = 2,
        release = "7", volume = "pgdata",
      },
    },
    {
      name = "calm-meadow-6410", region = "fra", age = 5 * DAY,
      config = config { image = API, memory = 1024, cpus = 2, release = "7" },
    },
    {
      name = "icy-star-3358", region = "nrt", age = 5 * DAY,
      state = "suspended",
      config = config { image = API, memory = 512, release = "7" },
    },
  },
  ips = {
    { type = "v4", address = "198.19.7.7", age = 190 * DAY },
    { type = "v6", address = "2001:db8:7::7:7", age = 190 * DAY },
    { type = "private_v6", age = 100 * DAY },
  },
  releases = {
    {
      image_ref = image("acme-api", 6), age = 30 * DAY,
      description = "Deploy image",
    },
    { image_ref = API, age = 5 * DAY, description = "Deploy image" },
  },
  logs = {
    { message = "worker pool ready, 8 threads", age = 4 * DAY },
    { message = "GET /v2/items 200 in 7ms", age = 1800 },
    { message = "GET /v2/items 200 in 9ms", age = 900, machine = 2 },
  },
}

local staging = {
  name = "acme-staging", org = "acme", age = 40 * DAY,
  machines = {
    {
      name = "old-lake-5562", region = "syd", age = 12 * DAY,
      state = "stopped",
      config = config { image = STAGING, memory = 256, release = "1" },
    },
  },
  ips = { { type = "shared_v4", age = 40 * DAY } },
  releases = {
    { image_ref = STAGING, age = 12 * DAY, description = "Deploy image" },
  },
  logs = {
    { message = "shutting down on SIGINT", age = 11 * DAY },
  },
}

return {
  seed = 42,
  users = {
    { id = "user_sim", email = "sim@example.com", name = "Sim User" },
    { id = "user_ada", email = "ada@example.com", name = "Ada Example" },
  },
  orgs = {
    {
      slug = "personal", raw_slug = "sim-user", name = "Sim User",
      type = "PERSONAL", members = { { user = "user_sim" } },
    },
    {
      slug = "acme", name = "Acme Example", members = {
        { user = "user_ada", role = "ADMIN" },
        { user = "user_sim", role = "MEMBER" },
      },
    },
  },
  apps = { my_app, acme_api, staging },
  addons = {
    {
      type = "upstash_redis", name = "acme-cache", org = "acme",
      region = "iad", age = 60 * DAY,
    },
    { type = "tigris", name = "acme-assets", org = "acme", age = 50 * DAY },
  },
  postgres = {
    {
      name = "acme-db", org = "acme", region = "iad", plan = "basic",
      disk_gb = 10, age = 70 * DAY,
    },
  },
  peers = {
    {
      org = "personal", name = "laptop", region = "iad",
      pubkey = "c2ltdWxhdG9yLXBlZXItcHVibGljLWtleS0tLS0tLTE=",
    },
  },
  tokens = {
    { name = "CI deploys", profile = "deploy", org = "personal",
      app = "my-app" },
    { name = "read only", profile = "readonly", org = "acme",
      readonly = true },
  },
  full_regions = { "gru" },
  foreign_apps = { "example", "hello", "taken" },
}
