--- A machine's config: defaults spelled out, checks named.
--- Pure.

local json = require "base.json"
local tbl = require "base.tbl"

local guests = require "sim.guests"
local images = require "sim.images"
local problem = require "sim.problem"
local request = require "sim.request"

local M = {}

-- The names that the platform gives to a config's checks.
---@param config table
---@return string[]
function M.check_names(config)
  local names = {}
  local services = config.services
  if services and services ~= json.null then
    for _, service in ipairs(services) do
      local checks = service.checks
      for _, check in ipairs(checks and checks ~= json.null and checks or {}) do
        names[#names + 1] = ("servicecheck-%02d-%s-%d"):format(
          #names, check.type or "tcp",
          check.port or service.internal_port or 8080)
      end
    end
  end
  local checks = config.checks
  for name in tbl.sorted(checks and checks ~= json.null and checks or {}) do
    names[#names + 1] = name
  end
  return names
end

-- The config as the platform answers it: defaults spelled out.
---@param config table as a body holds it
---@return table? config
---@return sim.Problem?
function M.normalize(config)
  config = tbl.copy(config)
  local image = request.member(config, "image")
  if not image or image == "" then
    return problem.new(400, "invalid_argument: config.image is required")
  elseif images.behavior(image) == "missing" then
    return problem.new(400, ("failed to get manifest %s: request failed: "
      .. "not found"):format(image))
  end
  local size = request.member(config, "size")
  local preset = size and guests.preset(size)
  if size and not preset then
    return problem.new(400, "invalid_argument: unknown config.size: " .. size)
  end
  local guest, wrong = guests.normalize(preset or config.guest)
  if not guest then
    return nil, wrong
  end
  config.guest, config.size = guest, nil
  config.init = request.member(config, "init") or {
    cmd = json.null, entrypoint = json.null, exec = json.null,
  }
  config.restart = request.member(config, "restart") or { policy = "" }
  config.metadata = config.metadata or json.null
  return config
end

return M
