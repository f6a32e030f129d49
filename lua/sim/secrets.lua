--- App secrets: names and digests are records, values stay in memory.
--- Pure. Values are never written to a database, whoever's they are.

local time = require "base.time"

local ids = require "sim.ids"
local problem = require "sim.problem"

local M = {}

---@class sim.Secret: sim.Record
---@field owner string app name
---@field name string
---@field digest string
---@field created_at number
---@field updated_at number

local function key(app, name)
  return app.id .. "/" .. name
end

---@param name string
---@return boolean?
---@return sim.Problem?
function M.check_name(name)
  if not name:find("^[%a_][%w_]*$") or #name > 256 then
    return problem.new(400, ("invalid secret name: %q"):format(name))
  end
  return true
end

---@param world sim.World
---@param app table a record
---@param name string
---@return sim.Secret?
function M.get(world, app, name)
  return world:get("secret", key(app, name))
end

-- Values by secret id; made on the first one.
local function values_of(world)
  world.values = world.values or {}
  return world.values
end

--- The value, if this process has seen it.
---@param world sim.World
---@param secret sim.Secret
---@return string?
function M.value(world, secret)
  return values_of(world)[secret.id]
end

--- Sets a secret; the app's secrets are one version further then.
---@param world sim.World
---@param app table
---@param name string
---@param value string
---@return sim.Secret
function M.set(world, app, name, value)
  local secret = M.get(world, app, name)
  local now = world:now()
  if not secret then
    secret = world:add("secret", {
      id = key(app, name), owner = app.id, name = name, created_at = now,
    })
  end
  secret.digest = ids.digest(value)
  secret.updated_at = now
  values_of(world)[secret.id] = value
  world:touch("secret", secret)
  return secret
end

--- Takes a secret away; one that is not there is no error.
---@param world sim.World
---@param app table
---@param name string
function M.unset(world, app, name)
  local secret = M.get(world, app, name)
  if secret then
    values_of(world)[secret.id] = nil
    world:drop("secret", secret)
  end
end

--- Counts one change of the app's secrets.
---@param world sim.World
---@param app table
---@return integer version
function M.bump(world, app)
  app.secrets_version = (app.secrets_version or 0) + 1
  world:touch("app", app)
  return app.secrets_version
end

---@param world sim.World
---@param secret sim.Secret
---@param shows_value boolean?
---@return table
function M.view(world, secret, shows_value)
  return {
    name = secret.name, digest = secret.digest,
    created_at = time.format(secret.created_at),
    updated_at = time.format(secret.updated_at),
    value = shows_value and M.value(world, secret) or nil,
  }
end

return M
