--- An HTTP/1.1 server on the loop: every request is served by a task of its own.
--- Listens on loopback unless told otherwise; what waits is marked async.

local err = require "base.err"
local host = require "host.server"
local str = require "base.str"
local task = require "sys.task"

local M = {}

---@class server.Options
---@field host string? numeric address or "localhost" (127.0.0.1)
---@field port integer? 0, the default, takes any free one
---@field remote boolean? allow an address that is not loopback
---@field background boolean? for this program alone: waiting for it is a deadlock
---@field max_header integer? bytes of request line and headers (32 KiB)
---@field max_body integer? bytes of a request body, beyond it 413 (8 MiB)
---@field max_connections integer? beyond it clients wait (512)
---@field max_pending integer? requests no task serves yet, beyond it 503 (512)
---@field max_tasks integer? requests served at once; others wait (512)
---@field idle_timeout integer? seconds without a byte; 0: no limit (60)
---@field on_error (fun(e: any, req: server.Request))? told of a handler's error

---@class server.Request
---@field method string
---@field target string path and query as sent, nothing decoded
---@field path string the target's path as sent: an escaped "/" is still "%2F"
---@field segments string[] the path split at "/", each part decoded
---@field query table<string, string> decoded; the last of several wins
---@field headers table<string, string> by lower-case name, repeated ones joined
---@field body string
---@field peer string "127.0.0.1:40000"
---@field private raw host.server.Request

---@alias server.Headers table<string, string|number|string[]>

---@class server.Stream
---@field private raw host.server.Request

---@class server.Server
---@field port integer
---@field url string "http://127.0.0.1:40000"
---@field private raw host.server.Server

local INTERNAL = { "Content-Type", "text/plain" }

local function parse_query(text)
  local query = {}
  for pair in text:gmatch("[^&]+") do
    local name, value = pair:match("^([^=]*)=?(.*)$")
    query[str.url_unescape(name, true)] = str.url_unescape(value, true)
  end
  return query
end

