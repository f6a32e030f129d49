--- Something that happened to a machine.
--- Data: the shape of a reply.

return {
  object = {
    id = "string?",
    type = "string?",
    status = "string?",
    source = "string?",
    timestamp = "integer?",
    request = "any?",
  },
}
