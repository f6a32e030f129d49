--- Certificates: requesting, checking, removing.
--- Pure. DNS is made up: a hostname whose first label is `pending` never points
--- here, every other one does from its first check on.

local json = require "base.json"
local time = require "base.time"

local problem = require "sim.problem"

local M = {}

local LIFETIME = 90 * 24 * 3600

---@class sim.Cert: sim.Record
---@field owner string app name
---@field hostname string
---@field is_acme boolean
---@field is_custom boolean
---@field is_configured boolean
---@field issued_at number? of the ACME certificate
---@field custom_at number?
---@field node_id string
---@field created_at number
---@field updated_at number

local function key(app, hostname)
  return app.id .. "/" .. hostname
end

---@param world sim.World
---@param app table a record
---@param hostname string
---@return sim.Cert?
function M.get(world, app, hostname)
  return world:get("cert", key(app, hostname:lower()))
end

local function is_hostname(name)
  if #name > 253 or name:find("[^%w%.%-%*]") or not name:find(".", 1, true) then
    return false
  end
  local rest = name:gsub("^%*%.", "")
  for label in (rest .. "."):gmatch("([^.]*)%.") do
    if not label:find("^%w[%w%-]*$") or label:sub(-1) == "-"
      or #label > 63 then
      return false
    end
  end
  return true
end

--- Whether a certificate for a hostname, in lower case, can be made.
---@param world sim.World
---@param hostname string
---@return boolean?
---@return sim.Problem?
function M.check(world, hostname)
  if not is_hostname(hostname) then
    return problem.new(422,
      ("Validation failed: Hostname %q is not a host name"):format(hostname))
  end
  for _, cert in ipairs(world:list("cert")) do
    if cert.hostname == hostname then
      return problem.new(409, "Hostname already exists on app " .. cert.owner)
    end
  end
  return true
end

--- A new certificate's record.
---@param world sim.World
---@param app table
---@param hostname string
---@return sim.Cert
function M.add(world, app, hostname)
  return world:add("cert", {
    id = key(app, hostname), owner = app.id, hostname = hostname,
    is_acme = false, is_custom = false, is_configured = false,
    node_id = "cert_" .. world.ids:alnum(16),
    created_at = world:now(), updated_at = world:now(),
  })
end

-- The certificate of a hostname: the app's own, or a new one if it is free.
local function find_or_add(world, app, hostname)
  hostname = hostname:lower()
  local cert = M.get(world, app, hostname)
  if cert then
    return cert
  end
  local ok, wrong = M.check(world, hostname)
  if not ok then
    return nil, wrong
  end
  return M.add(world, app, hostname)
end

--- Requests a certificate from the platform's authority.
---@param world sim.World
---@param app table a record
---@param hostname string
---@return sim.Cert?
---@return sim.Problem?
function M.request_acme(world, app, hostname)
  local known = M.get(world, app, hostname)
  if known and known.is_acme then
    return problem.new(409, "Hostname already exists on app " .. app.id)
  end
  local cert, wrong = find_or_add(world, app, hostname)
  if not cert then
    return nil, wrong
  end
  cert.is_acme = true
  world:touch("cert", cert)
  return cert
end

--- Stores a certificate of the caller's own; the key is not kept.
---@param world sim.World
---@param app table a record
---@param hostname string
---@param fullchain string PEM
---@param private_key string PEM
---@return sim.Cert?
---@return sim.Problem?
function M.upload(world, app, hostname, fullchain, private_key)
  if not fullchain:find("-----BEGIN CERTIFICATE-----", 1, true) then
    return problem.new(422, "fullchain is not a PEM certificate")
  elseif not private_key:find("PRIVATE KEY-----", 1, true) then
    return problem.new(422, "private_key is not a PEM key")
  end
  local cert, wrong = find_or_add(world, app, hostname)
  if not cert then
    return nil, wrong
  end
  cert.is_custom = true
  cert.custom_at = world:now()
  world:touch("cert", cert)
  return cert
end

local function points_here(cert)
  return not cert.hostname:find("^pending%.")
end

--- Looks at the DNS again; a configured hostname gets its certificate.
---@param world sim.World
---@param cert sim.Cert
function M.check_dns(world, cert)
  cert.is_configured = points_here(cert)
  cert.updated_at = world:now()
  if cert.is_configured and cert.is_acme then
    cert.issued_at = cert.issued_at or world:now()
  end
  world:touch("cert", cert)
end

--- active, or what it still waits for.
---@param cert sim.Cert
---@return string
function M.status(cert)
  if cert.issued_at or cert.is_custom then
    return "active"
  end
  return "pending_validation"
end

local function issued_by(authority, at)
  local expires = time.format(at + LIFETIME)
  return json.array({
    { type = "ecdsa", certificate_authority = authority, expires_at = expires },
    { type = "rsa", certificate_authority = authority, expires_at = expires },
  })
