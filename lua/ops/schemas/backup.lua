--- A backup of a managed Postgres cluster.
--- Data: the shape of a reply.

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
