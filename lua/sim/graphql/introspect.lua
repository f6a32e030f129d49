--- Questions about the schema itself: `__schema` and `__type`.
--- Declarations; the schema describes the part that is modelled.

local tbl = require "base.tbl"

local values = require "sim.graphql.values"

local M = {}

local function always(value)
  return function()
    return value
  end
end

-- Types stand here as references, so that lists and non-nulls are types too.
local function named(name)
  return { kind = "named", name = name }
end

local KINDS = {
  object = "OBJECT", interface = "INTERFACE", enum = "ENUM",
  input = "INPUT_OBJECT", scalar = "SCALAR",
}

-- Sorted rows of a table, as { name, row }.
local function rows(map, hide)
  local out = {}
  for name, row in tbl.sorted(map or {}) do
    if not (hide and name:sub(1, 2) == "__") then
      out[#out + 1] = { name = name, row = row }
    end
  end
  return out
end

-- A field of __Type that is null unless the type is of one of these kinds.
local function for_kinds(schema, type_text, kinds, get, args)
  return {
    type_text, args = args,
    get = function(_, ref)
      local kind = ref.kind == "named" and schema.types[ref.name]
      if not kind or not kinds[kind.kind] then
        return nil
      end
      return get(kind)
    end,
  }
end

local DEPRECATED = { includeDeprecated = { "Boolean", default = false } }
local COMPOSITE = { object = true, interface = true }

local function type_fields(schema)
  return {
    kind = {
      "__TypeKind!",
      get = function(_, ref)
        if ref.kind ~= "named" then
          return ref.kind == "list" and "LIST" or "NON_NULL"
        end
        return KINDS[schema.types[ref.name].kind]
      end,
    },
    name = {
      "String",
      get = function(_, ref)
        return ref.kind == "named" and ref.name or nil
      end,
    },
    description = { "String", get = always(nil) },
    specifiedByURL = { "String", get = always(nil) },
    ofType = {
      "__Type",
      get = function(_, ref)
        return ref.of
      end,
    },
    fields = for_kinds(schema, "[__Field!]", COMPOSITE, function(kind)
      return rows(kind.fields, true)
    end, DEPRECATED),
    interfaces = for_kinds(schema, "[__Type!]", COMPOSITE, function(kind)
      return tbl.map(kind.implements or {}, named)
    end),
    possibleTypes = for_kinds(schema, "[__Type!]", { interface = true },
      function(kind)
        return tbl.map(tbl.keys(kind.possible), named)
      end),
    enumValues = for_kinds(schema, "[__EnumValue!]", { enum = true },
      function(kind)
        return rows(kind.values)
      end, DEPRECATED),
    inputFields = for_kinds(schema, "[__InputValue!]", { input = true },
      function(kind)
        return rows(kind.inputs)
      end, DEPRECATED),
  }
end

local function declare_parts(schema)
  local described = {
    name = "String!", description = { "String", get = always(nil) },
    isDeprecated = { "Boolean!", get = always(false) },
    deprecationReason = { "String", get = always(nil) },
  }
  local function type_of(_, one)
    return one.row.type
  end
  schema:enum("__TypeKind", {
    "SCALAR", "OBJECT", "INTERFACE", "UNION", "ENUM", "INPUT_OBJECT", "LIST",
    "NON_NULL",
  })
  schema:object("__EnumValue", described)
  schema:object("__InputValue", tbl.merge(described, {
    type = { "__Type!", get = type_of },
    defaultValue = {
      "String",
      get = function(_, one)
        local default = one.row.default
        return default ~= nil and values.default_text(schema, one.row) or nil
      end,
    },
  }))
  schema:object("__Field", tbl.merge(described, {
    args = {
      "[__InputValue!]!", args = DEPRECATED,
      get = function(_, one)
        return rows(one.row.args)
      end,
    },
    type = { "__Type!", get = type_of },
  }))
  schema:enum("__DirectiveLocation", { "FIELD", "FRAGMENT_SPREAD",
    "INLINE_FRAGMENT" })
  schema:object("__Directive", {
    name = "String!", description = { "String", get = always(nil) },
    isRepeatable = { "Boolean!", get = always(false) },
    locations = {
      "[__DirectiveLocation!]!",
      get = always({ "FIELD", "FRAGMENT_SPREAD", "INLINE_FRAGMENT" }),
    },
    args = {
      "[__InputValue!]!", args = DEPRECATED,
      get = always({
        {
          name = "if",
          row = { type = { kind = "nonnull", of = named("Boolean") } },
        },
      }),
    },
  })
end

local function declare_schema(schema)
  schema:object("__Schema", {
    description = { "String", get = always(nil) },
    types = {
      "[__Type!]!",
      get = function()
        return tbl.map(tbl.keys(schema.types), named)
      end,
    },
    queryType = { "__Type!", get = always(named("Queries")) },
    mutationType = { "__Type", get = always(named("Mutations")) },
    subscriptionType = { "__Type", get = always(nil) },
    directives = {
      "[__Directive!]!",
      get = always({ { name = "include" }, { name = "skip" } }),
    },
  })
end

--- Declares the types; returns the two fields of the query root.
---@param schema graphql.Schema
---@return table<string, table>
function M.declare(schema)
  schema:object("__Type", type_fields(schema))
  declare_parts(schema)
  declare_schema(schema)
  return {
    __schema = { "__Schema!", get = always({}) },
    __type = {
      "__Type", args = { name = "String!" },
      get = function(_, _, args)
        return schema.types[args.name] and named(args.name) or nil
      end,
    },
  }
end

return M
