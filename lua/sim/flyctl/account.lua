--- The simulated flyctl's `auth whoami`, `orgs`, `platform regions`, `releases`,
--- `logs` and `version`.
--- Waits.

local api = require "sim.flyctl.api"
local json = require "base.json"
local os = require "sys.os"
local shapes = require "sim.flyctl.shapes"
local task = require "sys.task"
local tbl = require "base.tbl"

local M = {}

-- Seconds between two questions for logs when there are none.
local IDLE = 0.128

-- Go's names of processors.
local ARCHITECTURES = { x86_64 = "amd64", aarch64 = "arm64" }

--- `flyctl version`.
---@param run sim.flyctl.Run
---@return true
function M.version(run)
  local platform = os.platform() or {}
  local info = {
    Name = "flyctl", Version = api.VERSION, Commit = "simulated", BranchName = "",
    BuildDate = "2026-01-01T00:00:00Z", OS = (platform.sysname or "linux"):lower(),
    Architecture = ARCHITECTURES[platform.machine] or platform.machine or "amd64",
    Environment = "production",
  }
  if run.flags.json then
    run:say("%s", json.encode(info))
  else
    run:say("%s v%s %s/%s Commit: %s BuildDate: %s", info.Name, info.Version, info.OS,
      info.Architecture, info.Commit, info.BuildDate)
  end
  return true
end

---@async
---@param run sim.flyctl.Run
---@return any done nil when it failed, an exit code when that is not 0
---@return err.Record?
function M.auth_whoami(run)
  local data, e = run.api:graphql([[
    query { viewer { ... on User { email } ... on Macaroon { email } } }]])
  if not data then
    return nil, e
  elseif run.flags.json then
    run:json({ email = data.viewer.email })
  else
    run:say("%s", data.viewer.email)
  end
  return true
end

---@async
---@param run sim.flyctl.Run
---@return any done nil when it failed, an exit code when that is not 0
---@return err.Record?
function M.orgs_list(run)
  local data, e = run.api:graphql("query { organizations { nodes { slug name type } } }")
  if not data then
    return nil, e
  end
  local list = data.organizations.nodes
  if run.flags.json then
    local map = {}
    for _, org in ipairs(list) do
      map[org.slug] = org.name
    end
    run:json(map)
    return true
  end
  run:table({ "Name", "Slug", "Type" }, tbl.map(list, function(org)
    return { org.name, org.slug, org.type }
  end))
  return true
end

---@async
---@param run sim.flyctl.Run
---@return any done nil when it failed, an exit code when that is not 0
---@return err.Record?
function M.platform_regions(run)
  local reply, e = run.api:rest("GET", "/platform/regions")
  if not reply then
    return nil, e
  end
  local regions = tbl.sort_by(tbl.filter(reply.regions, function(region)
    return region.deprecated ~= true
  end), function(region)
    return region.name
  end)
  if run.flags.json then
    run:json(json.array(regions))
    return true
  end
  run:table({ "NAME", "CODE", "MPG" }, tbl.map(regions, function(region)
    return { region.name, region.code, region.mpg_available == true and "✓" or "" }
  end))
  return true
end

local RELEASES = "query($name: String!) { app(name: $name) {"
  .. " releases: releasesUnprocessed(first: 25) { nodes { " .. shapes.RELEASE_FIELDS
  .. " } } } }"

---@async
---@param run sim.flyctl.Run
---@return any done nil when it failed, an exit code when that is not 0
---@return err.Record?
function M.releases(run)
  local app, e = run:app()
  local data
  if app then
    data, e = run.api:graphql(RELEASES, { name = app })
  end
  if not data then
    return nil, e
  end
  local list = tbl.map(data.app.releases.nodes, shapes.release)
  if run.flags.json then
    run:json(json.array(list))
    return true
  end
  local titles = { "VERSION", "STATUS", "DESCRIPTION", "USER", "DATE" }
  if run.flags.image then
    titles[#titles + 1] = "DOCKER IMAGE"
  end
  run:table(titles, tbl.map(list, function(release)
    return {
      "v" .. release.Version, release.Status, release.Description, release.User.Email,
      run:ago(release.CreatedAt), release.ImageRef,
    }
  end))
  return true
end

local function print_line(run, line)
  local entry = shapes.log_entry(line.attributes)
  if run.flags.json then
    run:json(entry)
    return
  end
  local source, provider = entry.instance, entry.meta.Event.Provider
  if provider ~= "" then
    source = source ~= "" and ("%s[%s]"):format(provider, source) or provider
  end
  run:say("%s %s %s [%s]%s", entry.timestamp, source, entry.region, entry.level,
    (entry.message:gsub("\n", " ")))
end

--- As the real one: asks again at once while there are lines, and with --no-tail
--- ends after the first answer that has any.
---@async
---@param run sim.flyctl.Run
---@return any done nil when it failed, an exit code when that is not 0
---@return err.Record?
function M.logs(run)
  local app, e = run:app()
  if not app then
    return nil, e
  end
  local token = ""
  while true do
    local query = ("/apps/%s/logs?next_token=%s"):format(app, token)
    if run.flags.machine then
      query = query .. "&instance=" .. run.flags.machine
    elseif run.flags.region then
      query = query .. "&region=" .. run.flags.region
    end
    local reply, why = run.api:web_call("GET", query)
    if not reply then
      return nil, why
    end
    for _, line in ipairs(reply.data) do
      print_line(run, line)
    end
    local next_token = reply.meta and reply.meta.next_token
    token = next_token and next_token ~= json.null and tostring(next_token) or token
    if #reply.data == 0 then
      task.sleep(IDLE)
    elseif run.flags["no-tail"] then
      return true
    end
  end
end

return M
