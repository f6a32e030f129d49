--- Finding places inside a JSON text without decoding it.
--- Pure. Positions are byte offsets; failures are nil, offset, reason.

local exact = require "base.json.exact"

local M = {}

local find, byte = string.find, string.byte

--- The first position at or after `at` that is not white space.
---@param text string
---@param at integer
---@return integer
function M.space(text, at)
  return text:match("^[ \n\r\t]*()", at)
end

-- Past the closing quote of the string that opens at `at`, or nil.
local function skip_string(text, at)
  local stop = find(text, '["\\]', at + 1)
  while stop do
    if byte(text, stop) == 0x22 then
      return stop + 1
    end
    stop = find(text, '["\\]', stop + 2)
  end
end

-- Past the bracket that closes the one at `at`, or nil. Which kind closes
-- which is not checked here: whoever decodes the piece will.
local function skip_container(text, at)
  local depth, pos = 0, at
  while true do
    -- Fast: everything up to and including the next string without escapes.
    local _, stop = find(text, '^[^%[%]{}"]*"[^"\\]*"', pos)
    if stop then
      pos = stop + 1
    else
      pos = find(text, '[%[%]{}"]', pos)
      local char = pos and byte(text, pos)
      if not char then
        return nil
      elseif char == 0x22 then
        pos = skip_string(text, pos)
        if not pos then
          return nil
        end
      else
        -- [ 5B and { 7B open, ] 5D and } 7D close
        depth = depth + ((char == 0x5B or char == 0x7B) and 1 or -1)
        pos = pos + 1
        if depth == 0 then
          return pos
        end
      end
    end
  end
end

--- Past the value that starts at `at`.
---@param text string
---@param at integer the value's first byte
---@return integer? next_at
---@return integer? failed_at
---@return string? why
function M.skip(text, at)
  local char = byte(text, at)
  local next_at
  if char == 0x7B or char == 0x5B then
    next_at = skip_container(text, at)
  elseif char == 0x22 then
    next_at = skip_string(text, at)
  else
    next_at = text:match("^[%w+.-]+()", at)
  end
  if not next_at then
    return nil, at, char and "expected a value" or "unexpected end"
  end
  return next_at
end

--- A member of an object or an element of an array: where it stands.
---@class json.Slot
---@field key string|integer
---@field first integer first byte of the key (of the value in an array)
---@field from integer first byte of the value
---@field to integer last byte of the value

-- The key at `at` and where its value starts.
local function read_key(text, at)
  if byte(text, at) ~= 0x22 then
    return nil, at, "expected a key in double quotes"
  end
  local key, next_at, why = exact.string(text, at)
  if not key then
    return nil, next_at, why
  end
  next_at = M.space(text, next_at)
  if byte(text, next_at) ~= 0x3A then
    return nil, next_at, "expected : after a key"
  end
  return key, M.space(text, next_at + 1)
end

-- The slot at `at`: an array's element when an index is given, else a member.
local function read_slot(text, at, index)
  local key, from = index, at
  if not index then
    local why
    key, from, why = read_key(text, at)
    if not key then
      return nil, from, why
    end
  end
  local next_at, failed_at, why = M.skip(text, from)
  if not next_at then
    return nil, failed_at, why
  end
  return { key = key, first = at, from = from, to = next_at - 1 }
end

--- All slots of the container that opens at `at`, in order.
---@param text string
---@param at integer
---@return json.Slot[]? slots
---@return integer last the closing bracket, or where it failed
---@return string? why
function M.slots(text, at)
  local is_array = byte(text, at) == 0x5B
  local close = is_array and 0x5D or 0x7D
  local slots = {}
  at = M.space(text, at + 1)
  if byte(text, at) == close then
    return slots, at
  end
  while true do
    local slot, failed_at, why = read_slot(text, at, is_array and #slots + 1)
    if not slot then
      return nil, failed_at, why
    end
    slots[#slots + 1] = slot
    at = M.space(text, slot.to + 1)
    local char = byte(text, at)
    if char == close then
      return slots, at
    elseif char ~= 0x2C then
      return nil, at, "expected , or a closing bracket"
    end
    at = M.space(text, at + 1)
  end
end

--- Where the value of `key` starts in the object at `at`; the first one where
--- the key stands twice. Does not look beyond it.
---@param text string
---@param at integer
---@param key string
---@return integer? from nil when there is none
---@return integer? failed_at set when the text is malformed
---@return string? why
function M.member(text, at, key)
  at = M.space(text, at + 1)
  while byte(text, at) ~= 0x7D do
    local name, from, why = read_key(text, at)
    if not name then
      return nil, from, why
    elseif name == key then
      return from
    end
    local next_at, failed_at
    next_at, failed_at, why = M.skip(text, from)
    if not next_at then
      return nil, failed_at, why
    end
    at = M.space(text, next_at)
    if byte(text, at) == 0x2C then
      at = M.space(text, at + 1)
    elseif byte(text, at) ~= 0x7D then
      return nil, at, "expected , or } in an object"
    end
  end
  return nil
end

return M
