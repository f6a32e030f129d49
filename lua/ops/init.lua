--- All operations of the product; requiring this declares every row.
--- Returns the registry.

local registry = require "opkit.registry"

local FILES = {
  "orgs", "apps", "machines", "machine_calls", "machine_life", "volumes",
  "regions", "secrets", "ips", "certs", "releases", "scale", "postgres", "mpg",
  "addons", "tokens", "wireguard", "leases", "logs", "auth",
}

for _, name in ipairs(FILES) do
  require("ops." .. name)
end
registry.set_schemas(function(name)
  return require("ops.schemas." .. name)
end)

return registry
