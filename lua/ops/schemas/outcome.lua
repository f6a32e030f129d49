--- What became of a machine that something was done to.
--- Data: the shape of a reply.

return {
  object = {
    id = "string",
    app = "string",
    name = "string?",
    region = "string?",
    state = "string?",
    outcome = { enum = { "done", "unchanged", "requested", "failed", "skipped" } },
    error = "string?",
  },
}
