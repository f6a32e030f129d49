--- A WireGuard peer of an organization.

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
