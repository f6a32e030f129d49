--- Whether the fields that share a key in the answer can be merged into one.
--- Pure. Fields inside fragments count where the fragment is spread.

local json = require "base.json"
local tbl = require "base.tbl"

local parser = require "sim.graphql.parser"
local types = require "sim.graphql.types"

local M = {}

--- Fields looked at per operation; whoever needs more is refused.
M.MAX_FIELDS = 40000

---@class graphql.Entry one field as it was written
---@field selection graphql.Selection
---@field parent graphql.Type it is selected on
---@field args string text by which arguments are compared, and shown

---@class graphql.Merging
---@field schema graphql.Schema
---@field fragments table<string, graphql.Fragment>
---@field field fun(kind: graphql.Type, name: string): graphql.Field?
---@field report fun(entry: graphql.Entry, other: graphql.Entry, message: string,
---  conflicts: string)
---@field seen_fields integer

-- Arguments in the words of the real service: {name:"\"x\""}.
local function args_text(args)
  local sorted = tbl.sort_by(args, function(arg)
    return arg.name
  end)
  local parts = tbl.map(sorted, function(arg)
    return arg.name .. ":" .. json.encode(parser.value_text(arg.value))
  end)
  return "{" .. table.concat(parts, ",") .. "}"
end

local function add_field(groups, selection, parent)
  local group = groups[selection.key]
  if not group then
    group = {}
    groups[selection.key] = group
    groups[#groups + 1] = group
  end
  group[#group + 1] = {
    selection = selection, parent = parent, args = args_text(selection.args),
  }
end

-- The fields of a selection set by key, those of its fragments among them.
local function flatten(merging, selections, parent, groups, spread)
  for _, selection in ipairs(selections) do
    if selection.kind == "field" then
      merging.seen_fields = merging.seen_fields + 1
      add_field(groups, selection, parent)
    elseif selection.kind == "inline" then
      local on = selection.on and merging.schema.types[selection.on] or parent
      flatten(merging, selection.selections, on, groups, spread)
    elseif not spread[selection.name] then
      spread[selection.name] = true
      local fragment = merging.fragments[selection.name]
      flatten(merging, fragment.selections, merging.schema.types[fragment.on],
        groups, spread)
    end
  end
end

-- Splits a group into lists that can meet in one object: for every object type
-- its own fields and those of interfaces.
local function meetings(group)
  local lists, abstract = {}, {}
  for _, entry in ipairs(group) do
    local is_object = entry.parent.kind == "object"
    local name = entry.parent.name
    if is_object and not lists[name] then
      lists[name] = {}
      lists[#lists + 1] = lists[name]
    end
    table.insert(is_object and lists[name] or abstract, entry)
  end
  for _, list in ipairs(lists) do
    table.move(abstract, 1, #abstract, #list + 1, list)
  end
  return lists[1] and lists or { abstract }
end

local function compare(merging, first, entry)
  local key, a, b = first.selection.key, first.selection, entry.selection
  if a.name ~= b.name then
    local names = a.name < b.name and { a.name, b.name } or { b.name, a.name }
    local conflicts = table.concat(names, " or ")
    merging.report(first, entry, ("Field '%s' has a field conflict: %s?")
      :format(key, conflicts), conflicts)
    return false
  elseif first.args ~= entry.args then
    local conflicts = first.args .. " or " .. entry.args
    merging.report(first, entry, ("Field '%s' has an argument conflict: %s?")
      :format(key, conflicts), conflicts)
    return false
  end
  return true
end

local check

-- Fields that meet under one key must be the same; so must be what they select.
local function check_meeting(merging, list)
  local first, groups, spread = list[1], {}, {}
  local field = merging.field(first.parent, first.selection.name)
  local kind = merging.schema:named(field.type)
  for i = 2, #list do
    if not compare(merging, first, list[i]) then
      return
    end
  end
  if not types.is_composite(kind) then
    return
  end
  for _, entry in ipairs(list) do
    flatten(merging, entry.selection.selections, kind, groups, spread)
  end
  check(merging, groups)
end

function check(merging, groups)
  for _, group in ipairs(groups) do
    for _, list in ipairs(meetings(group)) do
      if merging.seen_fields > M.MAX_FIELDS then
        return
      end
      check_meeting(merging, list)
    end
  end
end

--- Checks an operation that is in order otherwise: all it names exists, and no
--- fragment contains itself.
---@param merging graphql.Merging
---@param operation graphql.Operation
---@param root graphql.Type
---@return boolean is_bounded false when there was more to look at than allowed
function M.operation(merging, operation, root)
  local groups = {}
  merging.seen_fields = 0
  flatten(merging, operation.selections, root, groups, {})
  check(merging, groups)
  return merging.seen_fields <= M.MAX_FIELDS
end

return M
