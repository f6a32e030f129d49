--- Routes of a machine's metadata, which change without a new version, and of
--- its memory balloon.
--- Pure; part of the Machines API.

local json = require "base.json"
local tbl = require "base.tbl"

local bodies = require "sim.bodies.machine"
local handlers = require "sim.handlers"
local machines = require "sim.machine"
local problem = require "sim.problem"
local request = require "sim.request"

local M = {}

local MAX_VALUE = 4096

local function metadata_of(machine)
  return request.member(machines.config(machine), "metadata") or {}
end

local function show(ctx)
  local metadata = metadata_of(ctx.machine)
  return 200, metadata
end

local function check_version(ctx)
  local version = request.member(ctx.body, "machine_version")
  if version and version ~= "" and version ~= ctx.machine.version then
    return problem.new(412, ("machine version mismatch: it is %s, not %s")
      :format(ctx.machine.version, version))
  end
  return true
end

local function check_value(key, value)
  if value ~= json.null and #value > MAX_VALUE then
    return problem.new(400, ("metadata %q is longer than %d bytes"):format(
      key, MAX_VALUE))
  end
  return true
end

-- Sets values, takes away those that are null; `keeps` what is not named.
local function change(ctx, values, keeps)
  for key, value in tbl.sorted(values) do
    local ok, wrong = check_value(key, value)
    if not ok then
      return nil, wrong
    end
  end
  machines.amend(ctx.world, ctx.machine, function(config)
    local metadata = keeps and request.member(config, "metadata") or {}
    for key, value in pairs(values) do
      metadata[key] = value ~= json.null and value or nil
    end
    config.metadata = metadata
  end)
  return 204
end

local function update(keeps)
  return function(ctx)
    local ok, wrong = check_version(ctx)
    if not ok then
      return nil, wrong
    end
    return change(ctx, request.member(ctx.body, "metadata") or {}, keeps)
  end
end

local function get_one(ctx)
  local value = metadata_of(ctx.machine)[ctx.params.key]
  if not value then
    return problem.not_found("metadata key", ctx.params.key)
  end
  return 200, { value = value }
end

local function set_one(ctx)
  return change(ctx, { [ctx.params.key] = ctx.body.value }, true)
end

local function delete_one(ctx)
  return change(ctx, { [ctx.params.key] = json.null }, true)
end

local function memory_of(machine)
  local most = machines.config(machine).guest.memory_mb
  local limit = machine.memory_limit or most
  return { limit_mb = limit, available_mb = limit * 6 // 10 }
end

local function memory(ctx)
  return 200, memory_of(ctx.machine)
end

local function set_memory(ctx)
  local most = machines.config(ctx.machine).guest.memory_mb
  if ctx.body.limit_mb < 128 or ctx.body.limit_mb > most then
    return problem.new(400,
      ("limit_mb must be from 128 to %d"):format(most))
  end
  ctx.machine.memory_limit = ctx.body.limit_mb
  ctx.world:touch("machine", ctx.machine)
  return 200, memory_of(ctx.machine)
end

local function reclaim(ctx)
  local free = memory_of(ctx.machine).available_mb
  local wanted = request.member(ctx.body, "amount_mb") or free
  return 200, { actual_mb = math.max(0, math.min(wanted, free)) }
end

local ONE = "/v1/apps/{app}/machines/{machine}"

local route = handlers.rows("machine", ONE)

---@type sim.Route[]
M.routes = {
  route("GET", "/metadata", show),
  route("PATCH", "/metadata", update(true), bodies.metadata),
  route("PUT", "/metadata", update(false), bodies.metadata),
  route("GET", "/metadata/{key}", get_one),
  route("POST", "/metadata/{key}", set_one, bodies.metadata_value),
  route("DELETE", "/metadata/{key}", delete_one),
  route("GET", "/memory", memory),
  route("PUT", "/memory", set_memory, bodies.memory_limit),
  route("POST", "/memory/reclaim", reclaim, bodies.memory_reclaim),
}

return M
