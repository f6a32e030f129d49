--- What earlier runs learned about an account that only saves time: which
--- listings its token is refused. Kept a day under ~/.clanker/hints.json.
--- Touches the disk; every failure means "nothing learned".

local fs = require "sys.fs"
local json = require "base.json"

local M = {}

-- Seconds a hint is believed, and how many are kept.
local LIFE, MOST = 86400, 200

-- A larger file is not ours.
local MAX_BYTES = 65536

local function read(path)
  local text = fs.read(path, MAX_BYTES)
  local found = text and json.decode(text)
  return type(found) == "table" and not json.is_array(found) and found or {}
end

--- A memo for the client, filled with what is still believed. Values are the
--- times at which they were learned.
---@param path string
---@param identity string of token and host; reveals neither
---@param now number seconds since 1970
---@return table memo
function M.load(path, identity, now)
  local memo, prefix = {}, identity .. " "
  for key, at in pairs(read(path)) do
    if key:sub(1, #prefix) == prefix and math.type(at) and at <= now and now - at < LIFE then
      memo[key:sub(#prefix + 1)] = at
    end
  end
  return memo
end

--- Keeps what is new in the memo (`true` instead of a time).
---@param path string
---@param identity string
---@param memo table
---@param now number
function M.save(path, identity, memo, now)
  local fresh = {}
  for key, at in pairs(memo) do
    if at == true then
      fresh[#fresh + 1] = key
    end
  end
  if #fresh == 0 then
    return
  end
  local kept, count = {}, #fresh
  for key, at in pairs(read(path)) do
    if math.type(at) and at <= now and now - at < LIFE and count < MOST then
      kept[key], count = at, count + 1
    end
  end
  table.sort(fresh)
  for i = 1, math.min(#fresh, MOST) do
    kept[identity .. " " .. fresh[i]] = math.floor(now)
  end
  fs.write(path, json.encode(kept))
end

return M
