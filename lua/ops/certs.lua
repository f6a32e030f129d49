--- TLS certificates of an app's host names.

local flow = require "ops.flow"
local op = require "opkit.op"
local resource = require "opkit.resource"

resource {
  id = "certs",
  singular = "cert",
  aliases = { "certificates", "certificate" },
  title = "Certificates",
}

op {
  id = "certs.list",
  title = "List certificates",
  effect = "read",
  http = { "GET", "/v1/apps/{app}/certificates" },
  limit = "app",
  page = "body",
  items = "certificates",
  order = { "hostname" },
  params = {
    { "app", "app", "name of the app", required = true },
    { "filter", "name", "only host names that contain this" },
    flow.page_size(500),
  },
  returns = { list = "cert" },
  columns = {
    { "HOSTNAME", "hostname" },
    { "STATUS", "status", format = "state" },
    { "CONFIGURED", "configured", format = "boolean", priority = 2 },
    { "CUSTOM", "has_custom_certificate", format = "boolean", priority = 3 },
    { "DNS", "dns_provider", priority = 5, wide = true },
    { "CREATED", "created_at", format = "ago", priority = 4 },
  },
  examples = { "list certs --app my-app" },
}

op {
  id = "certs.get",
  title = "Show a certificate",
  doc = "Reads what is known; it does not check the DNS records again.",
  effect = "read",
  http = { "GET", "/v1/apps/{app}/certificates/{hostname}" },
  limit = "app",
  params = {
    { "app", "app", "name of the app", required = true },
    { "hostname", "hostname", "host name of the certificate", required = true,
      pos = 1 },
  },
  returns = "cert_detail",
  columns = {
    { "HOSTNAME", "hostname" },
    { "STATUS", "status", format = "state" },
    { "CONFIGURED", "configured", format = "boolean" },
    { "A", "dns_requirements.a" },
    { "AAAA", "dns_requirements.aaaa" },
    { "CNAME", "dns_requirements.cname" },
    { "EXPIRES", "certificates.1.expires_at", format = "ago" },
    { "DNS", "dns_provider" },
  },
  examples = { "get cert www.example.com --app my-app" },
}
