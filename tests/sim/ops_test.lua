--- Every operation that is one request runs here, and its result is what the
--- operation declares.

local collect = require "fly.collect"
local json = require "base.json"
local opkit = require "opkit"
local ops = require "ops"
local schema = require "base.schema"
local str = require "base.str"
local support = require "sim.support"
local t = require "kit"
local tbl = require "base.tbl"

-- What a required parameter is given: by its type, then by its name.
local function arguments_for(sim)
  local machine = sim:machine("my-app", "started")
  local by_type = {
    app = "my-app", org = "acme", machine = machine.id,
    volume = sim:get("/v1/apps/my-app/volumes")[2].id,
    cluster = sim:get("/v1/postgres?org_slug=acme").data[1].id,
    own_cluster = "acme-api",
    hostname = "www.example.com", region = "iad", duration = "10s",
  }
  local by_name = {
    address = "2001:db8:1::1:1", ip = "2001:db8:1::1:1", provider = "tigris",
    name = "made_here", image = "example.com/a", size_gb = 20, key = "role",
    command = { "true" }, values = { A = "1" }, signal = "SIGTERM",
    config = machine.config, value = "web", plan = "basic", secret = "A",
    pubkey = "c2ltdWxhdG9yLXBlZXItcHVibGljLWtleS0tLS0tLTE=", state = "started",
    profile = "deploy_organization", expiry = "24h",
  }
  return function(param)
    local value = by_type[param.type]
    if value == nil then
      value = by_name[param.name]
    end
    if value == nil and param.values then
      value = param.values[1]
    end
    return value
  end
end

-- The node id of an organization.
local function node_of(sim, slug)
  return sim:graphql("query($s: String!) { organization(slug: $s) { id } }",
    { s = slug }).organization.id
end

-- Arguments that the rule above cannot know, by operation.
local SPECIAL = {
  ["apps.create_once"] = { name = "made-here" },
  ["certs.add_once"] = { hostname = "new.example.com" },
  ["extensions.create_once"] = function(sim)
    return { type = "upstash_redis", node = node_of(sim, "acme"), region = "iad",
      name = "made-here" }
  end,
  ["extensions.destroy_once"] = { name = "acme-cache", provider = "upstash_redis" },
  ["extensions.get_once"] = { name = "acme-cache", provider = "upstash_redis" },
  ["extensions.provider"] = { name = "tigris" },
  ["machines.create_once"] = { config = { image = "example.com/a" } },
  ["machines.destroy_once"] = { force = true },
  ["postgres.forget_attachment"] = function(sim)
    sim.world:get("app", "acme-api").role = "postgres_cluster"
    sim:graphql([[mutation { attachPostgresCluster(input: {
      appId: "my-app", postgresClusterAppId: "acme-api"
    }) { environmentVariableName } }]])
    return { app = "my-app", cluster = "acme-api", attachment = sim:graphql([[query {
      postgresAttachments(postgresAppName: "acme-api") { nodes { id } }
    }]]).postgresAttachments.nodes[1].id }
  end,
  ["secrets.unset"] = { names = { "OLD_KEY" } },
  ["tokens.create_once"] = function(sim)
    return { node = node_of(sim, "acme") }
  end,
  ["tokens.revoke"] = function(sim)
    return { id = sim:graphql([[query {
      organization(slug: "acme") { limitedAccessTokens { nodes { id } } }
    }]]).organization.limitedAccessTokens.nodes[1].id }
  end,
  ["wireguard.create_once"] = function(sim)
    return { node = node_of(sim, "acme"), name = "made-here" }
  end,
  ["wireguard.remove_once"] = function(sim)
    return { node = node_of(sim, "personal"), name = "laptop" }
  end,
}

local function arguments(op, sim)
  local find, args = arguments_for(sim), {}
  for _, param in ipairs(op.params) do
    if param.required then
      args[param.name] = find(param)
    end
  end
  local special = SPECIAL[op.id] or {}
  if type(special) == "function" then
    special = special(sim)
  end
  for name, value in pairs(special) do
    args[name] = value
  end
  return t.ok(opkit.check(op, args))
end

local function query_text(query)
  local parts = {}
  for _, pair in ipairs(query) do
    parts[#parts + 1] = pair[1] .. "=" .. str.url_escape(pair[2])
  end
  return #parts > 0 and "?" .. table.concat(parts, "&") or ""
end

-- A lease is held all the while, for the operations that ask for one.
local function lease_of(op, args, sim)
  if not (op.lease or op.id == "leases.get") then
    return nil
  end
  local path = ("/v1/apps/%s/machines/%s/lease"):format(args.app, args.id)
  local nonce = sim:expect(201, "POST", path).data.nonce
  return { ["fly-machine-lease-nonce"] = nonce }
end

local function run_http(op, args, sim)
  local request = opkit.http(op, args)
  local status, body = sim:call(request.method,
    request.path .. query_text(request.query), request.body,
    lease_of(op, args, sim))
  t.ok(status < 300, ("%s: status %d: %s"):format(op.id, status,
    json.encode(body or json.null)))
  return body
end

local function run_gql(op, args, sim)
  local made = opkit.gql(op, args)
  local data, errors = sim:graphql(made.text, made.variables)
  t.eq(errors, nil, op.id)
  return data
end

-- The part of a reply that is the result; a missing list is an empty one.
local function result_of(op, body)
  local path = op.items or op.item
  local value = path and tbl.get(body, path) or body
  if op.items and (value == nil or value == json.null) then
    return json.array()
  end
  return collect.drop_nulls(value)
end

-- What sends secrets runs over real HTTP, in tests/ops: bytes of a secret never
-- become a text here.
local function sends_secrets(op)
  return tbl.find(op.params, function(param)
    return param.type == "secret"
  end) ~= nil
end

local ROWS = tbl.filter(ops.all({ hidden = true }), function(op)
  return (op.http ~= nil or op.gql ~= nil) and not sends_secrets(op)
end)

for _, op in ipairs(ROWS) do
  t.test("result of " .. op.id, function()
    local sim = support.account()
    local args = arguments(op, sim)
    local body = (op.http and run_http or run_gql)(op, args, sim)
    local shape = opkit.returns(op)
    if shape and (body ~= nil or op.effect == "read") then
      local value = body == json.null and json.array() or body
      t.ok(schema.validate(result_of(op, value), shape))
    end
  end)
end

t.test("there were operations to run", function()
  t.ok(#ROWS > 30)
end)
