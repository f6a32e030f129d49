--- The platform's regions as the simulator knows them.
--- Data and lookups; pure.

local problem = require "sim.problem"

local M = {}

---@class sim.Region
---@field code string
---@field name string
---@field geo string as the platform groups them
---@field latitude number
---@field longitude number
---@field gateway boolean takes WireGuard peers
---@field mpg boolean has Managed Postgres
---@field deprecated boolean

local function region(code, name, geo, latitude, longitude, marks)
  return {
    code = code, name = name, geo = geo,
    latitude = latitude, longitude = longitude,
    gateway = not marks:find("-", 1, true),
    mpg = marks:find("p", 1, true) ~= nil,
    deprecated = marks:find("x", 1, true) ~= nil,
  }
end

local EU, NA, AP = "europe", "north_america", "asia_pacific"

-- Marks: p = Managed Postgres, - = no gateway, x = deprecated.
---@type sim.Region[]
M.ALL = {
  region("ams", "Amsterdam, Netherlands", EU, 52.374, 4.890, "p"),
  region("arn", "Stockholm, Sweden", EU, 59.651, 17.918, "-"),
  region("atl", "Atlanta, Georgia (US)", NA, 33.637, -84.428, "-x"),
  region("bom", "Mumbai, India", AP, 19.089, 72.868, ""),
  region("cdg", "Paris, France", EU, 48.860, 2.345, ""),
  region("dfw", "Dallas, Texas (US)", NA, 32.778, -96.803, ""),
  region("ewr", "Secaucus, NJ (US)", NA, 40.789, -74.057, ""),
  region("fra", "Frankfurt, Germany", EU, 50.110, 8.682, "p"),
  region("gru", "Sao Paulo, Brazil", "south_america", -23.549, -46.631, "p"),
  region("iad", "Ashburn, Virginia (US)", NA, 39.022, -77.460, "p"),
  region("jnb", "Johannesburg, South Africa", "africa", -26.205, 28.046, "-"),
  region("lax", "Los Angeles, California (US)", NA, 33.942, -118.408, "p"),
  region("lhr", "London, United Kingdom", EU, 51.516, -0.177, "p"),
  region("mad", "Madrid, Spain", EU, 40.435, -3.694, "-x"),
  region("nrt", "Tokyo, Japan", AP, 35.762, 140.385, "p"),
  region("ord", "Chicago, Illinois (US)", NA, 41.883, -87.630, "p"),
  region("sin", "Singapore, Singapore", AP, 1.300, 103.854, "p"),
  region("sjc", "San Jose, California (US)", NA, 37.351, -121.896, "p"),
  region("syd", "Sydney, Australia", AP, -33.866, 151.205, "p"),
  region("yyz", "Toronto, Canada", NA, 43.644, -79.384, "p"),
}

local BY_CODE = {}
for _, row in ipairs(M.ALL) do
  BY_CODE[row.code] = row
end

--- The region nearest to every caller of the simulator.
M.NEAREST = "iad"

---@param code string
---@return sim.Region?
function M.get(code)
  return BY_CODE[code]
end

--- The region if something can still be placed there.
---@param code string
---@return sim.Region?
function M.usable(code)
  local row = BY_CODE[code]
  return row and not row.deprecated and row or nil
end

--- How many machines more a region takes, for this account.
---@param world sim.World
---@param code string
---@return integer
function M.capacity(world, code)
  if world.meta.full_regions and world.meta.full_regions[code] then
    return 0
  end
  return 100
end

--- Whether something more can run in a region.
---@param world sim.World
---@param code string
---@return boolean?
---@return sim.Problem?
function M.check_room(world, code)
  if M.capacity(world, code) > 0 then
    return true
  end
  return problem.new(412, "insufficient resources available to fulfill "
    .. "request: could not reserve resource for machine in " .. code,
    "insufficient_capacity")
end

return M
