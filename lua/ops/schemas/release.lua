--- A release of an app.
--- Data: the shape of a reply.

return {
  object = {
    id = "string",
    version = "integer",
    status = "string?",
    stable = "boolean?",
    image = "string?",
    reason = "string?",
    description = "string?",
    created_at = "time?",
    user = { object = { email = "string?" }, optional = true },
  },
}
