--- Operations as tools for models and programs: JSON Schema of the arguments,
--- name, description, annotations.
--- Pure; sensitive and hidden parameters are never part of a tool.

local json = require "base.json"
local registry = require "opkit.registry"
local schema = require "base.schema"
local str = require "base.str"
local tbl = require "base.tbl"

local M = {}

local SCALAR = tbl.set({ "string", "integer", "number", "boolean", "time", "any" })

-- A shape with every schema name in it replaced by the schema.
local function resolve(shape)
  if type(shape) == "string" then
    local name = shape:gsub("%?$", "")
    if SCALAR[name] then
      return shape
    end
    local found = registry.schema(name)
    if name == shape then
      return found
    end
    return tbl.merge(found, { optional = true })
  elseif shape.list then
    return tbl.merge(shape, { list = resolve(shape.list) })
  elseif shape.object then
    local fields = {}
    for field, inner in pairs(shape.object) do
      fields[field] = resolve(inner)
    end
    return tbl.merge(shape, { object = fields })
  end
  return shape
end

--- The shape of an operation's result; nil when it declares none.
---@param op op.Row
---@return schema.Shape?
function M.returns(op)
  return op.returns ~= nil and resolve(op.returns) or nil
end

local function property(param)
  local out = param.kind.json(param)
  if param.many and not param.kind.collects then
    out = { type = "array", items = out }
  end
  out.description = out.description
    and param.text .. "; " .. out.description or param.text
  out.default = param.default
  return out
end

--- JSON Schema of the arguments, for base.json to encode.
---@param op op.Row
---@param opts { sensitive: boolean? }? leave sensitive parameters in
---@return table
function M.schema(op, opts)
  local properties, required = {}, json.array()
  for _, param in ipairs(op.params) do
    if not param.hidden and not param.only
      and (not param.sensitive or (opts and opts.sensitive)) then
      properties[param.name] = property(param)
      if param.required then
        required[#required + 1] = param.name
      end
    end
  end
  return {
    type = "object", properties = properties, required = required,
    additionalProperties = false,
  }
end

--- The name a tool has: the id with an underscore, as model interfaces allow
--- no dot.
---@param op op.Row
---@return string
function M.name(op)
  return (op.id:gsub("%.", "_"))
end

local function description(op)
  local parts = { op.title .. "." }
  if op.doc then
    parts[#parts + 1] = str.dedent(op.doc):gsub("%s*\n%s*", " ")
  end
  if op.cost then
    parts[#parts + 1] = "Cost: " .. op.cost
  end
  return table.concat(parts, " ")
end

--- The tool: what model providers and MCP clients are told.
---@param op op.Row
---@return { name: string, description: string, input_schema: table, annotations: table }
function M.tool(op)
  return {
    name = M.name(op),
    description = description(op),
    input_schema = M.schema(op),
    annotations = {
      title = op.title,
      readOnlyHint = op.effect == "read",
      destructiveHint = op.effect == "destroy",
      idempotentHint = op.idempotent == true or op.effect == "read",
      openWorldHint = true,
    },
  }
end

--- JSON Schema of the result, or nil when none is declared.
---@param op op.Row
---@return table?
function M.result_schema(op)
  local shape = M.returns(op)
  return shape and schema.json_schema(shape) or nil
end

return M
