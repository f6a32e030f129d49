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

local DETAIL = {
  { "HOSTNAME", "hostname" },
  { "STATUS", "status", format = "state" },
  { "CONFIGURED", "configured", format = "boolean" },
  { "A", "dns_requirements.a" },
  { "AAAA", "dns_requirements.aaaa" },
  { "CNAME", "dns_requirements.cname" },
  { "EXPIRES", "certificates.1.expires_at", format = "ago" },
  { "DNS", "dns_provider" },
}

local TARGET = {
  { "app", "app", "name of the app", required = true },
  { "hostname", "hostname", "host name of the certificate", required = true,
    pos = 1 },
}

op {
  id = "certs.get",
  title = "Show a certificate",
  doc = "Reads what is known; it does not check the DNS records again.",
  effect = "read",
  http = { "GET", "/v1/apps/{app}/certificates/{hostname}" },
  limit = "app",
  params = TARGET,
  returns = "cert_detail",
  columns = DETAIL,
  examples = { "get cert www.example.com --app my-app" },
}

op {
  id = "certs.add",
  title = "Add a certificate for a host name",
  doc = [[
    Fly gets the certificate once the DNS records point to the app; the answer
    says which records those are.
  ]],
  effect = "write",
  http = { "POST", "/v1/apps/{app}/certificates/acme" },
  limit = "app",
  params = TARGET,
  returns = "cert_detail",
  columns = DETAIL,
  undo = { op = "certs.remove", args = { app = "{app}", hostname = "{hostname}" } },
  examples = { "certs add www.example.com --app my-app" },
}

op {
  id = "certs.check",
  title = "Check the DNS records of a certificate again",
  effect = "read",
  http = { "POST", "/v1/apps/{app}/certificates/{hostname}/check" },
  limit = "app",
  params = TARGET,
  returns = "cert_detail",
  columns = DETAIL,
  examples = { "certs check www.example.com --app my-app" },
}

op {
  id = "certs.remove",
  title = "Remove a certificate",
  effect = "destroy",
  confirm = "Remove the certificate of {hostname} from app {app}? HTTPS for that"
    .. " name stops working.",
  http = { "DELETE", "/v1/apps/{app}/certificates/{hostname}" },
  limit = "app",
  params = TARGET,
  examples = { "certs remove www.example.com --app my-app" },
}
