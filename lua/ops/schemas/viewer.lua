--- Who a token speaks for: a user, or the token itself.
--- Data: the shape of a reply.

return {
  object = { kind = "string?", email = "string?", name = "string?" },
}
