--- What checking a document carries along, and how it reports an error.
--- Pure. Errors read as the real service's do and carry its codes.

local json = require "base.json"
local tbl = require "base.tbl"

local names = require "sim.graphql.names"

local M = {}

--- Errors after these are not looked for.
M.MAX_ERRORS = 50

---@class graphql.Check
---@field schema graphql.Schema
---@field fragments table<string, graphql.Fragment>
---@field used table<string, boolean> fragments
---@field variables table<string, graphql.Variable>? of the operation
---@field seen table<string, boolean> variables used by the operation
---@field path any[]
---@field label string "query ListApps"
---@field errors table[]
---@field visits integer

--- Reports an error that concerns several places.
---@param check graphql.Check
---@param places graphql.Place[]
---@param code string
---@param message string
---@param more table? further extensions
function M.add_all(check, places, code, message, more)
  if #check.errors >= M.MAX_ERRORS then
    return
  end
  local extensions = { code = code }
  for key, value in pairs(more or {}) do
    extensions[key] = value
  end
  check.errors[#check.errors + 1] = {
    message = message, locations = places,
    path = json.array(tbl.copy(check.path)), extensions = extensions,
  }
end

--- Reports an error at one place.
---@param check graphql.Check
---@param place graphql.Place
---@param code string
---@param message string
---@param more table?
function M.add(check, place, code, message, more)
  M.add_all(check, { place }, code, message, more)
end

--- Reports what stands more than once in a list.
---@param check graphql.Check
---@param kind string see graphql.names
---@param list {name: string?, place: graphql.Place}[]
function M.check_names(check, kind, list)
  names.check(kind, list, function(...)
    M.add_all(check, ...)
  end)
end

return M
