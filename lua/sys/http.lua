--- HTTP requests over kept connections, with redirects followed on request.
--- Waits. Any status is a reply; `nil, err` means there was no complete one, and
--- `err.sent` is false when no byte of the request can have reached the server.

local err = require "base.err"
local host = require "host.http"

local M = {}

---@alias http.Bytes string|secret.Secret

---@class http.Options
---@field url string https, or http to a host that is allowed below
---@field method string? GET
---@field headers table<string, http.Bytes>|[string, http.Bytes][]|nil
---@field body http.Bytes|http.Bytes[]|nil
---@field timeout number? seconds for all of it, 0: no limit (30; opened: none)
---@field connect_timeout number? seconds for name, connection and TLS (10)
---@field idle_timeout number? seconds without a byte, 0: no limit (none; opened: 60)
---@field max_body integer? bytes after decoding, 0: no limit (64 MiB; opened: none)
---@field follow integer? how many redirects to follow (0)
---@field repeatable boolean? may be sent twice if a kept connection is dead (GET, HEAD)
---@field allow_http boolean? plain http to any host
---@field http_hosts string[]? hosts besides loopback that plain http may go to
---@field cafile string? certificates to trust instead of SSL_CERT_FILE's
---@field proxy string? instead of the environment's; "" for none

---@class http.Reply
---@field status integer
---@field headers table<string, string> by lower-case name, repeated ones joined
---@field body string decoded when it was compressed; not in opened replies
---@field url string where it came from, after redirects
---@field version "1.0"|"1.1"|"2"
---@field elapsed number seconds

---@class http.Opened: http.Reply
---@field private transfer host.http.Transfer
local Opened = {}
Opened.__index = Opened

--- Starts loading libcurl beside what the program does until its first request.
M.preload = host.preload

---@class http.Client
---@field private raw host.http.Client
local Client = {}
Client.__index = Client

local DEFAULT_TIMEOUT = 30

local REDIRECTS = { [301] = true, [302] = true, [303] = true, [307] = true, [308] = true }

-- All that may follow a redirect to another host, port or scheme.
local PORTABLE = {
  accept = true, ["accept-encoding"] = true, ["accept-language"] = true,
  ["content-type"] = true, ["user-agent"] = true,
}

local function fail(message, code, detail)
  local e = err.from_host(message, code)
  e.sent = detail ~= nil and detail.sent
  return nil, e
end

local function refuse(code, message)
  return fail(message, code, { sent = true })
end

local function is_secret(value)
  return type(value) == "userdata"
end

