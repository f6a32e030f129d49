--- Request bodies: what a body may hold, and a check that says what is wrong.
--- Pure. Bodies are closed: an unknown member is an error. `null` counts as
--- absent, as it does for the real service.

local json = require "base.json"
local tbl = require "base.tbl"

local M = {}

---@class sim.Shape
---@field kind string
---@field name string? as an error message calls it
---@field is_required boolean?
---@field test (fun(value: any): string?)? what is wrong with a value of the kind
---@field unique string? of a list: the member no two items may share

local PRIMITIVES = {
  any = { kind = "any", name = "any" },
  string = { kind = "string", name = "string" },
  integer = { kind = "integer", name = "int" },
  number = { kind = "number", name = "float64" },
  boolean = { kind = "boolean", name = "bool" },
}

-- "string", "integer!" (required), or a shape made below.
local function shape_of(spec)
  if type(spec) == "table" then
    return spec
  end
  local word, mark = spec:match("^(%a+)(!?)$")
  local shape = assert(PRIMITIVES[word], spec)
  if mark == "!" then
    return M.required(shape)
  end
  return shape
end

--- The same shape, but it must be there.
---@param spec string|sim.Shape
---@return sim.Shape
function M.required(spec)
  local shape = tbl.copy(shape_of(spec))
  shape.is_required = true
  return shape
end

--- The same shape for values that pass a further test.
---@param spec string|sim.Shape
---@param test fun(value: any): string? says what is wrong
---@return sim.Shape
function M.with(spec, test)
  local shape = tbl.copy(shape_of(spec))
  shape.test = test
  return shape
end

--- A closed object.
---@param members table<string, string|sim.Shape>
---@return sim.Shape
function M.object(members)
  local shapes = {}
  for name, spec in pairs(members) do
    shapes[name] = shape_of(spec)
  end
  return { kind = "object", name = "object", members = shapes }
end

---@param item string|sim.Shape
---@return sim.Shape
function M.list(item)
  return { kind = "list", name = "array", item = shape_of(item) }
end

--- A list of objects, none of them null, that differ in a member.
---@param item sim.Shape
---@param member string?
---@return sim.Shape
function M.records(item, member)
  local shape = M.list(M.required(item))
  shape.unique = member
  return shape
end

--- An object whose member names are free.
---@param item string|sim.Shape
---@return sim.Shape
function M.map(item)
  return { kind = "map", name = "map", item = shape_of(item) }
end

--- One of some texts.
---@param values string[]
---@return sim.Shape
function M.enum(values)
  return {
    kind = "enum", name = "string", values = tbl.set(values),
    text = table.concat(tbl.filter(values, function(value)
      return value ~= ""
    end), ", "),
  }
end

--- What any of some shapes takes.
---@param specs (string|sim.Shape)[]
---@return sim.Shape
function M.any_of(specs)
  return { kind = "any_of", name = "any", shapes = tbl.map(specs, shape_of) }
end

local check

local function mismatch(value, shape, path)
  local got = json.is_array(value) and "array" or type(value)
  if got == "table" then
    got = "object"
  end
  return ("cannot unmarshal %s into field %s of type %s"):format(
    got, path == "" and "body" or path, shape.name)
end

local function join(path, name)
  return path == "" and tostring(name) or path .. "." .. name
end

local function check_object(value, shape, path)
  for _, name in ipairs(tbl.keys(value)) do
    local member = shape.members[name]
    if not member then
      return ("unknown field %q"):format(join(path, name))
    end
    local problem = check(value[name], member, join(path, name))
    if problem then
      return problem
    end
  end
  for name, member in tbl.sorted(shape.members) do
    local given = value[name]
    if member.is_required and (given == nil or given == json.null) then
      return ("%s is required"):format(join(path, name))
    end
  end
end

local function check_unique(value, shape, path)
  local seen = {}
  for i, item in ipairs(value) do
    local name = item[shape.unique]
    if name ~= nil and name ~= json.null then
      if seen[name] then
        return ("%s.%d: there is another %s %q"):format(path, i - 1,
          shape.unique, name)
      end
      seen[name] = true
    end
  end
end

local function check_items(value, shape, path)
  for key, item in tbl.sorted(value) do
    local name = join(path, type(key) == "number" and key - 1 or key)
    if item == json.null and shape.item.is_required then
      return ("%s is required"):format(name)
    end
    local problem = check(item, shape.item, name)
    if problem then
      return problem
    end
  end
  return shape.unique and check_unique(value, shape, path)
end

local function is_object(value)
  return type(value) == "table" and not json.is_array(value)
end

local CHECKS
CHECKS = {
  any = function()
    return true
  end,
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
  enum = function(value)
    return type(value) == "string"
  end,
  object = is_object,
  map = is_object,
  list = function(value)
    return json.is_array(value)
  end,
  any_of = function(value, shape)
    return tbl.find(shape.shapes, function(one)
      return CHECKS[one.kind](value, one)
    end) ~= nil
  end,
}

-- What is wrong with it as the first of those whose type it has.
local function check_any(value, shape, path)
  local first
  for _, one in ipairs(shape.shapes) do
    local wrong = CHECKS[one.kind](value, one) and check(value, one, path)
    if wrong == nil then
      return nil
    end
    first = first or wrong or nil
  end
  return first
end

-- What is wrong with a value; nil when nothing is.
function check(value, shape, path)
  if value == json.null then
    return nil
  end
  if not CHECKS[shape.kind](value, shape) then
    return mismatch(value, shape, path)
  end
  local wrong = shape.test and shape.test(value)
  if wrong then
    return ("invalid %s: %s"):format(path, wrong)
  elseif shape.kind == "any_of" then
    return check_any(value, shape, path)
  elseif shape.kind == "object" then
    return check_object(value, shape, path)
  elseif shape.kind == "list" or shape.kind == "map" then
    return check_items(value, shape, path)
  elseif shape.kind == "enum" and not shape.values[value] then
    return ("invalid %s: %q is not one of %s"):format(path, value, shape.text)
  end
end

--- Checks a decoded body.
---@param value any
---@param shape sim.Shape
---@return string? problem nil when the body fits
function M.check(value, shape)
  if value == json.null then
    return "a body is required"
  end
  return check(value, shape, "")
end

return M
