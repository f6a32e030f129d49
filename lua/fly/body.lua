--- JSON request bodies that may hold secrets: those stay handles, between the
--- pieces of text around them. Pure but for the new handles it makes.

local err = require "base.err"
local json = require "base.json"
local secret = require "sys.secret"
local tbl = require "base.tbl"

local M = {}

--- Bodies are flat: deeper ones are a fault of whoever made them.
local MAX_DEPTH = 32

---@param value any
---@param depth integer
---@return boolean
local function holds_secret(value, depth)
  if secret.is(value) then
    return true
  elseif type(value) ~= "table" or depth > MAX_DEPTH then
    return false
  end
  for _, inner in pairs(value) do
    if holds_secret(inner, depth + 1) then
      return true
    end
  end
  return false
end

---@param handle secret.Secret
---@param path string of the value, for the message
---@return table err
local function refusal(handle, path)
  local _, why, code = handle:json()
  return err.new {
    kind = "usage", code = code,
    message = ("the value of %s is %s, and the API takes only text"):format(path, why),
    hint = code == "EINVAL" and "encode it first, for example with base64" or nil,
  }
end

local append

---@param parts any[]
---@param value table with secrets in it
---@return table? err
local function append_object(parts, value)
  local separator = "{"
  for name, inner in tbl.sorted(value) do
    parts[#parts + 1] = separator .. json.encode(name) .. ":"
    separator = ","
    local refused = append(parts, inner, tostring(name))
    if refused then
      return refused
    end
  end
  parts[#parts + 1] = "}"
end

function append(parts, value, path)
  if secret.is(value) then
    local text = value:json()
    if not text then
      return refusal(value, path)
    end
    parts[#parts + 1] = text
  elseif not holds_secret(value, 0) then
    parts[#parts + 1] = json.encode(value)
  elseif value[1] ~= nil then
    error("a list with secrets in a request body")
  else
    return append_object(parts, value)
  end
end

--- The body as text, or as a list of texts and secrets.
---@param value table
---@return (string|any[])? body, table? err
function M.encode(value)
  if not holds_secret(value, 0) then
    return json.encode(value)
  end
  local parts = {}
  local refused = append(parts, value, "")
  if refused then
    return nil, refused
  end
  return parts
end

return M
