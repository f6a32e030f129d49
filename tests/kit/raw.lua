--- A TCP server whose every byte the test decides, for peers that misbehave.
--- Connections are served by tasks of the test; close the server at its end.

local devnet = require "host.devnet"
local http = require "sys.http"
local t = require "kit"
local task = require "sys.task"

local M = {}

---@class kit.RawServer
---@field port integer
---@field url string
---@field connections integer how many were accepted
---@field requests string[] every request's head and body, in order of arrival
local Server = {}
Server.__index = Server

---@class kit.RawConn
---@field number integer 1 for the server's first connection
---@field is_closed boolean? by us: nothing more is read or written
local Conn = {}
Conn.__index = Conn

--- Bytes as they arrive; nil at the end.
---@async
function Conn:read()
  return not self.is_closed and self.raw:read() or nil
end

---@async
function Conn:write(...)
  return not self.is_closed and self.raw:write(table.concat { ... }) or nil
end

function Conn:close()
  self.is_closed = true
  self.raw:close()
end

function Conn:reset()
  self.is_closed = true
  self.raw:reset()
end

--- Reads one request: its head and, by Content-Length, its body. Nil at the end.
---@async
---@return string?
function Conn:request()
  local text = self.rest or ""
  while true do
    local _, head_end = text:find("\r\n\r\n", 1, true)
    if head_end then
      local length = tonumber(text:sub(1, head_end):lower():match("\ncontent%-length: *(%d+)")) or 0
      if #text >= head_end + length then
        self.rest = text:sub(head_end + length + 1)
        text = text:sub(1, head_end + length)
        table.insert(self.server.requests, text)
        return text
      end
    end
    local more = self:read()
    if not more then
      return nil
    end
    text = text .. more
  end
end

--- Answers with a body of known length.
---@async
function Conn:reply(body, headers, status)
  return self:write("HTTP/1.1 ", status or "200 OK", "\r\n", headers or "",
    "Content-Length: ", tostring(#body), "\r\n\r\n", body)
end

--- Waits until the peer has closed, dropping what still comes.
---@async
function Conn:wait_closed()
  while self:read() do
  end
end

function Server:close()
  self.is_closed = true
  self.listener:close()
  for _, conn in ipairs(self.conns) do
    conn:close()
  end
end

Server.__close = Server.close

--- Starts a server; `fn(conn)` runs in a task for each connection, and the
--- connection is closed when it returns.
---@param fn async fun(conn: kit.RawConn)
---@return kit.RawServer
function M.start(fn)
  local listener, port = assert(devnet.listen())
  local server = setmetatable({
    listener = listener, port = port, url = "http://127.0.0.1:" .. port,
    connections = 0, requests = {}, conns = {},
  }, Server)
  task.spawn(function()
    for raw in function()
      return not server.is_closed and listener:accept() or nil
    end do
      server.connections = server.connections + 1
      local conn = setmetatable(
        { raw = raw, server = server, number = server.connections }, Conn)
      table.insert(server.conns, conn)
      task.spawn(function()
        fn(conn)
        conn:close()
      end)
    end
  end)
  return server
end

--- A server that answers every request of every connection with `fn(request)`:
--- body, header lines, status line.
---@param fn fun(request: string): string, string?, string?
---@return kit.RawServer
function M.answering(fn)
  return M.start(function(conn)
    for request in function()
      return conn:request()
    end do
      conn:reply(fn(request))
    end
  end)
end

--- A server that answers everything with the body, "hello" unless told.
---@param body string?
function M.hello(body)
  return M.answering(function()
    return body or "hello"
  end)
end

--- A port on which nobody listens.
---@return integer
function M.closed_port()
  local listener, port = assert(devnet.listen())
  listener:close()
  return port
end

--- The value of a header in a request as it came; `name` is a Lua pattern.
---@param request string
---@param name string
---@return string?
function M.header(request, name)
  return request:match("\n" .. name .. ": ([^\r]*)\r")
end

--- A test with an HTTP client of its own, closed at its end.
---@param name string
---@param fn fun(client: http.Client)
function M.client_test(name, fn)
  t.test(name, function()
    local client <close> = t.ok(http.new())
    fn(client)
  end)
end

return M
