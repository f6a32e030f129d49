--- Checks values and whole replies against an OpenAPI document.
--- Pure, over a document read by kit.openapi. Strict: a reply may not have a
--- member that the document does not know, or a typing error would go unseen.

local json = require "base.json"
local openapi = require "kit.openapi"
local tbl = require "base.tbl"

local M = {}

-- Members that the real service answers and the document leaves out, or as
-- null where the document has no null.
local NULLABLE = tbl.set { "incomplete_config", "labels", "metadata" }

local check

local function problem(problems, path, text)
  problems[#problems + 1] = (path == "" and "body" or path) .. ": " .. text
end

local function join(path, key)
  return path == "" and tostring(key) or path .. "." .. key
end

local TYPES = {
  string = function(value)
    return type(value) == "string"
  end,
  integer = function(value)
    return math.type(value) == "integer"
  end,
  number = function(value)
    return type(value) == "number"
  end,
  boolean = function(value)
    return type(value) == "boolean"
  end,
  array = json.is_array,
  object = function(value)
    return type(value) == "table" and not json.is_array(value)
  end,
}

local function check_members(spec, value, schema, path, problems)
  local known = openapi.properties(spec, schema)
  local more = schema.additionalProperties
  for key, item in tbl.sorted(value) do
    local at = join(path, key)
    if known[key] then
      if item ~= json.null or not NULLABLE[key] then
        check(spec, item, known[key], at, problems)
      end
    elseif type(more) == "table" then
      check(spec, item, more, at, problems)
    elseif more ~= true and next(known) ~= nil then
      problem(problems, at, "the document does not know it")
    end
  end
  for _, key in ipairs(schema.required or {}) do
    if value[key] == nil then
      problem(problems, join(path, key), "missing")
    end
  end
end

-- Whether one of the alternatives takes the value.
local function check_any(spec, value, schemas, path, problems)
  for _, schema in ipairs(schemas) do
    local found = {}
    check(spec, value, schema, path, found)
    if #found == 0 then
      return
    end
  end
  problem(problems, path, "fits none of the alternatives")
end

local function check_all(spec, value, schema, path, problems)
  -- The parts together name the members: each alone would refuse the others'.
  local whole = { type = "object", properties = openapi.properties(spec, schema) }
  for _, part in ipairs(schema.allOf) do
    for _, name in ipairs(openapi.resolve(spec, part).required or {}) do
      whole.required = whole.required or {}
      table.insert(whole.required, name)
    end
  end
  check(spec, value, whole, path, problems)
end

function check(spec, value, schema, path, problems)
  local nullable = schema.nullable
  schema = openapi.resolve(spec, schema)
  if value == json.null then
    if not (nullable or schema.nullable or schema.type == "array"
      or schema.type == nil and not schema.allOf) then
      problem(problems, path, "null")
    end
    return
  end
  if schema.allOf then
    return check_all(spec, value, schema, path, problems)
  elseif schema.anyOf or schema.oneOf then
    return check_any(spec, value, schema.anyOf or schema.oneOf, path, problems)
  end
  if schema.type and not TYPES[schema.type](value) then
    return problem(problems, path, ("not of type %s: %s"):format(
      schema.type, json.encode(value)))
  end
  if schema.enum and not tbl.contains(schema.enum, value) then
    problem(problems, path, ("%s is none of %s"):format(
      json.encode(value), json.encode(schema.enum)))
  end
  if schema.type == "array" then
    for i, item in ipairs(value) do
      check(spec, item, schema.items or {}, join(path, i - 1), problems)
    end
  elseif schema.type == "object" then
    check_members(spec, value, schema, path, problems)
  end
end

--- What is wrong with a value; empty when nothing is.
---@param spec table read by kit.openapi
---@param value any decoded
---@param schema table
---@return string[]
function M.value(spec, value, schema)
  local problems = {}
  check(spec, value, schema, "", problems)
  return problems
end

-- Failures that any operation may answer, listed for it or not.
local ALWAYS = tbl.set { 400, 401, 403, 404, 405, 408, 409, 410, 412, 422, 429 }

local function error_schema(path)
  local name = path:sub(1, 8) == "/api/v1/" and "UiexErrorResponse"
    or path:sub(1, 12) == "/v1/postgres" and "PostgresErrorResponse"
    or "ErrorResponse"
  return { ["$ref"] = "#/components/schemas/" .. name }
end

--- What is wrong with a reply; empty when nothing is.
---@param spec table
---@param method string
---@param template string the path with its slots: "/v1/apps/{app}"
---@param status integer
---@param text string the body
---@return string[]
function M.reply(spec, method, template, status, text)
  local operation = openapi.operation(spec, method, template)
  if not operation then
    return { "the document has no " .. method .. " " .. template }
  end
  local reply = operation.responses[tostring(status)]
  if not reply and not ALWAYS[status] then
    return { ("status %d is not among the documented ones"):format(status) }
  end
  local content = reply and reply.content
    and reply.content["application/json"]
  local schema = content and content.schema
    or status >= 400 and error_schema(template)
  if not schema then
    return text == "" and {} or { "a body where none is documented: " .. text }
  end
  local value, e = json.decode(text)
  if e then
    return { "not JSON: " .. e.message }
  end
  return M.value(spec, value, schema)
end

--- What is wrong with a request's body; empty when nothing is.
---@param spec table
---@param method string
---@param template string
---@param value any decoded
---@return string[]
function M.request(spec, method, template, value)
  local operation = openapi.operation(spec, method, template)
  local schema = operation and openapi.body(spec, operation)
  if not schema then
    return { "the document has no body for " .. method .. " " .. template }
  end
  return M.value(spec, value, schema)
end

return M
