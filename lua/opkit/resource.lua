--- The declaration `resource { … }`: a kind of thing operations are about.
--- Comes before the operations that name it.

local registry = require "opkit.registry"

---@class op.Resource
---@field id string the plural noun; first part of its operations' ids
---@field singular string? the singular noun, the id unless told
---@field title string heading over its operations
---@field aliases string[]? more nouns that mean it
---@field doc string? a sentence or two on what it is

--- Declares a resource.
---@param declared op.Resource
return function(declared)
  registry.declare_resource(declared)
end
