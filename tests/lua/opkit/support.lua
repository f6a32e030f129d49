--- Rows for tests that need one: read, checked, and not registered.

local row = require "opkit.row"
local tbl = require "base.tbl"

local M = {}

--- A complete row of a harmless operation with the given fields changed.
---@param changes table
---@return op.Row
function M.row(changes)
  local how = changes.gql or changes.flyctl or changes.run or changes.http
  return row.read(tbl.merge({
    id = "things.poke",
    title = "Poke a thing",
    effect = "write",
    http = not how and { "POST", "/v1/things" } or nil,
    limit = (changes.http or not how) and "none" or nil,
    calls = changes.run and {} or nil,
  }, changes))
end

return M
