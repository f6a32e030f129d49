--- A WireGuard peer of an organization.
--- Data: the shape of a reply.

return {
  object = {
    id = "string?",
    name = "string",
    pubkey = "string?",
    region = "string?",
    ip = "string?",
    org = "string?",
  },
}
