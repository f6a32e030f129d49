--- A backend that stores credentials, as its clients know it.

local json = require "base.json"
local server = require "sys.server"
local t = require "kit"
local task = require "sys.task"

local M = {}

---@class kit.Backend
---@field url string
---@field key string the API key it accepts
---@field stored table<string, table> by provider
---@field requests string[] "PUT /api/v1/…"
---@field on_request fun()? called before every answer
---@field answer (fun(req: table): integer?, table?, string?)? instead of its own

local function reply(status, value)
  return status, { ["Content-Type"] = "application/json" }, json.encode(value)
end

local function serve(backend, req)
  if backend.on_request then
    backend.on_request()
  end
  backend.requests[#backend.requests + 1] = req.method .. " " .. req.target
  if backend.answer then
    return backend.answer(req)
  elseif req.headers["x-api-key"] ~= backend.key then
    return reply(401, { success = false, error = "invalid API key" })
  elseif req.path == "/api/v1/cli/credentials" then
    local list = json.array()
    for provider, credentials in pairs(backend.stored) do
      list[#list + 1] = { provider = provider, credentials = {
        api_token = "fo1_****", org_slug = credentials.org_slug,
      } }
    end
    return reply(200, { success = true, data = list })
  end
  local provider = req.path:match("/([^/]+)$")
  if req.method == "PUT" then
    local body = json.decode(req.body)
    t.eq(body.provider, provider)
    backend.stored[provider] = body.credentials
    return reply(200, { success = true })
  elseif not backend.stored[provider] then
    return reply(404, { success = false, error = "not found" })
  elseif req.method == "DELETE" then
    t.eq(req.path, "/api/v1/secrets/" .. provider)
    backend.stored[provider] = nil
    return 204, {}, ""
  end
  return reply(200, { success = true, data = {
    provider = provider, credentials = backend.stored[provider],
  } })
end

--- Starts it; it ends with the test.
---@async
---@return kit.Backend
function M.start()
  local srv = assert(server.listen({}))
  local backend = { url = srv.url, key = "key-of-the-test", stored = {}, requests = {} }
  local serving = task.spawn(function()
    srv:serve(function(req)
      return serve(backend, req)
    end)
  end)
  t.cleanup(function()
    srv:close()
    serving:cancel()
    serving:join()
  end)
  return backend
end

return M
