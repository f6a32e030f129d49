--- Table cells that need more than a path.
--- Pure; nil where the item does not say.

local tbl = require "base.tbl"

local M = {}

--- The preset a guest corresponds to, "shared-cpu-2x", "performance-1x".
---@param machine table
---@return string?
function M.size(machine)
  local guest = tbl.get(machine, "config.guest")
  if type(guest) ~= "table" or not guest.cpus or not guest.cpu_kind then
    return nil
  end
  local kind = guest.cpu_kind == "shared" and "shared-cpu" or guest.cpu_kind
  return ("%s-%dx"):format(tostring(kind), math.tointeger(guest.cpus) or 0)
end

--- The image without its registry: "my-app:deployment-01H".
---@param machine table
---@return string?
function M.image(machine)
  local ref = machine.image_ref
  if type(ref) == "table" and ref.repository then
    return ref.tag and ref.tag ~= "" and ref.repository .. ":" .. ref.tag
      or ref.repository
  end
  local image = tbl.get(machine, "config.image")
  if type(image) ~= "string" then
    return nil
  end
  return (image:gsub("^registry%.fly%.io/", ""):gsub("@sha256:%x+$", ""))
end

--- How many of a machine's checks pass: "2/3".
---@param machine table
---@return string?
function M.checks(machine)
  local checks = machine.checks
  if type(checks) ~= "table" or #checks == 0 then
    return nil
  end
  local passing = tbl.filter(checks, function(check)
    return check.status == "passing"
  end)
  return ("%d/%d"):format(#passing, #checks)
end

--- What kind of address it is, as one asks for it: "v4", "shared", "private".
--- The list does not always say; the address does.
---@param address table
---@return string?
function M.ip_type(address)
  local ip = address.ip
  if type(ip) ~= "string" then
    return nil
  end
  local is_v6 = ip:find(":", 1, true) ~= nil
  local family = is_v6 and "v6" or "v4"
  if address.egress == true then
    return "egress " .. family
  elseif address.shared == true then
    return "shared"
  elseif is_v6 and ip:lower():find("^f[cd]") then
    return "private"
  end
  return family
end

--- The columns of what became of machines.
M.OUTCOME = {
  { "ID", "id" },
  { "NAME", "name", priority = 3 },
  { "REGION", "region", priority = 2 },
  { "STATE", "state", format = "state" },
  { "OUTCOME", "outcome" },
  { "ERROR", "error", priority = 4 },
}

--- The columns of what is attached to an unmanaged Postgres cluster.
M.ATTACHMENT = {
  { "DATABASE", "database" },
  { "USER", "user" },
  { "SECRET", "variable" },
}

-- "NAME TYPE VALUE": a DNS record to set, where both ends are known.
local function record(name, kind, value)
  if type(name) == "string" and name ~= "" and type(value) == "string"
    and value ~= "" then
    return ("%s %s %s"):format(name, kind, value)
  end
end

--- The record by which a certificate is given before traffic arrives; the only
--- way for a wildcard.
---@param cert table
---@return string?
function M.challenge(cert)
  return record(tbl.get(cert, "dns_requirements.acme_challenge.name"), "CNAME",
    tbl.get(cert, "dns_requirements.acme_challenge.target"))
end

--- The record that proves whose the host name is.
---@param cert table
---@return string?
function M.ownership(cert)
  return record(tbl.get(cert, "dns_requirements.ownership.name"), "TXT",
    tbl.get(cert, "dns_requirements.ownership.app_value"))
end

--- What the last check found wrong, and what to do about it.
---@param cert table
---@return string?
function M.problem(cert)
  local problems = cert.validation_errors
  if type(problems) ~= "table" or #problems == 0 then
    return nil
  end
  local texts = {}
  for i, problem in ipairs(problems) do
    local parts = type(problem) == "table"
      and { problem.message or problem.code, problem.remediation } or {}
    texts[i] = table.concat(parts, ": ")
  end
  return table.concat(texts, "; ")
end

--- An address in one spelling, for comparing: IPv6 has several.
---@param ip any
---@return string?
function M.address(ip)
  if type(ip) ~= "string" or not ip:find(":", 1, true) then
    return type(ip) == "string" and ip or nil
  end
  local head, tail = ip:lower():match("^(.-)::(.*)$")
  local groups, after = {}, {}
  for group in (head or ip:lower()):gmatch("%x+") do
    groups[#groups + 1] = group
  end
  for group in (tail or ""):gmatch("%x+") do
    after[#after + 1] = group
  end
  for _ = #groups + #after + 1, 8 do
    groups[#groups + 1] = "0"
  end
  table.move(after, 1, #after, #groups + 1, groups)
  return (table.concat(groups, ":"):gsub("%x+", function(group)
    return ("%x"):format(tonumber(group, 16))
  end))
end

return M
