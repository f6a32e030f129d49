local http = require "sys.http"
local raw = require "kit.raw"
local t = require "kit"
local task = require "sys.task"

local test, hello, closed_port = raw.client_test, raw.hello, raw.closed_port

-- ---- streams ----

test("an opened reply is read piece by piece as it comes", function(client)
  local turn = task.event()
  local srv <close> = raw.start(function(conn)
    conn:request()
    conn:write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-A: b\r\n\r\n")
    for _, piece in ipairs { "one", "two" } do
      conn:write(("%x\r\n%s\r\n"):format(#piece, piece))
      turn:wait()
      turn:clear()
    end
    conn:write("0\r\n\r\n")
    conn:wait_closed()
  end)
  local reply <close> = t.ok(client:open { url = srv.url })
  t.eq({ reply.status, reply.headers["x-a"], reply.url }, { 200, "b", srv.url })
  t.eq(reply:read(), "one")
  turn:set()
  t.eq(reply:read(), "two")
  turn:set()
  t.eq({ reply:read() }, {})
  t.eq({ reply:read() }, {}, "the end stays the end")
end)

test("a server waits while nobody reads, and all arrives in the end", function(client)
  local piece, written, done = ("p"):rep(1 << 20), 0, false
  local srv <close> = raw.start(function(conn)
    conn:request()
    conn:write("HTTP/1.1 200 OK\r\nContent-Length: ", tostring(100 << 20), "\r\n\r\n")
    for _ = 1, 100 do
      conn:write(piece)
      written = written + 1
    end
    done = true
  end)
  local reply <close> = t.ok(client:open { url = srv.url, idle_timeout = 5 })
  -- It stands still when two looks in a row see the same.
  local last
  t.eventually(function()
    local same = written == last
    last = written
    task.sleep(0.05)
    return same
  end)
  t.ok(not done and written < 60, "the sender was not held back")
  local total = 0
  for chunk in function()
    return reply:read()
  end do
    t.ok(#chunk <= (256 + 64) * 1024, "more buffered than the limit")
    total = total + #chunk
  end
  t.eq(total, 100 << 20)
end)

test("a slow reader is not mistaken for a stalled server", function(client)
  local srv <close> = raw.answering(function()
    return ("z"):rep(8 << 20)
  end)
  local reply <close> = t.ok(client:open { url = srv.url, idle_timeout = 0.05 })
  task.sleep(0.2)
  local total = 0
  for chunk in function()
    return reply:read()
  end do
    total = total + #chunk
  end
  t.eq(total, 8 << 20)
end)

test("a stream's failure comes after what had arrived", function(client)
  local srv <close> = raw.start(function(conn)
    conn:request()
    conn:write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345")
  end)
  local reply <close> = t.ok(client:open { url = srv.url })
  t.eventually(function()
    return client:stats().active == 0
  end)
  t.eq(reply:read(), "12345")
  local piece, e = reply:read()
  t.err(piece, e, "EPROTO")
  t.eq(select(2, reply:read()).code, "EPROTO")
end)

test("stream hands over every piece and stops when told", function(client)
  local srv <close> = raw.answering(function()
    return ("s"):rep(3 << 20)
  end)
  local total = 0
  local reply = t.ok(client:stream({ url = srv.url }, function(piece, head)
    t.eq(head.status, 200)
    total = total + #piece
  end))
  t.eq({ reply.status, total }, { 200, 3 << 20 })
  local calls = 0
  t.ok(client:stream({ url = srv.url }, function()
    calls = calls + 1
    return false
  end))
  t.eq(calls, 1)
  t.raises(function()
    client:stream({ url = srv.url }, function()
      error("enough")
    end)
  end, "enough")
  t.eq(client:stats().active, 0)
end)

test("opened replies have caps and limits too", function(client)
  local srv <close> = hello(("x"):rep(1000))
  local reply, e = client:open { url = srv.url, max_body = 999 }
  t.err(reply, e, "E2BIG")
  reply, e = client:open { url = "http://127.0.0.1:" .. closed_port() }
  t.err(reply, e, "ECONNREFUSED")
  t.eq(e.sent, false)
end)

-- ---- ends ----

test("cancelling a task ends its request", function(client)
  local closed = task.event()
  local srv <close> = raw.start(function(conn)
    conn:request()
    conn:wait_closed()
    closed:set()
  end)
  local running = task.spawn(function()
    client:request { url = srv.url }
  end)
  t.eventually(function()
    return #srv.requests == 1
  end)
  running:cancel()
  local ok, e = running:join()
  t.eq(ok, false)
  t.ok(task.is_canceled(e))
  t.ok(closed:wait(5), "the server sees the connection close")
  t.eq(client:stats().active, 0)
end)

test("cancelling a task ends the stream it reads", function(client)
  local closed = task.event()
  local srv <close> = raw.start(function(conn)
    conn:request()
    conn:write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345")
    conn:wait_closed()
    closed:set()
  end)
  local reading = task.event()
  local running = task.spawn(function()
    local reply <close> = client:open { url = srv.url }
    reply:read()
    reading:set()
    reply:read()
  end)
  reading:wait()
  running:cancel()
  running:join()
  t.ok(closed:wait(5))
  t.eq(client:stats().active, 0)
end)

test("cancelling reaches a request wherever it is", function(client)
  local silent <close> = raw.start(function(conn)
    conn:wait_closed()
  end)
  local slow <close> = raw.start(function(conn)
    conn:request()
    conn:write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345")
    conn:wait_closed()
  end)
  local places = {
    ["in the TLS handshake"] = function()
      client:request { url = "https://127.0.0.1:" .. silent.port }
    end,
    ["before the head"] = function()
      client:request { url = silent.url }
    end,
    ["before the head of a stream"] = function()
      client:open { url = silent.url }
    end,
    ["in the midst of the body"] = function()
      client:request { url = slow.url }
    end,
    ["in the midst of a redirect"] = function()
      client:request { url = slow.url, follow = 3 }
    end,
    ["in a callback's stream"] = function()
      client:stream({ url = slow.url }, function() end)
    end,
  }
  for place, fn in pairs(places) do
    local before = silent.connections + slow.connections
    local running = task.spawn(fn)
    t.eventually(function()
      return silent.connections + slow.connections > before
    end)
    t.eq(client:stats().active, 1, place)
    running:cancel()
    local ok, e = running:join(5)
    t.eq({ ok, task.is_canceled(e) }, { false, true }, place)
    t.eq(client:stats().active, 0, place)
  end
end)

test("a cancelled task sends nothing more", function(client)
  local srv <close> = hello()
  local running = task.spawn(function()
    client:request { url = srv.url, method = "POST", body = "x" }
  end)
  running:cancel()
  t.ok(task.is_canceled(select(2, running:join())))
  t.eq({ #srv.requests, client:stats().active }, { 0, 0 })
end)

test("a client lives as long as a stream of it", function()
  local go = task.event()
  local srv <close> = raw.start(function(conn)
    conn:request()
    conn:write("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc")
    go:wait()
    conn:write("def")
  end)
  local reply <close> = t.ok(t.ok(http.new()):open { url = srv.url })
  collectgarbage()
  collectgarbage()
  t.eq(reply:read(), "abc")
  go:set()
  t.eq(reply:read(), "def")
  t.eq(reply:read(), nil)
end)

test("what waits for a reply is not collected", function()
  local go = task.event()
  local srv <close> = raw.start(function(conn)
    conn:request()
    go:wait()
    conn:reply("late")
  end)
  local running = task.spawn(function()
    return t.ok(http.new()):request { url = srv.url }
  end)
  t.eventually(function()
    return #srv.requests == 1
  end)
  collectgarbage()
  collectgarbage()
  go:set()
  t.eq(t.ok(running:await()).body, "late")
end)

test("a stream that is dropped is ended by the collector", function(client)
  local closed = task.event()
  local srv <close> = raw.start(function(conn)
    conn:request()
    conn:write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345")
    conn:wait_closed()
    closed:set()
  end)
  task.spawn(function()
    t.ok(client:open { url = srv.url })
  end):join()
  collectgarbage()
  collectgarbage()
  t.ok(closed:wait(5))
  t.eq(client:stats().active, 0)
end)

test("a client that is dropped takes its connections with it", function()
  local closed = task.event()
  local srv <close> = raw.start(function(conn)
    conn:request()
    conn:reply("x")
    conn:wait_closed()
    closed:set()
  end)
  task.spawn(function()
    t.ok(t.ok(http.new()):request { url = srv.url })
  end):join()
  collectgarbage()
  collectgarbage()
  t.ok(closed:wait(5))
end)

test("closing twice is closing once", function(client)
  local srv <close> = hello()
  local reply = t.ok(client:open { url = srv.url })
  reply:close()
  reply:close()
  local piece, e = reply:read()
  t.err(piece, e, "ECANCELED")
  client:close()
  client:close()
  t.err(nil, select(2, client:request { url = srv.url }), "the http client is closed")
  t.err(nil, select(2, client:open { url = srv.url }), "ECANCELED")
  t.eq(client:stats(), { active = 0, connections = 0, handles = 0, transfers = 0 })
end)

test("closing a client ends what it does with ECANCELED", function(client)
  local srv <close> = raw.start(function(conn)
    conn:request()
    conn:write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345")
    conn:wait_closed()
  end)
  local reply <close> = t.ok(client:open { url = srv.url })
  local whole = task.spawn(function()
    return client:request { url = srv.url }
  end)
  t.eventually(function()
    return client:stats().active == 2 and #srv.requests == 2
  end)
  client:close()
  local _, _, e = whole:join()
  t.eq({ e.code, e.kind, e.message, e.sent },
    { "ECANCELED", "canceled", "the http client was closed", true })
  t.eq(reply:read(), "12345")
  t.err(nil, select(2, reply:read()), "ECANCELED")
end)

test("closing a stream wakes its reader; two readers are refused", function(client)
  local srv <close> = raw.start(function(conn)
    conn:request()
    conn:write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n")
    conn:wait_closed()
  end)
  local reply = t.ok(client:open { url = srv.url })
  local reader = task.spawn(function()
    return reply:read()
  end)
  task.sleep(0)
  t.raises(function()
    reply:read()
  end, "another task reads")
  reply:close()
  local _, _, e = reader:join()
  t.err(nil, e, "ECANCELED")
end)

t.test("the shared client opens anew after a close", function()
  local srv <close> = hello()
  t.eq(t.ok(http.request { url = srv.url }).body, "hello")
  t.eq(http.stats().transfers, 1)
  http.close()
  http.close()
  t.eq(t.ok(http.request { url = srv.url }).body, "hello")
  t.eq({ http.stats().transfers, srv.connections }, { 1, 2 })
  http.close()
end)

t.test("without a task a request raises and leaves nothing", function()
  local srv <close> = hello()
  local client <close> = t.ok(http.new())
  t.raises(coroutine.wrap(function()
    client:request { url = srv.url }
  end), "cannot wait outside a task")
  collectgarbage()
  collectgarbage()
  t.eq(client:stats().active, 0)
end)
