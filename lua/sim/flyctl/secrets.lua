--- The simulated flyctl's `secrets`: list, set, import, unset, deploy.
--- Waits. What it reads from stdin follows flyctl's rules to the byte.

local flyctl = require "sim.flyctl"
local json = require "base.json"
local read_import = require "sim.flyctl.import"
local rollout = require "sim.flyctl.rollout"
local str = require "base.str"
local tbl = require "base.tbl"
local time = require "base.time"

local M = {}

-- Bytes that `NAME=-` takes from stdin.
local MOST = 65536

-- Bytes that `secrets import` takes.
local MOST_IMPORT = 64 << 20

-- When the releases of an app were made, by version.
---@async
local function release_times(run, app)
  local data, e = run.api:graphql([[
    query($name: String!) { app(name: $name) {
      releases: releasesUnprocessed(first: 100) { nodes { version createdAt } } } }]],
    { name = app })
  if not data then
    return nil, e
  end
  local times = {}
  for _, release in ipairs(data.app.releases.nodes) do
    times[tostring(release.version)] = time.parse(release.createdAt)
  end
  return times
end

-- Which machines have a secret as it is: those of a release made after it.
local function status_of(secret, machines, times)
  local changed = type(secret.updated_at) == "string" and time.parse(secret.updated_at)
  local have = 0
  for _, machine in ipairs(machines) do
    local made = times[rollout.metadata(machine).fly_release_version or ""]
    if not changed or not made then
      return "Unknown"
    end
    have = have + (changed <= made and 1 or 0)
  end
  return have == 0 and "Staged" or have < #machines and "Partial" or "Deployed"
end

local MARKS = { Staged = "* ", Partial = "! " }

-- The secrets of an app as flyctl tells of them.
---@async
local function list_of(run, app)
  local machines, times
  local reply, e = run.api:rest("GET", "/apps/%s/secrets", app)
  if reply then
    machines, e = rollout.machines(run, app)
  end
  if machines then
    times, e = release_times(run, app)
  end
  if not times then
    return nil, e
  end
  return tbl.map(reply.secrets == json.null and {} or reply.secrets, function(one)
    return { name = one.name, digest = one.digest, status = status_of(one, machines, times) }
  end)
end

---@async
---@param run sim.flyctl.Run
---@return any done nil when it failed, an exit code when that is not 0
---@return err.Record?
function M.secrets_list(run)
  local app, e = run:app()
  local list
  if app then
    list, e = list_of(run, app)
  end
  if not list then
    return nil, e
  elseif run.flags.json then
    run:json(json.array(list))
    return true
  end
  run:table({ "NAME", "DIGEST", "STATUS" }, tbl.map(list, function(one)
    return { (MARKS[one.status] or "") .. one.name, one.digest, one.status }
  end))
  return true
end

-- Rolls out what was staged, unless only staging was asked for.
---@async
local function finish(run, app, version)
  local machines, e = rollout.machines(run, app)
  if not machines then
    return nil, e
  elseif #machines == 0 then
    run:say("Secrets are staged for the first deployment")
    return true
  elseif run.flags.stage then
    run:say("Secrets have been staged, but not set on VMs. Deploy or update"
      .. " machines in this app for the secrets to take effect.")
    return true
  end
  return rollout.secrets(run, app, machines, version)
end

---@async
local function send(run, app, values)
  local reply, e = run.api:rest("POST", "/apps/%s/secrets", app,
    { values = values })
  if not reply then
    return nil, e
  end
  return finish(run, app, reply.version)
end

-- NAME=VALUE of every argument; the one "-" is what stands on stdin.
---@async
local function read_pairs(world, args)
  local values, is_read = {}, false
  for _, arg in ipairs(args) do
    local name, value = arg:match("^([^=]*)=(.*)$")
    if not name then
      return flyctl.fail("Secrets must be provided as NAME=VALUE pairs"
        .. " (%s is invalid)", arg)
    end
    if value == "-" then
      if is_read then
        value = "" -- stdin is read once
      elseif world.is_tty(0) then
        return flyctl.fail("Secret value for %s: stdin is a terminal", name)
      else
        local text, e = world.stdin(MOST)
        if not text then
          return nil, e
        end
        value, is_read = str.trim(text), true
      end
    end
    values[name] = value
  end
  return values
end

---@async
---@param run sim.flyctl.Run
---@return any done nil when it failed, an exit code when that is not 0
---@return err.Record?
function M.secrets_set(run)
  local app, e = run:app()
  local values
  if app then
    values, e = read_pairs(run.world, run.args)
  end
  if not values then
    return nil, e
  end
  return send(run, app, values)
end

---@async
---@param run sim.flyctl.Run
---@return any done nil when it failed, an exit code when that is not 0
---@return err.Record?
function M.secrets_import(run)
  local app, e = run:app()
  local text
  if app then
    text, e = run.world.stdin(MOST_IMPORT)
  end
  if not text then
    return nil, e
  end
  local values, why = read_import(text)
  if not values then
    return flyctl.fail("%s", "failed to parse secrets: " .. why)
  elseif next(values) == nil then
    return flyctl.fail("requires at least one SECRET=VALUE pair")
  end
  return send(run, app, values)
end

---@async
---@param run sim.flyctl.Run
---@return any done nil when it failed, an exit code when that is not 0
---@return err.Record?
function M.secrets_unset(run)
  local app, e = run:app()
  if not app then
    return nil, e
  end
  local values = {}
  for _, name in ipairs(run.args) do
    values[name] = json.null
  end
  return send(run, app, values)
end

---@async
---@param run sim.flyctl.Run
---@return any done nil when it failed, an exit code when that is not 0
---@return err.Record?
function M.secrets_deploy(run)
  local app, e = run:app()
  local machines
  if app then
    machines, e = rollout.machines(run, app)
  end
  if not machines then
    return nil, e
  elseif #machines == 0 then
    return flyctl.fail("there are no active machines for this app."
      .. " Run `fly deploy` to create one and rollout secrets")
  end
  return rollout.secrets(run, app, machines)
end

return M
