--- A member of an organization.
--- Data: the shape of a reply.

return {
  object = {
    role = "string?",
    joined_at = "time?",
    user = {
      object = { id = "string?", name = "string?", email = "string?" },
      optional = true,
    },
  },
}
