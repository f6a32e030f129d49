--- From a declaration to the complete row that every view reads.
--- Pure; a broken rule raises. What is returned needs no further checks.

local params = require "opkit.params"
local rules = require "opkit.rules"
local tbl = require "base.tbl"

local M = {}

-- Every field a declaration may have, and its Lua type.
local FIELDS = {
  id = "string", title = "string", doc = "string", effect = "string",
  escalate = "table", confirm = "string", preview = "string", refuse = "function", offer = "table",
  cost = "string", http = "table",
  gql = "string", flyctl = "table", run = "function", calls = "table",
  body = "string", stdin = "string", params = "table", items = "string",
  item = "string", page = "string", order = "table", columns = "table",
  limit = "string", lease = "string", api = "string", timeout = "number",
  cli = "table", produces = "table", undo = "table", idempotent = "boolean",
  hidden = "boolean", since = "string", stability = "string",
  examples = "table", noun = "string", returns = "any", here = "boolean", sensitive = "table",
  finds = "table", kept = "string",
}

local RESOURCE_FIELDS = {
  id = "string", singular = "string", title = "string", aliases = "table",
  doc = "string",
}

--- Reads and checks a declaration.
---@param declared table
---@return op.Row
function M.read(declared)
  local where = "op " .. tostring(declared.id)
  rules.fields(where, declared, FIELDS)
  local row = tbl.copy(declared)
  row.resource, row.verb = declared.id:match("^(.-)%.(.*)$")
  row.params, row.param, row.positional = params.read(where, declared)
  rules.check(where, row)
  return row
end

--- Checks the declaration of a resource.
---@param resource op.Resource
function M.check_resource(resource)
  local where = "resource " .. resource.id
  rules.fields(where, resource, RESOURCE_FIELDS)
  rules.title(where, resource.title)
end

return M
