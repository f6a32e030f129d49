--- A machine. Listings of a whole organization show less: their `config` has
--- guest, image and metadata only, and `app_name` says whose it is.

local guest = {
  object = {
    cpu_kind = "string?",
    cpus = "integer?",
    memory_mb = "integer?",
    max_memory_mb = "integer?",
    gpu_kind = "string?",
    gpus = "integer?",
  },
  optional = true,
}

local check = {
  object = {
    name = "string?", status = "string?", output = "string?",
    updated_at = "time?",
  },
}

local event = {
  object = {
    id = "string?", type = "string?", status = "string?", source = "string?",
    timestamp = "integer?", request = "any?",
  },
}

local mount = {
  object = {
    volume = "string?", path = "string?", name = "string?",
    size_gb = "integer?", encrypted = "boolean?",
  },
}

local config = {
  object = {
    image = "string?",
    guest = guest,
    env = { map = "string", optional = true },
    metadata = { map = "string", optional = true },
    mounts = { list = mount, optional = true },
    services = { list = "any", optional = true },
    checks = { map = "any", optional = true },
    restart = "any?",
    auto_destroy = "boolean?",
    schedule = "string?",
  },
  optional = true,
}

return {
  object = {
    id = "string",
    name = "string?",
    state = "string",
    region = "string?",
    app = "string?",
    app_name = "string?",
    instance_id = "string?",
    version = "string?",
    private_ip = "string?",
    host_status = "string?",
    cordoned = "boolean?",
    created_at = "time?",
    updated_at = "time?",
    image_ref = {
      object = {
        registry = "string?", repository = "string?", tag = "string?",
        digest = "string?", labels = { map = "string", optional = true },
      },
      optional = true,
    },
    config = config,
    checks = { list = check, optional = true },
    events = { list = event, optional = true },
    lease = "any?",
  },
}
