--- Machine sizes: presets, and what the platform accepts.
--- Pure.

local json = require "base.json"
local tbl = require "base.tbl"

local problem = require "sim.problem"

local M = {}

---@class sim.SizeRule
---@field cpus table<integer, true> allowed counts
---@field step integer memory comes in multiples of this
---@field least integer MiB per CPU
---@field most integer MiB per CPU

---@type table<string, sim.SizeRule>
local RULES = {
  shared = {
    cpus = tbl.set { 1, 2, 4, 6, 8 }, step = 256, least = 256, most = 2048,
  },
  performance = {
    cpus = tbl.set { 1, 2, 4, 6, 8, 10, 12, 14, 16 },
    step = 1024, least = 2048, most = 8192,
  },
}

--- The guest a preset's name stands for: "shared-cpu-2x", "performance-1x".
---@param name string
---@return table? guest
function M.preset(name)
  local kind, count = name:match("^(%a+)%-?c?p?u?%-(%d+)x$")
  local rule = RULES[kind or ""]
  local cpus = rule and math.tointeger(tonumber(count))
  if not cpus or not rule.cpus[cpus] then
    return nil
  end
  return { cpu_kind = kind, cpus = cpus, memory_mb = rule.least * cpus }
end

local function refuse(message, ...)
  return problem.new(400, "invalid_argument: " .. message:format(...))
end

--- Checks what a config asks for, with the platform's defaults filled in.
---@param guest table?
---@return table? guest
---@return sim.Problem?
function M.normalize(guest)
  guest = guest and guest ~= json.null and tbl.copy(guest) or {}
  if guest.gpu_kind and guest.gpu_kind ~= json.null then
    return guest
  end
  guest.cpu_kind = guest.cpu_kind or "shared"
  guest.cpus = guest.cpus or 1
  local rule = RULES[guest.cpu_kind]
  if not rule then
    return refuse("invalid config.guest.cpu_kind: %s", guest.cpu_kind)
  end
  if not rule.cpus[guest.cpus] then
    return refuse("invalid config.guest.cpus, %d is not offered for %s",
      guest.cpus, guest.cpu_kind)
  end
  guest.memory_mb = guest.memory_mb or rule.least * guest.cpus
  local memory = guest.memory_mb
  if memory < rule.least * guest.cpus then
    return refuse("invalid config.guest.memory_mb, minimum required %d MiB",
      rule.least * guest.cpus)
  elseif memory > rule.most * guest.cpus then
    return refuse("invalid config.guest.memory_mb, maximum allowed %d MiB",
      rule.most * guest.cpus)
  elseif memory % rule.step ~= 0 then
    return refuse("invalid config.guest.memory_mb, must be a multiple of %d MiB",
      rule.step)
  end
  return guest
end

return M
