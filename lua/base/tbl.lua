--- Tables as values: ordered walks, copies, lookups.
--- Pure; never changes an argument unless the name says so.

local M = {}

local TYPE_ORDER = { number = 1, string = 2, boolean = 3 }

-- A total order over mixed keys: numbers, then strings, then the rest by name.
local function key_less(a, b)
  local ta, tb = type(a), type(b)
  if ta ~= tb then
    return (TYPE_ORDER[ta] or 4) < (TYPE_ORDER[tb] or 4)
  end
  if ta == "number" or ta == "string" then
    return a < b
  end
  return tostring(a) < tostring(b)
end

--- The keys, sorted.
---@generic K
---@param t table<K, any>
---@return K[]
function M.keys(t)
  local keys, has_other = {}, false
  for key in pairs(t) do
    keys[#keys + 1] = key
    has_other = has_other or type(key) ~= "string"
  end
  -- Texts alone compare by themselves, several times faster.
  table.sort(keys, has_other and key_less or nil)
  return keys
end

--- `pairs` in the order of the sorted keys (taken when the walk starts).
---@generic K, V
---@param t table<K, V>
---@return fun(): K?, V?
function M.sorted(t)
  local keys, at = M.keys(t), 0
  return function()
    at = at + 1
    local key = keys[at]
    if key ~= nil then
      return key, t[key]
    end
  end
end

--- A shallow copy; the metatable is shared.
---@generic T: table
---@param t T
---@return T
function M.copy(t)
  local copy = {}
  for key, value in pairs(t) do
    copy[key] = value
  end
  return setmetatable(copy, getmetatable(t))
end

--- A deep copy of plain data (no cycles); metatables are shared.
---@generic T
---@param value T
---@return T
function M.deep_copy(value)
  if type(value) ~= "table" then
    return value
  end
  local copy = {}
  for key, item in pairs(value) do
    copy[key] = M.deep_copy(item)
  end
  return setmetatable(copy, getmetatable(value))
end

--- A new table with the fields of all; later ones win.
---@param ... table
---@return table
function M.merge(...)
  local merged = {}
  for i = 1, select("#", ...) do
    for key, value in pairs((select(i, ...))) do
      merged[key] = value
    end
  end
  return merged
end

--- The list of fn(item, index).
---@generic T, U
---@param list T[]
---@param fn fun(item: T, index: integer): U
---@return U[]
function M.map(list, fn)
  local out = {}
  for i = 1, #list do
    out[i] = fn(list[i], i)
  end
  return out
end

--- Replaces each item by what fn(item, index, …) makes of it, in place; of what
--- becomes nil nothing stays.
---@generic T
---@param list T[]
---@param fn fun(item: T, index: integer, ...): any
---@param ... any
---@return any[] list
function M.keep(list, fn, ...)
  local kept = 0
  for i = 1, #list do
    local item = fn(list[i], i, ...)
    list[i] = nil
    if item ~= nil then
      kept = kept + 1
      list[kept] = item
    end
  end
  return list
end

--- The items for which fn(item, index) is true.
---@generic T
---@param list T[]
---@param fn fun(item: T, index: integer): any
---@return T[]
function M.filter(list, fn)
  local out = {}
  for i = 1, #list do
    if fn(list[i], i) then
      out[#out + 1] = list[i]
    end
  end
  return out
end

--- The first item for which fn(item, index) is true, and its index.
---@generic T
---@param list T[]
---@param fn fun(item: T, index: integer): any
---@return T?, integer?
function M.find(list, fn)
  for i = 1, #list do
    if fn(list[i], i) then
      return list[i], i
    end
  end
end

---@param list any[]
---@param value any
---@return boolean
function M.contains(list, value)
  for i = 1, #list do
    if list[i] == value then
      return true
    end
  end
  return false
end

--- One list of the items of all lists, in order.
---@param lists any[][]
---@return any[]
function M.flatten(lists)
  local out = {}
  for i = 1, #lists do
    local list = lists[i]
    table.move(list, 1, #list, #out + 1, out)
  end
  return out
end

--- The set of a list's values.
---@generic T
---@param list T[]
---@return table<T, true>
function M.set(list)
  local set = {}
  for i = 1, #list do
    set[list[i]] = true
  end
  return set
end

--- A sorted copy of the list by the key fn gives; equal keys keep their order.
---@generic T
---@param list T[]
---@param fn fun(item: T): string|number
---@return T[]
function M.sort_by(list, fn)
  local rows = {}
  for i = 1, #list do
    rows[i] = { key = fn(list[i]), at = i, item = list[i] }
  end
  table.sort(rows, function(a, b)
    if a.key == b.key then
      return a.at < b.at
    end
    return key_less(a.key, b.key)
  end)
  return M.map(rows, function(row)
    return row.item
  end)
end

--- Splits "config.guest.cpus" into keys; digits become list indexes.
---@param path string|(string|integer)[]
---@return (string|integer)[]
function M.path(path)
  if type(path) == "table" then
    return path
  end
  local keys = {}
  for word in path:gmatch("[^.]+") do
    keys[#keys + 1] = math.tointeger(word) or word
  end
  return keys
end

--- What stands at the path, or nil where any step is missing or no table.
---@param t any
---@param path string|(string|integer)[] dotted, or a list of exact keys
---@return any
function M.get(t, path)
  local value = t
  for _, key in ipairs(M.path(path)) do
    if type(value) ~= "table" then
      return nil
    end
    value = value[key]
  end
  return value
end

--- Deep equality of plain data; metatables are not looked at.
---@param a any
---@param b any
---@return boolean
function M.equal(a, b)
  if a == b then
    return true
  end
  if type(a) ~= "table" or type(b) ~= "table" then
    return false
  end
  for key, value in pairs(a) do
    if not M.equal(value, b[key]) then
      return false
    end
  end
  for key in pairs(b) do
    if a[key] == nil then
      return false
    end
  end
  return true
end

--- Whether every field of `wanted` has an equal value in `t`.
---@param t table
---@param wanted table
---@return boolean
function M.matches(t, wanted)
  for key, value in pairs(wanted) do
    if not M.equal(t[key], value) then
      return false
    end
  end
  return true
end

return M
