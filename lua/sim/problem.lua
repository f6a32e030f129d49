--- Why the account refuses: one record that every API words in its own way.
--- Pure.

local M = {}

---@class sim.Problem
---@field status integer HTTP status of the REST answer
---@field message string
---@field word string? the Machines API's `status` word, e.g. name_taken
---@field code string? GraphQL's extensions.code
---@field retry_after integer? seconds, sent as a header

---@param status integer
---@param message string
---@param word string?
---@return nil, sim.Problem
function M.new(status, message, word)
  return nil, { status = status, message = message, word = word }
end

---@param what string
---@param name string
---@return nil, sim.Problem
function M.not_found(what, name)
  return M.new(404, ("%s not found: %s"):format(what, name))
end

--- The app is not there for this caller.
---@param name string
---@return nil, sim.Problem
function M.no_app(name)
  return M.new(404, ("Could not find App %q"):format(name))
end

---@return nil, sim.Problem
function M.forbidden()
  return M.new(403, "unauthorized")
end

--- The bracket words of the platform's own services.
---@param message string
---@return nil, sim.Problem
function M.precondition(message)
  return M.new(400, "failed_precondition: " .. message)
end

return M
