--- A snapshot of a volume.
--- Data: the shape of a reply.

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
