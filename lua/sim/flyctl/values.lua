--- Values of flags, read as Go reads them and refused in its words.
--- Pure.

local tbl = require "base.tbl"

local M = {}

local TRUE = tbl.set({ "1", "t", "T", "TRUE", "true", "True" })
local FALSE = tbl.set({ "0", "f", "F", "FALSE", "false", "False" })

-- Digits after a sign, and the base they are in.
local BASES = {
  { "^0[xX]_?(%x[%x_]*)$", 16 }, { "^0[bB]_?([01][01_]*)$", 2 }, { "^0[oO]_?([0-7][0-7_]*)$", 8 },
  { "^0_?([0-7][0-7_]*)$", 8 }, { "^(0)$", 10 }, { "^([1-9][%d_]*)$", 10 },
}

-- Units of durations, in seconds.
local SECONDS = {
  ns = 1e-9, us = 1e-6, ["µs"] = 1e-6, ["μs"] = 1e-6, ms = 1e-3, s = 1, m = 60, h = 3600,
}

local readers = {}

function readers.string(text)
  return text
end

readers.list = readers.string

function readers.bool(text)
  if TRUE[text] or FALSE[text] then
    return TRUE[text] == true
  end
  return nil, ("strconv.ParseBool: parsing %q: invalid syntax"):format(text)
end

function readers.int(text)
  local sign, rest = text:match("^([+-]?)(.*)$")
  for _, base in ipairs(BASES) do
    local digits = rest:match(base[1])
    if digits and not digits:find("__", 1, true) and not digits:find("_$") then
      local number = tonumber((digits:gsub("_", "")), base[2])
      return number and (sign == "-" and -number or number)
    end
  end
  return nil, ("strconv.ParseInt: parsing %q: invalid syntax"):format(text)
end

function readers.float64(text)
  local plain = text:lower():gsub("^[+-]", "")
  if plain == "inf" or plain == "infinity" then
    return text:find("^-") and -math.huge or math.huge
  elseif plain == "nan" then
    return 0 / 0
  end
  local number = plain:find("^[%d.][%d.]*e?[+-]?%d*$") and tonumber(plain)
  if number then
    return text:find("^-") and -number or number
  end
  return nil, ("strconv.ParseFloat: parsing %q: invalid syntax"):format(text)
end

-- Kept as it is written: nothing here counts with it.
function readers.duration(text)
  local rest = text:gsub("^[+-]", "")
  if rest == "0" then
    return text
  elseif not rest:find("^%.?%d") then
    return nil, ("time: invalid duration %q"):format(text)
  end
  while rest ~= "" do
    local number, unit, left = rest:match("^([%d.]+)([^%d.]*)(.*)$")
    if not number or not tonumber(number) then
      return nil, ("time: invalid duration %q"):format(text)
    elseif unit == "" then
      return nil, ("time: missing unit in duration %q"):format(text)
    elseif not SECONDS[unit] then
      return nil, ("time: unknown unit %q in duration %q"):format(unit, text)
    end
    rest = left
  end
  return text
end

--- A time limit in seconds: "1m30s", or seconds without a unit; nil for anything
--- else.
---@param value any
---@return number?
function M.seconds(value)
  if value == nil or tonumber(value) then
    return tonumber(value)
  elseif not readers.duration(value) then
    return nil
  end
  local total = 0
  for number, unit in value:gmatch("([%d.]+)([^%d.]+)") do
    total = total + tonumber(number) * SECONDS[unit]
  end
  return value:find("^%-") and -total or total
end

--- The value of a flag's text, or nil and what Go says of it.
---@param kind string
---@param text string
---@return any value
---@return string? why
function M.read(kind, text)
  return readers[kind](text)
end

return M
