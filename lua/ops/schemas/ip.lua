--- An address assigned to an app.
--- Data: the shape of a reply.

return {
  object = {
    ip = "string",
    type = "string?",
    region = "string?",
    shared = "boolean?",
    egress = "boolean?",
    service_name = "string?",
    network = {
      object = { name = "string?", org_slug = "string?" }, optional = true,
    },
    created_at = "time?",
  },
}
