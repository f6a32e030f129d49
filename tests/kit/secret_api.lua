--- The part of the Machines API that secrets need, with nothing between a test
--- and the bytes that arrive.

local json = require "base.json"
local server = require "sys.server"
local t = require "kit"
local task = require "sys.task"

local M = {}

---@class kit.SecretApi
---@field url string
---@field values table<string, string> that arrived
---@field names table<string, boolean> more names it lists
---@field answer (fun(req: table): integer?, table?, string?)? instead of its own
--- answer to a POST
---@field on_request fun()? called before every answer

local function reply(value, status)
  return status or 200, { ["Content-Type"] = "application/json" }, json.encode(value)
end

local function update(api, req)
  if api.answer then
    return api.answer(req)
  end
  for name, value in pairs(json.decode(req.body).values) do
    api.values[name] = value
  end
  return reply({ secrets = json.array(), version = 1, Version = 1 })
end

local function list(api)
  local secrets = json.array()
  for _, map in ipairs({ api.values, api.names }) do
    for name in pairs(map) do
      secrets[#secrets + 1] = { name = name, digest = "0" }
    end
  end
  return reply({ secrets = secrets })
end

--- Starts it; it ends with the test. An app has no machines here.
---@async
---@return kit.SecretApi
function M.start()
  local srv = assert(server.listen({ max_body = 16 << 20 }))
  local api = { url = srv.url, values = {}, names = {} }
  local serving = task.spawn(function()
    srv:serve(function(req)
      if api.on_request then
        api.on_request()
      end
      if req.path:find("/machines$") then
        return reply(json.array())
      end
      return (req.method == "POST" and update or list)(api, req)
    end)
  end)
  t.cleanup(function()
    srv:close()
    serving:cancel()
    serving:join()
  end)
  return api
end

return M
