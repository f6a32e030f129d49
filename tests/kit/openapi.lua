--- Reads the parts of an OpenAPI document that operations are checked against.
--- Pure, over a decoded document.

local json = require "base.json"
local tbl = require "base.tbl"

local M = {}

-- A path with its slots made nameless, so that {app} equals {app_name}.
local function shape_of(path)
  return (path:gsub("{[^}]*}", "{}"))
end

---@param text string the document
---@return table spec
function M.read(text)
  local document = assert(json.decode(text))
  local by_shape = {}
  for path, item in tbl.sorted(document.paths) do
    by_shape[shape_of(path)] = item
  end
  return { document = document, by_shape = by_shape }
end

-- Follows "#/components/schemas/Name".
local function resolve(spec, schema)
  while schema and schema["$ref"] do
    local at = spec.document
    for word in schema["$ref"]:gmatch("[^#/]+") do
      at = at[word]
    end
    schema = at
  end
  return schema
end

--- The operation behind a method and a path template; nil when there is none.
---@param spec table
---@param method string
---@param path string
---@return table?
function M.operation(spec, method, path)
  local item = spec.by_shape[shape_of(path)]
  return item and item[method:lower()]
end

--- The base URL of an operation that another host than the document's own serves.
---@return string?
function M.server(spec, path, operation)
  local servers = operation.servers or spec.by_shape[shape_of(path)].servers
  return servers and servers[1].url
end

--- Parameters of an operation in one place ("query", "header"), by name.
---@return table<string, table>
function M.parameters(operation, place)
  local found = {}
  for _, parameter in ipairs(operation.parameters or {}) do
    if parameter["in"] == place then
      found[parameter.name] = parameter
    end
  end
  return found
end

--- The schema of the request body, and whether there must be one.
---@return table? schema
---@return boolean is_required
function M.body(spec, operation)
  local body = operation.requestBody
  if not body then
    return nil, false
  end
  local content = body.content["application/json"]
  return resolve(spec, content and content.schema), body.required == true
end

--- The schema of the successful reply.
---@return table?
function M.reply(spec, operation)
  for _, status in ipairs({ "200", "201", "202" }) do
    local reply = operation.responses[status]
    local content = reply and reply.content and reply.content["application/json"]
    if content then
      return resolve(spec, content.schema)
    end
  end
end

-- All properties of a schema, those of its parts too.
local function properties(spec, schema)
  schema = resolve(spec, schema)
  local all = tbl.copy(schema.properties or {})
  for _, combination in ipairs({ "allOf", "anyOf", "oneOf" }) do
    for _, part in ipairs(schema[combination] or {}) do
      all = tbl.merge(all, properties(spec, part))
    end
  end
  return all
end

M.properties = properties

--- The schema under a dotted path; nil when the document knows no such field.
---@return table?
function M.at(spec, schema, path)
  for _, key in ipairs(tbl.path(path)) do
    schema = resolve(spec, schema)
    local all = properties(spec, schema)
    if all[key] then
      schema = all[key]
    elseif type(schema.additionalProperties) == "table" then
      schema = schema.additionalProperties
    else
      return nil
    end
  end
  return resolve(spec, schema)
end

M.resolve = resolve

return M
