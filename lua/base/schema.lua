--- Shapes of data: one small notation, checked here and shown as JSON Schema.
--- Pure. A shape is plain data, so that every view can read it.
---
--- A shape is a type's name, with "?" where the value may be null or absent:
---   "string" "integer" "number" "boolean" "time" "any"   "string?" …
--- or a table with exactly one of these, and `optional = true` for the "?":
---   { object = { name = shape, … } }   unknown fields pass unless `closed`
---   { list = shape }                   every element
---   { map = shape }                    every value; any keys
---   { enum = { "a", "b" } }            one of these strings
---   { one_of = { shape, … } }          the first that fits
--- `text` describes the value wherever people read the shape.

local err = require "base.err"
local json = require "base.json"
local tbl = require "base.tbl"
local time = require "base.time"

local M = {}

---@alias schema.Shape string|table

local FORMS = { "object", "list", "map", "enum", "one_of" }

local function is_integer(value)
  return math.type(value) == "integer" or json.is_raw(value)
end

-- name → { test, what messages call it, JSON Schema }
local SCALARS = {
  string = {
    function(value) return type(value) == "string" end,
    "a string", { type = "string" },
  },
  integer = { is_integer, "an integer", { type = "integer" } },
  number = {
    function(value) return type(value) == "number" or json.is_raw(value) end,
    "a number", { type = "number" },
  },
  boolean = {
    function(value) return type(value) == "boolean" end,
    "a boolean", { type = "boolean" },
  },
  time = {
    function(value)
      return type(value) == "string" and time.parse(value) ~= nil
    end,
    "a time", { type = "string", format = "date-time" },
  },
  any = { function() return true end, "anything", {} },
}

--- The names of all scalars, sorted.
M.SCALARS = tbl.keys(SCALARS)

-- The parts of a shape: its form, the form's argument, may it be missing?
local function parts(shape)
  if type(shape) == "string" then
    local name = shape:gsub("%?$", "")
    return "scalar", name, name ~= shape
  end
  for _, form in ipairs(FORMS) do
    if shape[form] ~= nil then
      return form, shape[form], shape.optional == true
    end
  end
  error("a shape has none of the forms " .. table.concat(FORMS, ", "), 0)
end

local function type_name(value)
  if value == nil then
    return "nothing"
  elseif value == json.null then
    return "null"
  elseif json.is_array(value) then
    return "an array"
  elseif type(value) == "table" then
    return "an object"
  end
  local name = math.type(value) or type(value)
  return (name == "integer" and "an " or "a ") .. name
end

local check -- the dispatcher below

local function is_list(value)
  return type(value) == "table" and not json.is_raw(value)
    and (json.is_array(value) or next(value) == nil or value[1] ~= nil)
end

local function is_map(value)
  return type(value) == "table" and not json.is_raw(value)
    and not json.is_array(value) and value[1] == nil
end

local CHECKS = {}

function CHECKS.scalar(value, name, path)
  local scalar = SCALARS[name]
  if not scalar then
    error("unknown shape: " .. name, 0)
  end
  if not scalar[1](value) then
    return path, ("expected %s, got %s"):format(scalar[2], type_name(value))
  end
end

function CHECKS.object(value, fields, path, shape)
  if not is_map(value) then
    return path, "expected an object, got " .. type_name(value)
  end
  for name, field in tbl.sorted(fields) do
    local at, why = check(value[name], field, path .. "." .. name)
    if at then
      return at, why
    end
  end
  if shape.closed then
    for name in tbl.sorted(value) do
      if fields[name] == nil then
        return path, ("unexpected field %q"):format(name)
      end
    end
  end
end

function CHECKS.list(value, item, path)
  if not is_list(value) then
    return path, "expected an array, got " .. type_name(value)
  end
  for i = 1, #value do
    local at, why = check(value[i], item, ("%s[%d]"):format(path, i))
    if at then
      return at, why
    end
  end
end

function CHECKS.map(value, item, path)
  if not is_map(value) then
    return path, "expected an object, got " .. type_name(value)
  end
  for name, field in tbl.sorted(value) do
    local at, why = check(field, item, path .. "." .. tostring(name))
    if at then
      return at, why
    end
  end
