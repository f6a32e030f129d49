--- Changes single values inside a JSON text; every other byte stays.
--- Pure. For read-modify-write of documents whose other fields are not ours.

local encode = require "base.json.encode"
local kinds = require "base.json.kinds"
local scan = require "base.json.scan"

local M = {}

local function splice(text, first, last, middle)
  return text:sub(1, first - 1) .. middle .. text:sub(last + 1)
end

-- The last slot of that key: where a key stands twice, readers take the last.
local function find_slot(slots, key)
  for i = #slots, 1, -1 do
    if slots[i].key == key then
      return slots[i], i
    end
  end
end

-- The value wrapped into one object per key that does not exist yet.
local function nested(keys, depth, value)
  local text = encode.encode(value)
  for i = #keys, depth, -1 do
    text = "{" .. encode.string(tostring(keys[i])) .. ":" .. text .. "}"
  end
  return text
end

-- Adds a member (or appends an element) before the bracket at `close`.
local function insert(text, slots, close, key, value)
  local member = value
  if type(key) == "string" then
    member = encode.string(key) .. ":" .. value
  end
  local last = slots[#slots]
  if last then
    return splice(text, last.to + 1, last.to, "," .. member)
  end
  return splice(text, close, close - 1, member)
end

-- Removes the slot with the comma that belongs to it.
local function remove(text, slots, index)
  local slot = slots[index]
  if slots[index + 1] then
    return splice(text, slot.first, slots[index + 1].first - 1, "")
  elseif slots[index - 1] then
    return splice(text, slots[index - 1].to + 1, slot.to, "")
  end
  return splice(text, slot.first, slot.to, "")
end

-- Removes all members of that key, so that no earlier one comes to light.
local function remove_all(text, at, slots, key)
  local _, index = find_slot(slots, key)
  while index do
    text = remove(text, slots, index)
    if type(key) == "number" then
      return text
    end
    slots = scan.slots(text, at)
    _, index = find_slot(slots, key)
  end
  return text
end

local function no_way(keys, depth, why)
  local path = {}
  for i = 1, depth do
    path[i] = tostring(keys[i])
  end
  return nil, nil, ("cannot edit %s: %s"):format(table.concat(path, "."), why)
end

-- Sets keys[depth…] inside the container at `at`.
local function set_in(text, at, keys, depth, value)
  local key, char = keys[depth], text:byte(at)
  local is_array = char == 0x5B
  if not is_array and char ~= 0x7B then
    return no_way(keys, depth, "its parent is neither object nor array")
  elseif is_array ~= (math.type(key) == "integer") then
    return no_way(keys, depth, is_array and "an array takes an index"
      or "an object takes a name")
  end
  local slots, close, why = scan.slots(text, at)
  if not slots then
    return nil, close, why
  end
  local slot = find_slot(slots, key)
  local is_last = depth == #keys
  if value == kinds.DELETE and (is_last or not slot) then
    return is_last and remove_all(text, at, slots, key) or text
  elseif not slot then
    if is_array and key ~= #slots + 1 then
      return no_way(keys, depth, "the array is shorter")
    end
    return insert(text, slots, close, key, nested(keys, depth + 1, value))
  elseif is_last then
    return splice(text, slot.from, slot.to, encode.encode(value))
  elseif text:sub(slot.from, slot.to) == "null" then
    if value == kinds.DELETE then
      return text
    end
    return splice(text, slot.from, slot.to, nested(keys, depth + 1, value))
  end
  return set_in(text, slot.from, keys, depth + 1, value)
end

--- Sets (or deletes) one value.
---@param text string
---@param keys (string|integer)[] not empty
---@param value any
---@return string? text
---@return integer? failed_at in a malformed text
---@return string? why
function M.set(text, keys, value)
  return set_in(text, scan.space(text, 1), keys, 1, value)
end

return M
