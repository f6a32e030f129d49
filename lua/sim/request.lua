--- Reads a request: target, query, body.
--- Pure; `target` is the raw path and query, as it stood on the request line.

local json = require "base.json"
local str = require "base.str"

local problem = require "sim.problem"
local shape = require "sim.shape"

local M = {}

---@class sim.Request
---@field method string
---@field target string raw path and query
---@field headers table<string, string> lower-case names
---@field body string?
---@field is_gone (fun(self): boolean)? whether the client hung up

---@class sim.Target
---@field path string raw
---@field segments string[] decoded
---@field query table<string, string[]> every value of a name, in order

-- The text with every byte that is no UTF-8 replaced, as the real service
-- does: what is echoed has to be JSON.
local function as_utf8(text)
  local parts, from = {}, 1
  while true do
    local length, bad = utf8.len(text, from)
    if length then
      parts[#parts + 1] = text:sub(from)
      return table.concat(parts)
    end
    parts[#parts + 1] = text:sub(from, bad - 1) .. "\u{FFFD}"
    from = bad + 1
  end
end

local function unescape(text, plus)
  if text:find("[%%+]") then
    text = str.url_unescape(text, plus)
  end
  return as_utf8(text)
end

local function parse_query(text)
  local query = {}
  for pair in text:gmatch("[^&]+") do
    local name, value = pair:match("^([^=]*)=(.*)$")
    name = unescape(name or pair, true)
    local values = query[name] or {}
    values[#values + 1] = unescape(value or "", true)
    query[name] = values
  end
  return query
end

local function parse_path(path)
  local segments = {}
  for word in path:gmatch("/([^/]*)") do
    segments[#segments + 1] = unescape(word)
  end
  return segments
end

---@param target string
---@return sim.Target
function M.target(target)
  local path, query = target:match("^([^?#]*)%??([^#]*)")
  return {
    path = path,
    segments = parse_path(path),
    query = query ~= "" and parse_query(query) or {},
  }
end

--- The first value of a query parameter; nil when absent or empty.
---@param query table<string, string[]>
---@param name string
---@return string?
function M.text(query, name)
  local values = query[name]
  if values and values[1] ~= "" then
    return values[1]
  end
end

--- A boolean query parameter; absent is false.
---@param query table<string, string>
---@param name string
---@return boolean? value
---@return sim.Problem?
function M.flag(query, name)
  local text = M.text(query, name)
  if text == nil or text == "false" or text == "0" then
    return false
  elseif text == "true" or text == "1" then
    return true
  end
  return problem.new(400, ("invalid %s: %q is not a boolean"):format(name, text))
end

--- An integer query parameter within bounds; absent is `default`.
---@param query table<string, string>
---@param name string
---@param low integer
---@param high integer
---@param default integer?
---@return integer? value
---@return sim.Problem?
function M.integer(query, name, low, high, default)
  local text = M.text(query, name)
  if not text then
    return default
  end
  local value = text:match("^-?%d+$") and math.tointeger(tonumber(text))
  if not value or value < low or value > high then
    return problem.new(400, ("invalid %s: %q is not an integer from %d to %d")
      :format(name, text, low, high))
  end
  return value
end

--- The decoded body of a request, checked against its shape. An optional body
--- that is absent reads as an empty object.
---@param text string?
---@param route sim.Route
---@return table? body
---@return sim.Problem?
function M.body(text, route)
  if text == nil or text == "" then
    if route.is_body_optional then
      return {}
    end
    return problem.new(400, "a JSON body is required")
  end
  local body, e = json.decode(as_utf8(text))
  if e then
    return problem.new(400, "invalid JSON body: " .. e.message)
  end
  local wrong = shape.check(body, route.body)
  if wrong then
    return problem.new(400, wrong)
  end
  return body
end

--- A member of a body, with `null` read as absent.
---@param body table
---@param name string
---@return any
function M.member(body, name)
  local value = body[name]
  if value == json.null then
    return nil
  end
  return value
end

return M
