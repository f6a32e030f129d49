local child = require "kit.child"
local http = require "sys.http"
local raw = require "kit.raw"
local t = require "kit"
local task = require "sys.task"
local tls = require "kit.tls"

--- A test with a plain server, a TLS front before it, and a client.
local function test(name, serve, fn)
  t.test(name, function()
    local certificates = tls.certificates()
    local srv <close> = serve()
    local front <close> = tls.front(srv.port, certificates)
    local client <close> = t.ok(http.new())
    srv.requests = {}
    fn(client, front, certificates.ca, srv)
  end)
end

local function echo()
  return raw.answering(function(request)
    return request:match("^%S+ (%S+)")
  end)
end

test("32 requests at once share one HTTP/2 connection", echo, function(client, front, ca, srv)
  local list = {}
  for i = 1, 32 do
    list[i] = i
  end
  for _ = 1, 3 do
    local replies = task.map(list, 32, function(i)
      return t.ok(client:request { url = front.url .. "/" .. i, cafile = ca })
    end)
    for i, reply in ipairs(replies) do
      t.eq({ reply.body, reply.version, reply.status }, { "/" .. i, "2", 200 })
    end
  end
  t.eq(client:stats(), { transfers = 96, connections = 1, handles = 32, active = 0 })
  t.eq(#srv.requests, 96)
end)

local METHODS = { "POST", "GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS" }

test("what a request had is not in the next one of its handle", function()
  return raw.answering(function(request)
    return request:match("^%S+") .. " " .. request:match("\r\n\r\n(.*)$")
  end)
end, function(client, front, ca)
  for _ = 1, 3 do
    local replies = task.map(METHODS, #METHODS, function(method)
      local body = method ~= "HEAD" and method ~= "GET" and "b" .. method or nil
      return t.ok(client:request { url = front.url, cafile = ca, method = method, body = body })
    end)
    for i, method in ipairs(METHODS) do
      local body = method == "HEAD" and "" or method == "GET" and "GET " or
        ("%s b%s"):format(method, method)
      t.eq(replies[i].body, body)
    end
  end
  t.eq(client:stats().handles, #METHODS)
end)

test("bodies and headers cross HTTP/2 unharmed", function()
  return raw.answering(function(request)
    return request:match("\r\n\r\n(.*)$"), "X-A: 1\r\nX-A: 2\r\n"
  end)
end, function(client, front, ca, srv)
  local body = ("0123456789abcdef"):rep(1 << 16)
  local reply = t.ok(client:request {
    url = front.url, cafile = ca, method = "PUT", body = body, headers = { ["X-Up"] = " v " },
  })
  t.ok(reply.body == body)
  t.eq(reply.headers["x-a"], "1, 2")
  t.match(srv.requests[1]:lower(), "\r\nx%-up: v\r\n")
end)

test("a certificate nobody vouches for is ETLS and nothing was sent", echo,
  function(client, front, _, srv)
    local reply, e = client:request { url = front.url }
    t.err(reply, e, "ETLS")
    t.eq({ e.kind, e.sent }, { "network", false })
    t.match(e.message, "^127%.0%.0%.1:%d+: SSL certificate problem: ")
    reply, e = client:open { url = front.url }
    t.err(reply, e, "ETLS")
    t.eq(#srv.requests, 0)
  end)

test("trust given to one request is not lent to the next", echo, function(client, front, ca)
  t.ok(client:request { url = front.url, cafile = ca })
  local reply, e = client:request { url = front.url }
  t.err(reply, e, "ETLS")
  t.ok(client:request { url = front.url, cafile = ca })
end)

t.test("a certificate for another name is ETLS", function()
  local certificates = tls.certificates("IP:127.0.0.1")
  local srv <close> = echo()
  local front <close> = tls.front(srv.port, certificates)
  local client <close> = t.ok(http.new())
  t.ok(client:request { url = front.url, cafile = certificates.ca })
  local reply, e = client:request {
    url = "https://localhost:" .. front.port, cafile = certificates.ca,
  }
  t.err(reply, e, "ETLS")
  t.has(e.message, "localhost:" .. front.port .. ": ")
  t.eq(e.sent, false)
end)

t.test("a certificate that has run out is ETLS", function()
  local certificates = tls.expire(tls.certificates())
  local srv <close> = echo()
  local front <close> = tls.front(srv.port, certificates)
  local client <close> = t.ok(http.new())
  local reply, e = client:request { url = front.url, cafile = certificates.ca }
  t.err(reply, e, "ETLS")
  t.has(e.message, "expired")
  t.eq(e.sent, false)
end)

t.test("a certificate that vouches for itself is ETLS, unless it is trusted", function()
  local certificates = tls.certificates()
  certificates.cert, certificates.key = tls.self_signed()
  local srv <close> = echo()
  local front <close> = tls.front(srv.port, certificates)
  local client <close> = t.ok(http.new())
  local reply, e = client:request { url = front.url, cafile = certificates.ca }
  t.err(reply, e, "ETLS")
  t.ok(client:request { url = front.url, cafile = certificates.cert })
end)

t.test("TLS before 1.2 is not spoken", function()
  local certificates = tls.certificates()
  local srv <close> = echo()
  local front <close> = tls.front(srv.port, certificates, "--tls-min-proto-version=TLSv1.0",
    "--tls-max-proto-version=TLSv1.1", "--ciphers=ALL:@SECLEVEL=0")
  local client <close> = t.ok(http.new())
  local reply, e = client:request { url = front.url, cafile = certificates.ca }
  t.err(reply, e, "ETLS")
  t.eq(e.sent, false)
end)

t.test("a server that speaks no TLS is ETLS", function()
  local srv <close> = raw.start(function(conn)
    conn:read()
    conn:write("HTTP/1.1 400 Bad Request\r\n\r\n")
  end)
  local client <close> = t.ok(http.new())
  local reply, e = client:request { url = "https://127.0.0.1:" .. srv.port }
  t.err(reply, e, "ETLS")
  t.eq(e.sent, false)
end)

test("a file of certificates that cannot be read is ETLS", echo, function(client, front)
  local reply, e = client:request { url = front.url, cafile = "/nonexistent/ca.pem" }
  t.err(reply, e, "ETLS")
  t.eq(e.sent, false)
end)

test("SSL_CERT_FILE names what to trust", echo, function(_, front, ca)
  child.test({ SSL_CERT_FILE = ca }, ([[
    t.eq(t.ok(http.request { url = %q }).body, "/there")
    t.ok(http.open { url = %q }):close()
  ]]):format(front.url .. "/there", front.url))
end)

test("a body cut short behind HTTP/2 is an error, and others are not hurt", function()
  return raw.start(function(conn)
    for request in function()
      return conn:request()
    end do
      if request:find("cut", 1, true) then
        conn:write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345")
        return
      end
      conn:reply("whole")
    end
  end)
end, function(client, front, ca)
  local paths = { "cut", "a", "cut", "b" }
  local results = task.map(paths, 4, function(path)
    local reply, e = client:request { url = front.url .. "/" .. path, cafile = ca }
    return reply and reply.body or e
  end)
  t.eq({ results[2], results[4] }, { "whole", "whole" })
  for _, i in ipairs { 1, 3 } do
    t.eq({ results[i].code, results[i].sent }, { "EPROTO", true })
  end
  t.eq(client:stats().connections, 1)
end)

test("caps, stalls and cancellation end one stream and leave the connection", function()
  return raw.start(function(conn)
    for request in function()
      return conn:request()
    end do
      local path = request:match("^GET /(%S*)")
      if path == "stall" then
        conn:write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345")
        conn:wait_closed()
      elseif path == "silent" then
        conn:wait_closed()
      else
        conn:reply(("x"):rep(tonumber(path) or 0))
      end
    end
  end)
end, function(client, front, ca)
  local function get(path, opts)
    opts = opts or {}
    opts.url, opts.cafile = front.url .. "/" .. path, ca
    return client:request(opts)
  end
  t.ok(get("1"))
  local canceled = task.spawn(function()
    get("silent")
  end)
  local failures = task.map({ "big", "stall", "late" }, 3, function(case)
    local _, e
    if case == "big" then
      _, e = get("100000", { max_body = 1000 })
    elseif case == "stall" then
      _, e = get("stall", { idle_timeout = 0.1 })
    else
      _, e = get("silent", { timeout = 0.1 })
    end
    return e.code
  end)
  t.eq(failures, { "E2BIG", "ETIMEDOUT", "ETIMEDOUT" })
  canceled:cancel()
  canceled:join()
  t.eq(#t.ok(get("1000")).body, 1000)
  t.eq(client:stats(), { transfers = 6, connections = 1, handles = 4, active = 0 })
end)

test("a stream nobody reads does not hold up requests to the same server", function()
  return raw.answering(function(request)
    local size = tonumber(request:match("^GET /(%d+)"))
    return ("x"):rep(size or 0)
  end)
end, function(client, front, ca)
  local big <close> = t.ok(client:open { url = front.url .. "/30000000", cafile = ca })
  t.eq(big.version, "1.1")
  for _ = 1, 20 do
    local reply = t.ok(client:request { url = front.url .. "/100", cafile = ca, timeout = 5 })
    t.eq({ #reply.body, reply.version }, { 100, "2" })
  end
  local total = 0
  for piece in function()
    return big:read()
  end do
    total = total + #piece
  end
  t.eq(total, 30000000)
end)

test("a server that dies fails what runs, and serves again when it is back", echo,
  function(client, front, ca, srv)
    local dir = ca:match("^(.*)/")
    local certificates = { ca = ca, cert = dir .. "/cert.pem", key = dir .. "/key.pem" }
    t.ok(client:request { url = front.url, cafile = ca })
    front:close()
    local reply, e = client:request { url = front.url, cafile = ca, method = "POST" }
    t.err(reply, e)
    t.ok(e.code == "ECONNREFUSED" or e.code == "ECONNRESET", e)
    local again <close> = tls.front(srv.port, certificates)
    t.ok(client:request { url = again.url, cafile = ca })
  end)

test("a redirect never leads from https to http", function()
  return raw.answering(function()
    return "", "Location: http://127.0.0.1:1/\r\n", "302 Found"
  end)
end, function(client, front, ca)
  local reply, e = client:request { url = front.url, cafile = ca, follow = 3 }
  t.err(reply, e, "EPERM")
  t.has(e.message, "from https to http")
end)
