--- Types of apps, releases, secrets and certificates.
--- Declarations.

local tbl = require "base.tbl"

local apps = require "sim.apps"
local certs = require "sim.certs"
local find = require "sim.graphql.schema.find"
local ips = require "sim.ips"
local json = require "base.json"
local regions = require "sim.regions"
local releases = require "sim.releases"
local types = require "sim.graphql.types"

local always, member, paged = types.always, types.member, types.paged

-- A release in both its forms; the real schema has two types for it.
local function release_fields()
  return {
    id = "ID!", version = "Int!", status = "String!", stable = "Boolean!",
    reason = "String!", description = "String!",
    imageRef = { "String", get = member("image_ref") },
    createdAt = { "ISO8601DateTime!", get = member("created_at") },
    updatedAt = { "ISO8601DateTime!", get = member("updated_at") },
    deploymentStrategy = { "DeploymentStrategy!", get = member("strategy") },
    evaluationId = { "String", get = always(nil) },
    inProgress = {
      "Boolean!",
      get = function(_, release)
        return releases.in_progress(release)
      end,
    },
    revertedTo = { "Int", get = always(nil) },
    user = {
      "User",
      get = function(ctx, release)
        return ctx.world:get("user", release.user)
      end,
    },
  }
end

local function declare_releases(schema)
  schema:enum("DeploymentStrategy", {
    "BLUEGREEN", "CANARY", "IMMEDIATE", "ROLLING", "ROLLING_ONE", "SIMPLE",
  })
  local unprocessed = release_fields()
  unprocessed.configDefinition = { "JSON", get = member("definition") }
  local processed = release_fields()
  processed.metadata = { "JSON", get = always(json.null) }
  schema:object("ReleaseUnprocessed", unprocessed)
  schema:connection("ReleaseUnprocessed")
  schema:object("Release", processed)
  schema:connection("Release")
end

local function declare_certificates(schema)
  local function flag(get)
    return { "Boolean!", get = get or member("is_configured") }
  end
  schema:object("Certificate", {
    id = "ID!", hostname = "String!", type = "String!",
    expiresAt = { "ISO8601DateTime!", get = member("expires_at") },
  })
  schema:connection("Certificate")
  schema:object("AppCertificate", {
    id = { "ID!", get = member("node_id") },
    hostname = "String!",
    createdAt = { "ISO8601DateTime", get = member("created_at") },
    certificateRequestedAt = {
      "ISO8601DateTime", get = member("created_at"),
    },
    certificateAuthority = {
      "String",
      get = function(_, cert)
        return cert.issued_at and "lets_encrypt" or nil
      end,
    },
    clientStatus = {
      "String!",
      get = function(_, cert)
        return certs.status(cert) == "active" and "Ready"
          or "Awaiting configuration"
      end,
    },
    configured = flag(), isConfigured = flag(),
    acmeAlpnConfigured = flag(), isAcmeAlpnConfigured = flag(),
    acmeDnsConfigured = flag(), isAcmeDnsConfigured = flag(),
    isAcmeHttpConfigured = flag(),
    check = flag(),
    isApex = flag(function(_, cert)
      local _, dots = cert.hostname:gsub("%.", "")
      return dots == 1
    end),
    isWildcard = flag(function(_, cert)
      return cert.hostname:sub(1, 2) == "*."
    end),
    dnsProvider = { "String", get = always("example") },
    domain = {
      "String",
      get = function(_, cert)
        return cert.hostname:match("([^.]+%.[^.]+)$")
      end,
    },
    dnsValidationHostname = {
      "String!",
      get = function(_, cert)
        return "_acme-challenge." .. cert.hostname
      end,
    },
    dnsValidationInstructions = {
      "String!",
      get = function(_, cert)
        return ("CNAME _acme-challenge.%s => %s.flydns.net."):format(
          cert.hostname, cert.hostname)
      end,
    },
    dnsValidationTarget = {
      "String!",
      get = function(_, cert)
        return cert.hostname .. ".flydns.net"
      end,
    },
    source = {
      "String",
      get = function(_, cert)
        return cert.is_custom and "custom" or "fly"
      end,
    },
    issued = paged("CertificateConnection!", function(_, cert)
      if not cert.issued_at then
        return {}
      end
      return tbl.map({ "ecdsa", "rsa" }, function(kind)
        return {
          id = cert.node_id .. kind, hostname = cert.hostname, type = kind,
          expires_at = cert.issued_at + 90 * 86400,
        }
      end)
    end, { includeExpired = "Boolean" }),
  })
  schema:connection("AppCertificate")
end

local function declare_small(schema)
  schema:enum("PlatformVersionEnum", { "detached", "machines", "nomad" })
  schema:enum("AppState", { "DEPLOYED", "PENDING", "SUSPENDED" })
  schema:enum("RuntimeType", { "FIRECRACKER", "NODEPROXY" })
  schema:interface("AppRole", { name = "String!" }, function(role)
    if role.name == "postgres_cluster" then
      return "PostgresClusterAppRole"
    end
    return "EmptyAppRole"
  end)
  schema:object("EmptyAppRole", { name = "String!" }, { "AppRole" })
  schema:object("PostgresClusterAppRole", { name = "String!" },
    { "AppRole" })
  schema:object("Secret", {
    id = "ID!", name = "String!", digest = "String!",
    createdAt = { "ISO8601DateTime!", get = member("created_at") },
  })
end

local function hostname(_, app)
  return app.id .. ".fly.dev"
