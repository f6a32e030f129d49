--- An account without sockets, on a clock that only moves when told.
--- Every reply is held against the API's document, or the schema for GraphQL,
--- where these are at hand.

local accounts = require "sim.account"
local check = require "kit.openapi_check"
local fault = require "sim.fault"
local graphql_check = require "kit.graphql_check"
local json = require "base.json"
local openapi = require "kit.openapi"
local parser = require "sim.graphql.parser"
local request = require "sim.request"
local sdl = require "kit.sdl"
local seed = require "sim.seed"
local t = require "kit"
local tbl = require "base.tbl"

local M = {}

-- A Wednesday in 2026.
M.EPOCH = 1770811200

local FILE = t.shared("machines-openapi.json")
local SPEC = FILE and openapi.read(t.read_file(FILE))

--- Whether replies are held against the document.
M.has_document = SPEC ~= nil

---@class sim.Bench an account under test
---@field account sim.Account
---@field token string
---@field routes table<string, true> exercised: "GET /v1/apps"
---@field sends_anything boolean? requests need not be those of the document
local Bench = {}
Bench.__index = Bench

--- Makes an account.
---@param name string|table|nil "demo", "empty", or a description
---@param opts table? limits = true enforces them; fault, latency, pace
---@return sim.Bench
function M.account(name, opts)
  opts = opts or {}
  local bench = setmetatable({ time = M.EPOCH, routes = {} }, Bench)
  local spec = name or "demo"
  if type(spec) == "string" then
    spec = require("sim.seeds." .. spec)
  end
  local function pass(seconds)
    bench.time = bench.time + seconds
  end
  bench.account = accounts.new({
    now = function()
      return bench.time
    end,
    pause = pass, sleep = pass, seed = spec.seed,
    limits = opts.limits or false, latency = opts.latency,
    faults = opts.fault and assert(fault.parse(opts.fault)),
  })
  bench.token = seed.fill(bench.account.world, spec)
  bench.world = bench.account.world
  return bench
end

--- Lets time pass.
function Bench:advance(seconds)
  self.time = self.time + seconds
end

local function fail_on(problems, label, text)
  if #problems > 0 then
    error(("%s\n  %s\n  %s"):format(label,
      table.concat(problems, "\n  "), text:sub(1, 2000)), 0)
  end
end

local SCHEMA_FILE = t.shared("fly-schema.graphql")
local real_schema

-- The real GraphQL schema; read when a test first asks for it.
local function schema()
  real_schema = real_schema or sdl.read(t.read_file(SCHEMA_FILE)).types
  return real_schema
end

-- What an introspection answers is of no type of the schema's own.
local function introspects(document)
  return tbl.find(document.operations, function(operation)
    return tbl.find(operation.selections, function(selection)
      return selection.name == "__schema" or selection.name == "__type"
    end)
  end)
end

-- Holds the data of a GraphQL answer against the real schema.
local function hold_graphql(body, text)
  local answer = assert(json.decode(text))
  local document = type(answer.data) == "table" and parser.parse(body.query)
  if not SCHEMA_FILE or not document or introspects(document) then
    return
  end
  local operation = tbl.find(document.operations, function(one)
    return request.member(body, "operationName") == nil
      or one.name == body.operationName
  end)
  fail_on(graphql_check.data(schema(), document, operation, answer.data),
    body.query, text)
end

-- Holds a call against the document.
local function hold(bench, method, target, body, status, text)
  local place = request.target(target)
  local route = bench.account.router:find(method, place.segments)
  if not route then
    return
  end
  bench.routes[method .. " " .. route.path] = true
  if place.path == "/graphql" then
    return hold_graphql(body, text)
  elseif not SPEC then
    return
  end
  local label = ("%s %s → %d"):format(method, target, status)
  fail_on(check.reply(SPEC, method, route.path, status, text), label, text)
  if body and status < 300 and not bench.sends_anything then
    fail_on(check.request(SPEC, method, route.path,
      assert(json.decode(json.encode(body)))), label .. " (request)",
      json.encode(body))
  end
end

--- One request: status, decoded body (text where it is no JSON), headers.
---@param method string
---@param target string
---@param body any? to encode; a string is sent as it is
---@param headers table<string, string>?
---@return integer status
---@return any body
---@return table<string, string> headers
function Bench:call(method, target, body, headers)
  local sent = body
  if body ~= nil and type(body) ~= "string" then
    sent = json.encode(body)
  end
  local status, answered, text, ending = self.account:handle({
    method = method, target = target, body = sent,
    headers = tbl.merge({
      authorization = "Bearer " .. self.token,
    }, headers or {}),
  })
  if ending then
    return status, text, answered, ending
  end
  if type(body) ~= "string" and not self.account.opts.faults then
    hold(self, method, target, body, status, text)
  end
  t.ok(answered["fly-request-id"], "a reply without fly-request-id")
  if text == "" then
    return status, nil, answered
  end
  local value, e = json.decode(text)
  return status, e and text or value, answered
end

--- A request that must get this status; its body.
function Bench:expect(want, method, target, body, headers)
  local status, got, answered = self:call(method, target, body, headers)
  if status ~= want then
    error(("%s %s: status %d, not %d\n%s"):format(method, target, status,
      want, type(got) == "string" and got or json.encode(got or json.null)), 2)
  end
  return got, answered
end

function Bench:get(target, headers)
  return self:expect(200, "GET", target, nil, headers)
end

--- A refused request: its message.
function Bench:refused(want, method, target, body, headers)
  local got = self:expect(want, method, target, body, headers)
  return got.error
end

--- A GraphQL request: data and errors.
function Bench:graphql(query, variables, headers)
  local got = self:expect(200, "POST", "/graphql",
    { query = query, variables = variables }, headers)
  return got.data, got.errors
end

--- The first machine of an app that is in a state.
function Bench:machine(app, state)
  for _, machine in ipairs(self:get("/v1/apps/" .. app .. "/machines")) do
    if not state or machine.state == state then
      return machine
    end
  end
  error("no machine in state " .. tostring(state))
end

return M
