--- Fills an account from a description.
--- Pure: a description is a table, from Lua or from a JSON file of this shape
--- (sim.seed_shape; every field optional unless marked with *):
---
---     {"token": "fo1_sim…", "seed": 1, "pace": 1, "chatter": 5,
---      "users":   [{"id"*, "email"*, "name"}],
---      "orgs":    [{"slug"*, "raw_slug", "name", "type": "PERSONAL"|"SHARED",
---                   "members": [{"user"*, "role"}], "max_machines": 9}],
---      "apps":    [{"name"*, "org"*, "age": seconds, "network", "role",
---                   "volumes":  [{"name"*, "region"*, "size_gb", "used_bytes",
---                                 "age", "encrypted", "id"}],
---                   "machines": [{"name", "region"*, "state", "config"*,
---                                 "age", "id", "cordoned", "host_status"}],
---                   "ips":      [{"type"*, "address", "region", "age"}],
---                   "secrets":  {"NAME": "value"},
---                   "certs":    [{"hostname"*, "checked": true, "age"}],
---                   "releases": [{"image_ref"*, "status", "age", …}],
---                   "logs":     [{"machine": 1, "message"*, "level", "age"}]}],
---      "addons":  [{"type"*, "name"*, "org"*, "region", "app", "plan"}],
---      "postgres": [{"name"*, "org"*, "region"*, "plan"*, "disk_gb", "age"}],
---      "peers":   [{"org"*, "name"*, "region", "pubkey"*}],
---      "tokens":  [{"secret", "name"*, "profile"*, "org", "app", "readonly"}],
---      "full_regions": ["bog"], "foreign_apps": ["taken"]}
---
--- `age` is how many seconds ago something was made. A mount of a machine names
--- a volume of its app by `name`; `state` is where the machine rests. Changes
--- take `pace` times as long as usual. A log line's `machine` counts from 1.
--- With `chatter` every running machine logs a line in so many seconds.

local tbl = require "base.tbl"

local addons = require "sim.addons"
local apps = require "sim.apps"
local certs = require "sim.certs"
local ips = require "sim.ips"
local logs = require "sim.logs"
local machines = require "sim.machine"
local peers = require "sim.peers"
local postgres = require "sim.postgres"
local providers = require "sim.providers"
local releases = require "sim.releases"
local secrets = require "sim.secrets"
local states = require "sim.machine.states"
local tokens = require "sim.tokens"
local volumes = require "sim.volumes"

local M = {}

-- Runs `fn` as if `age` seconds ago.
local function ago(world, age, fn)
  local before = world.moment
  world.moment = world:now() - (age or 0)
  local result = fn()
  world.moment = before
  return result
end

-- A description is wrong: said in a way that its reader can tell apart.
local function refuse(text, ...)
  error("seed: " .. text:format(...), 0)
end

-- Two things of one name cannot be.
local function claim(world, kind, id)
  if id and world:get(kind, id) then
    refuse("there are two of %s %q", kind, id)
  end
end

local function add_user(world, spec)
  claim(world, "user", spec.id)
  return world:add("user", {
    id = spec.id, email = spec.email, name = spec.name or spec.email,
    node_id = world.ids:alnum(20), created_at = world:now() - 400 * 86400,
  })
end

local function check_members(world, spec)
  for _, member in ipairs(spec.members or {}) do
    if not world:get("user", member.user) then
      refuse("organization %s: there is no user %q", spec.slug, member.user)
    end
  end
end

local function add_org(world, spec, position)
  local is_personal = spec.type == "PERSONAL"
  claim(world, "org", spec.raw_slug or spec.slug)
  check_members(world, spec)
  return world:add("org", {
    id = spec.raw_slug or spec.slug,
    slug = is_personal and "personal" or spec.slug,
    name = spec.name or spec.slug, type = spec.type or "SHARED",
    node_id = world.ids:alnum(26), paid_plan = not is_personal,
    internal_numeric_id = 100000 + position, network = 0x1000 + position,
    max_machines = spec.max_machines,
    members = tbl.map(spec.members or {}, function(member)
      return { user = member.user, role = member.role or "ADMIN" }
    end),
    created_at = world:now() - 300 * 86400,
  })
