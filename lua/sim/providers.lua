--- Providers of add-ons, and their plans.
--- Data and lookups; pure.

local tbl = require "base.tbl"

local M = {}

---@class sim.Provider
---@field name string
---@field title string
---@field resource string
---@field tos string? where its terms are; without one nobody need agree
---@field selects_region boolean
---@field selects_replicas boolean

local function provider(name, title, resource, opts)
  opts = opts or {}
  return {
    name = name, title = title, resource = resource,
    tos = opts.tos and ("https://example.com/terms/" .. name) or nil,
    selects_region = opts.region or false,
    selects_replicas = opts.replicas or false,
  }
end

---@type sim.Provider[]
M.ALL = {
  provider("arcjet", "Arcjet", "site", { tos = true }),
  provider("enveloop", "Enveloop", "project", { tos = true }),
  provider("fly_mysql", "MySQL", "database", { region = true }),
  provider("kubernetes", "Kubernetes", "cluster", { region = true }),
  provider("redis", "Redis", "database", { region = true }),
  provider("sentry", "Sentry", "project", { tos = true }),
  provider("supabase", "Supabase", "database", { tos = true, region = true }),
  provider("tigris", "Tigris", "bucket", { tos = true }),
  provider("upstash_kafka", "Upstash Kafka", "cluster", { region = true }),
  provider("upstash_redis", "Upstash Redis", "database",
    { region = true, replicas = true }),
  provider("upstash_vector", "Upstash Vector", "index", { region = true }),
  provider("wafris", "Wafris", "firewall", { tos = true }),
}

local BY_NAME = {}
for _, row in ipairs(M.ALL) do
  BY_NAME[row.name] = row
end

---@param name string
---@return sim.Provider?
function M.get(name)
  return BY_NAME[name]
end

---@class sim.AddonPlan
---@field id string
---@field provider string
---@field name string
---@field title string
---@field description string
---@field max_data string
---@field price integer cents a month

local function plan(id, provider_name, name, title, max_data, price)
  return {
    id = id, provider = provider_name, name = name, title = title,
    description = title .. " plan", max_data = max_data, price = price,
  }
end

---@type sim.AddonPlan[]
M.PLANS = {
  plan("plan_redis_payg", "upstash_redis", "payg", "Pay-as-you-go",
    "100 GB", 0),
  plan("plan_redis_250", "upstash_redis", "fixed_250mb", "Fixed 250MB",
    "250 MB", 1000),
  plan("plan_redis_1g", "upstash_redis", "fixed_1gb", "Fixed 1GB",
    "1 GB", 2000),
  plan("plan_tigris", "tigris", "default", "Tigris", "unlimited", 0),
  plan("plan_vector", "upstash_vector", "payg", "Pay-as-you-go", "1 GB", 0),
}

---@param id string
---@return sim.AddonPlan?
function M.plan(id)
  return (tbl.find(M.PLANS, function(one)
    return one.id == id or one.name == id
  end))
end

--- The plan of a provider's add-ons that name none.
---@param name string
---@return sim.AddonPlan?
function M.default_plan(name)
  return (tbl.find(M.PLANS, function(one)
    return one.provider == name
  end))
end

return M
