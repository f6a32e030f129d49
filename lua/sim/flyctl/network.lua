--- The simulated flyctl's `ips` and `certs`.
--- Waits.

local flyctl = require "sim.flyctl"
local json = require "base.json"
local shapes = require "sim.flyctl.shapes"
local tbl = require "base.tbl"

local M = {}

---@async
local function ask(run, method, path, ...)
  local app, e = run:app()
  if not app then
    return nil, e
  end
  return run.api:rest(method, "/apps/%s" .. path, app, ...)
end

-- What the table says of each type of address.
local TYPES = {
  v4 = { "v4", "public ingress (dedicated, $2/mo)" },
  shared_v4 = { "v4", "public ingress (shared)" },
  v6 = { "v6", "public ingress (dedicated)" },
  private_v6 = { "v6", "private ingress" },
  egress_v4 = { "v4", "egress" }, egress_v6 = { "v6", "egress" },
}

local LIST = "query($name: String!) { app(name: $name) { " .. shapes.ADDRESS_FIELDS .. " } }"

---@async
---@param run sim.flyctl.Run
---@return any done nil when it failed, an exit code when that is not 0
---@return err.Record?
function M.ips_list(run)
  local app, e = run:app()
  local data
  if app then
    data, e = run.api:graphql(LIST, { name = app })
  end
  if not data then
    return nil, e
  end
  local list = shapes.addresses(data.app)
  if run.flags.json then
    run:json(json.array(list))
    return true
  end
  run:table({ "VERSION", "IP", "TYPE", "REGION", "CREATED AT" }, tbl.map(list, function(ip)
    local known = TYPES[ip.Type] or { ip.Type, "public" }
    return { known[1], ip.Address, known[2], ip.Region, run:ago(ip.CreatedAt) }
  end))
  run:say("Learn more about Fly.io public, private, shared and dedicated IP addresses in our"
    .. " docs: https://fly.io/docs/networking/services/")
  return true
end

---@async
local function allocate(run, kind)
  local reply, e = ask(run, "POST", "/ip_assignments", {
    type = kind, region = run.flags.region, network = run.flags.network,
    org_slug = run.flags.org,
  })
  if not reply then
    return nil, e
  end
  run:table({ "VERSION", "IP", "TYPE", "REGION" },
    { { TYPES[kind][1], reply.ip, TYPES[kind][2], reply.region } })
  return true
end

---@async
---@param run sim.flyctl.Run
---@return any done nil when it failed, an exit code when that is not 0
---@return err.Record?
function M.ips_allocate_v4(run)
  if run.flags.shared then
    return allocate(run, "shared_v4")
  end
  local agreed, e = run:confirmed() -- a dedicated address costs money
  if not agreed then
    return nil, e
  end
  return allocate(run, "v4")
end

---@async
---@param run sim.flyctl.Run
---@return any done nil when it failed, an exit code when that is not 0
---@return err.Record?
function M.ips_allocate_v6(run)
  return allocate(run, run.flags.private and "private_v6" or "v6")
end

---@async
---@param run sim.flyctl.Run
---@return any done nil when it failed, an exit code when that is not 0
---@return err.Record?
function M.ips_release(run)
  for _, address in ipairs(run.args) do
    local ok, e = ask(run, "DELETE", "/ip_assignments/%s", address)
    if not ok then
      return nil, e
    end
    run:say("Released %s from %s", address, run:app())
  end
  return true
end

-- What flyctl makes of a certificate's state.
local function status_of(cert)
  if cert.has_custom_certificate then
    return cert.configured and "Verified" or "Not verified"
  elseif cert.configured then
    return "Issued"
  end
  local is_under_way = cert.acme_dns_configured or cert.acme_alpn_configured
    or cert.acme_http_configured
  return is_under_way and "Issuing..." or "Not verified"
end

---@async
---@param run sim.flyctl.Run
---@return any done nil when it failed, an exit code when that is not 0
---@return err.Record?
function M.certs_list(run)
  local reply, e = ask(run, "GET", "/certificates")
  if not reply then
    return nil, e
  elseif run.flags.json then
    run:json(json.array(reply.certificates))
    return true
  end
  run:say("%-30s %-10s %s", "HOSTNAME", "SOURCE", "STATUS")
  for _, cert in ipairs(reply.certificates) do
    local source = cert.has_custom_certificate and "Custom"
      or (cert.has_fly_certificate or cert.acme_requested) and "Fly" or "-"
    run:say("%-30s %-10s %s", cert.hostname, source, status_of(cert))
  end
  return true
end

local function show(run, cert)
  if run.flags.json then
    run:json(cert)
  else
    run:say("Hostname = %s\nStatus   = %s", cert.hostname, cert.status)
  end
  return true
end

---@async
---@param run sim.flyctl.Run
---@return any done nil when it failed, an exit code when that is not 0
---@return err.Record?
function M.certs_add(run)
  local cert, e = ask(run, "POST", "/certificates/acme", { hostname = run.args[1] })
  if not cert then
    return nil, e
  end
  return show(run, cert)
end

---@async
---@param run sim.flyctl.Run
---@return any done nil when it failed, an exit code when that is not 0
---@return err.Record?
function M.certs_check(run)
  local cert, e = ask(run, "POST", "/certificates/%s/check", run.args[1])
  if not cert then
    return nil, e
  end
  return show(run, cert)
end

---@async
---@param run sim.flyctl.Run
---@return any done nil when it failed, an exit code when that is not 0
---@return err.Record?
function M.certs_remove(run)
  if run.flags.acme and run.flags.custom then
    return flyctl.fail("cannot specify both --custom and --acme")
  elseif not run.flags.yes then
    return run:cannot_ask()
  end
  local kind = run.flags.acme and "/acme" or run.flags.custom and "/custom" or ""
  local ok, e = ask(run, "DELETE", "/certificates/%s" .. kind, run.args[1])
  if not ok then
    return nil, e
  end
  local said = run.flags.custom and "✓ Custom certificate for %s deleted from app %s"
    or run.flags.acme and "✓ ACME certificate issuance stopped for %s on app %s"
    or "✓ Certificate %s deleted from app %s"
  run:say(said, run.args[1], run:app())
  return true
end

return M