end

local function add_volume(world, app, spec)
  claim(world, "volume", spec.id)
  return ago(world, spec.age, function()
    return volumes.add(world, app, {
      id = spec.id, name = spec.name, region = spec.region,
      size_gb = spec.size_gb or 3, used_bytes = spec.used_bytes or 0,
      encrypted = spec.encrypted ~= false,
    })
  end)
end

-- The events that a machine in this state has behind it, seconds apart.
local function write_history(world, machine, state)
  local created = world:now()
  local function at(seconds, status, kind, source)
    world.moment = created + seconds
    machine.state = status
    states.record(world, machine, kind, source)
  end
  at(0, "created", "launch", "user")
  at(1, "starting", "start", "flyd")
  at(2, "started", "start", "flyd")
  if state == "suspended" then
    at(3600, state, "suspend", "flyd")
  elseif state ~= "started" then
    at(3600, state, "exit", "flyd")
  end
  machine.updated_at = world:now()
end

local function add_machine(world, app, spec)
  claim(world, "machine", spec.id)
  return ago(world, spec.age, function()
    local machine = machines.new(world, app, {
      id = spec.id, name = spec.name, region = spec.region,
    })
    local ok, wrong = machines.seed_config(world, machine, spec.config)
    if not ok then
      refuse("machine in %s: %s", app.id, wrong.message)
    end
    if spec.state ~= "created" then
      write_history(world, machine, spec.state or "started")
    end
    machine.secrets_version = app.secrets_version
    machine.cordoned = spec.cordoned
    machine.host_status = spec.host_status
    return machine
  end)
end

local function add_releases(world, app, list, user)
  for _, spec in ipairs(list) do
    ago(world, spec.age, function()
      releases.add(world, app, tbl.merge({ user = user }, spec))
    end)
  end
end

local function add_certs(world, app, list)
  for _, spec in ipairs(list) do
    local ok, wrong = certs.check(world, spec.hostname)
    if not ok then
      refuse("certificate of %s: %s", app.id, wrong.message)
    end
    ago(world, spec.age, function()
      local cert = certs.add(world, app, spec.hostname)
      cert.is_acme = true
      if spec.checked ~= false then
        certs.check_dns(world, cert)
      end
    end)
  end
end

-- Lines come oldest first, whatever order they are given in.
local function add_logs(world, app, app_machines, list)
  local sorted = tbl.sort_by(list, function(line)
    return -(line.age or 0)
  end)
  for i, spec in ipairs(sorted) do
    local at = world:now() - (spec.age or 0)
    local machine = app_machines[spec.machine or 1]
    if not machine then
      refuse("a log line of %s: there is no machine %d", app.id,
        spec.machine or 1)
    end
    logs.add(world, machine, "app", spec.message, {
      level = spec.level, ns = math.floor(at * 1000) * 1000000 + i,
    })
  end
end

-- Secrets are as old as their app.
local function add_secrets(world, app, values)
  for name, value in tbl.sorted(values) do
    secrets.set(world, app, name, value)
  end
  if next(values) then
    secrets.bump(world, app)
  end
end

local function fill_app(world, app, spec, user)
  ago(world, spec.age, function()
    add_secrets(world, app, spec.secrets or {})
  end)
  for _, volume in ipairs(spec.volumes or {}) do
    add_volume(world, app, volume)
  end
  local made = tbl.map(spec.machines or {}, function(machine)
    return add_machine(world, app, machine)
  end)
  for _, ip in ipairs(spec.ips or {}) do
    ago(world, ip.age, function()
      ips.add(world, app, ip)
    end)
  end
  add_certs(world, app, spec.certs or {})
  add_releases(world, app, spec.releases or {}, user)
  add_logs(world, app, made, spec.logs or {})
