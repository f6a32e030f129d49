--- YAML texts and files to tables and back.
--- load() reads a file, at once; nothing waits.

local err = require "base.err"
local host = require "host.yaml"

local M = {}

---@class yaml.Options
---@field secrets string[]? paths (keys joined by dots, "*" for any) of secrets
---@field top "map"|"list"|"any"? what the document must be; a map when absent
---@field nulls boolean? keep nulls in maps as `null`; else the key is absent

--- The value of a null: in a list, or anywhere with `nulls`. JSON's null too.
M.null = host.null

local function result(value, message, code, place)
  if message == nil then
    return value
  end
  local e = err.from_host(message, code)
  if place then
    e.line, e.column = place.line, place.column
  end
  return nil, e
end

--- Decodes a text. An error names line and column, in its message and fields.
---@param text string
---@param opts yaml.Options?
---@return any
---@return err.Record?
function M.decode(text, opts)
  return result(host.decode(text, opts))
end

--- Decodes a file. What is at the paths `secrets` becomes a secret handle without
--- ever having been a Lua string.
---@param path string
---@param opts yaml.Options?
---@return any
---@return err.Record?
function M.load(path, opts)
  return result(host.load(path, opts))
end

--- Encodes a value, keys sorted. Raises for what has no YAML form: functions,
--- secrets, tables with keys of several kinds.
---@param value any
---@return string?
---@return err.Record?
function M.encode(value)
  return result(host.encode(value))
end

return M
