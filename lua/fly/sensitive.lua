--- Credentials in replies: made secrets as soon as they are read, so that no
--- output, log or error can show them. Which fields they are the row says.

local secret = require "sys.secret"
local tbl = require "base.tbl"

local M = {}

--- What stands for a credential in a text.
M.WORD = "[secret]"

-- The row's sensitive paths, and those within them that are not ("!a.b").
local function read_paths(row)
  local paths, public = {}, {}
  for _, path in ipairs(row.sensitive) do
    if path:sub(1, 1) == "!" then
      public[path:sub(2)] = true
    else
      paths[#paths + 1] = path
    end
  end
  return paths, public
end

-- Replaces the texts below `value`, which stands at `path`; `found` gets the
-- paths as lists of keys.
local function hide(value, path, public, found)
  if type(value) == "table" then
    for key, inner in pairs(value) do
      local keys = table.move(path, 1, #path, 1, {})
      keys[#keys + 1] = key
      value[key] = hide(inner, keys, public, found)
    end
  elseif type(value) == "string" and value ~= ""
    and not public[table.concat(path, ".")] then
    found[#found + 1] = path
    return secret.new(value)
  end
  return value
end

--- Makes secrets of the row's sensitive texts, in place.
---@param row op.Row
---@param value any the result
---@return (string|integer)[][] paths of what was replaced
function M.take(row, value)
  local found = {}
  if not row.sensitive or type(value) ~= "table" then
    return found
  end
  local paths, public = read_paths(row)
  for _, path in ipairs(paths) do
    local keys = tbl.path(path)
    local parent = tbl.get(value, table.move(keys, 1, #keys - 1, 1, {}))
    local last = keys[#keys]
    if type(parent) == "table" and parent[last] ~= nil then
      parent[last] = hide(parent[last], keys, public, found)
    end
  end
  return found
end

--- Keeps the secrets in a value alive until it is closed, and wipes them then.
---@param value any
---@return table? held to be closed
function M.hold(value)
  return value ~= nil and setmetatable({ value }, {
    __close = function(held)
      M.each(held[1], function(one)
        one:close()
      end)
    end,
  }) or nil
end

--- Calls fn with every secret in a value.
---@param value any
---@param fn fun(one: secret.Secret)
function M.each(value, fn)
  if secret.is(value) then
    fn(value)
  elseif type(value) == "table" then
    for _, inner in pairs(value) do
      M.each(inner, fn)
    end
  end
end

--- A copy with the word in the place of every secret, for output.
---@param value any
---@return any
function M.plain(value)
  if secret.is(value) then
    return M.WORD
  elseif type(value) ~= "table" then
    return value
  end
  local copy = setmetatable({}, getmetatable(value))
  for key, inner in pairs(value) do
    copy[key] = M.plain(inner)
  end
  return copy
end

return M
