local http = require "sys.http"
local raw = require "kit.raw"
local secret = require "host.secret"
local t = require "kit"
local task = require "sys.task"

local test, hello, closed_port = raw.client_test, raw.hello, raw.closed_port
local header = raw.header

-- ---- requests ----

test("a request is sent whole and its reply is read whole", function(client)
  local srv <close> = raw.answering(function()
    return "pong", "X-Kind: echo\r\n", "201 Created"
  end)
  local reply = t.ok(client:request {
    url = srv.url .. "/a%2Fb?c=d%20e", method = "POST",
    headers = { ["X-One"] = "1" }, body = { "pi", "ng" },
  })
  t.eq({ reply.status, reply.body, reply.version }, { 201, "pong", "1.1" })
  t.eq(reply.headers, { ["x-kind"] = "echo", ["content-length"] = "4" })
  t.eq(reply.url, srv.url .. "/a%2Fb?c=d%20e")
  t.ok(reply.elapsed > 0 and reply.elapsed < 5)
  local sent = srv.requests[1]
  t.match(sent, "^POST /a%%2Fb%?c=d%%20e HTTP/1%.1\r\n")
  t.eq(header(sent, "X%-One"), "1")
  t.eq(header(sent, "Content%-Length"), "4")
  t.eq(header(sent, "Content%-Type"), nil, "no type is invented")
  t.match(sent, "\r\n\r\nping$")
end)

