--- TLS certificates of an app's host names.
--- Rows; what they run waits, and reaches others through its context only.

local cells = require "ops.cells"
local err = require "base.err"
local flow = require "ops.flow"
local op = require "opkit.op"
local resource = require "opkit.resource"
local tbl = require "base.tbl"

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
  { "ACME CHALLENGE", cells.challenge },
  { "OWNERSHIP", cells.ownership },
  { "PROBLEM", cells.problem },
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
  id = "certs.add_once",
  hidden = true,
  title = "Ask for a certificate from the platform's authority",
  effect = "write",
  http = { "POST", "/v1/apps/{app}/certificates/acme" },
  limit = "app",
  params = TARGET,
  returns = "cert_detail",
}

op {
  id = "certs.upload_once",
  hidden = true,
  title = "Give a certificate of one's own",
  effect = "write",
  http = { "POST", "/v1/apps/{app}/certificates/custom" },
  limit = "app",
  params = {
    { "app", "app", "name of the app", required = true },
    { "hostname", "hostname", "host name of the certificate", required = true },
    { "fullchain", "secret", "certificate and chain, in PEM form", required = true },
    { "private_key", "secret", "its private key, in PEM form", required = true },
  },
  returns = "cert_detail",
}

-- What to do about a host name that cannot be added.
local function not_added(e, at)
  if e.kind == "conflict" then
    e.hint = ("see whether this app has it: clanker fly get cert %s --app %s; where"
      .. " another one has it, remove it there first"):format(at.hostname, at.app)
  end
  return flow.may_exist(e, "list certs --app " .. at.app)
end

op {
  id = "certs.add",
  title = "Add a certificate for a host name",
  doc = [[
    Fly gets the certificate once the DNS records point to the app; the answer
    says which records those are. With --cert and --key it is one of your own:
    the files are PEM, and the key goes to Fly and nowhere else. Nothing is
    waited for: when the records are made, `certs check` has Fly look again.
  ]],
  effect = "write",
  calls = { "certs.add_once", "certs.upload_once" },
  run = function(ctx, args)
    local at = { app = args.app, hostname = args.hostname }
    if args.fullchain and not args.private_key then
      return nil, err.new({
        kind = "usage", message = "a certificate of one's own needs its private key",
        hint = "give both, or neither for a certificate that Fly gets",
      })
    end
    local added, e
    if args.fullchain then
      added, e = ctx.call("certs.upload_once", tbl.merge(at, {
        fullchain = args.fullchain, private_key = args.private_key,
      }))
    else
      added, e = ctx.call("certs.add_once", at)
    end
    return added, e and not_added(e, at)
  end,
  params = {
    TARGET[1], TARGET[2],
    { "cert", "file", "PEM file of your own certificate and its chain",
      only = "cli" },
    { "key", "file", "PEM file of its private key", only = "cli" },
    { "fullchain", "secret", "certificate and chain, in PEM form", hidden = true },
    { "private_key", "secret", "its private key, in PEM form", hidden = true },
  },
  returns = "cert_detail",
  columns = DETAIL,
  undo = { op = "certs.remove", args = { app = "{app}", hostname = "{hostname}" } },
  examples = {
    "certs add shop.example.com --app my-app",
    "certs add shop.example.com --app my-app --cert fullchain.pem --key key.pem",
  },
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
  preview = "certs.get",
  http = { "DELETE", "/v1/apps/{app}/certificates/{hostname}" },
  limit = "app",
  params = TARGET,
  examples = { "certs remove www.example.com --app my-app" },
}
