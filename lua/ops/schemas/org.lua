--- An organization.
--- Data: the shape of a reply.

return {
  object = {
    id = "string",
    slug = "string",
    raw_slug = "string?",
    name = "string?",
    type = "string?",
    paid_plan = "boolean?",
    billable = "boolean?",
    billing_status = "string?",
    role = "string?",
  },
}
