--- A secret of an app: its name and digest, never its value.
--- Data: the shape of a reply.

return {
  object = {
    name = "string",
    digest = "string?",
    created_at = "time?",
    updated_at = "time?",
  },
}
