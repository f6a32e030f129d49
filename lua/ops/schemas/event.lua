--- Something that happened to a machine.

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
