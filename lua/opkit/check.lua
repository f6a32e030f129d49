--- Arguments of an operation: completed, converted, or refused in the words of
--- the face they came from.
--- Pure.

local err = require "base.err"
local json = require "base.json"
local paths = require "opkit.paths"
local registry = require "opkit.registry"
local str = require "base.str"
local tbl = require "base.tbl"

local M = {}

---@alias op.Face "cli"|"json"|"lua"|"form"

-- What a face calls a parameter.
local LABELS = {
  cli = function(param)
    if param.pos or param.rest then
      return "<" .. param.name:gsub("_", "-") .. ">"
    end
    return param.flag
  end,
  json = function(param)
    return '"' .. param.name .. '"'
  end,
  lua = function(param)
    return param.name
  end,
  form = function(param)
    return param.text
  end,
}

--- What the face calls the operation.
local function op_label(op, face)
  local resource = face == "cli" and registry.resource(op.resource)
  return resource and paths.of(op, resource)[1] or op.id
end

-- The value as an error shows it: short, on one line, and never a secret.
local function shown(value, param)
  if param.sensitive then
    return ""
  end
  local text = tostring(value)
  if type(value) == "table" then
    local ok, encoded = pcall(json.encode, value)
    text = ok and encoded or "a table"
  end
  if #text > 60 then
    text = text:sub(1, 57) .. "..."
  end
  return ", got " .. json.encode(text)
end

local function refuse(op, face, param, what)
  return nil, err.new({
    kind = "usage", op = op.id, param = param and param.name,
    message = ("%s: %s"):format(op_label(op, face), what),
  })
end

local function unknown(op, face, name)
  local names = tbl.map(op.params, function(param)
    return param.name
  end)
  local near = str.did_you_mean(tostring(name), names)
  local label = face == "cli" and "--" .. tostring(name):gsub("_", "-")
    or ("%q"):format(tostring(name))
  return refuse(op, face, nil, ("unknown parameter %s%s"):format(label,
    near and (" (did you mean %s?)"):format(LABELS[face](op.param[near])) or ""))
end

-- Every item of a list through the type's check.
local function check_list(param, value)
  local given = type(value) == "table" and value or { value }
  local list = json.array()
  for i, item in ipairs(given) do
    local checked, why = param.kind.check(item, param)
    if why then
      return nil, why, item
    end
    list[i] = checked
  end
  return list
end

local function check_value(param, value)
  if param.many and not param.kind.collects then
    return check_list(param, value)
  end
  local checked, why = param.kind.check(value, param)
  return checked, why, value
end

--- Checks arguments: types, defaults, what is required, nothing unknown.
---@param op op.Row
---@param args table<string, any> text or typed values; null counts as absent
---@param face op.Face? "lua" unless told
---@return table<string, any>? args new, complete and typed
---@return err.Record? kind "usage"
function M.check(op, args, face)
  face = face or "lua"
  for name in tbl.sorted(args) do
    if not op.param[name] then
      return unknown(op, face, name)
    end
  end
  local checked = {}
  for _, param in ipairs(op.params) do
    local value, label = args[param.name], LABELS[face](param)
    if value == nil or value == json.null then
      if param.required then
        return refuse(op, face, param,
          ("missing %s (%s)"):format(label, param.text))
      end
      checked[param.name] = tbl.deep_copy(param.default)
    else
      local result, why, culprit = check_value(param, value)
      if why then
        return refuse(op, face, param,
          ("%s %s%s"):format(label, why, shown(culprit, param)))
      elseif param.required and param.many and #result == 0 then
        return refuse(op, face, param,
          ("missing %s (%s)"):format(label, param.text))
      end
      checked[param.name] = result
    end
  end
  return checked
end

--- The arguments as logs and errors may show them.
---@param op op.Row
---@param args table<string, any>
---@return table<string, any>
function M.redact(op, args)
  local safe = {}
  for name, value in pairs(args) do
    local param = op.param[name]
    local is_secret = param and param.sensitive or type(value) == "userdata"
    safe[name] = is_secret and value ~= json.null and "[secret]" or value
  end
  return safe
end

return M
