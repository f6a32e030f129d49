local devnet = require "host.devnet"
local http = require "sys.http"
local secret = require "host.secret"
local t = require "kit"
local task = require "sys.task"

-- The peer lives on the same heap, so it may lose its memory too: requests are
-- given little time, and a peer that fails just closes.
local REPLY = "HTTP/1.1 200 OK\r\nX-A: 1\r\nx-a: 2\r\nContent-Length: 5\r\n\r\nhello"

local function serve(listener)
  for conn in function()
    return listener:accept()
  end do
    task.spawn(function()
      local _ <close> = conn
      while conn:read() do
        if not conn:write(REPLY) then
          return
        end
      end
    end)
  end
end

local function with_server(fn)
  local listener <close>, port = devnet.listen()
  assert(listener, port)
  local server = task.spawn(serve, listener)
  local client <close> = assert(http.new())
  local ok, e = pcall(fn, client, "http://127.0.0.1:" .. port .. "/path")
  server:cancel()
  server:join()
  if not ok then
    error(e, 0)
  end
end

--- What a failing allocation may lead to: a raised "not enough memory", or an
--- error the peer's failure explains.
local function get(client, opts)
  opts.timeout = 0.1
  local reply, e = client:request(opts)
  assert(reply, e)
  assert(reply.body == "hello" and reply.headers["x-a"] == "1, 2")
end

t.torture("requests survive a failing allocation", function()
  with_server(function(client, url)
    get(client, { url = url })
    get(client, {
      url = url, method = "POST", headers = { Authorization = secret.new("token"), ["X-B"] = "b" },
      body = { "a", secret.new("bcd") },
    })
  end)
end)

t.torture("streams survive a failing allocation", function()
  with_server(function(client, url)
    local reply <close> = assert(client:open { url = url, idle_timeout = 0.1 })
    local body = ""
    for piece in function()
      return assert(reply:read() or false) or nil
    end do
      body = body .. piece
      if #body == 5 then
        break
      end
    end
    assert(body == "hello")
  end)
end)

t.torture("cancelled and closed requests survive a failing allocation", function()
  with_server(function(client, url)
    local canceled = task.spawn(function()
      client:request { url = url, follow = 2, timeout = 0.1 }
    end)
    task.sleep(0)
    canceled:cancel()
    canceled:join()
    local closed = task.spawn(function()
      return client:open { url = url, timeout = 0.1 }
    end)
    task.sleep(0)
    client:close()
    local ok, reply, e = closed:join()
    assert(ok, reply)
    assert(not reply and e.code == "ECANCELED", e)
  end)
end)

t.torture("failures survive a failing allocation", function()
  local client <close> = assert(http.new())
  local listener, port = assert(devnet.listen())
  listener:close()
  local reply, e = client:request { url = "http://127.0.0.1:" .. port, timeout = 0.1 }
  assert(not reply and e.code == "ECONNREFUSED", e)
  reply, e = client:request { url = "http://example.com" }
  assert(not reply and e.code == "EPERM", e)
  reply, e = client:request { url = "https://127.0.0.1:1", cafile = "/nonexistent", timeout = 0.1 }
  assert(not reply and e.code, e)
end)
