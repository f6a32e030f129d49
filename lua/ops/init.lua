--- All operations of the product; requiring this makes every row known.
--- Returns the registry. The build leaves a snapshot (scripts/index.lua), from
--- which a row's file is loaded when the row is first asked for.

local registry = require "opkit.registry"

local has_snapshot, snapshot = pcall(require, "ops.snapshot")
if has_snapshot then
  registry.adopt(snapshot)
else
  for _, name in ipairs(require "ops.files") do
    require("ops." .. name)
  end
end
registry.set_schemas(function(name)
  return require("ops.schemas." .. name)
end)

return registry
