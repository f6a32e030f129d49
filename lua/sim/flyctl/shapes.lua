--- What flyctl writes as JSON where it does not pass the API's own objects on: its
--- own structures, whose members have Go's names.
--- Pure.

local json = require "base.json"
local tbl = require "base.tbl"

local M = {}

-- Go's zero values: a time, and what is not there.
local NO_TIME = "0001-01-01T00:00:00Z"

local function text(value)
  return type(value) == "string" and value or ""
end

-- A value that may be null, as fn makes it.
local function optional(value, fn)
  if type(value) ~= "table" then
    return json.null
  end
  return fn(value)
end

--- The fields that an app is asked for.
M.APP_FIELDS = [[
  id name status deployed hostname appUrl platformVersion network
  organization { id name slug rawSlug }
  currentRelease: currentReleaseUnprocessed { id version status createdAt }
]]

---@param org table
---@return table
function M.organization(org)
  return {
    ID = text(org.id), InternalNumericID = "", Name = text(org.name), Slug = text(org.slug),
    RawSlug = text(org.rawSlug), PaidPlan = false,
  }
end

-- Only what was asked for is in it.
local function short_release(release)
  return {
    ID = text(release.id), Version = release.version, Status = text(release.status),
    CreatedAt = text(release.createdAt),
  }
end

---@param app table of GraphQL
---@return table
function M.app(app)
  return {
    ID = text(app.id), InternalNumericID = 0, Name = app.name, State = "",
    Status = text(app.status), Deployed = app.deployed == true, Hostname = text(app.hostname),
    AppURL = text(app.appUrl), Version = 0, Network = text(app.network),
    PlatformVersion = text(app.platformVersion), Release = json.null, Secrets = json.null,
    Organization = M.organization(app.organization),
    CurrentRelease = optional(app.currentRelease, short_release),
  }
end

--- What `status --json` gives.
---@param app table of GraphQL
---@param machines table[]
---@return table
function M.app_status(app, machines)
  local shaped = M.app(app)
  local release = shaped.CurrentRelease
  local network = shaped.Network
  return {
    ID = shaped.ID, Name = shaped.Name, Deployed = shaped.Deployed, Status = shaped.Status,
    Hostname = shaped.Hostname, AppURL = shaped.AppURL, Organization = shaped.Organization,
    PlatformVersion = shaped.PlatformVersion, Machines = json.array(machines),
    Network = network ~= "" and network or nil,
    Version = release ~= json.null and release.Version or 0,
  }
end

--- The fields that a release is asked for.
M.RELEASE_FIELDS = [[
  id version stable inProgress reason description status deploymentStrategy evaluationId
  createdAt imageRef user { id email name }
]]

---@param release table of GraphQL
---@return table
function M.release(release)
  local user = type(release.user) == "table" and release.user or {}
  return {
    ID = text(release.id), Version = release.version, Stable = release.stable == true,
    InProgress = release.inProgress == true, Reason = text(release.reason),
    Description = text(release.description), Status = text(release.status),
    DeploymentStrategy = text(release.deploymentStrategy), Metadata = json.null,
    EvaluationID = text(release.evaluationId), CreatedAt = text(release.createdAt),
    ImageRef = text(release.imageRef),
    User = { ID = text(user.id), Name = text(user.name), Email = text(user.email) },
  }
end

--- The fields of an app's addresses.
M.ADDRESS_FIELDS = [[
  sharedIpAddress
  ipAddresses { nodes {
    id address type region createdAt serviceName network { name organization { slug } }
  } }
  egressIpAddresses { nodes { id ip region updatedAt version } }
]]

local function address(ip)
  return {
    ID = text(ip.id), Address = ip.address, Type = ip.type, Region = text(ip.region),
    CreatedAt = ip.createdAt or NO_TIME, ServiceName = text(ip.serviceName),
    Network = optional(ip.network, function(network)
      return {
        Name = text(network.name),
        Organization = optional(network.organization, function(org)
          return { Slug = text(org.slug) }
        end),
      }
    end),
  }
end

--- All addresses of an app: its own, the shared one, those it leaves by.
---@param app table of GraphQL
---@return table[]
function M.addresses(app)
  local list = tbl.map(app.ipAddresses.nodes, address)
  if text(app.sharedIpAddress) ~= "" then
    list[#list + 1] = address({ address = app.sharedIpAddress, type = "shared_v4" })
  end
  for _, ip in ipairs(app.egressIpAddresses.nodes) do
    list[#list + 1] = address({
      id = ip.id, address = ip.ip, type = "egress_v" .. ip.version, region = ip.region,
      createdAt = ip.updatedAt,
    })
  end
  return list
end

--- A line of a log.
---@param it table the attributes of the web API
---@return table
function M.log_entry(it)
  local meta = type(it.meta) == "table" and it.meta or {}
  local function at(path, none)
    local value = tbl.get(meta, path)
    return type(value) == type(none) and value or none
  end
  return {
    level = text(it.level), instance = text(it.instance), message = text(it.message),
    region = text(it.region), timestamp = text(it.timestamp),
    meta = {
      Instance = at("instance", ""), Region = at("region", ""),
      Event = { Provider = at("event.provider", "") },
      HTTP = {
        Request = {
          ID = at("http.request.id", ""), Method = at("http.request.method", ""),
          Version = at("http.request.version", ""),
        },
        Response = { status_code = at("http.response.status_code", 0) },
      },
      Error = { Code = at("error.code", 0), Message = at("error.message", "") },
      URL = { Full = at("url.full", "") },
    },
  }
end

return M
