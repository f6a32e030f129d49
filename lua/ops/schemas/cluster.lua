--- A managed Postgres cluster; lists show the upper half.
--- Data: the shape of a reply.

local attached = { object = { name = "string?" } }

return {
  object = {
    id = "string",
    name = "string?",
    status = "string?",
    plan = "string?",
    region = "string?",
    org = "string?",
    created_at = "time?",
    deleted_at = "time?",
    attached_apps = { list = attached, optional = true },

    pg_major_version = "string?",
    cpu_kind = "string?",
    cpus = "integer?",
    memory_mb = "integer?",
    disk_size_gb = "integer?",
    storage_used_bytes = "integer?",
    storage_provisioned_bytes = "integer?",
    replicas = "integer?",
    postgis_enabled = "boolean?",
    organization = { object = { slug = "string?" }, optional = true },
    endpoints = "any?",
  },
}
