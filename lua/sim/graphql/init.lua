--- GraphQL requests: from the text of a query to the text of its answer.
--- Pure but for what resolvers do. Failures are answers too, with status 200.

local json = require "base.json"

local execute = require "sim.graphql.execute"
local parser = require "sim.graphql.parser"
local schema = require "sim.graphql.schema"
local validate = require "sim.graphql.validate"
local values = require "sim.graphql.values"

local M = {}

-- Documents kept ready to run; all are forgotten when there are more.
local MAX_READY = 256

---@class graphql.Ready
---@field document graphql.Document?
---@field errors table[]

local ready, ready_count = {}, 0

-- Parses and checks a text; the same text only once.
---@return graphql.Ready
local function prepare(text)
  local known = ready[text]
  if known then
    return known
  end
  if ready_count >= MAX_READY then
    ready, ready_count = {}, 0
  end
  local document, e = parser.parse(text)
  local one = { document = document }
  if document then
    one.errors = validate.document(schema, document)
  else
    one.errors = {
      {
        message = e.message,
        locations = { { line = e.line, column = e.column } },
      },
    }
  end
  ready[text], ready_count = one, ready_count + 1
  return one
end

local function encode_errors(errors)
  return json.encode(json.array(errors))
end

local function failure(errors)
  return ('{"errors":%s}'):format(encode_errors(errors))
end

--- An answer that is one error.
---@param message string
---@param code string?
---@return string
function M.error(message, code)
  return failure({
    { message = message, extensions = code and { code = code } or nil },
  })
end

-- The operation to run: the one named, or the only one.
local function choose(document, name)
  if name then
    for _, operation in ipairs(document.operations) do
      if operation.name == name then
        return operation
      end
    end
    return nil, ("No operation named %q"):format(name)
  elseif #document.operations > 1 then
    return nil, "An operation name is required"
  end
  return document.operations[1]
end

---@class graphql.Request
---@field query string
---@field variables table?
---@field operation_name string?

--- Answers a request.
---@param context sim.Context
---@param request graphql.Request
---@return string text JSON
function M.answer(context, request)
  local one = prepare(request.query)
  if #one.errors > 0 then
    return failure(one.errors)
  end
  local operation, message = choose(one.document, request.operation_name)
  if not operation then
    return M.error(message)
  end
  local given, errors = values.variables(schema, operation,
    request.variables or {})
  if #errors > 0 then
    return failure(errors)
  end
  if operation.kind == "mutation" and not context.may_write then
    return M.error("You are not authorized to perform this mutation",
      "UNAUTHORIZED")
  end
  local data
  data, errors = execute.run(schema, one.document, operation, given, context)
  if #errors > 0 then
    return ('{"data":%s,"errors":%s}'):format(data, encode_errors(errors))
  end
  return ('{"data":%s}'):format(data)
end

return M
