--- A backup of a managed Postgres cluster.

return {
  object = {
    id = "string",
    type = "string?",
    status = "string?",
    size_bytes = "integer?",
    started_at = "time?",
    finished_at = "time?",
  },
}
