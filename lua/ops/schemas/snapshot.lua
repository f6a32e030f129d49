--- A snapshot of a volume.

return {
  object = {
    id = "string",
    status = "string?",
    size = "integer?",
    volume_size = "integer?",
    digest = "string?",
    retention_days = "integer?",
    created_at = "time?",
  },
}