end

local function list_of(kind, keep)
  return function(ctx, app)
    local list = ctx.world:list(kind, app.id)
    return keep and tbl.filter(list, keep) or list
  end
end

local function newest_releases(ctx, app)
  return releases.newest_first(ctx.world, app)
end

local function current_release(ctx, app)
  return releases.current(ctx.world, app)
end

local function shared_address(ctx, app)
  local ip = tbl.find(ctx.world:list("ip", app.id), function(one)
    return one.type == "shared_v4"
  end)
  return ip and ip.address
end

local function regions_of(ctx, app)
  local seen, out = {}, {}
  for _, machine in ipairs(apps.live_machines(ctx.world, app)) do
    if not seen[machine.region] then
      seen[machine.region] = true
      out[#out + 1] = regions.get(machine.region)
    end
  end
  return out
end

local function releases_with(ctx, app, args)
  local status = find.arg(args, "status")
  return tbl.filter(newest_releases(ctx, app), function(release)
    return not status or release.status == status
  end)
end

local function one_release(ctx, app, args)
  return (tbl.find(ctx.world:list("release", app.id), function(release)
    return release.id == find.arg(args, "id")
      or release.version == find.arg(args, "version")
  end))
end

local function app_machines(ctx, app)
  return apps.live_machines(ctx.world, app)
end

local APP = {
  id = "ID!",
  name = { "String!", get = member("id") },
  internalId = { "String!", get = member("hash") },
  key = { "String!", get = member("id") },
  internalNumericId = { "Int!", get = member("internal_numeric_id") },
  hostname = { "String", get = hostname },
  appUrl = {
    "String",
    get = function(_, app)
      return "https://" .. app.id .. ".fly.dev"
    end,
  },
  cnameTarget = { "String", get = hostname },
  createdAt = { "ISO8601DateTime!", get = member("created_at") },
  deployed = {
    "Boolean!",
    get = function(ctx, app)
      return apps.status(ctx.world, app) ~= "pending"
    end,
  },
  status = {
    "String!",
    get = function(ctx, app)
      return apps.status(ctx.world, app)
    end,
  },
  state = {
    "AppState!",
    get = function(ctx, app)
      return apps.status(ctx.world, app):upper()
    end,
  },
  network = "String",
  organization = {
    "Organization!",
    get = function(ctx, app)
      return ctx.world:get("org", app.owner)
    end,
  },
  platformVersion = { "PlatformVersionEnum", get = always("machines") },
  role = {
    "AppRole",
    get = function(_, app)
      return { name = app.role or "" }
    end,
  },
  runtime = { "RuntimeType!", get = always("FIRECRACKER") },
  version = {
    "Int!",
    get = function(ctx, app)
      local release = current_release(ctx, app)
      return release and release.version or 0
    end,
  },
  sharedIpAddress = { "String", get = shared_address },
  regions = { "[Region!]!", get = regions_of },
  backupRegions = { "[Region!]!", get = always({}) },
  hasDeploymentSource = { "Boolean!", get = always(false) },
  imageVersionTrackingEnabled = { "Boolean!", get = always(false) },
  currentRelease = { "Release", get = current_release },
  currentReleaseUnprocessed = {
    "ReleaseUnprocessed", get = current_release,
  },
  release = {
    "Release", args = { id = "ID", version = "Int" }, get = one_release,
  },
  releases = paged("ReleaseConnection!", newest_releases),
  releasesUnprocessed = paged("ReleaseUnprocessedConnection!",
    releases_with, { status = "String" }),
  secrets = { "[Secret!]!", get = list_of("secret") },
  certificate = {
    "AppCertificate", args = { hostname = "String!" },
    get = function(ctx, app, args)
      return certs.get(ctx.world, app, args.hostname)
    end,
  },
  certificates = paged("AppCertificateConnection!", list_of("cert"),
    { filter = "String", id = "String" }),
  ipAddress = {
    "IPAddress", args = { address = "String!" },
    get = function(ctx, app, args)
      return ips.get(ctx.world, app, args.address)
    end,
  },
  -- A shared address is told apart from the app's own ones.
  ipAddresses = paged("IPAddressConnection!", list_of("ip", function(ip)
    return not ips.is_egress(ip) and ip.type ~= "shared_v4"
  end)),
  egressIpAddresses = paged("EgressIPAddressConnection!",
    list_of("ip", ips.is_egress)),
  limitedAccessTokens = paged("LimitedAccessTokenConnection!",
    function(ctx, app)
      return tbl.filter(ctx.world:list("token"), function(token)
        return token.app == app.id
      end)
    end),
  addOns = paged("AddOnConnection!", function(ctx, app, args)
    local wanted = find.arg(args, "type")
    return tbl.filter(ctx.world:list("addon", app.owner), function(addon)
      return addon.app == app.id and (not wanted or addon.type == wanted)
    end)
  end, { type = "AddOnType" }),
  machine = {
    "Machine", args = { id = "String!" },
    get = function(ctx, app, args)
      local machine = ctx.world:get("machine", args.id)
      return machine and machine.owner == app.id and machine or nil
    end,
  },
  machines = paged("MachineConnection!", app_machines,
    { active = "Boolean", version = "Int" }),
  volumes = paged("VolumeConnection!", list_of("volume")),
}

---@param schema graphql.Schema
return function(schema)
  declare_small(schema)
  declare_releases(schema)
  declare_certificates(schema)
  schema:object("App", APP)
  schema:connection("App")
end