test("every method is sent as it is, with a body or without", function(client)
  local srv <close> = hello()
  for _, method in ipairs { "GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS" } do
    for _, body in ipairs { false, "", "x" } do
      t.ok(client:request { url = srv.url, method = method, body = body or nil })
      local sent = table.remove(srv.requests)
      t.match(sent, "^" .. method .. " / HTTP")
      local implied = method == "POST" or method == "PUT" or method == "PATCH"
      t.eq(header(sent, "Content%-Length"), body and tostring(#body) or implied and "0" or nil)
      t.match(sent, "\r\n\r\n" .. (body or "") .. "$")
    end
  end
end)

test("a large body goes at once, without waiting for a 100", function(client)
  local srv <close> = hello()
  local body = ("0123456789abcdef"):rep(1 << 17)
  t.ok(client:request { url = srv.url, method = "PUT", body = body })
  t.eq(header(srv.requests[1], "Expect"), nil)
  t.eq(#srv.requests[1]:match("\r\n\r\n(.*)$"), #body)
end)

test("headers are given by name or as a list", function(client)
  local srv <close> = hello()
  t.ok(client:request {
    url = srv.url, headers = { { "X-A", "1" }, { "X-A", "2" }, { "X-Empty", "" } },
  })
  t.match(srv.requests[1], "\r\nX%-A: 1\r\nX%-A: 2\r\nX%-Empty:\r\n")
  t.ok(client:request { url = srv.url, headers = { ["X-Pad"] = "  a b\t", Accept = "text/x" } })
  t.match(srv.requests[2], "\r\nX%-Pad: a b\r\n")
  t.eq(header(srv.requests[2], "Accept"), "text/x")
end)

test("repeated headers are joined and names are in lower case", function(client)
  local srv <close> = raw.answering(function()
    return "", "X-A: 1\r\nx-a:2\r\nX-B:\r\nX-C: a:b \r\n"
  end)
  local reply = t.ok(client:request { url = srv.url })
  t.eq(reply.headers["x-a"], "1, 2")
  t.eq(reply.headers["x-b"], "")
  t.eq(reply.headers["x-c"], "a:b")
end)

test("interim replies and trailers leave no trace", function(client)
  local srv <close> = raw.start(function(conn)
    conn:request()
    conn:write("HTTP/1.1 103 Early Hints\r\nX-Early: 1\r\n\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
      "3\r\nabc\r\n0\r\nX-Late: 1\r\n\r\n")
  end)
  local reply = t.ok(client:request { url = srv.url })
  t.eq({ reply.status, reply.body }, { 200, "abc" })
  t.eq(reply.headers, { ["transfer-encoding"] = "chunked" })
end)

test("replies without a body end at their head", function(client)
  local srv <close> = raw.start(function(conn)
    conn:request()
    conn:write("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    conn:request()
    conn:write("HTTP/1.1 204 No Content\r\n\r\n")
    conn:request()
    conn:write("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n")
  end)
  local head = t.ok(client:request { url = srv.url, method = "HEAD", max_body = 10 })
  t.eq({ head.status, head.body, head.headers["content-length"] }, { 200, "", "100000" })
  t.eq(t.ok(client:request { url = srv.url }).status, 204)
  t.eq(t.ok(client:request { url = srv.url, max_body = 1 }).status, 304)
  t.eq(srv.connections, 1)
end)

test("a body that ends with the connection is whole", function(client)
  local srv <close> = raw.start(function(conn)
    conn:request()
    conn:write("HTTP/1.0 200 OK\r\n\r\nall of it")
  end)
  local reply = t.ok(client:request { url = srv.url })
  t.eq({ reply.body, reply.version }, { "all of it", "1.0" })
end)

-- gzip of "zip " a thousand times.
local ZIPPED = "1f8b0800000000000203edc3310d00000803302bd8e3e39efac9e0699366"
  .. "6fa2aaaaaabe2eb0a1817aa00f0000"
local function unhex(s)
  return (s:gsub("%x%x", function(x)
    return string.char(tonumber(x, 16))
  end))
end

test("compressed bodies are decoded, and capped after that", function(client)
  local srv <close> = raw.answering(function()
    return unhex(ZIPPED), "Content-Encoding: gzip\r\n"
  end)
  -- Loopback is not asked to compress; what a proxy leads to is.
  local function get(opts)
    opts.url, opts.allow_http, opts.proxy = "http://example.invalid/", true, srv.url
    return client:request(opts)
  end
  local reply = t.ok(get {})
  t.eq(reply.body, ("zip "):rep(1000))
  t.eq(header(srv.requests[1], "Accept%-Encoding"), "gzip")
  local _, e = get { max_body = 3999 }
  t.err(nil, e, "E2BIG")
  reply = t.ok(get { headers = { ["Accept-Encoding"] = "identity" } })
  t.eq(reply.body, unhex(ZIPPED), "whoever asks for a coding gets it undecoded")
  reply = t.ok(client:request { url = srv.url })
  t.eq(header(srv.requests[4], "Accept%-Encoding"), nil)
  t.eq(reply.body, unhex(ZIPPED))
end)

test("many requests at once get their own replies", function(client)
  local srv <close> = raw.answering(function(request)
    return request:match("^GET (%S+)")
  end)
  local list = {}
  for i = 1, 200 do
    list[i] = i
  end
  local bodies = task.map(list, 200, function(i)
    return t.ok(client:request { url = srv.url .. "/" .. i }).body
  end)
  for i, body in ipairs(bodies) do
    t.eq(body, "/" .. i)
  end
  t.ok(srv.connections <= 128, "connections per host are bounded")
  t.eq(client:stats(), {
    transfers = 200, connections = srv.connections, handles = 200, active = 0,
  })
end)

-- ---- connections ----

test("a connection is kept for the next request", function(client)
  local srv <close> = hello()
  for _ = 1, 5 do
    t.eq(t.ok(client:request { url = srv.url }).body, "hello")
  end
  t.eq({ srv.connections, client:stats().connections }, { 1, 1 })
end)

t.test("a kept connection that the server has closed is not used again", function()
  for _, method in ipairs { "GET", "POST" } do
    local client <close> = t.ok(http.new())
    local closed = task.event()
    local srv <close> = raw.start(function(conn)
      conn:request()
      conn:reply("bye")
      conn:close()
      closed:set()
    end)
    t.ok(client:request { url = srv.url })
    closed:wait()
    t.eq(t.ok(client:request { url = srv.url, method = method }).body, "bye")
    t.eq({ srv.connections, #srv.requests }, { 2, 2 })
  end
end)

t.test("a read is sent again when the kept connection is dead, a write is not", function()
  local srv <close> = raw.start(function(conn)
    conn:request()
    conn:reply("first")
    conn:request()
  end)
  --- A second request on a connection that dies of it.
  local function second(opts)
    local client <close> = t.ok(http.new())
    t.ok(client:request { url = srv.url })
    srv.requests = {}
    opts.url = srv.url
    local reply, e = client:request(opts)
    return reply, e, #srv.requests
  end
  for _, opts in ipairs { {}, { method = "HEAD" }, { method = "POST", repeatable = true } } do
    local reply, e, sent = second(opts)
    t.eq({ t.ok(reply, e).status, sent }, { 200, 2 })
  end
  for _, opts in ipairs { { method = "POST", body = "x" }, { method = "POST" },
    { method = "DELETE" }, { repeatable = false } } do
    local reply, e, sent = second(opts)
    t.err(reply, e, "ECONNRESET")
    t.eq({ e.sent, sent }, { true, 1 })
  end
end)

-- ---- failures ----

test("a refused port is ECONNREFUSED and nothing was sent", function(client)
  local port = closed_port()
  local reply, e = client:request { url = "http://127.0.0.1:" .. port }
  t.err(reply, e, "ECONNREFUSED")
  t.eq(e.message, ("cannot connect to 127.0.0.1:%d: connection refused"):format(port))
  t.eq({ e.kind, e.sent }, { "network", false })
end)

test("a name that cannot be resolved is EAI_NONAME", function(client)
  -- A label of more than 63 bytes fails without asking anybody.
  local name = ("x"):rep(70) .. ".example"
  local reply, e = client:request { url = "https://" .. name .. "/", proxy = "" }
  t.err(reply, e, "EAI_NONAME")
  t.eq({ e.kind, e.sent, e.message }, { "network", false, "cannot resolve " .. name })
end)

test("a server that never answers is ETIMEDOUT", function(client)
  local srv <close> = raw.start(function(conn)
    conn:wait_closed()
  end)
  local reply, e = client:request { url = srv.url, timeout = 0.05 }
  t.err(reply, e, "ETIMEDOUT")
  t.eq(e.message, ("no complete reply from 127.0.0.1:%d within 0.05 s"):format(srv.port))
  t.eq({ e.kind, e.sent }, { "timeout", true })
end)

test("a handshake that hangs is bounded by connect_timeout", function(client)
  local srv <close> = raw.start(function(conn)
    conn:wait_closed()
  end)
  local reply, e = client:request {
    url = "https://127.0.0.1:" .. srv.port, connect_timeout = 0.05,
  }
  t.err(reply, e, "ETIMEDOUT")
  t.eq(e.message, ("no connection to 127.0.0.1:%d within 0.05 s"):format(srv.port))
  t.eq(e.sent, false)
end)

test("waiting for a free connection counts against the time limit", function(client)
  local srv <close> = raw.start(function(conn)
    conn:wait_closed()
  end)
  local running = {}
  for i = 1, 128 do
    running[i] = task.spawn(function()
      client:request { url = srv.url }
    end)
  end
  t.eventually(function()
    return srv.connections == 128
  end, 60)
  local reply, e = client:request { url = srv.url, timeout = 0.05 }
  t.err(reply, e, "ETIMEDOUT")
  t.eq(e.sent, false)
  for _, one in ipairs(running) do
    one:cancel()
    one:join()
  end
end)

test("a stall in the midst of a body is seen by idle_timeout", function(client)
  local srv <close> = raw.start(function(conn)
    conn:request()
    conn:write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345")
    conn:wait_closed()
  end)
  local reply, e = client:request { url = srv.url, idle_timeout = 0.05 }
  t.err(reply, e, "ETIMEDOUT")
  t.eq(e.message, ("127.0.0.1:%d sent nothing for 0.05 s"):format(srv.port))
end)

test("a slow server is no stalled one", function(client)
  local srv <close> = raw.start(function(conn)
    conn:request()
    conn:write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n")
    for _ = 1, 10 do
      task.sleep(0.02)
      conn:write("x")
    end
  end)
  local reply = t.ok(client:request { url = srv.url, idle_timeout = 0.15 })
  t.eq(#reply.body, 10)
  t.ok(reply.elapsed > 0.15)
end)

test("a body that ends early is EPROTO", function(client)
  local bodies = {
    "Content-Length: 10\r\n\r\n12345",
    "Transfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n",
    "Transfer-Encoding: chunked\r\n\r\na\r\n12345",
  }
  local srv <close> = raw.start(function(conn)
    conn:request()
    conn:write("HTTP/1.1 200 OK\r\n", bodies[conn.number])
  end)
  for _ = 1, #bodies do
    local reply, e = client:request { url = srv.url }
    t.err(reply, e, "EPROTO")
    t.eq(e.message, ("127.0.0.1:%d ended the reply early, after 5 bytes of its body")
      :format(srv.port))
    t.eq(e.sent, true)
  end
end)

test("a connection closed or reset without a reply is ECONNRESET", function(client)
  local srv <close> = raw.start(function(conn)
    conn:request()
    if conn.number == 2 then
      conn:reset()
    end
  end)
  for _ = 1, 2 do
    local reply, e = client:request { url = srv.url }
    t.err(reply, e, "ECONNRESET")
    t.eq(e.message, ("127.0.0.1:%d closed the connection without a reply"):format(srv.port))
    t.eq(e.sent, true)
  end
end)

test("a reply that is no HTTP is EPROTO", function(client)
  local replies = { "SSH-2.0-OpenSSH_9\r\n", "HTTP/1.1 banana\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n" }
  local srv <close> = raw.start(function(conn)
    conn:request()
    conn:write(replies[conn.number])
  end)
  for _ = 1, #replies do
    local reply, e = client:request { url = srv.url, timeout = 5 }
    t.err(reply, e, "EPROTO")
    t.has(e.message, "127.0.0.1:" .. srv.port .. ": ")
  end
end)

test("a body over the cap is E2BIG, announced or not, and one at it is not", function(client)
  local srv <close> = raw.answering(function(request)
    local size = tonumber(request:match("^GET /(%d+)"))
    return ("x"):rep(size)
  end)
  local chunked <close> = raw.start(function(conn)
    conn:request()
    conn:write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while conn:write("4\r\nabcd\r\n") do
    end
  end)
  t.eq(#t.ok(client:request { url = srv.url .. "/1000", max_body = 1000 }).body, 1000)
  for _, url in ipairs { srv.url .. "/1001", chunked.url } do
    local reply, e = client:request { url = url, max_body = 1000 }
    t.err(reply, e, "E2BIG")
    t.match(e.message, "^the body of the reply from 127%.0%.0%.1:%d+ is larger than 1000 bytes$")
    t.eq(e.sent, true)
  end
end)

test("a head over the cap is E2BIG", function(client)
  local srv <close> = raw.start(function(conn)
    conn:request()
    conn:write("HTTP/1.1 200 OK\r\n")
    while conn:write("X-Many: ", ("y"):rep(4000), "\r\n") do
    end
  end)
  local reply, e = client:request { url = srv.url }
  t.err(reply, e, "E2BIG")
  t.match(e.message, "^the head of the reply from .* is larger than 262144 bytes$")
end)

-- ---- what is refused before anything is sent ----

test("plain http goes to loopback only, unless allowed", function(client)
  for _, url in ipairs { "http://example.com/", "http://127.example.com/", "http://10.0.0.1/",
    "http://localhost.example.com/", "http://[::2]/", "http://128.0.0.1/" } do
    local reply, e = client:request { url = url, timeout = 2 }
    t.err(reply, e, "EPERM")
    t.match(e.message, "^plain http to .* is not allowed$")
    t.eq(e.sent, false)
  end
  local srv <close> = hello()
  for _, host in ipairs { "127.0.0.1", "localhost", "LOCALHOST", "127.0.0.1.", "0x7f000001" } do
    local reply, e = client:request { url = ("http://%s:%d/"):format(host, srv.port), timeout = 2 }
    if host == "127.0.0.1." then
      t.err(reply, e, "EPERM")
    else
      t.eq(t.ok(reply, e).body, "hello")
    end
  end
  -- Allowed, and then on to the resolver, which refuses such a name by itself.
  local name = ("x"):rep(70) .. ".internal"
  local url = "http://" .. name:upper() .. "/"
  local _, e = client:request { url = url, http_hosts = { "other.internal" } }
  t.eq(e.code, "EPERM")
  _, e = client:request { url = url, http_hosts = { "other.internal", name }, proxy = "" }
  t.eq(e.code, "EAI_NONAME")
  _, e = client:request { url = url, allow_http = true, proxy = "" }
  t.eq(e.code, "EAI_NONAME")
end)

test("a URL that cannot be used is EINVAL", function(client)
  local cases = {
    [""] = "malformed", ["example.com"] = "malformed", ["https://"] = "malformed",
    ["https://a b/"] = "malformed", ["https://example.com/\r\nX: y"] = "malformed",
    ["https://example.com/a\0b"] = "malformed", ["https://example.com:99999/"] = "malformed",
    ["https://user:pw@example.com/"] = "must not hold credentials",
    ["https://example.com/" .. ("a"):rep(20000)] = "longer than 16384 bytes",
  }
  for url, reason in pairs(cases) do
    local reply, e = client:request { url = url }
    t.err(reply, e, "EINVAL")
    t.has(e.message, reason)
    t.eq(e.sent, false)
    t.lacks(e.message, "pw")
  end
  for _, url in ipairs { "ftp://example.com/", "file:///etc/passwd", "gopher://127.0.0.1/" } do
    local reply, e = client:request { url = url }
    t.err(reply, e, "EPROTONOSUPPORT")
  end
end)

test("a header that would break the request is EINVAL and not shown", function(client)
  local srv <close> = hello()
  for _, value in ipairs { "a\r\nX-Evil: 1", "a\nb", "a\rb", "a\0b", "a\27[m", "\127" } do
    for _, v in ipairs { value, secret.new(value) } do
      local reply, e = client:request { url = srv.url, headers = { Authorization = v } }
      t.err(reply, e, "EINVAL")
      t.eq(e.message, "header Authorization holds a line break or another control character")
      t.eq(e.sent, false)
    end
  end
  for _, name in ipairs { "", "a b", "a:b", "a\nb", "ä", ("n"):rep(300) } do
    local reply, e = client:request { url = srv.url, headers = { [name] = "x" } }
    t.err(reply, e, "EINVAL")
  end
  for _, name in ipairs { "Content-Length", "transfer-encoding", "Connection", "Expect" } do
    local reply, e = client:request { url = srv.url, headers = { [name] = "x" } }
    t.err(reply, e, "set by the client itself")
  end
  for _, method in ipairs { "", "GET /x", "G\nT", "CONNECT", "TRACE", ("M"):rep(40) } do
    local reply, e = client:request { url = srv.url, method = method }
    t.err(reply, e, "EINVAL")
  end
  local reply, e = client:request { url = srv.url, headers = { ["X-Big"] = ("b"):rep(300000) } }
  t.err(reply, e, "E2BIG")
  t.eq(srv.connections, 0)
end)

test("misuse raises", function(client)
  local cases = {
    [{}] = false,
    [{ url = "https://a/", timout = 3 }] = "unknown option 'timout'",
    [{ url = "https://a/", [1] = 3 }] = "unknown option 'number'",
    [{ url = {} }] = "url: a string expected",
    [{ url = "https://a/", timeout = -1 }] = "timeout: seconds",
    [{ url = "https://a/", timeout = 0 / 0 }] = "timeout: seconds",
    [{ url = "https://a/", timeout = "soon" }] = "timeout: seconds",
    [{ url = "https://a/", max_body = 1.5 }] = "max_body: a number of bytes",
    [{ url = "https://a/", headers = "x" }] = "headers: a table",
    [{ url = "https://a/", headers = { "x" } }] = "headers: a name",
    [{ url = "https://a/", headers = { X = true } }] = "X: a string or secret",
    [{ url = "https://a/", body = true }] = "body: a string, a secret",
    [{ url = "https://a/", body = { "x", {} } }] = "body: a string, a secret",
    [{ url = "https://a/", allow_http = "yes" }] = "allow_http: a boolean",
    [{ url = "https://a/", cafile = "a\0b" }] = "cafile: a string without zero bytes",
  }
  for opts, pattern in pairs(cases) do
    if pattern then
      t.raises(function()
        client:request(opts)
      end, pattern)
    end
  end
  local reply, e = client:request {}
  t.err(reply, e, "EINVAL")
end)

-- ---- secrets ----

test("a secret may be a header value or part of a body", function(client)
  local srv <close> = hello()
  local token = secret.new("s3cr3t-token")
  t.ok(client:request {
    url = srv.url, method = "POST", headers = { Authorization = token },
    body = { '{"key":"', token, '"}' },
  })
  t.eq(header(srv.requests[1], "Authorization"), "s3cr3t-token")
  t.match(srv.requests[1], '\r\n\r\n{"key":"s3cr3t%-token"}$')
  t.ok(client:request { url = srv.url, method = "PUT", body = token })
  t.match(srv.requests[2], "\r\n\r\ns3cr3t%-token$")
end)
