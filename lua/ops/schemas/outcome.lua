--- What became of a machine that something was done to.

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
