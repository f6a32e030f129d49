--- A volume; listings of a whole organization add `app_name`.
--- Data: the shape of a reply.

return {
  object = {
    id = "string",
    name = "string?",
    state = "string",
    region = "string?",
    app = "string?",
    app_name = "string?",
    zone = "string?",
    size_gb = "integer?",
    encrypted = "boolean?",
    fstype = "string?",
    attached_machine_id = "string?",
    attached_alloc_id = "string?",
    host_status = "string?",
    auto_backup_enabled = "boolean?",
    snapshot_retention = "integer?",
    block_size = "integer?",
    blocks = "integer?",
    blocks_free = "integer?",
    blocks_avail = "integer?",
    bytes_used = "integer?",
    bytes_total = "integer?",
    created_at = "time?",
    updated_at = "time?",
  },
}
