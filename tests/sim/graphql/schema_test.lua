--- Our part of the schema is part of the real one, and all known operations
--- run on it.

local parser = require "sim.graphql.parser"
local schema = require "sim.graphql.schema"
local sdl = require "kit.sdl"
local support = require "sim.support"
local t = require "kit"
local tbl = require "base.tbl"

local FILE = t.shared("fly-schema.graphql")
local MAP = t.shared("service-map.md")

local function text_of(ref)
  return parser.type_text(ref)
end

local function check_inputs(ours, theirs, label)
  for name, input in tbl.sorted(ours) do
    local real = theirs[name]
    t.ok(real, label .. " has no " .. name)
    t.eq(text_of(input.type), text_of(real.type), label .. "." .. name)
  end
  for name, real in tbl.sorted(theirs) do
    local is_required = real.type.kind == "nonnull" and not real.default
    t.ok(ours[name] or not is_required, label .. " lacks the required " .. name)
  end
end

-- Every GraphQL schema has these; a document does not write them down.
local function is_builtin(name)
  return name:sub(1, 2) == "__"
end

local function our_types()
  return tbl.filter(tbl.keys(schema.types), function(name)
    return not is_builtin(name)
  end)
end

local function check_fields(ours, theirs)
  local fields = tbl.copy(ours.fields)
  fields.__schema, fields.__type = nil, nil
  for name, field in tbl.sorted(fields) do
    local real = theirs.fields[name]
    local label = ours.name .. "." .. name
    t.ok(real, label .. " does not exist")
    t.eq(text_of(field.type), text_of(real.type), label)
    check_inputs(field.args, real.args, label)
  end
end

t.test("every type, field and argument of ours is real", function()
  if not FILE then
    t.skip("no fly-schema.graphql beside the repository")
  end
  local real = sdl.read(t.read_file(FILE))
  for _, name in ipairs(our_types()) do
    local ours, theirs = schema.types[name], real.types[name]
    t.ok(theirs, "no type " .. name)
    t.eq(ours.kind, theirs.kind, name)
    if ours.fields then
      check_fields(ours, theirs)
    elseif ours.inputs then
      check_inputs(ours.inputs, theirs.inputs, name)
    elseif ours.values then
      t.eq(ours.values, theirs.values, name)
    end
    for _, interface in ipairs(ours.implements or {}) do
      t.ok(tbl.contains(theirs.implements, interface), name)
    end
  end
  t.eq(real.roots, { query = "Queries", mutation = "Mutations" })
end)

t.test("inputs are modelled whole", function()
  if not FILE then
    t.skip("no fly-schema.graphql beside the repository")
  end
  local real = sdl.read(t.read_file(FILE))
  for _, name in ipairs(our_types()) do
    local ours = schema.types[name]
    for input in tbl.sorted(ours.inputs and real.types[name].inputs or {}) do
      t.ok(ours.inputs[input], name .. " lacks " .. input)
    end
  end
end)

-- What the operations of the map are run with, in the order they stand there.
local function variables_for(sim)
  local org = sim:graphql('{ organization(slug: "acme") { id } }')
    .organization.id
  local token = sim.world:list("token", nil)[2].id
  local pubkey = "c2ltdWxhdG9yLXBlZXItcHVibGljLWtleS0tLS0tLTE="
  return {
    GetOrg = { slug = "acme" }, OrgMembers = { slug = "acme" },
    ListApps = { org = org }, GetApp = { name = "my-app" },
    Releases = { name = "my-app" }, CurrentRelease = { name = "my-app" },
    ListAddOns = { type = "upstash_redis" }, ListOrgAddOns = { slug = "acme" },
    GetAddOn = { name = "acme-cache", provider = "upstash_redis" },
    AddOnPlans = { type = "upstash_redis" }, AddOnProvider = { name = "tigris" },
    AgreedToTos = { provider = "tigris" },
    OrgAgreedToTos = { slug = "acme", provider = "tigris" },
    AgreeToTos = { provider = "tigris" },
    CreateAddOn = { input = {
      type = "tigris", organizationId = org, name = "bucket-1",
      options = { public = false, website = { domain_name = "" } },
    } },
    DeleteAddOn = { name = "acme-cache", provider = "upstash_redis" },
    AppTokens = { app = "my-app" }, OrgTokens = { slug = "acme" },
    RevokeToken = { id = token },
    CreateToken = { name = "t", org = org, profile = "deploy_organization",
      expiry = "24h" },
    DeleteLegacyToken = { id = sim.world:list("token", nil)[1].id },
    WireGuardPeers = { slug = "personal" },
    AddWireGuardPeer = { input = {
      organizationId = org, name = "peer-2", pubkey = pubkey, region = "iad",
    } },
    RemoveWireGuardPeer = { org = org, name = "peer-2" },
    PostgresAttachments = { pg = "pg-app" },
    AttachPostgres = { input = {
      appId = "my-app", postgresClusterAppId = "pg-app",
    } },
    DetachPostgres = { input = {
      appId = "my-app", postgresClusterAppId = "pg-app",
    } },
    ListIPs = { name = "my-app" },
    AllocateIP = { input = { appId = "my-app", type = "v6" } },
    ReleaseIP = { app = "my-app", ip = "2001:db8:1::1:1" },
    RestartAppLegacy = { app = "my-app" },
  }
end

t.test("every operation of the service map runs", function()
  if not MAP then
    t.skip("no service-map.md beside the repository")
  end
  local demo = tbl.copy(require "sim.seeds.demo")
  demo.apps = tbl.flatten { demo.apps, {
    { name = "pg-app", org = "personal", role = "postgres_cluster" },
  } }
  local sim = support.account(demo)
  local variables, count, last = variables_for(sim), 0, nil
  for text in t.read_file(MAP):gmatch("```graphql\n(.-)```") do
    local name = text:match("^%a+ (%w+)")
    if name == "DeleteLegacyToken" then
      last = text -- it takes the token away that the others need
    else
      local data, errors = sim:graphql(text, variables[name])
      t.eq(errors, nil, name)
      t.ok(data, name)
    end
    count = count + 1
  end
  local _, errors = sim:graphql(last, variables.DeleteLegacyToken)
  t.eq(errors, nil)
  t.eq(count, 36)
end)
