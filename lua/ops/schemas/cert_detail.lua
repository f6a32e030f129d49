--- A certificate with its DNS requirements and what was issued.
--- Data: the shape of a reply.

local issued = {
  object = {
    type = "string?", certificate_authority = "string?", expires_at = "time?",
  },
}

local entry = {
  object = {
    source = "string?", status = "string?", issuer = "string?",
    created_at = "time?", expires_at = "time?",
    issued = { list = issued, optional = true },
  },
}

local problem = {
  object = {
    code = "string?", message = "string?", remediation = "string?",
    timestamp = "time?",
  },
}

local requirements = {
  object = {
    a = { list = "string", optional = true },
    aaaa = { list = "string", optional = true },
    cname = "string?",
    acme_challenge = "any?",
    ownership = "any?",
  },
  optional = true,
}

local validation = {
  object = {
    alpn_configured = "boolean?", dns_configured = "boolean?",
    http_configured = "boolean?", ownership_txt_configured = "boolean?",
  },
  optional = true,
}

return {
  object = {
    hostname = "string",
    status = "string?",
    configured = "boolean?",
    acme_requested = "boolean?",
    dns_provider = "string?",
    rate_limited_until = "time?",
    certificates = { list = entry, optional = true },
    dns_requirements = requirements,
    validation = validation,
    validation_errors = { list = problem, optional = true },
  },
}
