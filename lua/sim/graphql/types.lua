--- The type table: how a schema is declared, and looked up.
--- Pure. A field is declared with its type, its arguments, and how it is got.

local parser = require "sim.graphql.parser"

local M = {}

---@class graphql.Field
---@field name string
---@field type graphql.TypeRef
---@field args table<string, graphql.ArgumentType>
---@field get (fun(ctx: sim.Context, object: any, args: table): any, any)?
---  nil reads the object's own member of that name

---@class graphql.ArgumentType
---@field type graphql.TypeRef
---@field default any

---@class graphql.Type
---@field kind "object"|"interface"|"enum"|"input"|"scalar"
---@field name string
---@field fields table<string, graphql.Field>?
---@field implements string[]?
---@field possible table<string, boolean>? of an interface: its object types
---@field type_of (fun(value: any): string)? of an interface
---@field values table<string, boolean>? of an enum
---@field inputs table<string, graphql.ArgumentType>? of an input
---@field serialize (fun(value: any): any)? of a scalar
---@field is_connection boolean?

---@class graphql.Schema
---@field types table<string, graphql.Type>
local Schema = {}
Schema.__index = Schema

local refs = {}

-- Type references are shared: the same text is the same reference.
local function ref(text)
  if not refs[text] then
    refs[text] = assert(parser.parse_type(text))
  end
  return refs[text]
end

---@return graphql.Schema
function M.new()
  return setmetatable({ types = {} }, Schema)
end

local function add(schema, kind)
  assert(not schema.types[kind.name], kind.name .. " is declared twice")
  schema.types[kind.name] = kind
  return kind
end

-- "Int", or { "Int", default = 3 }.
local function argument(spec)
  if type(spec) == "string" then
    return { type = ref(spec) }
  end
  return { type = ref(spec[1]), default = spec.default }
end

local function arguments(specs)
  local args = {}
  for name, spec in pairs(specs or {}) do
    args[name] = argument(spec)
  end
  return args
end

-- "String!", or { "App", args = { name = "String" }, get = fn }.
local function field(name, spec)
  if type(spec) == "string" then
    spec = { spec }
  end
  return {
    name = name, type = ref(spec[1]), args = arguments(spec.args),
    get = spec.get,
  }
end

local function fields_of(specs)
  local fields = {}
  for name, spec in pairs(specs) do
    fields[name] = field(name, spec)
  end
  return fields
end

--- Declares an object type.
---@param name string
---@param specs table<string, string|table>
---@param implements string[]?
function Schema:object(name, specs, implements)
  return add(self, {
    kind = "object", name = name, fields = fields_of(specs),
    implements = implements or {},
  })
end

--- Declares an interface; `type_of` says which object type a value is of.
function Schema:interface(name, specs, type_of)
  return add(self, {
    kind = "interface", name = name, fields = fields_of(specs),
    type_of = type_of, possible = {},
  })
end

---@param name string
---@param values string[]
function Schema:enum(name, values)
  local set = {}
  for _, value in ipairs(values) do
    set[value] = true
  end
  return add(self, { kind = "enum", name = name, values = set })
end

---@param name string
---@param specs table<string, string|table>
function Schema:input(name, specs)
  return add(self, { kind = "input", name = name, inputs = arguments(specs) })
end

---@param name string
---@param serialize fun(value: any): any
function Schema:scalar(name, serialize)
  return add(self, { kind = "scalar", name = name, serialize = serialize })
end

-- What lists of nodes are asked with.
local PAGING = {
  after = "String", before = "String", first = "Int", last = "Int",
}

--- A field that is a connection: its `get` answers a list of items.
---@param type_text string
---@param get fun(ctx: sim.Context, object: any, args: table): any
---@param more table<string, string|table>? further arguments
---@return table
function M.paged(type_text, get, more)
  local args = {}
  for name, spec in pairs(PAGING) do
    args[name] = spec
  end
  for name, spec in pairs(more or {}) do
    args[name] = spec
  end
  return { type_text, args = args, get = get }
end

--- A field's `get` that always answers the same.
---@param value any
---@return fun(): any
function M.always(value)
  return function()
    return value
  end
end

--- A field's `get` that reads another member of the object.
---@param name string
---@return fun(ctx: sim.Context, object: table): any
function M.member(name)
  return function(_, object)
    return object[name]
  end
end

--- Declares the connection of a node type, and its edge.
---@param node string
---@param opts {name: string?, edge: table?, edge_name: string?}? `edge`:
---  further fields of the edge
function Schema:connection(node, opts)
  opts = opts or {}
  local base = opts.name or node
  local edge = { cursor = "String!", node = node }
  for name, spec in pairs(opts.edge or {}) do
    edge[name] = spec
  end
  self:object(base .. "Edge", edge)
  local connection = self:object(base .. "Connection", {
    edges = "[" .. base .. "Edge]",
    nodes = "[" .. node .. "]",
    pageInfo = "PageInfo!",
    totalCount = "Int!",
  })
  connection.is_connection = true
  return connection
end

--- Checks that every name used is declared, and links interfaces to objects.
function Schema:finish()
  local function check(type_ref, where)
    while type_ref.of do
      type_ref = type_ref.of
    end
    assert(self.types[type_ref.name],
      ("%s: unknown type %s"):format(where, type_ref.name))
  end
  for name, kind in pairs(self.types) do
    for field_name, one in pairs(kind.fields or {}) do
      check(one.type, name .. "." .. field_name)
      for arg_name, arg in pairs(one.args) do
        check(arg.type, name .. "." .. field_name .. "." .. arg_name)
      end
    end
    for arg_name, arg in pairs(kind.inputs or {}) do
      check(arg.type, name .. "." .. arg_name)
    end
    for _, interface in ipairs(kind.implements or {}) do
      self.types[interface].possible[name] = true
    end
  end
end

--- The innermost type of a reference.
---@param type_ref graphql.TypeRef
---@return graphql.Type?
function Schema:named(type_ref)
  while type_ref.of do
    type_ref = type_ref.of
  end
  return self.types[type_ref.name]
end

--- Whether a type has members to select.
---@param kind graphql.Type
---@return boolean
function M.is_composite(kind)
  return kind.kind == "object" or kind.kind == "interface"
end

return M
