--- The table view of an operation: which cells an item has, and the order of
--- the rows.
--- Pure; layout and colours belong to the face.

local formats = require "opkit.formats"
local json = require "base.json"
local tbl = require "base.tbl"

local M = {}

---@class op.Column as declared: { "TITLE", "path.in.item" or function, … }
---@field [1] string
---@field [2] string|fun(item: table): any
---@field format string? a name in opkit.formats
---@field priority integer? 1 (default) stays longest on a narrow terminal
---@field wide boolean? shown only when asked for

---@class op.View
---@field title string
---@field key string name for CSV and selections: the title in lower case
---@field path string? where the value stands, when it is a field
---@field priority integer
---@field wide boolean
---@field align "left"|"right"
---@field format string
---@field value fun(item: table): any the plain value; nil when absent
---@field text fun(item: table, now: number): string the cell

local function getter(source)
  if type(source) == "function" then
    return source
  end
  local path = tbl.path(source)
  return function(item)
    return tbl.get(item, path)
  end
end

local function view(column)
  local get = getter(column[2])
  local name = column.format or "text"
  local format = formats.get(name)
  local function value(item)
    local found = get(item)
    if found ~= json.null then
      return found
    end
  end
  return {
    title = column[1],
    key = column[1]:lower():gsub(" ", "_"),
    path = type(column[2]) == "string" and column[2] or nil,
    priority = column.priority or 1,
    wide = column.wide == true,
    align = formats.align(name),
    format = name,
    value = value,
    text = function(item, now)
      return format(value(item), now)
    end,
  }
end

--- The columns of an operation, in order; empty when it declares none.
---@param op op.Row
---@return op.View[]
function M.columns(op)
  return tbl.map(op.columns or {}, view)
end

--- What a list is sorted by: texts that compare with `<`. Numbers are padded,
--- so that 9 comes before 10; what is missing comes first.
---@param op op.Row
---@param item any
---@return string
function M.sort_key(op, item)
  local parts = {}
  for i, path in ipairs(op.order or {}) do
    local value = tbl.get(item, path)
    if type(value) == "number" then
      value = ("%024.6f"):format(value)
    end
    parts[i] = type(value) == "string" and value or ""
  end
  return table.concat(parts, "\0")
end

--- Sorts a list by the operation's order; equal items keep theirs.
---@generic T
---@param op op.Row
---@param list T[]
---@return T[]
function M.sort(op, list)
  if not op.order then
    return list
  end
  local sorted = tbl.sort_by(list, function(item)
    return M.sort_key(op, item)
  end)
  return json.array(sorted)
end

return M
