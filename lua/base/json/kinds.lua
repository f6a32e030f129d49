--- What JSON has and Lua has not: null, arrays that are empty, raw text.
--- Pure. The array mark is a metatable with `__array = true`; YAML shares it.

local cjson = require "cjson"

local M = {}

--- The value of a JSON null.
M.null = cjson.null

--- In an edit: remove the member (or the element) at the path.
M.DELETE = setmetatable({}, { __name = "json.DELETE" })

local ARRAY = { __name = "json.array", __array = true }

local RAW = {
  __name = "json.raw",
  __tostring = function(raw)
    return raw.text
  end,
  __eq = function(a, b)
    return a.text == b.text
  end,
}

--- Marks a list (the table itself), so that it is an array even when empty.
---@generic T: table
---@param list T?
---@return T
function M.array(list)
  return setmetatable(list or {}, ARRAY)
end

---@param value any
---@return boolean
function M.is_array(value)
  local meta = type(value) == "table" and getmetatable(value)
  return meta and meta.__array == true or false
end

--- A value that is written as the given JSON text, byte for byte. Numbers
--- that fit neither an integer nor a float are decoded to this.
---@param text string
---@return json.Raw
function M.raw(text)
  return setmetatable({ text = text }, RAW)
end

---@param value any
---@return boolean
function M.is_raw(value)
  return getmetatable(value) == RAW
end

return M