end

local function find_org(world, slug)
  for _, org in ipairs(world:list("org")) do
    if org.slug == slug or org.id == slug then
      return org
    end
  end
  refuse("there is no organization %q", slug)
end

local function add_app(world, spec, user)
  claim(world, "app", spec.name)
  local app = ago(world, spec.age, function()
    return apps.add(world, find_org(world, spec.org), {
      name = spec.name, network = spec.network, role = spec.role,
    })
  end)
  fill_app(world, app, spec, user)
end

local function add_token(world, spec, user)
  if spec.app and not world:get("app", spec.app) then
    refuse("token %s: there is no app %q", spec.name, spec.app)
  end
  if spec.user and not world:get("user", spec.user) then
    refuse("token %s: there is no user %q", spec.name, spec.user)
  end
  local org = spec.org and find_org(world, spec.org)
  tokens.add(world, {
    kind = org and "macaroon" or "user", secret = spec.secret,
    name = spec.name, profile = spec.profile or "user",
    user = spec.user or user, org = org and org.id, app = spec.app,
    is_readonly = spec.readonly,
  })
end

local function check_addon(world, addon)
  if not providers.get(addon.type) then
    refuse("add-on %s: there is no type %q", addon.name, addon.type)
  elseif addon.plan and not providers.plan(addon.plan) then
    refuse("add-on %s: there is no plan %q", addon.name, addon.plan)
  elseif addon.app and not world:get("app", addon.app) then
    refuse("add-on %s: there is no app %q", addon.name, addon.app)
  end
end

local function add_peer(world, spec)
  local org = find_org(world, spec.org)
  if peers.get(world, org, spec.name) then
    refuse("organization %s: there are two of peer %q", spec.org, spec.name)
  end
  peers.add(world, org, spec)
end

local function add_rest(world, spec, user)
  for _, addon in ipairs(spec.addons or {}) do
    check_addon(world, addon)
    ago(world, addon.age, function()
      addons.add(world, find_org(world, addon.org), addon)
    end)
  end
  for _, cluster in ipairs(spec.postgres or {}) do
    if not postgres.PLANS[cluster.plan:lower()] then
      refuse("cluster %s: there is no plan %q", cluster.name, cluster.plan)
    end
    ago(world, cluster.age, function()
      postgres.add(world, find_org(world, cluster.org), cluster)
    end)
  end
  for _, peer in ipairs(spec.peers or {}) do
    add_peer(world, peer)
  end
  for _, token in ipairs(spec.tokens or {}) do
    add_token(world, token, user)
  end
end

local function set_of(list)
  local set = {}
  for _, name in ipairs(list or {}) do
    set[name] = true
  end
  return set
end

local SELF = { id = "user_sim", email = "sim@example.com", name = "Sim User" }

--- Fills a world. Raises a message when the description contradicts itself.
---@param world sim.World
---@param spec table
---@param token string? in place of the description's own
---@return string token of the account's user
function M.fill(world, spec, token)
  world.meta.pace = spec.pace
  world.meta.full_regions = set_of(spec.full_regions)
  world.meta.foreign = set_of(spec.foreign_apps)
  local users = spec.users or { SELF }
  for _, user in ipairs(users) do
    add_user(world, user)
  end
  local owner = users[1].id
  for position, org in ipairs(spec.orgs or {}) do
    add_org(world, org, position)
  end
  token = token or spec.token or "fo1_sim" .. world.ids:alnum(36)
  add_token(world, { secret = token, name = "simulator", profile = "user" },
    owner)
  for _, app in ipairs(spec.apps or {}) do
    add_app(world, app, owner)
  end
  add_rest(world, spec, owner)
  if spec.chatter then
    logs.start_chatter(world, spec.chatter)
  end
  world.meta.token = token
  return token
end

return M
