--- An address assigned to an app.

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
