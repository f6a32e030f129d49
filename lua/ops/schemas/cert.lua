--- A certificate as the list of an app's certificates shows it.
--- Data: the shape of a reply.

return {
  object = {
    hostname = "string",
    status = "string?",
    configured = "boolean?",
    acme_requested = "boolean?",
    acme_alpn_configured = "boolean?",
    acme_dns_configured = "boolean?",
    acme_http_configured = "boolean?",
    ownership_txt_configured = "boolean?",
    has_custom_certificate = "boolean?",
    has_fly_certificate = "boolean?",
    dns_provider = "string?",
    created_at = "time?",
    updated_at = "time?",
  },
}