--- Calls `keep(name, value)` for every header and lists those it wants.
local function filter_headers(headers, keep)
  local kept, place = {}, {}
  for name, value in pairs(headers or {}) do
    local at = name
    if type(value) == "table" then
      name, value = value[1], value[2]
    end
    if keep(name:lower(), value) then
      local header = { name, value }
      kept[#kept + 1], place[header] = header, at
    end
  end
  table.sort(kept, function(a, b)
    if a[1] ~= b[1] then
      return a[1] < b[1]
    end
    return place[a] < place[b] -- of a list: names of a table differ
  end)
  return kept
end

local function has_secret(body)
  if type(body) ~= "table" then
    return is_secret(body)
  end
  for _, part in ipairs(body) do
    if is_secret(part) then
      return true
    end
  end
  return false
end

--- Only what is harmless goes to another place; a secret body goes nowhere.
local function depart(request, target)
  request.headers = filter_headers(request.headers, function(name, value)
    return PORTABLE[name] and not is_secret(value)
  end)
  if has_secret(request.body) then
    return refuse("EPERM", "refused to send a secret on to " .. target.host)
  end
  return request
end

--- A redirected POST becomes a GET, as everywhere; 307 and 308 repeat it.
local function adapt_method(request, status)
  local method = request.method or "GET"
  local as_get = status == 303 and method ~= "HEAD"
    or (status == 301 or status == 302) and method == "POST"
  if as_get then
    request.method, request.body, request.repeatable = "GET", nil, nil
    request.headers = filter_headers(request.headers, function(name)
      return name:sub(1, 8) ~= "content-"
    end)
  end
end

--- The request that a redirect asks for, or why it is not made.
local function redirected(request, reply)
  local url, message, code = host.join(request.url, reply.headers.location)
  if not url then
    return refuse(code, message)
  end
  local from, to
  from = host.parse(request.url)
  to, message, code = host.parse(url)
  if not to then
    return refuse(code, message)
  end
  if from.tls and not to.tls then
    return refuse("EPERM", "refused a redirect from https to http: " .. to.host)
  end
  local copy = {}
  for name, value in pairs(request) do
    copy[name] = value
  end
  copy.url = url
  adapt_method(copy, reply.status)
  if from.host ~= to.host or from.port ~= to.port or from.tls ~= to.tls then
    return depart(copy, to)
  end
  return copy
end

--- Takes what a reply needed off the time that is left.
local function spend(request, limit, seconds)
  if limit == 0 then
    return request
  end
  request.timeout = limit - seconds
  if request.timeout <= 0 then
    return refuse("ETIMEDOUT", ("no complete reply within %g s"):format(limit))
  end
  return request
end

local function without_follow(opts)
  local request = {}
  for name, value in pairs(opts) do
    request[name] = value
  end
  request.follow = nil
  return request
end

--- Does `send(request)` → result, reply until it is no redirect to follow.
--- `limit` is the time for all of it.
---@async
local function follow(send, opts, limit)
  if math.type(opts.follow) ~= "integer" or opts.follow < 0 then
    error("follow: a number of redirects expected", 3)
  end
  local request, left, spent = without_follow(opts), opts.follow, 0
  while true do
    local result, reply, code, detail = send(request)
    if not result then
      return fail(reply, code, detail)
    end
    reply.url = request.url
    if opts.follow == 0 or not REDIRECTS[reply.status] or not reply.headers.location then
      return result, reply
    end
    if result ~= reply then
      result:close()
    end
    if left == 0 then
      return refuse("ELOOP", ("more redirects than %d"):format(opts.follow))
    end
    left, spent = left - 1, spent + reply.elapsed
    local e
    request, e = redirected(request, reply)
    if request then
      request, e = spend(request, limit, spent)
    end
    if not request then
      return nil, e
    end
  end
end

--- Sends a request and reads the whole reply.
---@async
---@param opts http.Options
---@return http.Reply|nil, err.Record?
function Client:request(opts)
  if opts.follow then
    local reply, e = follow(function(request)
      local reply, message, code, detail = self.raw:request(request)
      return reply, reply or message, code, detail
    end, opts, opts.timeout or DEFAULT_TIMEOUT)
    return reply, not reply and e or nil
  end
  local reply, message, code, detail = self.raw:request(opts)
  if not reply then
    return fail(message, code, detail)
  end
  reply.url = opts.url
  return reply
end

--- Sends a request and reads the reply's head; `read` gives its body piece by
--- piece, and the server waits while nobody reads. Close it.
---@async
---@param opts http.Options
---@return http.Opened|nil, err.Record?
function Client:open(opts)
  local transfer, reply, code, detail
  if opts.follow then
    transfer, reply = follow(function(request)
      return self.raw:open(request)
    end, opts, opts.timeout or 0)
    if not transfer then
      return nil, reply
    end
  else
    transfer, reply, code, detail = self.raw:open(opts)
    if not transfer then
      return fail(reply, code, detail)
    end
    reply.url = opts.url
  end
  reply.transfer = transfer
  return setmetatable(reply, Opened)
end

--- Sends a request and hands each piece of the body to `on_data(piece, reply)`,
--- until the end or until that returns false.
---@async
---@param opts http.Options
---@param on_data fun(piece: string, reply: http.Opened): boolean?
---@return http.Opened|nil reply, err.Record?
function Client:stream(opts, on_data)
  local reply <close>, e = self:open(opts)
  if not reply then
    return nil, e
  end
  while true do
    local piece
    piece, e = reply:read()
    if not piece then
      break
    end
    if on_data(piece, reply) == false then
      e = nil
      break
    end
  end
  if e then
    return nil, e
  end
  return reply
end

--- What the client did so far: { transfers, connections, handles, active }.
---@return table<string, integer>
function Client:stats()
  return self.raw:stats()
end

--- Ends all its transfers and closes its connections.
function Client:close()
  self.raw:close()
end

Client.__close = Client.close

--- The next piece of the body, as soon as there is one; nil at the end.
---@async
---@return string?, err.Record?
function Opened:read()
  local piece, message, code, detail = self.transfer:read()
  if piece or not message then
    return piece
  end
  return fail(message, code, detail)
end

--- Ends the transfer.
function Opened:close()
  self.transfer:close()
end

Opened.__close = Opened.close

--- A client with connections of its own.
---@return http.Client|nil, err.Record?
function M.new()
  local raw, message, code = host.client()
  if not raw then
    return fail(message, code)
  end
  return setmetatable({ raw = raw }, Client)
end

---@type http.Client?
local shared

local function with_shared(name)
  return function(...)
    if not shared then
      local client, e = M.new()
      if not client then
        return nil, e
      end
      shared = client
    end
    return shared[name](shared, ...)
  end
end

--- The same on a client that everybody shares.
---@async
---@type fun(opts: http.Options): http.Reply|nil, err.Record?
M.request = with_shared("request")

---@async
---@type fun(opts: http.Options): http.Opened|nil, err.Record?
M.open = with_shared("open")

---@async
---@type fun(opts: http.Options, on_data: function): http.Opened|nil, err.Record?
M.stream = with_shared("stream")

---@type fun(): table<string, integer>
M.stats = with_shared("stats")

--- Ends the shared client's transfers and connections; the next request opens
--- new ones.
function M.close()
  if shared then
    shared:close()
    shared = nil
  end
end

return M
