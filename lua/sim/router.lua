--- Finds the route of a method and a path.
--- Pure. A fixed word wins over a parameter in the same place.

local M = {}

---@class sim.Route
---@field method string
---@field path string "/v1/apps/{app}/machines/{machine}"
---@field limit string "caller" | "app" | "machine" | "machine_get" | "none"
---@field body sim.Shape? what the request body may hold
---@field is_body_optional boolean?
---@field is_open boolean? answers without a token
---@field reads boolean? allowed to read-only tokens though it is no GET
---@field run fun(ctx: sim.Context): integer?, any, table?
---@field names string[]? of the parameters, in order

---@class sim.Router
local Router = {}
Router.__index = Router

local function node()
  return { words = {}, methods = {} }
end

---@return sim.Router
function M.new()
  return setmetatable({ root = node() }, Router)
end

---@param route sim.Route
function Router:add(route)
  local at = self.root
  route.names = {}
  for word in route.path:gmatch("[^/]+") do
    local name = word:match("^{([%w_]+)}$")
    if name then
      route.names[#route.names + 1] = name
      at.any = at.any or node()
      at = at.any
    else
      at.words[word] = at.words[word] or node()
      at = at.words[word]
    end
  end
  assert(not at.methods[route.method], route.method .. " " .. route.path)
  at.methods[route.method] = route
end

-- Walks the segments; `values` collects what stands in parameters' places.
local function walk(at, method, segments, index, values)
  local segment = segments[index]
  if not segment then
    local route = at.methods[method]
    return route, route == nil and next(at.methods) ~= nil
  end
  local route, is_path
  local word = at.words[segment]
  if word then
    route, is_path = walk(word, method, segments, index + 1, values)
  end
  if not route and at.any and segment ~= "" then
    local count = #values
    values[count + 1] = segment
    local is_other
    route, is_other = walk(at.any, method, segments, index + 1, values)
    is_path = is_path or is_other
    if not route then
      values[count + 1] = nil
    end
  end
  return route, is_path
end

--- The route, and the parameters' values by name.
---@param method string
---@param segments string[] decoded
---@return sim.Route? route
---@return table<string, string>|boolean params without a route: whether
---  another method has one
function Router:find(method, segments)
  local values = {}
  local route, is_path = walk(self.root, method, segments, 1, values)
  if not route then
    return nil, is_path
  end
  local params = {}
  for i, name in ipairs(route.names) do
    params[name] = values[i]
  end
  return route, params
end

return M
