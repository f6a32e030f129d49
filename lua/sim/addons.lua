--- Add-ons: Redis databases, buckets and other resources of providers.
--- Pure.

local json = require "base.json"

local problem = require "sim.problem"
local providers = require "sim.providers"
local regions = require "sim.regions"

local M = {}

-- Seconds a new add-on is being made.
local CREATE_TIME = 0.3

---@class sim.Addon: sim.Record
---@field owner string raw slug of its organization
---@field type string
---@field name string
---@field region string?
---@field read_regions string[]
---@field plan string? id of the plan
---@field app string?
---@field options any
---@field status string
---@field environment table<string, string>? what an app needs to use it
---@field created_at number

-- What an app's environment gets; the values are nobody's credentials.
local function environment(world, spec)
  local ids = world.ids
  if spec.type == "tigris" then
    return {
      AWS_ACCESS_KEY_ID = "tid_sim" .. ids:alnum(20),
      AWS_SECRET_ACCESS_KEY = "tsec_sim" .. ids:alnum(40),
      AWS_ENDPOINT_URL_S3 = "https://storage.example.com",
      AWS_REGION = "auto", BUCKET_NAME = spec.name,
    }
  end
  local url = ("redis://default:sim%s@fly-%s.example.com:6379"):format(
    ids:alnum(24), spec.name)
  return { REDIS_URL = url }
end

--- A new add-on's record.
---@param world sim.World
---@param org table
---@param spec table
---@return sim.Addon
function M.add(world, org, spec)
  local env = environment(world, spec)
  local plan = providers.default_plan(spec.type)
  return world:add("addon", {
    id = world.ids:alnum(24), owner = org.id, type = spec.type,
    name = spec.name, region = spec.region,
    read_regions = json.array(spec.read_regions or {}),
    plan = spec.plan or plan and plan.id, app = spec.app,
    options = spec.options, status = spec.status or "ready",
    environment = env, public_url = env.REDIS_URL
      or ("https://%s.storage.example.com"):format(spec.name),
    created_at = world:now(), updated_at = world:now(),
  })
end

--- The add-on of a provider's by name, in any of the organizations.
---@param world sim.World
---@param name string
---@param provider string? any when nil
---@return sim.Addon?
function M.find(world, name, provider)
  for _, addon in ipairs(world:list("addon")) do
    if addon.name == name and (not provider or addon.type == provider) then
      return addon
    end
  end
end

local function check(world, spec)
  local provider = providers.get(spec.type)
  if not provider then
    return problem.new(422, "unknown add-on type " .. spec.type)
  elseif spec.plan and not providers.plan(spec.plan) then
    return problem.new(422, "Could not find plan " .. spec.plan)
  elseif provider.selects_region and not spec.region then
    return problem.new(422, "primaryRegion is required")
  elseif spec.region and not regions.usable(spec.region) then
    return problem.new(422, ("%s is not a region"):format(spec.region))
  elseif M.find(world, spec.name, spec.type) then
    return problem.new(422, "Name has already been taken")
  end
  return provider
end

--- Creates an add-on. Whether its provider's terms are agreed to is the
--- caller's to check.
---@param world sim.World
---@param org table
---@param spec table
---@return sim.Addon?
---@return sim.Problem?
function M.create(world, org, spec)
  spec.name = spec.name or world.ids:name()
  local provider, wrong = check(world, spec)
  if not provider then
    return nil, wrong
  end
  spec.status = "creating"
  local addon = M.add(world, org, spec)
  world:plan("addon", addon, CREATE_TIME * (world.meta.pace or 1))
  return addon
end

--- The agenda's handler: an add-on is made.
---@param world sim.World
---@param addon sim.Addon
function M.due(world, addon)
  addon.status = "ready"
  addon.updated_at = world:now()
  world:touch("addon", addon)
end

-- Where an agreement of somebody's is noted.
local function agreement(who, provider)
  return ("%s/%s"):format(who, provider)
end

--- Notes that a user or an organization agreed to a provider's terms.
---@param world sim.World
---@param who string
---@param provider string
function M.agree(world, who, provider)
  if not world:get("agreement", agreement(who, provider)) then
    world:add("agreement", { id = agreement(who, provider) })
  end
end

---@param world sim.World
---@param who string
---@param provider string
---@return boolean
function M.has_agreed(world, who, provider)
  return world:get("agreement", agreement(who, provider)) ~= nil
end

return M
