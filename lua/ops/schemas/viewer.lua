--- Who a token speaks for: a user, or the token itself.

return {
  object = { kind = "string?", email = "string?", name = "string?" },
}
