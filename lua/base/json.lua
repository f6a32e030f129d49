--- JSON: decode, encode, and work on texts without decoding them.
--- Pure. lua-cjson does the bulk; what it gets wrong (empty arrays, integers,
--- large numbers) is put right here, by a second pass or the exact decoder.

local cjson = require "cjson"

local edit = require "base.json.edit"
local encode = require "base.json.encode"
local err = require "base.err"
local exact = require "base.json.exact"
local kinds = require "base.json.kinds"
local scan = require "base.json.scan"
local tbl = require "base.tbl"

local M = {
  null = kinds.null,
  array = kinds.array,
  is_array = kinds.is_array,
  raw = kinds.raw,
  is_raw = kinds.is_raw,
  encode = encode.encode,
  DELETE = kinds.DELETE,
}

--- A longer text is refused unless the caller allows more.
M.MAX_BYTES = 64 * 1024 * 1024

local codec = cjson.new()
codec.decode_invalid_numbers(false)
codec.decode_max_depth(exact.MAX_DEPTH)

-- Floats are exact for whole numbers below this only.
local EXACT = 2.0 ^ 53

-- Stands for "[]" while the codec works, since it cannot tell it from "{}".
local MARKED = "[-7.290128331873e307]"
local MARK = tonumber(MARKED:sub(2, -2))

