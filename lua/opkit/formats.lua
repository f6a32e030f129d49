--- How a value reads in a table cell.
--- Pure; a format is a function of the value and of now, and never fails: what
--- it cannot read it shows as it is.

local fmt = require "base.fmt"
local json = require "base.json"
local time = require "base.time"

local M = {}

-- Plain text of any value: lists joined, objects as JSON, nothing for null.
local function text(value)
  if value == nil or value == json.null then
    return ""
  elseif type(value) ~= "table" then
    return tostring(value)
  elseif json.is_raw(value) then
    return value.text
  elseif value[1] ~= nil or json.is_array(value) then
    local parts = {}
    for i, item in ipairs(value) do
      parts[i] = text(item)
    end
    return table.concat(parts, ", ")
  end
  return json.encode(value)
end

-- A size given in units of `unit` bytes.
local function size(unit)
  return function(value)
    return type(value) == "number" and fmt.bytes(value * unit) or text(value)
  end
end

---@type table<string, fun(value: any, now: number): string>
local formats = {
  text = text,
  bytes = size(1),
  megabytes = size(2 ^ 20),
  gigabytes = size(2 ^ 30),
  ago = function(value, now)
    return type(value) == "string" and value ~= "" and fmt.ago(now, value)
      or text(value)
  end,
  -- An instant in milliseconds since 1970.
  millis = function(value, now)
    return type(value) == "number" and fmt.ago(now, time.format(value // 1000))
      or text(value)
  end,
  duration = function(value)
    return type(value) == "number" and fmt.duration(value) or text(value)
  end,
  boolean = function(value)
    if type(value) == "boolean" then
      return value and "yes" or "no"
    end
    return text(value)
  end,
  count = function(value)
    return type(value) == "table" and tostring(#value) or text(value)
  end,
  -- The name of a state; faces may colour it.
  state = text,
  -- An identifier or digest: its beginning tells it apart.
  short = function(value)
    local whole = text(value)
    local cut = utf8.len(whole) and utf8.offset(whole, 17)
    return cut and cut <= #whole and whole:sub(1, cut - 1) .. "…" or whole
  end,
}

-- Formats whose columns line up at the right.
local RIGHT = {
  bytes = true, megabytes = true, gigabytes = true, count = true, number = true,
}

formats.number = text

---@param name string
---@return (fun(value: any, now: number): string)?
function M.get(name)
  return formats[name]
end

---@param name string
---@return "left"|"right"
function M.align(name)
  return RIGHT[name] and "right" or "left"
end

return M
