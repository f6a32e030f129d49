--- What a row says of others: the operations it names, the arguments of its
--- inverse, the fields that what it makes is known by.
--- Pure; a link that leads nowhere raises, naming the operation.

local rules = require "opkit.rules"
local schema = require "base.schema"
local str = require "base.str"
local tbl = require "base.tbl"
local tool = require "opkit.tool"

local M = {}

-- Every operation that the row names.
local function names_of(row)
  local ids = tbl.copy(row.calls or {})
  ids[#ids + 1] = row.undo and row.undo.op
  ids[#ids + 1] = row.preview
  for _, rule in ipairs(row.escalate or {}) do
    ids[#ids + 1] = rule.seeing
  end
  return ids
end

-- What is made is told by fields that the result has.
local function check_produces(where, row)
  local shape = tool.returns(row)
  for name, path in tbl.sorted(row.produces or {}) do
    if not (shape and schema.at(shape, path)) then
      rules.fail(where, ("produces %s = %q, which is no field of what it returns"):format(
        name, tostring(path)))
    end
  end
end

-- The inverse gets every argument it needs, out of what is known by then.
local function check_undo(where, row, inverse)
  local args, made = row.undo.args or {}, row.produces or {}
  for name, text in tbl.sorted(args) do
    if not inverse.param[name] then
      rules.fail(where, ("undo gives %s, which %s does not take"):format(name, inverse.id))
    end
    for _, slot in ipairs(str.slots(text)) do
      if not (row.param[slot] or made[slot]) then
        rules.fail(where, ("{%s} in undo is no parameter and nothing it produces"):format(slot))
      end
    end
  end
  for _, param in ipairs(inverse.params) do
    if param.required and not args[param.name] then
      rules.fail(where, ("undo does not give %s, which %s requires"):format(
        param.name, inverse.id))
    end
  end
end

--- Checks what a row refers to. Raises for the first broken link.
---@param row op.Row
---@param get fun(id: string): op.Row?
function M.check(row, get)
  local where = "op " .. row.id
  for _, id in ipairs(names_of(row)) do
    if not get(id) then
      rules.fail(where, ("refers to %q, which is not declared"):format(id))
    end
  end
  check_produces(where, row)
  if row.undo then
    check_undo(where, row, get(row.undo.op))
  end
end

return M
