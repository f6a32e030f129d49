--- The table an answer rests on.
--- Pure.

local facts = require "llm.facts"
local fmt = require "base.fmt"
local tbl = require "base.tbl"

local M = {}

local function cell(record, column, ctx)
  local value = record[column[1]]
  if column.show then
    return column.show(value, ctx)
  elseif type(value) == "table" then
    return #value > 0 and table.concat(value, ", ") or "-"
  end
  return value ~= nil and tostring(value) or "-"
end

local function group_columns(pick)
  local by = facts.NOUNS[pick.group.by]
  local columns = {
    { "name", by.columns[1][2] },
    { "count", pick.noun.plural:upper(), right = true },
  }
  if pick.group.by ~= "app" then
    columns[#columns + 1] = { "apps", pick.subject == "app" and "WHICH" or "APPS" }
  end
  if pick.measure then
    table.insert(columns, 2, {
      "sum", pick.measure.words:upper(), right = true,
      show = pick.measure.show,
    })
  end
  return columns
end

-- Columns that are shown only when the question asks for them.
local EXTRA = {
  image = { "image", "IMAGE" },
  cpu = { "cpus", "CPUS", right = true },
  state = { "state", "STATUS" },
  user = { "user", "USER" },
  created = {
    "created", "CREATED",
    show = function(value, ctx)
      return value and fmt.ago(ctx.now(), value) or "-"
    end,
  },
}

local function record_columns(query, pick)
  local columns = tbl.copy(pick.noun.columns)
  local function add(column)
    local is_there = column == nil or tbl.find(columns, function(one)
      return one[1] == column[1]
    end)
    if not is_there then
      columns[#columns + 1] = column
    end
  end
  for _, measure in ipairs(query.measures) do
    add(EXTRA[measure])
  end
  if query.marks.who and pick.subject == "release" then
    add(EXTRA.user)
  end
  if query.order == "newest" or query.order == "oldest" or query.marks.when
    or tbl.contains(query.measures, "age") then
    add(EXTRA.created)
  end
  return columns
end

-- On a narrow terminal the name stays first, then what was asked for.
local function rank(column, i, pick)
  local is_asked = pick.measure and column[1] == pick.measure.key
  return (i == 1 and 1) or (is_asked and 2) or i + 2
end

--- The columns and cells that show what the sentence says; where nothing
--- matched, everything that was looked at.
---@param query llm.Query
---@param pick llm.Pick
---@param ctx llm.Context
---@return llm.Column[] columns
---@return string[][] rows
function M.table(query, pick, ctx)
  local columns = pick.group and group_columns(pick)
    or record_columns(query, pick)
  local records = pick.group and pick.group.rows or pick.matches
  if not pick.group and #records == 0 then
    records = pick.scope
  end
  local rows = {}
  for i = 1, math.min(#records, query.limit or #records) do
    rows[i] = tbl.map(columns, function(column)
      return cell(records[i], column, ctx)
    end)
  end
  return tbl.map(columns, function(column, i)
    return { title = column[2], right = column.right, rank = rank(column, i, pick) }
  end), rows
end

return M
