--- Puts records in the order of an answer: by name, number or time.
--- Pure.

local tbl = require "base.tbl"

local M = {}

--- By app, name and id.
---@param records table[]
---@return table[]
function M.by_name(records)
  return tbl.sort_by(records, function(record)
    return ("%s\0%s\0%s"):format(record.app or "", record.name, record.id or "")
  end)
end

--- By a number or a time, equal ones by name; what has none comes last.
---@param records table[]
---@param key string
---@param is_down boolean the greatest first
---@return table[]
function M.by_value(records, key, is_down)
  local known, unknown = {}, {}
  for at, record in ipairs(M.by_name(records)) do
    local list = record[key] ~= nil and known or unknown
    list[#list + 1] = { at = at, record = record }
  end
  table.sort(known, function(a, b)
    local x, y = a.record[key], b.record[key]
    if x == y then
      return a.at < b.at
    end
    return (x < y) ~= is_down
  end)
  return tbl.map(tbl.flatten({ known, unknown }), function(entry)
    return entry.record
  end)
end

return M
