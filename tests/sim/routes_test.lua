--- The routes against the API's document and against the operations.

local json = require "base.json"
local openapi = require "kit.openapi"
local ops = require "ops"
local routes = require "sim.routes"
local t = require "kit"
local tbl = require "base.tbl"

local FILE = t.shared("machines-openapi.json")

local function shape_of(path)
  return (path:gsub("{[^}]*}", "{}"))
end

local ROUTES = {}
for _, route in ipairs(routes.ALL) do
  ROUTES[route.method .. " " .. shape_of(route.path)] = route
end

-- Documented and not simulated, with the reason.
local LEFT_OUT = {}

local METHODS = tbl.set { "get", "post", "put", "patch", "delete" }

local function each_operation(fn)
  local spec = json.decode(t.read_file(FILE))
  for path, item in tbl.sorted(spec.paths) do
    for method, operation in tbl.sorted(item) do
      if METHODS[method] then
        fn(method:upper(), path, operation)
      end
    end
  end
end

t.test("every documented operation is served, or left out for a reason", function()
  if not FILE then
    t.skip("no machines-openapi.json beside the repository")
  end
  local missing = {}
  each_operation(function(method, path)
    local key = method .. " " .. shape_of(path)
    if not ROUTES[key] and not LEFT_OUT[key] then
      missing[#missing + 1] = key
    end
  end)
  t.eq(missing, {})
end)

t.test("every route is documented", function()
  if not FILE then
    t.skip("no machines-openapi.json beside the repository")
  end
  local spec = openapi.read(t.read_file(FILE))
  for _, route in ipairs(routes.ALL) do
    t.ok(openapi.operation(spec, route.method, route.path),
      route.method .. " " .. route.path)
  end
end)

local CLASS = {
  caller = "caller", app = "app", machine = "machine", machine_get = "machine",
}

t.test("limits are those of the document", function()
  if not FILE then
    t.skip("no machines-openapi.json beside the repository")
  end
  each_operation(function(method, path, operation)
    local route = ROUTES[method .. " " .. shape_of(path)]
    local limit = operation["x-fly-rate-limit"]
    if route and limit then
      local label = method .. " " .. path
      t.eq(CLASS[route.limit], limit.per, label)
      t.eq(route.limit == "machine_get", limit.rps == 5, label)
    elseif route then
      t.eq(route.limit, "none", method .. " " .. path)
    end
  end)
end)

local function required_of(shape)
  local names = {}
  for name, member in pairs(shape.members) do
    names[name] = member.is_required
  end
  return names
end

t.test("bodies are closed and required as documented", function()
  if not FILE then
    t.skip("no machines-openapi.json beside the repository")
  end
  local spec = openapi.read(t.read_file(FILE))
  local function compare(shape, documented, label)
    documented = openapi.resolve(spec, documented)
    if shape.kind == "object" then
      local known = openapi.properties(spec, documented)
      t.eq(tbl.keys(shape.members), tbl.keys(known), label)
      t.eq(required_of(shape), tbl.set(documented.required or {}), label)
      for name, member in pairs(shape.members) do
        compare(member, known[name], label .. "." .. name)
      end
    elseif shape.kind == "list" and documented.items then
      compare(shape.item, documented.items, label .. "[]")
    elseif shape.kind == "map"
      and type(documented.additionalProperties) == "table" then
      compare(shape.item, documented.additionalProperties, label .. "{}")
    elseif shape.kind == "enum" then
      t.eq(tbl.keys(shape.values), tbl.keys(tbl.set(documented.enum)), label)
    end
  end
  for _, route in ipairs(routes.ALL) do
    local operation = openapi.operation(spec, route.method, route.path)
    local documented = openapi.body(spec, operation)
    local label = route.method .. " " .. route.path
    t.eq(route.body ~= nil, documented ~= nil, label)
    if documented then
      compare(route.body, documented, label)
    end
  end
end)

t.test("every operation over HTTP has its route, with the same limit", function()
  for _, op in ipairs(ops.all({ hidden = true })) do
    if op.http then
      local key = op.http[1] .. " " .. shape_of(op.http[2])
      local route = t.ok(ROUTES[key], op.id .. ": no route " .. key)
      t.eq(route.limit, op.limit or "none", op.id)
    end
  end
end)
