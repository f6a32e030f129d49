--- An app as the Machines API lists it.
--- Data: the shape of a reply.

return {
  object = {
    id = "string",
    internal_numeric_id = "integer?",
    name = "string",
    status = "string?",
    machine_count = "integer?",
    volume_count = "integer?",
    network = "string?",
    app_role = "string?",
    cname_target = "string?",
    organization = {
      object = {
        slug = "string?", name = "string?", internal_numeric_id = "integer?",
      },
      optional = true,
    },
  },
}
