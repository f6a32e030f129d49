--- A region of the platform.
--- Data: the shape of a reply.

return {
  object = {
    code = "string",
    name = "string?",
    geo_region = "string?",
    latitude = "number?",
    longitude = "number?",
    deprecated = "boolean?",
    gateway_available = "boolean?",
    mpg_available = "boolean?",
    requires_paid_plan = "boolean?",
    capacity = "integer?",
  },
}
