--- The simulated flyctl's `ips` and `certs`.
--- Waits.

local flyctl = require "sim.flyctl"
local json = require "base.json"
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

local function ip_type(ip)
  local version = ip.ip:find(":", 1, true) and "v6" or "v4"
  if ip.network ~= nil and ip.network ~= json.null and ip.network ~= "" then
    return version, "private"
  end
  return version, ip.shared and "public (shared)" or "public"
end

---@async
function M.ips_list(run)
  local reply, e = ask(run, "GET", "/ip_assignments")
  if not reply then
    return nil, e
  elseif run.flags.json then
    run:json(json.array(reply.ips))
    return true
  end
  run:table({ "VERSION", "IP", "TYPE", "REGION", "CREATED AT" }, tbl.map(reply.ips, function(ip)
    local version, kind = ip_type(ip)
    return { version, ip.ip, kind, ip.region, ip.created_at }
  end))
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
    { { ip_type(reply), reply.ip, kind, reply.region } })
  return true
end

---@async
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
function M.ips_allocate_v6(run)
  return allocate(run, run.flags.private and "private_v6" or "v6")
end

---@async
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

---@async
function M.certs_list(run)
  local reply, e = ask(run, "GET", "/certificates")
  if not reply then
    return nil, e
  elseif run.flags.json then
    run:json(json.array(reply.certificates))
    return true
  end
  run:table({ "HOST NAME", "ADDED", "STATUS" }, tbl.map(reply.certificates, function(cert)
    return { cert.hostname, cert.created_at, cert.status }
  end))
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
function M.certs_add(run)
  local cert, e = ask(run, "POST", "/certificates/acme", { hostname = run.args[1] })
  if not cert then
    return nil, e
  end
  return show(run, cert)
end

---@async
function M.certs_check(run)
  local cert, e = ask(run, "POST", "/certificates/%s/check", run.args[1])
  if not cert then
    return nil, e
  end
  return show(run, cert)
end

---@async
function M.certs_remove(run)
  local agreed, e = run:confirmed()
  if not agreed then
    return nil, e
  elseif run.flags.acme and run.flags.custom then
    return flyctl.fail("cannot specify both --custom and --acme flags")
  end
  local kind = run.flags.acme and "/acme" or run.flags.custom and "/custom" or ""
  local ok
  ok, e = ask(run, "DELETE", "/certificates/%s" .. kind, run.args[1])
  if not ok then
    return nil, e
  end
  run:say("Certificate %s deleted from app %s", run.args[1], run:app())
  return true
end

return M
