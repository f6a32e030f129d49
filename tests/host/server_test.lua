local dev = require "host.dev"
local host = require "host.server"
local http = require "sys.http"
local process = require "sys.process"
local server = require "sys.server"
local t = require "kit"
local task = require "sys.task"

--- Runs `fn(srv, client)` beside a server that serves with `handler`.
local function serving(handler, fn, options)
  local srv <close> = t.ok(server.listen(options))
  local client <close> = t.ok(http.new())
  local serving_task = task.spawn(function()
    srv:serve(handler)
  end)
  fn(srv, client)
  srv:close()
  return serving_task:join()
end

--- A test of one handler.
local function test(name, handler, fn, options)
  t.test(name, function()
    local ok, e = serving(handler, fn, options)
    t.ok(ok, e)
  end)
end

local function get(client, url, extra)
  local request = { url = url, timeout = 20 }
  for k, v in pairs(extra or {}) do
    request[k] = v
  end
  return client:request(request)
end

-- ---- requests and replies ----

local function echo(req)
  return 200, { ["X-Method"] = req.method }, req.body
end

test("a request's body and a reply's status, headers and body arrive", echo, function(srv, client)
  local body = ("\0\255binary\r\n"):rep(10000)
  local reply = t.ok(get(client, srv.url .. "/", { method = "PUT", body = body }))
  t.eq(reply.status, 200)
  t.eq(reply.body, body)
  t.eq(reply.headers["x-method"], "PUT")
  t.eq(reply.headers["content-length"], tostring(#body))
end)

local seen

test("an escaped slash stays in its segment", function(req)
  seen = req
  return 204
end, function(srv, client)
  local target = "/v1/apps/a%2Fb/%2E%2e/x%20y%zz/?q=a%26b&plus=1+2&flag&q=last&%C3%A9=1"
  t.eq(t.ok(get(client, srv.url .. target)).status, 204)
  t.eq(seen.target, target)
  t.eq(seen.path, "/v1/apps/a%2Fb/%2E%2e/x%20y%zz/")
  t.eq(seen.segments, { "v1", "apps", "a/b", "..", "x y%zz", "" })
  t.eq(seen.query, { q = "last", plus = "1 2", flag = "", ["é"] = "1" })
  t.match(seen.peer, "^127%.0%.0%.1:%d+$")
  seen = nil
end)

test("repeated request headers are joined, names are lower case", function(req)
  return 200, nil, ("%s|%s"):format(req.headers["x-tag"], req.headers.cookie)
end, function(srv, client)
  local reply = t.ok(get(client, srv.url .. "/", {
    headers = { { "X-Tag", "a" }, { "x-tag", "b" }, { "Cookie", "a=1" }, { "Cookie", "b=2" } },
  }))
  t.eq(reply.body, "a, b|a=1; b=2")
end)

test("a header with several values goes out as several", function()
  return 200, { ["Set-Cookie"] = { "a=1", "b=2" }, Retries = 3 }, "x"
end, function(srv, client)
  local reply = t.ok(get(client, srv.url .. "/"))
  t.eq(reply.headers["set-cookie"], "a=1, b=2")
  t.eq(reply.headers.retries, "3")
end)

test("HEAD has the length and no body", function()
  return 200, {}, "12345"
end, function(srv, client)
  local reply = t.ok(get(client, srv.url .. "/", { method = "HEAD" }))
  t.eq({ reply.body, reply.headers["content-length"] }, { "", "5" })
end)

test("requests are served at the same time, each in its own task", function(req)
  task.sleep(0.2)
  return 200, nil, req.path
end, function(srv, client)
  local started = task.now()
  local bodies = task.map({ 1, 2, 3, 4, 5, 6, 7, 8 }, 8, function(i)
    return t.ok(get(client, srv.url .. "/" .. i)).body
  end)
  t.eq(table.concat(bodies), "/1/2/3/4/5/6/7/8")
  t.ok(task.now() - started < 1.2, "one after another they take 1.6 s")
end)

local running, most = 0, 0

test("at most max_tasks requests are served at once", function()
  running = running + 1
  most = math.max(most, running)
  task.sleep(0.01)
  running = running - 1
  return 200
end, function(srv, client)
  task.map({ 1, 2, 3, 4, 5, 6, 7, 8 }, 8, function()
    t.eq(t.ok(get(client, srv.url)).status, 200)
  end)
  t.eq(most, 2)
end, { max_tasks = 2 })

test("two thousand requests over kept connections are answered", function(req)
  return 200, nil, req.path
end, function(srv, client)
  local list = {}
  for i = 1, 2000 do
    list[i] = i
  end
  local bodies = task.map(list, 32, function(i)
    return t.ok(get(client, srv.url .. "/" .. i)).body
  end)
  t.eq(#bodies, 2000)
  t.eq({ bodies[1], bodies[2000] }, { "/1", "/2000" })
end)

-- ---- limits ----

test("a body over the limit gets a 413 and no handler", function()
  error("must not be called")
end, function(srv, client)
  t.eq(t.ok(get(client, srv.url, { method = "POST", body = ("x"):rep(1001) })).status, 413)
end, { max_body = 1000 })

test("headers over the limit get a 431", function()
  error("must not be called")
end, function(srv, client)
  local reply = t.ok(get(client, srv.url, { headers = { ["X-Long"] = ("x"):rep(20000) } }))
  t.eq(reply.status, 431)
end, { max_header = 8192 })

-- A bare server, and what asks it: a client of its own each time, so that no
-- connection is shared.
local function asking(srv)
  local client = t.ok(http.new())
  return client, task.spawn(function()
    return get(client, ("http://127.0.0.1:%d/"):format(srv:port()))
  end)
end

t.test("beyond max_connections clients wait to be accepted", function()
  local srv <close> = assert(host.listen { max_connections = 1 })
  local first, answer = asking(srv)
  t.ok(srv:accept():reply(200)) -- the connection is kept
  t.eq(t.ok(answer:await()).status, 200)
  local second <close>, waiting = asking(srv)
  t.err(nil, select(2, task.timeout(0.1, function()
    srv:accept()
  end)), "timeout")
  first:close()
  t.ok(srv:accept():reply(204))
  t.eq(t.ok(waiting:await()).status, 204)
  t.ok(second)
end)

t.test("beyond max_pending requests get a 503", function()
  local srv <close> = assert(host.listen { max_pending = 1 })
  local one <close>, answer = asking(srv)
  local two <close>, refused = asking(srv)
  t.eventually(function() -- either may have come first
    return answer:is_done() or refused:is_done()
  end)
  t.ok(srv:accept():reply(200))
  t.eq(t.ok(answer:await()).status + t.ok(refused:await()).status, 200 + 503)
  t.ok(one and two)
end)

t.test("who says nothing is hung up on after idle_timeout seconds", function()
  local srv <close> = assert(host.listen { idle_timeout = 1 })
  local result = t.ok(process.run {
    argv = { "bash", "-c", 'exec 3<>"/dev/tcp/127.0.0.1/$0" && cat <&3', tostring(srv:port()) },
    inherit = { "PATH" }, timeout = 20,
  })
  t.eq({ result.code, result.stdout }, { 0, "" })
end)

-- ---- streams ----

test("a stream arrives piece by piece, before its end", function(req)
  local stream = t.ok(req:stream(200, { ["Content-Type"] = "text/event-stream" }))
  for i = 1, 3 do
    t.ok(stream:write(("data: %d\n\n"):format(i)))
    task.sleep(0.01)
  end
  stream:close()
end, function(srv, client)
  local reply <close> = t.ok(client:open { url = srv.url })
  t.eq(reply.headers["content-type"], "text/event-stream")
  t.eq(reply:read(), "data: 1\n\n")
  t.eq(reply:read(), "data: 2\n\n")
  t.eq(reply:read(), "data: 3\n\n")
  t.eq(reply:read(), nil)
end)

test("a stream that its handler leaves open is ended when it returns", function(req)
  t.ok(req:stream(200)):write("all")
end, function(srv, client)
  t.eq(t.ok(get(client, srv.url)).body, "all")
end)

local written, failure

test("a slow reader holds the writer back, and its going is told", function(req)
  local stream = t.ok(req:stream(200))
  local block = ("x"):rep(65536)
  written = 0
  while written < 1000 do
    local ok, e = stream:write(block)
    if not ok then
      failure = e
      return
    end
    written = written + 1
  end
end, function(srv, client)
  do
    local reply <close> = t.ok(client:open { url = srv.url })
    t.ok(reply:read())
    local before
    t.eventually(function() -- until nothing moves any more
      local now = written
      task.sleep(0.1)
      local still = now == before and now == written
      before = now
      return still
    end)
    t.ok(written < 900, written)
  end
  t.eventually(function()
    return failure
  end)
  t.eq(failure.code, "EPIPE")
end)

local gone

test("a client that goes is noticed while nothing is written", function(req)
  local stream = t.ok(req:stream(200))
  t.ok(stream:write("hello"))
  t.eq(req:is_gone(), false)
  req:wait_gone()
  gone = req:is_gone()
  t.err(nil, select(2, stream:write("more")), "EPIPE")
end, function(srv, client)
  do
    local reply <close> = t.ok(client:open { url = srv.url })
    t.eq(reply:read(), "hello")
  end
  t.eventually(function()
    return gone
  end)
end)

local cancelled

test("work for a client that went can be raced against its going", function(req)
  task.race {
    function()
      local _ <close> = setmetatable({}, { __close = function(_, e)
        cancelled = task.is_canceled(e)
      end })
      task.sleep(60)
    end,
    function()
      req:wait_gone()
    end,
  }
  return 200
end, function(srv, client)
  local reply, e = get(client, srv.url, { timeout = 0.1 })
  t.err(reply, e, "timeout")
  t.eventually(function()
    return cancelled
  end)
end)

-- ---- failures of handlers ----

t.test("a failing handler gives a 500, and serve fails with its error at the end", function()
  local ok, e = serving(function()
    error("boom")
  end, function(srv, client)
    local reply = t.ok(get(client, srv.url))
    t.eq({ reply.status, reply.body }, { 500, "internal error\n" })
  end)
  t.eq(ok, false)
  t.match(e, "boom")
end)

t.test("with on_error the error is told there, and serve goes on", function()
  local told = {}
  local ok, e = serving(function(req)
    if req.path == "/bad" then
      return "not a status"
    end
    error({ kind = "bug" })
  end, function(srv, client)
    t.eq(t.ok(get(client, srv.url .. "/bad")).status, 500)
    t.eq(t.ok(get(client, srv.url .. "/worse")).status, 500)
  end, {
    on_error = function(e, req)
      told[#told + 1] = req.path .. " " .. tostring(type(e) == "table" and e.kind or e)
    end,
  })
  t.ok(ok, e)
  t.match(told[1], "^/bad .*a handler returns status, headers, body; got not a status$")
  t.eq(told[2], "/worse bug")
end)

t.test("a handler that fails in the midst of a stream breaks it off", function()
  serving(function(req)
    t.ok(req:stream(200)):write("half")
    error("boom")
  end, function(srv, client)
    local reply, e = get(client, srv.url)
    t.err(reply, e)
  end)
end)

t.test("a header that would split the reply is refused", function()
  local ok, e = serving(function()
    return 200, { X = "a\r\nSet-Cookie: b" }
  end, function(srv, client)
    t.eq(t.ok(get(client, srv.url)).status, 500)
  end)
  t.eq(ok, false)
  t.match(e, "a header that cannot be sent")
end)

-- ---- life ----

t.test("close ends serve and cancels the handlers that still run", function()
  local state = "none"
  local ok = serving(function()
    local _ <close> = setmetatable({}, { __close = function(_, e)
      state = task.is_canceled(e) and "canceled" or "ended"
    end })
    state = "running"
    task.sleep(60)
  end, function(srv, client)
    local request = task.spawn(function()
      return get(client, srv.url)
    end)
    t.eventually(function()
      return state == "running"
    end)
    srv:close()
    local _, reply, e = request:join()
    t.err(reply, e)
  end)
  t.eq(ok, true)
  t.eq(state, "canceled")
end)

t.test("a handler may close the server and its reply still goes out", function()
  local srv <close> = t.ok(server.listen())
  local client <close> = t.ok(http.new())
  local reply = task.spawn(function()
    return get(client, srv.url)
  end)
  srv:serve(function()
    task.spawn(function()
      srv:close()
    end)
    return 200, nil, "bye"
  end)
  t.eq(t.ok(reply:await()).body, "bye")
end)

t.test("listen tells why it cannot", function()
  local srv <close> = t.ok(server.listen { host = "localhost" })
  t.match(srv.url, "^http://localhost:%d+$")
  t.err(nil, select(2, server.listen { port = srv.port }), "EADDRINUSE")
  local _, e = server.listen { host = "0.0.0.0" }
  t.eq({ e.code, e.message }, { "EACCES", "listen: 0.0.0.0: not a loopback address" })
  t.err(nil, select(2, server.listen { host = "example.com" }), "EINVAL")
  t.err(nil, select(2, server.listen { host = "192.0.2.1", remote = true }), "EADDRNOTAVAIL")
  t.raises(function()
    server.listen { port = 70000 }
  end, "port must be from 0 to 65535")
  t.raises(function()
    server.listen { max_body = "x" }
  end, "max_body must be")
end)

t.test("a cancelled accept leaves the server usable", function()
  local srv <close> = assert(host.listen {})
  local client <close> = t.ok(http.new())
  local waiting = task.spawn(function()
    srv:accept()
  end)
  task.sleep(0)
  t.raises(function()
    srv:accept()
  end, "another task accepts")
  waiting:cancel()
  local ok, e = waiting:join()
  t.eq({ ok, task.is_canceled(e) }, { false, true })
  local reply = task.spawn(function()
    return get(client, ("http://127.0.0.1:%d/"):format(srv:port()))
  end)
  local request <close>, head = srv:accept()
  t.eq(head.method, "GET")
  t.ok(request:reply(200, { "X", "y" }, "late"))
  t.eq(reply:await().body, "late")
end)

t.test("accept gives nothing once the server is closed, closing twice is allowed", function()
  local srv = assert(host.listen {})
  local waiting = task.spawn(function()
    return srv:accept()
  end)
  task.sleep(0)
  srv:close()
  srv:close()
  t.eq({ waiting:join() }, { true })
  t.eq(srv:accept(), nil)
  t.raises(function()
    srv:port()
  end, "the server is closed")
end)

t.test("a taken request outlives its server and says that it is gone", function()
  local client <close> = t.ok(http.new())
  local srv = assert(host.listen {})
  local sent = task.spawn(function()
    return get(client, ("http://127.0.0.1:%d/"):format(srv:port()))
  end)
  local request = srv:accept()
  local idle = task.spawn(function()
    request:wait_gone()
    return "noticed"
  end)
  task.sleep(0)
  srv:close()
  t.eq(request:gone(), true)
  t.eq({ request:reply(200) }, { nil, "the client is gone", "EPIPE" })
  t.eq({ request:stream(200) }, { nil, "the client is gone", "EPIPE" })
  t.eq(idle:await(), "noticed")
  request:close()
  request:close()
  t.raises(function()
    request:reply(200)
  end, "the request is closed")
  local _, reply, e = sent:join()
  t.err(reply, e)
end)

t.test("a request that is forgotten breaks its connection when collected", function()
  local client <close> = t.ok(http.new())
  local srv <close> = assert(host.listen {})
  local sent = task.spawn(function()
    return get(client, ("http://127.0.0.1:%d/"):format(srv:port()), { method = "POST" })
  end)
  srv:accept()
  collectgarbage()
  collectgarbage()
  local _, reply, e = sent:join(5)
  t.err(reply, e)
end)

t.test("server and request are kept while tasks wait for them", function()
  local client <close> = t.ok(http.new())
  local srv = assert(host.listen {})
  local url = ("http://127.0.0.1:%d/"):format(srv:port())
  local served = task.spawn(function(s)
    local request = s:accept()
    t.ok(request:stream(200))
    for _ = 1, 100 do
      t.ok(request:write(("x"):rep(65536))) -- waits, since nobody reads yet
    end
    request:finish()
    request:wait_gone()
    return "gone"
  end, srv)
  srv = nil
  local function collect()
    task.sleep(0)
    collectgarbage()
    collectgarbage()
  end
  collect()
  local reply <close> = t.ok(client:open { url = url })
  collect()
  local size = 0
  for chunk in function()
    return reply:read()
  end do
    size = size + #chunk
  end
  t.eq({ size, srv }, { 6553600 })
  t.eq(served:await(), "gone")
end)

t.test("tasks that wait for a server or a request can be cancelled and forgotten", function()
  local client <close> = t.ok(http.new())
  local srv = assert(host.listen {})
  local sent = task.spawn(function()
    return get(client, ("http://127.0.0.1:%d/"):format(srv:port()))
  end)
  local request = srv:accept()
  local waiting = { task.spawn(srv.accept, srv), task.spawn(request.wait_gone, request) }
  task.sleep(0)
  t.raises(function()
    request:wait_gone()
  end, "another task waits for the client to go")
  for _, one in ipairs(waiting) do
    one:cancel()
    local ok, e = one:join()
    t.eq({ ok, task.is_canceled(e) }, { false, true })
  end
  t.ok(request:reply(204))
  t.eq(t.ok(sent:await()).status, 204)
  task.spawn(srv.accept, srv):cancel()
  srv, request, waiting = nil, nil, nil
  collectgarbage()
  collectgarbage()
  t.eq({ srv, request, waiting }, {})
end)

t.test("outside of a task nothing waits", function()
  local srv <close> = assert(host.listen {})
  t.raises(coroutine.wrap(function()
    srv:accept()
  end), "cannot wait outside a task")
end)

t.test("a library that is not there, or too old, is told with what to do", function()
  local dir, name = t.tmpdir(), "libmicrohttpd.so.12"
  local function listen(how)
    local result = t.ok(process.run {
      argv = { t.binary(), "sim" }, inherit = { "PATH", "CLANKER_LUA", "ASAN_OPTIONS" },
      env = { LD_LIBRARY_PATH = dir, HOME = dir }, timeout = 20,
    })
    t.eq(result.code, 1)
    t.has(result.stderr, "error: listen: 127.0.0.1: the library " .. name .. how)
    t.has(result.stderr, "\nhint: install libmicrohttpd")
  end
  local file = t.ok(io.open(dir .. "/" .. name, "w"))
  file:write("no library")
  file:close()
  listen(" is not installed")
  os.remove(dir .. "/" .. name)
  local other = t.ok(process.run { argv = { "sh", "-c", "ls /lib/*/libm.so.6 | head -n 1" } })
  t.ok(require("sys.fs").symlink(other.stdout:match("^%S+"), dir .. "/" .. name))
  listen(" is too old")
end)

t.test("a server that is forgotten is closed when collected", function()
  local srv = assert(host.listen {})
  local port = srv:port()
  srv = nil
  collectgarbage()
  collectgarbage()
  t.ok(not srv)
  local again <close> = t.ok(server.listen { port = port })
  t.eq(again.port, port)
end)

t.test("a write that waits for a slow client can be cancelled", function()
  local client <close> = t.ok(http.new())
  local srv <close> = assert(host.listen {})
  local opened = task.spawn(function()
    return client:open { url = ("http://127.0.0.1:%d/"):format(srv:port()) }
  end)
  local request <close> = srv:accept()
  t.raises(function()
    request:write("x")
  end, "the stream is not open")
  t.ok(request:stream(200))
  local writer = task.spawn(function()
    while true do
      request:write(("x"):rep(65536))
    end
  end)
  local reply <close> = opened:await()
  task.sleep(0.1)
  t.eq(writer:is_done(), false)
  t.raises(function()
    request:write("x")
  end, "another task writes")
  writer:cancel()
  local ok, e = writer:join()
  t.eq({ ok, task.is_canceled(e) }, { false, true })
  t.ok(reply:read())
end)

t.test("misuse raises", function()
  local client <close> = t.ok(http.new())
  local srv <close> = assert(host.listen {})
  local sent = task.spawn(function()
    return get(client, ("http://127.0.0.1:%d/"):format(srv:port()))
  end)
  local request <close> = srv:accept()
  for _, bad in ipairs {
    { "a status from 200 to 599", 99 },
    { "a status from 200 to 599", 600 },
    { "names and values in turn", 200, { "X" } },
    { "not a string", 200, { "X", 1 } },
    { "contains NUL", 200, { "X", "a\0b" } },
    { "cannot be sent", 200, { "Content-Length", "3" } },
    { "cannot be sent", 200, { "Transfer-Encoding", "chunked" } },
    { "cannot be sent", 200, { "bad name", "x" } },
  } do
    t.raises(function()
      request:reply(bad[2], bad[3])
    end, bad[1])
  end
  t.ok(request:reply(200))
  t.raises(function()
    request:reply(200)
  end, "answered already")
  t.eq(sent:await().status, 200)
end)

t.test("a server in the background serves, and keeps no program alive", function()
  local before = #dev.handles()
  local ok, e = serving(echo, function(srv, client)
    t.eq(#dev.handles(), before)
    for _ = 1, 3 do
      t.eq(t.ok(get(client, srv.url)).status, 200)
    end
    t.eq(#dev.handles(), before, "between requests")
  end, { background = true })
  t.ok(ok, e)
end)