-- The text with every "[]" replaced by the mark, and how many there were.
local function mark_empty_arrays(text)
  local at = text:find("[]", 1, true)
  if not at then
    return text, 0
  end
  local parts, from = {}, 1
  while at do
    parts[#parts + 1] = text:sub(from, at - 1)
    from = at + 2
    at = text:find("[]", from, true)
  end
  local count = #parts
  parts[count + 1] = text:sub(from)
  return table.concat(parts, MARKED), count
end

-- Whether an empty array is written with space inside: "[ ]".
local function has_spaced_array(text)
  local at = text:find("[", 1, true)
  while at do
    if text:find("^%s+%]", at + 1) then
      return true
    end
    at = text:find("[", at + 1, true)
  end
  return false
end

-- Makes whole numbers integers and marks arrays, in place. Returns the number
-- of marks found; adds up what only the exact decoder can do in `doubt`.
local function mend(t, doubt)
  local first = t[1]
  local marks = 0
  if first ~= nil then
    kinds.array(t)
    if first == MARK and t[2] == nil then
      t[1] = nil
      return 1
    end
  end
  for key, item in next, t do
    local kind = type(item)
    if kind == "table" then
      marks = marks + mend(item, doubt)
    elseif kind == "number" then
      if item >= EXACT or item <= -EXACT then
        doubt.numbers = true
      end
      t[key] = math.tointeger(item) or item
    end
  end
  if first == nil and next(t) == nil then
    doubt.empty = true
  end
  return marks
end

-- The codec's result put right, or nil where only the exact decoder can tell.
local function decode_fast(text)
  local marked, count = mark_empty_arrays(text)
  local ok, value = pcall(codec.decode, marked)
  if not ok or (count > 0 and text:find(MARKED, 1, true)) then
    return nil
  elseif type(value) ~= "table" then
    return type(value) == "boolean" and value or nil
  end
  local doubt = { numbers = false, empty = false }
  -- A mark inside a string, or under a repeated key, is not found again.
  if mend(value, doubt) ~= count or doubt.numbers
    or (doubt.empty and has_spaced_array(text)) then
    return nil
  end
  return value
end

-- The error for a place in a text, with its line and column (both from 1).
local function malformed(text, at, why)
  local before = text:sub(1, at - 1)
  local _, newlines = before:gsub("\n", "")
  local column = #before:match("[^\n]*$") + 1
  return err.new({
    kind = "protocol",
    message = ("malformed JSON at line %d column %d: %s"):format(
      newlines + 1, column, why),
    line = newlines + 1, column = column, offset = at,
  })
end

local function too_long(text, max)
  if #text <= (max or M.MAX_BYTES) then
    return nil
  end
  return err.new({
    kind = "protocol", code = "E2BIG",
    message = ("JSON text of %d bytes, over the limit of %d"):format(
      #text, max or M.MAX_BYTES),
  })
end

--- Decodes a document. Whole numbers become integers (64 bits), larger ones
--- `json.raw`; arrays are marked; null is `json.null`. Of a repeated key the
--- last value counts. The result may be `false`: compare with nil.
---@param text string
---@param opts { max: integer? }? the longest text allowed, in bytes
---@return any value
---@return err.Record?
function M.decode(text, opts)
  local refused = too_long(text, opts and opts.max)
  if refused then
    return nil, refused
  end
  local value = decode_fast(text)
  if value ~= nil then
    return value
  end
  local result, at, why = exact.decode(text)
  if result == nil then
    return nil, malformed(text, at, why)
  end
  return result
end

-- Where the value at the path starts; nil where a step is missing.
local function locate(text, path)
  local at = scan.space(text, 1)
  for _, key in ipairs(tbl.path(path or {})) do
    local char, failed_at, why = text:byte(at), nil, nil
    if char == 0x7B then
      at, failed_at, why = scan.member(text, at, tostring(key))
    elseif char == 0x5B and math.type(key) == "integer" then
      local slots
      slots, failed_at, why = scan.slots(text, at)
      at = slots and slots[key] and slots[key].from
      failed_at = not slots and failed_at or nil
    else
      at = nil
    end
    if not at then
      return nil, failed_at and malformed(text, failed_at, why) or nil
    end
  end
  return at
end

--- The text of the value at the path, or nil (with an error if malformed).
---@param text string
---@param path string|(string|integer)[] "a.b", or a list of exact keys
---@return string?
---@return err.Record?
function M.get_raw(text, path)
  local at, e = locate(text, path)
  if not at then
    return nil, e
  end
  local next_at, failed_at, why = scan.skip(text, at)
  if not next_at then
    return nil, malformed(text, failed_at, why)
  end
  return text:sub(at, next_at - 1)
end

-- One array element from `at`: its value and text. An object is first cut at
-- the brace that seems to close it; if that piece is whole JSON it is right,
-- else a brace stood in a string, and the careful scan finds the end.
local function element(text, at)
  local piece = text:match("^%b{}", at)
  local value = piece and decode_fast(piece)
  if value ~= nil then
    return value, piece
  end
  local next_at, failed_at, why = scan.skip(text, at)
  if not next_at then
    return nil, malformed(text, failed_at, why)
  end
  piece = text:sub(at, next_at - 1)
  value = decode_fast(piece)
  if value == nil then
    value, failed_at, why = exact.decode(piece)
    if value == nil then
      return nil, malformed(text, at + failed_at - 1, why)
    end
  end
  return value, piece
end

-- What surrounds the array whose value starts at `at` and ends at `last`.
local function envelope(text, at, last, middle)
  return text:sub(1, at - 1) .. middle .. text:sub(last + 1)
end

--- Calls fn(item_text, item) for each element of the array at the path, one
--- at a time, so that memory holds one decoded element. A missing or null
--- array has no elements. `false` from fn ends the walk.
---@param text string
---@param path string|(string|integer)[]|nil nil: the document is the array
---@param fn fun(item_text: string, item: any): boolean?
---@return integer? count of the elements seen
---@return string|err.Record|nil rest the document with that array empty, for
--- what stands beside it; nil when fn ended the walk
function M.each(text, path, fn)
  local start, e = locate(text, path)
  if not start then
    if e then
      return nil, e
    end
    return 0, text
  elseif text:find("^null", start) then
    return 0, envelope(text, start, start + 3, "[]")
  elseif text:byte(start) ~= 0x5B then
    return nil, malformed(text, start, "expected an array")
  end
  local at, count = scan.space(text, start + 1), 0
  if text:byte(at) == 0x5D then
    return 0, text
  end
  while true do
    local item, piece = element(text, at)
    if item == nil then
      return nil, piece --[[@as err.Record]]
    end
    count = count + 1
    if fn(piece, item) == false then
      return count
    end
    at = scan.space(text, at + #piece)
    local char = text:byte(at)
    if char == 0x5D then
      return count, envelope(text, start, at, "[]")
    elseif char ~= 0x2C then
      return nil, malformed(text, at, "expected , or ] in an array")
    end
    at = scan.space(text, at + 1)
  end
end

--- Changes values in a text, in the order given; all else stays byte for byte.
--- Missing objects on the way are made. `json.DELETE` removes.
---@param text string
---@param changes { [1]: string|(string|integer)[], [2]: any }[] path, value
---@return string?
---@return err.Record?
function M.edit(text, changes)
  for _, change in ipairs(changes) do
    local keys = tbl.path(change[1])
    local edited, failed_at, why = edit.set(text, keys, change[2])
    if not edited then
      if failed_at then
        return nil, malformed(text, failed_at, why)
      end
      return nil, err.new({ kind = "invalid", message = why })
    end
    text = edited
  end
  return text
end

return M
