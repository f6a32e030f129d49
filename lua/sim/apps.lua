--- Apps: creating, destroying, and what they look like.
--- Pure.

local json = require "base.json"
local tbl = require "base.tbl"

local machines = require "sim.machine"
local problem = require "sim.problem"
local request = require "sim.request"
local states = require "sim.machine.states"

local M = {}

-- Seconds between the answer of a destroy and the app being gone.
local DESTROY_TIME = 0.3

---@class sim.App: sim.Record
---@field owner string raw slug of its organization
---@field hash string the id REST answers
---@field internal_numeric_id integer
---@field network string
---@field created_at number
---@field role string? e.g. postgres_cluster
---@field secrets_version integer?
---@field is_going boolean? being destroyed

-- What is kept per app and goes with it.
M.BELONGINGS = {
  "machine", "volume", "snapshot", "ip", "cert", "secret", "secretkey",
  "release", "log", "attachment",
}

---@param world sim.World
---@param app table a record
---@return sim.Machine[]
function M.live_machines(world, app)
  return tbl.filter(world:list("machine", app.id), machines.is_live)
end

--- pending (never had a machine or release), deployed or suspended.
---@param world sim.World
---@param app table a record
---@param live sim.Machine[]? the app's live machines, where known
---@return string
function M.status(world, app, live)
  live = live or M.live_machines(world, app)
  if #live == 0 and #world:list("release", app.id) == 0 then
    return "pending"
  end
  for _, machine in ipairs(live) do
    if machine.state ~= "stopped" and machine.state ~= "suspended"
      and machine.state ~= "failed" and machine.state ~= "created" then
      return "deployed"
    end
  end
  return "suspended"
end

local function organization(org)
  return {
    name = org.name, slug = org.slug,
    internal_numeric_id = org.internal_numeric_id,
  }
end

--- The app as `GET /v1/apps/{app}` answers it.
---@param world sim.World
---@param app table a record
---@return table
function M.view(world, app)
  local live = M.live_machines(world, app)
  return {
    id = app.hash,
    internal_numeric_id = app.internal_numeric_id,
    name = app.id,
    status = M.status(world, app, live),
    network = app.network,
    organization = organization(world:get("org", app.owner)),
    machine_count = #live,
    volume_count = #tbl.filter(world:list("volume", app.id), function(volume)
      return volume.state ~= "pending_destroy"
    end),
    app_role = app.role,
    cname_target = app.id .. ".fly.dev",
  }
end

local function make_text(world, app)
  return json.encode(M.view(world, app))
end

--- The app as JSON, from the cache where possible.
---@param world sim.World
---@param app sim.App
---@return string
function M.text(world, app)
  return world:text(app, make_text)
end

local function check_name(world, name)
  if #name > 63 or not name:find("^[a-z0-9][a-z0-9%-]*$") then
    return problem.new(422, "Validation failed: Name may only contain "
      .. "numbers, lowercase letters, and dashes, and has at most 63 of them")
  elseif world:get("app", name)
    or world.meta.foreign and world.meta.foreign[name] then
    return problem.new(422, "Validation failed: Name has already been taken",
      "name_taken")
  end
  return true
end

--- A new app's record.
---@param world sim.World
---@param org table
---@param spec {name: string, network: string?, role: string?}
---@return sim.App
function M.add(world, org, spec)
  return world:add("app", {
    id = spec.name, owner = org.id, hash = world.ids:alnum(16),
    internal_numeric_id = world.ids:between(100000, 9999999),
    network = spec.network or "default", role = spec.role,
    created_at = world:now(), secrets_version = 0,
  })
end

--- Creates an app from a create body. A key already seen gives the app that
--- the first request with it created.
---@param world sim.World
---@param org table
---@param body table
---@return sim.App?
---@return sim.Problem?
function M.create(world, org, body)
  local key = request.member(body, "idempotency_key")
  local seen = key and world:get("idempotency", org.id .. "/" .. key)
  local earlier = seen and world:get("app", seen.app)
  if earlier then
    return earlier
  end
  local name = request.member(body, "name") or request.member(body, "app_name")
  if not name or name == "" then
    name = world:fresh("app", function()
      return world.ids:name()
    end)
  end
  local ok, wrong = check_name(world, name)
  if not ok then
    return nil, wrong
  end
  local app = M.add(world, org, {
    name = name,
    network = request.member(body, "network"),
    role = request.member(body, "app_role_id"),
  })
  if key then
    if seen then
      world:drop("idempotency", seen)
    end
    world:add("idempotency", { id = org.id .. "/" .. key, app = app.id })
  end
  return app
end

--- Starts to destroy an app and all that is in it.
---@param world sim.World
---@param app sim.App
function M.destroy(world, app)
  if app.is_going then
    return
  end
  app.is_going = true
  for _, machine in ipairs(M.live_machines(world, app)) do
    states.destroy(world, machine, true)
  end
  world:plan("app", app, DESTROY_TIME)
  world:touch("app", app)
end

--- The agenda's handler: an app being destroyed is gone now.
---@param world sim.World
---@param app sim.App
function M.due(world, app)
  for _, kind in ipairs(M.BELONGINGS) do
    for _, record in ipairs(world:snapshot(kind, app.id)) do
      world:drop(kind, record)
    end
  end
  for _, token in ipairs(world:snapshot("token")) do
    if token.app == app.id then
      world:drop("token", token)
    end
  end
  world:drop("app", app)
end

--- When the app was created, as the create route answers: milliseconds.
---@param app sim.App
---@return integer
function M.created_ms(app)
  return math.floor(app.created_at * 1000)
end

return M
