--- One request to Fly: limit, credentials, retries, log line, typed error.
--- Waits. Everything it touches is injected, so that a script can stand in.

local errors = require "fly.errors"
local hosts = require "fly.hosts"
local limits = require "fly.limits"
local retry = require "fly.retry"

local M = {}

---@class fly.TransportDeps
---@field http fun(request: table): table?, table? sys.http.request
---@field limiter table sys.rate limiter
---@field slots table task.Semaphore: requests in flight at once
---@field now fun(): number monotonic seconds
---@field wall fun(): number seconds since 1970
---@field random fun(): number 0 <= x < 1
---@field sleep fun(seconds: number)
---@field log fun(line: string)? debug lines; never a secret, never a body
---@field user_agent string
---@field auth fly.Auth
---@field settings fly.Settings

--- One request as rest and graphql build it.
---@class fly.Request
---@field method string
---@field url string
---@field label string? what log lines call it; method and URL unless told
---@field action string method and path form, for limits and messages
---@field service fly.Service
---@field body (string|table)? text, secret or list of them
---@field headers table<string, any>? more headers
---@field safe boolean repeating it changes nothing
---@field final integer? a status that is never repeated
---@field bucket fly.Bucket|false|nil
---@field about fly.About
---@field max_body integer? bytes
---@field timeout number? seconds for one attempt

--- What one call cost and met, told to its caller.
---@class fly.Tally
---@field requests integer sent, repetitions too
---@field warnings string[]
---@field request_id string? of the last reply
---@field made table? result of a raw call that holds credentials

---@class fly.Transport
---@field deps fly.TransportDeps
local Transport = {}
Transport.__index = Transport

--- Longest one attempt may take, in seconds; a wait call asks for more.
local ATTEMPT_TIMEOUT = 30
local CONNECT_TIMEOUT = 10

--- No reply of Fly comes near this; it bounds what a wrong host can send.
local MAX_BODY = 64 * 1024 * 1024

--- A wait for the rate limit from this long on, in seconds, is logged.
local NOTED_DELAY = 0.05

--- A 429 without Retry-After closes its bucket for this long, in seconds.
local PENALTY = 1

---@param deps fly.TransportDeps
---@return fly.Transport
function M.new(deps)
  return setmetatable({ deps = deps }, Transport)
end

---@param self fly.Transport
---@param line string
local function log(self, line, ...)
  if self.deps.log then
    self.deps.log(line:format(...))
  end
end

---@param request fly.Request
---@return string
local function label(request)
  return request.label or (request.method .. " " .. request.url)
end

---@param self fly.Transport
---@param request fly.Request
---@return table
local function headers_of(self, request)
  local headers = {
    ["Accept"] = "application/json",
    ["Authorization"] = self.deps.auth:header(request.service),
    ["User-Agent"] = self.deps.user_agent,
  }
  if request.body then
    headers["Content-Type"] = "application/json"
  end
  for name, value in pairs(request.headers or {}) do
    headers[name] = value
  end
  return headers
end

---@param request fly.Request
---@param remaining number? seconds until the caller's deadline
---@return number
local function attempt_timeout(request, remaining)
  local seconds = request.timeout or ATTEMPT_TIMEOUT
  if remaining and remaining < seconds then
    seconds = math.max(remaining, 0.001)
  end
  return seconds
end

---@param self fly.Transport
---@param reply table
---@return number? seconds the server asks to wait
local function retry_after(self, reply)
  return retry.retry_after((reply.headers or {})["retry-after"], self.deps.wall())
end

---@async
---@param self fly.Transport
---@param request fly.Request
---@param attempt integer
---@param deadline number?
---@param tally fly.Tally
---@return table? reply, table? err
local function exchange(self, request, attempt, deadline, tally)
  local deps = self.deps
  local started = deps.now()
  tally.requests = tally.requests + 1
  local reply, e = deps.http {
    method = request.method,
    url = request.url,
    headers = headers_of(self, request),
    body = request.body,
    timeout = attempt_timeout(request, deadline and deadline - started),
    connect_timeout = CONNECT_TIMEOUT,
    max_body = request.max_body or MAX_BODY,
    repeatable = request.safe,
    allow_http = deps.settings.allow_http,
    http_hosts = { hosts.INTERNAL },
    cafile = deps.settings.ca_file,
  }
  local took = math.floor((deps.now() - started) * 1000 + 0.5)
  local id = reply and errors.request_id(reply)
  tally.request_id = id or tally.request_id
  log(self, "%s%s: %s in %d ms%s", label(request),
    attempt > 1 and (" (attempt %d)"):format(attempt) or "",
    reply and ("%d"):format(reply.status) or (e.code or e.kind), took,
    id and (" request " .. id) or "")
  if reply and reply.status == 429 then
    limits.penalize(deps.limiter, request.bucket, retry_after(self, reply) or PENALTY)
  end
  return reply, e
end

--- Waits for the request's bucket; a wait that is felt is told in the log.
---@async
---@param self fly.Transport
---@param request fly.Request
---@return boolean? granted, table? err
local function admit(self, request)
  local deps = self.deps
  local delay = deps.log and limits.delay(deps.limiter, request.bucket) or 0
  if delay >= NOTED_DELAY then
    log(self, "%s: waits %.2f s for the rate limit", label(request), delay)
  end
  return limits.acquire(deps.limiter, request.bucket)
end

--- Sends a request and gives its successful reply.
---@async
---@param request fly.Request
---@param deadline number? on the clock of `now`: no retry starts after it
---@param tally fly.Tally
---@return table? reply of a status below 300, table? err
function Transport:send(request, deadline, tally)
  local deps = self.deps
  local reply, e = retry.run(deps, {
    safe = request.safe,
    final = request.final,
    deadline = deadline,
    admit = function()
      return admit(self, request)
    end,
    on_pause = function(seconds, reason)
      log(self, "%s: again in %.2f s (%s)", label(request), seconds, reason)
    end,
  }, function(attempt)
    return deps.slots:with(function()
      return exchange(self, request, attempt, deadline, tally)
    end)
  end)
  if not reply then
    return nil, errors.from_transport(e, request.about)
  end
  if reply.status < 200 or reply.status > 299 then
    return nil, errors.from_reply(reply, request.about, retry_after(self, reply))
  end
  return reply
end

return M
