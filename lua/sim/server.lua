--- Puts an account on a port of this computer.
--- Waits where requests do; each is served in a task of its own.

local err = require "base.err"
local server = require "sys.server"
local task = require "sys.task"

local M = {}

-- Bytes of a request's body that the real service would still take.
local MAX_BODY = 8 * 1024 * 1024

local LISTEN_HINT = "write 127.0.0.1:PORT; port 0 takes any free one"

--- Reads "127.0.0.1:4280", "localhost:0", "[::1]:0", ":4280" or "4280".
---@param text string
---@return {host: string, port: integer}?
---@return err.Record?
function M.parse_listen(text)
  local host, port = text:match("^%[(.+)%]:(%d+)$")
  if not host then
    host, port = text:match("^([^:]*):(%d+)$")
  end
  port = port or text:match("^%d+$")
  local number = port and math.tointeger(tonumber(port))
  if not number or number > 65535 then
    return nil, err.new({
      kind = "usage", hint = LISTEN_HINT,
      message = ("%q is not an address to listen on"):format(text),
    })
  end
  return { host = host and host ~= "" and host or "127.0.0.1", port = number }
end

-- Codes of an address that is none, or that others could reach.
local WRONG_ADDRESS = { EINVAL = true, EACCES = true }

-- Why it cannot listen there, and what to do.
local function cannot_listen(e, port)
  local is_wrong = WRONG_ADDRESS[e.code] and (port == 0 or port >= 1024)
  return err.new({
    kind = is_wrong and "usage" or e.kind, code = e.code, message = e.message,
    hint = e.hint or LISTEN_HINT,
  })
end

--- A wait that ends early when something changes: `pause`, and what to call
--- on a change.
---@return fun(seconds: number) pause
---@return fun() notify
function M.waiter()
  local changed, waiting = task.event(), 0
  local leaving = setmetatable({}, {
    __close = function()
      waiting = waiting - 1
    end,
  })
  local function pause(seconds)
    waiting = waiting + 1
    local _ <close> = leaving
    changed:wait(seconds)
  end
  local function notify()
    if waiting > 0 then
      local event = changed
      changed = task.event()
      event:set()
    end
  end
  return pause, notify
end

-- Sends half of a reply and then breaks the connection.
local function truncate(req, status, headers, body)
  local stream = req:stream(status, headers)
  if stream then
    stream:write(body:sub(1, #body // 2))
  end
  req:abort()
end

local function handler(account)
  return function(req)
    local status, headers, body, ending = account:handle(req)
    if ending == "truncate" then
      truncate(req, status, headers, body)
    elseif ending == "reset" then
      req:abort()
    end
    return status, headers, body
  end
end

--- Listens; `serve` of the result answers requests until it is closed.
---@param account sim.Account
---@param opts sim.Options
---@return server.Server?
---@return err.Record?
function M.listen(account, opts)
  local place, e = M.parse_listen(opts.listen or "127.0.0.1:0")
  if not place then
    return nil, e
  end
  local srv
  srv, e = server.listen({
    host = place.host, port = place.port, max_body = MAX_BODY,
    on_error = opts.on_error, background = opts.background,
  })
  if not srv then
    return nil, cannot_listen(e, place.port)
  end
  return {
    url = srv.url, port = srv.port,
    serve = function()
      srv:serve(handler(account))
    end,
    close = function()
      srv:close()
    end,
  }
end

return M
