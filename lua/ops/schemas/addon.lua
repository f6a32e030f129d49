--- Something another provider runs for an app or an organization.
--- Data: the shape of a reply.

return {
  object = {
    id = "string",
    name = "string?",
    status = "string?",
    region = "string?",
    read_regions = { list = "string", optional = true },
    created_at = "time?",
    provider = {
      object = { name = "string?", title = "string?" }, optional = true,
    },
    plan = { object = { id = "string?", title = "string?" }, optional = true },
    org = { object = { slug = "string?" }, optional = true },
    app = { object = { name = "string?" }, optional = true },
  },
}