end

local function entries(cert)
  local out = {}
  if cert.is_acme then
    out[#out + 1] = {
      source = "fly",
      status = cert.issued_at and "active" or "pending_validation",
      created_at = time.format(cert.created_at),
      expires_at = cert.issued_at
        and time.format(cert.issued_at + LIFETIME) or nil,
      issuer = cert.issued_at and "Let's Encrypt" or json.null,
      issued = cert.issued_at
        and issued_by("lets_encrypt", cert.issued_at) or json.array(),
    }
  end
  if cert.is_custom then
    out[#out + 1] = {
      source = "custom", status = "active",
      created_at = time.format(cert.custom_at),
      expires_at = time.format(cert.custom_at + LIFETIME),
      issuer = "custom", issued = issued_by("custom", cert.custom_at),
    }
  end
  return json.array(out)
end

-- The addresses that the hostname shall point to.
local function targets(world, app)
  local a, aaaa = {}, {}
  for _, ip in ipairs(world:list("ip", app.id)) do
    if ip.type == "v4" or ip.type == "shared_v4" then
      a[#a + 1] = ip.address
    elseif ip.type == "v6" then
      aaaa[#aaaa + 1] = ip.address
    end
  end
  return json.array(a), json.array(aaaa)
end

local function requirements(world, app, cert)
  local a, aaaa = targets(world, app)
  local plain = cert.hostname:gsub("^%*%.", "")
  return {
    a = a, aaaa = aaaa, cname = app.id .. ".fly.dev",
    acme_challenge = {
      name = "_acme-challenge." .. plain,
      target = ("%s.%s.flydns.net"):format(plain, app.hash),
    },
    ownership = {
      name = "_fly-ownership." .. plain, app_value = "app-" .. app.hash,
      org_value = "org-" .. app.owner,
    },
  }
end

local function validation_errors(cert)
  if cert.is_configured or cert.updated_at == cert.created_at then
    return json.array()
  end
  return json.array({
    {
      code = "dns_not_configured",
      message = cert.hostname .. " does not point to the app",
      remediation = "add the A and AAAA records, or the CNAME record",
      timestamp = time.format(cert.updated_at),
    },
  })
end

--- One certificate with all there is to know about it.
---@param world sim.World
---@param app table a record
---@param cert sim.Cert
---@return table
function M.detail(world, app, cert)
  local ok = cert.is_configured
  return {
    hostname = cert.hostname, configured = ok, status = M.status(cert),
    acme_requested = cert.is_acme, dns_provider = "example",
    certificates = entries(cert),
    dns_requirements = requirements(world, app, cert),
    rate_limited_until = json.null,
    validation = {
      alpn_configured = ok, dns_configured = ok, http_configured = ok,
      ownership_txt_configured = false,
    },
    validation_errors = validation_errors(cert),
  }
end

--- The detail together with what the DNS was found to say.
---@param world sim.World
---@param app table a record
---@param cert sim.Cert
---@return table
function M.check_view(world, app, cert)
  local view = M.detail(world, app, cert)
  local a, aaaa = targets(world, app)
  local none = json.array()
  view.dns_records = {
    a = cert.is_configured and a or none,
    aaaa = cert.is_configured and aaaa or none,
    cname = none, acme_challenge_cname = "", ownership_txt = "",
    resolved_addresses = cert.is_configured and a or none,
    soa = "ns1.example.com",
  }
  return view
end

--- A row of the list.
---@param cert sim.Cert
---@return table
function M.summary(cert)
  local ok = cert.is_configured
  return {
    hostname = cert.hostname, status = M.status(cert), configured = ok,
    acme_requested = cert.is_acme, dns_provider = "example",
    acme_alpn_configured = ok, acme_dns_configured = ok,
    acme_http_configured = ok, ownership_txt_configured = false,
    has_custom_certificate = cert.is_custom,
    has_fly_certificate = cert.issued_at ~= nil,
    created_at = time.format(cert.created_at),
    updated_at = time.format(cert.updated_at),
  }
end

--- Takes one of a hostname's certificates away; with the last one it goes.
---@param world sim.World
---@param cert sim.Cert
---@param source "acme"|"custom"
---@return boolean? gone
---@return sim.Problem?
function M.remove_source(world, cert, source)
  local has = source == "acme" and cert.is_acme
    or source == "custom" and cert.is_custom
  if not has then
    return problem.not_found(source .. " certificate", cert.hostname)
  end
  if source == "acme" then
    cert.is_acme, cert.issued_at = false, nil
  else
    cert.is_custom, cert.custom_at = false, nil
  end
  world:touch("cert", cert)
  local is_empty = not cert.is_acme and not cert.is_custom
  if is_empty then
    world:drop("cert", cert)
  end
  return is_empty
end

return M