end

function CHECKS.enum(value, values, path)
  if not tbl.contains(values, value) then
    local got = type(value) == "string" and ("%q"):format(value)
      or type_name(value)
    return path, ("expected one of %s, got %s"):format(
      table.concat(values, ", "), got)
  end
end

function CHECKS.one_of(value, shapes, path)
  local last_at, last_why
  for _, shape in ipairs(shapes) do
    last_at, last_why = check(value, shape, path)
    if not last_at then
      return nil
    end
  end
  return last_at, last_why
end

-- Nothing when the value fits, else where it does not and why.
function check(value, shape, path)
  local form, argument, is_optional = parts(shape)
  if is_optional and (value == nil or value == json.null) then
    return nil
  end
  return CHECKS[form](value, argument, path, shape)
end

--- Whether the value has that shape; the error says where it has not.
---@param value any as decoded by base.json
---@param shape schema.Shape
---@return true?
---@return err.Record?
function M.validate(value, shape)
  local path, why = check(value, shape, "value")
  if not path then
    return true
  end
  return nil, err.new({
    kind = "protocol",
    message = ("%s: %s"):format(path, why),
    detail = { path = path },
  })
end

local EXPORTS = {}

function EXPORTS.scalar(name)
  return tbl.copy(SCALARS[name][3])
end

function EXPORTS.object(fields, shape)
  local properties, required = {}, json.array()
  for name, field in tbl.sorted(fields) do
    properties[name] = M.json_schema(field)
    local _, _, is_optional = parts(field)
    if not is_optional then
      required[#required + 1] = name
    end
  end
  return {
    type = "object", properties = properties, required = required,
    additionalProperties = not shape.closed,
  }
end

function EXPORTS.list(item)
  return { type = "array", items = M.json_schema(item) }
end

function EXPORTS.map(item)
  return { type = "object", additionalProperties = M.json_schema(item) }
end

function EXPORTS.enum(values)
  return { type = "string", enum = json.array(tbl.copy(values)) }
end

function EXPORTS.one_of(shapes)
  return { anyOf = json.array(tbl.map(shapes, M.json_schema)) }
end

--- The shape as JSON Schema (a table for base.json to encode).
---@param shape schema.Shape
---@return table
function M.json_schema(shape)
  local form, argument, is_optional = parts(shape)
  local out = EXPORTS[form](argument, shape)
  if is_optional then
    out = { anyOf = json.array({ out, { type = "null" } }) }
  end
  if type(shape) == "table" then
    out.description = shape.text
  end
  return out
end

--- The shape of what stands at a path in values of the shape; nil when the
--- shape says nothing of it. Lists are passed through: "a.b" finds b in each.
---@param shape schema.Shape
---@param path string|string[]
---@return schema.Shape?
function M.at(shape, path)
  for _, key in ipairs(tbl.path(path)) do
    local form, argument = parts(shape)
    while form == "list" do
      shape = argument
      form, argument = parts(shape)
    end
    if form == "object" then
      shape = argument[key]
    elseif form == "map" then
      shape = argument
    elseif form == "scalar" and argument == "any" then
      return "any"
    else
      return nil
    end
    if shape == nil then
      return nil
    end
  end
  return shape
end

--- Whether values of the shape may be missing.
---@param shape schema.Shape
---@return boolean
function M.is_optional(shape)
  return (select(3, parts(shape)))
end

--- Raises unless the table is a well-formed shape, all the way down.
---@param shape schema.Shape
function M.check_shape(shape)
  local form, argument = parts(shape)
  if form == "scalar" then
    if not SCALARS[argument] then
      error("unknown shape: " .. tostring(shape), 0)
    end
  elseif form == "object" then
    for _, field in pairs(argument) do
      M.check_shape(field)
    end
  elseif form == "one_of" then
    for _, option in ipairs(argument) do
      M.check_shape(option)
    end
  elseif form ~= "enum" then
    M.check_shape(argument)
  end
end

return M
