--- Build step, run by scripts/embed: declares every operation, holds each against
--- the rules, and returns the Lua source of the snapshot that lua/ops/init.lua
--- starts from.

package.path = "lua/?.lua;lua/?/init.lua"

local registry = require "opkit.registry"

local loads = {}
for _, name in ipairs(require "ops.files") do
  require("ops." .. name)
  for _, id in ipairs(registry.ids({ hidden = true })) do
    loads[id] = loads[id] or "ops." .. name
  end
end

-- The program reads a row when it is first used; what breaks a rule is not built.
registry.set_schemas(function(name)
  return require("ops.schemas." .. name)
end)
registry.check_all()

local function sorted_keys(t)
  local keys = {}
  for k in pairs(t) do
    keys[#keys + 1] = k
  end
  table.sort(keys, function(a, b)
    if type(a) == type(b) then
      return a < b
    end
    return type(a) == "number"
  end)
  return keys
end

-- A value as Lua source; the same for the same value. Items of a list have no
-- key: they are loaded faster, into less memory.
local function source(value)
  if type(value) ~= "table" then
    return ("%q"):format(value)
  end
  local parts, count = {}, #value
  for i = 1, count do
    parts[i] = source(value[i])
  end
  for _, k in ipairs(sorted_keys(value)) do
    if not (math.type(k) == "integer" and k >= 1 and k <= count) then
      parts[#parts + 1] = ("[%s]=%s"):format(source(k), source(value[k]))
    end
  end
  return "{" .. table.concat(parts, ",") .. "}"
end

return "return " .. source(registry.snapshot(loads))
