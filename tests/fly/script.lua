--- A scripted stand-in for everything the Fly transport touches.
--- The clock moves only when the script sleeps or a reply says it took time.

local M = {}

--- Dependencies for fly.transport and fly.client. `answer` is called with each
--- request and gives a reply table, or nil and an error record.
---@param answer fun(request: table, n: integer): table?, table?
---@param settings table?
---@return table deps with .requests, .slept, .lines, .limited
function M.deps(answer, settings)
  local deps = {
    requests = {}, slept = {}, lines = {}, limited = {},
    clock = 1000,
    user_agent = "clanker/test",
    settings = settings or {
      bases = { machines = "https://machines.example.com", api = "https://api.example.com" },
      allow_http = false,
    },
  }
  deps.now = function()
    return deps.clock
  end
  deps.wall = function()
    return 1700000000 + deps.clock
  end
  deps.random = function()
    return 0.5
  end
  deps.sleep = function(seconds)
    deps.slept[#deps.slept + 1] = seconds
    deps.clock = deps.clock + seconds
  end
  deps.log = function(line)
    deps.lines[#deps.lines + 1] = line
  end
  deps.limiter = {
    acquire = function(_, key, rate, burst)
      deps.limited[#deps.limited + 1] = { "acquire", key, rate, burst }
      return true
    end,
    delay = function()
      return deps.delay or 0
    end,
    penalize = function(_, key, seconds)
      deps.limited[#deps.limited + 1] = { "penalize", key, seconds }
    end,
  }
  deps.slots = {
    with = function(_, fn)
      return fn()
    end,
  }
  deps.auth = {
    fingerprint = "print",
    header = function(_, service)
      return "header for " .. service
    end,
    close = function() end,
  }
  deps.http = function(request)
    deps.requests[#deps.requests + 1] = request
    local reply, e = answer(request, #deps.requests)
    if reply then
      deps.clock = deps.clock + (reply.took or 0)
      reply.status = reply.status or 200
      reply.headers = reply.headers or {}
    end
    return reply, e
  end
  return deps
end

--- Answers that come one after the other; asking for more is a failure.
---@param list table[] replies or functions of the request
---@return fun(request: table, n: integer): table?, table?
function M.sequence(list)
  return function(request, n)
    local answer = list[n]
    if answer == nil then
      error(("request %d is one too many: %s %s"):format(n, request.method, request.url))
    end
    if type(answer) == "function" then
      return answer(request)
    end
    if answer.kind then
      return nil, answer
    end
    return answer
  end
end

return M
