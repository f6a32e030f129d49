--- Makes data from outside keep to a shape: who works with it finds under each
--- name the declared type, or nothing.
--- Pure; changes the value in place. A missing value is no business of this.

local json = require "base.json.kinds"
local tbl = require "base.tbl"

local M = {}

--- What was left out of a value.
---@class conform.Report
---@field count integer
---@field first string? the path that sorts first: "config.guest", "checks.1.name"
---@field path (string|integer)[] where the walk stands

---@return conform.Report
function M.report()
  return { count = 0, path = {} }
end

local function to_text(value)
  local kind = type(value)
  if kind == "string" or kind == "userdata" then
    return value -- an opaque handle stands for a text
  elseif kind == "number" or json.is_raw(value) then
    return tostring(value)
  end
end

local function to_number(value)
  if json.is_raw(value) then
    return value
  elseif type(value) == "string" and not value:find("^%-?%d+%.?%d*$") then
    return nil
  end
  local number = tonumber(value)
  return math.tointeger(number) or number
end

-- Texts and numbers stand for each other; nothing else does.
local SCALARS = {
  string = to_text,
  time = to_text,
  number = to_number,
  integer = function(value)
    value = to_number(value)
    return math.type(value) ~= "float" and value or nil
  end,
  boolean = function(value)
    if type(value) == "boolean" then
      return value
    end
  end,
  any = function(value)
    return value
  end,
}

for _, name in ipairs(tbl.keys(SCALARS)) do
  SCALARS[name .. "?"] = SCALARS[name]
end

-- The Lua type whose every value is right for a scalar.
local PLAIN = {
  string = "string", ["string?"] = "string", time = "string", ["time?"] = "string",
  number = "number", ["number?"] = "number", boolean = "boolean", ["boolean?"] = "boolean",
}

local conform -- the dispatcher below

local function note(report)
  local path = table.concat(report.path, ".")
  report.count = report.count + 1
  report.first = report.first and report.first < path and report.first or path
end

-- What the member becomes; nil is told unless there was nothing.
local function member(value, key, shape, report)
  if value == nil or value == json.null then
    return nil
  end
  local path = report.path
  path[#path + 1] = key
  local kept = conform(value, shape, report)
  if kept == nil then
    note(report)
  end
  path[#path] = nil
  return kept
end

local function is_plain(value)
  return type(value) == "table" and not json.is_raw(value)
end

local function object(value, fields, report)
  if not is_plain(value) or json.is_array(value) then
    return nil
  end
  for name, shape in next, fields do
    local found = value[name]
    -- Nearly everything is as it should be, and there is much of it.
    if found ~= nil and type(found) ~= PLAIN[shape] then
      value[name] = member(found, name, shape, report)
    end
  end
  return value
end

local function map(value, shape, report)
  if not is_plain(value) or json.is_array(value) then
    return nil
  end
  for name, found in next, value do
    if type(found) ~= PLAIN[shape] then
      value[name] = member(found, name, shape, report)
    end
  end
  return value
end

local function list(value, shape, report)
  if not is_plain(value) or not json.is_array(value) then
    return nil
  end
  return tbl.keep(value, member, shape, report)
end

function conform(value, shape, report)
  if type(shape) == "string" then
    return SCALARS[shape](value)
  elseif shape.object then
    return object(value, shape.object, report)
  elseif shape.list then
    return list(value, shape.list, report)
  elseif shape.map then
    return map(value, shape.map, report)
  elseif shape.enum then
    return to_text(value) -- a word that is new says more than none
  end
  return value -- one_of: whoever reads it looks which it is
end

--- The value with all that has another type than its shape says left out, down
--- to single fields; nil when that is the whole value. Texts and numbers that
--- mean the same stand for each other.
---@generic T
---@param value T as decoded by base.json, without nulls or with them
---@param shape schema.Shape every name in it resolved
---@param report conform.Report gets what was left out
---@return T?
function M.apply(value, shape, report)
  return conform(value, shape, report)
end

return M
