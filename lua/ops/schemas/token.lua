--- A token as listings show it; what it is worth is shown once, when it is made.
--- Data: the shape of a reply.

return {
  object = {
    id = "string",
    name = "string?",
    profile = "string?",
    created_at = "time?",
    expires_at = "time?",
    revoked_at = "time?",
    user = { object = { email = "string?" }, optional = true },
  },
}