local function parse_segments(path)
  local segments = {}
  for part in path:gmatch("/([^/]*)") do
    segments[#segments + 1] = str.url_unescape(part)
  end
  return segments
end

local function parse_headers(flat)
  local headers = {}
  for i = 1, #flat, 2 do
    local name, value = flat[i]:lower(), flat[i + 1]
    local before = headers[name]
    if before then
      value = before .. (name == "cookie" and "; " or ", ") .. value
    end
    headers[name] = value
  end
  return headers
end

--- Header fields as the host takes them: names and values in turn, sorted.
local function flatten(headers)
  local names, flat = {}, {}
  for name in pairs(headers or {}) do
    names[#names + 1] = name
  end
  table.sort(names)
  for _, name in ipairs(names) do
    local values = headers[name]
    for _, value in ipairs(type(values) == "table" and values or { values }) do
      flat[#flat + 1] = name
      flat[#flat + 1] = tostring(value)
    end
  end
  return flat
end

local Stream = {}
Stream.__index = Stream

--- Sends a piece of the body; waits while the client is slow. `nil, err` once
--- the client is gone.
---@async
---@param chunk string
---@return boolean? ok
---@return err.Record?
function Stream:write(chunk)
  return err.outcome(self.raw:write(chunk))
end

--- Ends the body. A stream its handler leaves open is ended when it returns.
function Stream:close()
  self.raw:finish()
end

local Request = {}

-- Parsed when first asked for: most handlers need one or two of them.
local LAZY = {
  query = function(req)
    return parse_query(req.target:match("%?(.*)$") or "")
  end,
  segments = function(req)
    return parse_segments(req.path)
  end,
}

local request_meta = {
  __index = function(req, key)
    local make = LAZY[key]
    if not make then
      return Request[key]
    end
    local value = make(req)
    rawset(req, key, value)
    return value
  end,
}

local function new_request(raw, head)
  return setmetatable({
    raw = raw,
    method = head.method,
    target = head.target,
    path = head.target:match("^%a+://[^/?]*([^?]*)") or head.target:match("^[^?]*"),
    headers = parse_headers(head.headers),
    body = head.body,
    peer = head.peer,
  }, request_meta)
end

--- Answers with a body that is written piece by piece, as it comes.
---@param status integer
---@param headers server.Headers?
---@return server.Stream?
---@return err.Record?
function Request:stream(status, headers)
  local raw = self.raw
  local ok, e = err.outcome(raw:stream(status, flatten(headers)))
  if not ok then
    return nil, e
  end
  rawset(self, "streaming", true)
  return setmetatable({ raw = self.raw }, Stream)
end

--- Whether the client closed its connection.
---@return boolean
function Request:is_gone()
  return self.raw:gone()
end

--- Waits until the client is gone: for a race with work done only for it.
---@async
function Request:wait_gone()
  self.raw:wait_gone()
end

--- Breaks the connection: the client gets no answer, or no end of the one it is
--- getting. What the handler returns then counts for nothing.
function Request:abort()
  rawset(self, "aborted", true)
  self.raw:close()
end

local function run_handler(raw, req, handler)
  local status, headers, body = handler(req)
  if req.aborted then
    return
  elseif req.streaming then
    raw:finish()
  elseif math.type(status) ~= "integer" then
    error("a handler returns status, headers, body; got " .. tostring(status))
  else
    raw:reply(status, flatten(headers), body)
  end
end

--- Serves one request. A handler that fails gets the client a 500; its error
--- goes on to `on_error`, or becomes the failure of `serve`.
local function serve_one(raw, head, handler)
  local _ <close> = raw -- breaks the connection when nothing was answered
  local req = new_request(raw, head)
  local _ <close> = setmetatable({}, { __close = function(_, e)
    if e ~= nil and not task.is_canceled(e) and not req.streaming then
      pcall(raw.reply, raw, 500, INTERNAL, "internal error\n")
    end
  end })
  return run_handler(raw, req, handler)
end

local function serve_reporting(raw, head, handler, on_error)
  local ok, e = pcall(serve_one, raw, head, handler)
  if not ok then
    if task.is_canceled(e) then
      error(e, 0)
    end
    on_error(e, new_request(raw, head))
  end
end

local Server = {}
Server.__index = Server

--- Serves requests, each in its own task, until `close`; then cancels those
--- that are still being served and returns.
---@async
---@param handler async fun(req: server.Request): integer?, server.Headers?, string?
function Server:serve(handler)
  local serve = self.on_error and serve_reporting or serve_one
  local slots = task.semaphore(self.max_tasks)
  local function one(raw, head)
    local _ <close> = setmetatable({}, { __close = function()
      slots:release()
    end })
    return serve(raw, head, handler, self.on_error)
  end
  task.spawn(function()
    while true do
      slots:acquire()
      local raw, head = self.raw:accept()
      if not raw then
        return
      end
      task.spawn(one, raw, head)
    end
  end):await()
end

--- Stops listening and closes every connection. Does not wait.
function Server:close()
  self.raw:close()
end

Server.__close = Server.close

--- Starts to listen.
---@param options server.Options?
---@return server.Server?
---@return err.Record?
function M.listen(options)
  options = options or {}
  local raw, message, code = host.listen(options)
  if not raw then
    local e = err.from_host(message, code, "listen")
    if code == "ENOTSUP" then
      e.hint = "install libmicrohttpd: apt-get install libmicrohttpd12"
    end
    return nil, e
  end
  local name = options.host or "127.0.0.1"
  return setmetatable({
    raw = raw,
    port = raw:port(),
    url = ("http://%s:%d"):format(name:find(":") and "[" .. name .. "]" or name, raw:port()),
    max_tasks = options.max_tasks or 512,
    on_error = options.on_error,
  }, Server)
end

return M
