--- Sizes of machines: Fly's presets, and which memory goes with which CPUs.
--- Pure.

local err = require "base.err"
local fmt = require "base.fmt"
local str = require "base.str"

local M = {}

---@class ops.Guest
---@field cpu_kind "shared"|"performance"
---@field cpus integer
---@field memory_mb integer

-- What a CPU of each kind comes with: counts there are, and memory in MB: the
-- step, and least and most for each CPU.
local KINDS = {
  shared = { cpus = { 1, 2, 4, 6, 8 }, step = 256, least = 256, most = 2048 },
  performance = {
    cpus = { 1, 2, 4, 6, 8, 10, 12, 14, 16 }, step = 1024, least = 2048,
    most = 8192,
  },
}

--- The names of the presets, smallest first.
---@type string[]
M.PRESETS = {}

---@type table<string, ops.Guest>
local presets = {}

for _, kind in ipairs({ "shared", "performance" }) do
  for _, cpus in ipairs(KINDS[kind].cpus) do
    local name = ("%s-%dx"):format(kind == "shared" and "shared-cpu" or kind, cpus)
    M.PRESETS[#M.PRESETS + 1] = name
    presets[name] = {
      cpu_kind = kind, cpus = cpus, memory_mb = KINDS[kind].least * cpus,
    }
  end
end

--- The preset of that name.
---@param name string one of M.PRESETS
---@return ops.Guest
function M.preset(name)
  local preset = presets[name]
  return {
    cpu_kind = preset.cpu_kind, cpus = preset.cpus, memory_mb = preset.memory_mb,
  }
end

local function megabytes(n)
  return fmt.bytes(n * 2 ^ 20)
end

local function refuse(what, hint)
  return nil, err.new({ kind = "invalid", message = what, hint = hint })
end

-- Whether such a machine exists.
local function check(guest)
  local kind = KINDS[guest.cpu_kind]
  if not kind then
    return refuse(("there are no %s CPUs"):format(guest.cpu_kind),
      "the kinds are shared and performance")
  end
  local name = ("%s %s"):format(guest.cpu_kind, guest.cpus == 1 and "CPU" or "CPUs")
  local is_offered = false
  for _, count in ipairs(kind.cpus) do
    is_offered = is_offered or count == guest.cpus
  end
  if not is_offered then
    local counts = {}
    for i, count in ipairs(kind.cpus) do
      counts[i] = tostring(count)
    end
    return refuse(("a machine does not have %d %s"):format(guest.cpus, name),
      ("it has %s of them"):format(str.join(counts, "or")))
  end
  local least, most = kind.least * guest.cpus, kind.most * guest.cpus
  if guest.memory_mb < least or guest.memory_mb > most
    or guest.memory_mb % kind.step ~= 0 then
    return refuse(("%s of memory does not go with %d %s"):format(
      megabytes(guest.memory_mb), guest.cpus, name),
      ("it takes %s to %s, in steps of %s"):format(
        megabytes(least), megabytes(most), megabytes(kind.step)))
  end
  return guest
end

--- The size asked for: a preset's, the current one, or the smallest; with what
--- is asked for singly on top. Memory not asked for follows a new preset.
---@param asked { size: string?, memory: integer?, cpus: integer?, cpu_kind: string? }
---@param current ops.Guest? of the machine as it is
---@return ops.Guest?
---@return err.Record?
function M.resolve(asked, current)
  local base = asked.size and M.preset(asked.size) or current
    or M.preset("shared-cpu-1x")
  local guest = {
    cpu_kind = asked.cpu_kind or base.cpu_kind or "shared",
    cpus = asked.cpus or base.cpus or 1,
    memory_mb = asked.memory or base.memory_mb,
  }
  local kind = KINDS[guest.cpu_kind]
  if not current and not asked.memory and kind then
    -- A new machine has at least what its CPUs come with.
    guest.memory_mb = math.max(guest.memory_mb, kind.least * guest.cpus)
  end
  guest.memory_mb = guest.memory_mb or (kind and kind.least * guest.cpus)
  return check(guest)
end

--- Whether anything about the size is asked for.
---@param asked table
---@return boolean
function M.is_asked(asked)
  return (asked.size or asked.memory or asked.cpus or asked.cpu_kind) ~= nil
end

return M
