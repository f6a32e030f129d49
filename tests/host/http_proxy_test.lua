local child = require "kit.child"
local devnet = require "host.devnet"
local raw = require "kit.raw"
local secret = require "host.secret"
local t = require "kit"
local task = require "sys.task"
local tls = require "kit.tls"

local test, header = raw.client_test, raw.header

--- A proxy that refuses tunnels and answers everything else itself.
local function proxy()
  return raw.start(function(conn)
    local request = conn:request()
    if request and request:find("^CONNECT") then
      conn:write("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
    elseif request then
      conn:reply("by proxy")
    end
  end)
end

--- Hands on what comes until the end.
local function pump(from, to)
  for piece in function()
    return from:read()
  end do
    to:write(piece)
  end
  to:close()
end

--- A proxy whose tunnels all lead to one port.
local function tunnel(port)
  return raw.start(function(conn)
    if not conn:request() then
      return
    end
    local there <close> = t.ok(devnet.connect(port))
    conn:write("HTTP/1.1 200 Connection established\r\n\r\n")
    local back = task.spawn(pump, there, conn)
    pump(conn, there)
    back:join()
  end)
end

test("a proxy that refuses is EPROTO and nothing was sent", function(client)
  local srv <close> = proxy()
  local reply, e = client:request { url = "https://example.invalid/", proxy = srv.url }
  t.err(reply, e, "EPROTO")
  t.eq(e.message, "the proxy refused to connect to example.invalid:443 (status 403)")
  t.eq(e.sent, false)
  t.match(srv.requests[1], "^CONNECT example%.invalid:443 HTTP/1%.1\r\n")
  reply = t.ok(client:request {
    url = "http://example.invalid/x", allow_http = true, proxy = srv.url,
  })
  t.eq(reply.body, "by proxy")
  t.match(srv.requests[2], "^GET http://example%.invalid/x HTTP/1%.1\r\n")
end)

test("a proxy that cannot be used is named as the one, and not shown", function(client)
  local label = ("x"):rep(70)
  for address, said in pairs {
    ["http://u:passwd@127.0.0.1:1"] = { "ECONNREFUSED",
      "cannot connect to the proxy for example.invalid:443: connection refused" },
    ["socks5h://127.0.0.1:1"] = { "ECONNREFUSED",
      "cannot connect to the proxy for example.invalid:443: connection refused" },
    ["http://u:passwd@" .. label .. ".example:1"] = { "EAI_NONAME",
      "cannot resolve the proxy for example.invalid" },
    ["gopher://127.0.0.1:1"] = { "EINVAL",
      "the proxy for example.invalid:443 is of an unknown kind" },
  } do
    local reply, e = client:request { url = "https://example.invalid/", proxy = address }
    t.err(reply, e, said[1])
    t.eq({ e.message, e.sent }, { said[2], false })
  end
  local _, e = client:request { url = "https://[::1]:1/" }
  t.match(e.message, "^cannot connect to %[::1%]:1: ")
end)

test("a proxy that keeps silent is bounded by both limits", function(client)
  local srv <close> = raw.start(function(conn)
    conn:wait_closed()
  end)
  for _, limit in ipairs { "connect_timeout", "timeout" } do
    local reply, e = client:request {
      url = "https://example.invalid/", proxy = srv.url, [limit] = 0.05,
    }
    t.err(reply, e, "ETIMEDOUT")
    t.eq(e.sent, false)
  end
end)

test("through a tunnel the server's certificate counts, and the proxy sees no credential",
  function(client)
    local certificates = tls.certificates("DNS:example.invalid")
    local srv <close> = raw.hello()
    local front <close> = tls.front(srv.port, certificates)
    local middle <close> = tunnel(front.port)
    srv.requests = {}
    local function get(host, cafile)
      return client:request {
        url = "https://" .. host .. "/", cafile = cafile, timeout = 10,
        proxy = middle.url:gsub("//", "//me:pass@"),
        headers = { Authorization = secret.new("Bearer canary"), Cookie = "canary" },
      }
    end
    t.eq(t.ok(get("example.invalid", certificates.ca)).body, "hello")
    t.eq(header(middle.requests[1], "Proxy%-Authorization"), "Basic bWU6cGFzcw==")
    t.lacks(middle.requests[1], "canary")
    t.eq(header(srv.requests[1]:gsub("authorization", "Authorization"), "Authorization"),
      "Bearer canary")
    t.lacks(srv.requests[1], "bWU6cGFzcw")
    for host, cafile in pairs { ["example.invalid"] = false,
      ["other.invalid"] = certificates.ca } do
      local reply, e = get(host, cafile or nil)
      t.err(reply, e, "ETLS")
      t.eq(e.sent, false)
    end
    t.eq(#srv.requests, 1)
  end)

t.test("the environment's proxy is used, but not for loopback nor NO_PROXY", function()
  local srv <close> = proxy()
  local direct <close> = raw.answering(function(request)
    return request:match("^%S+ (%S+)")
  end)
  local name = ("x"):rep(70) .. ".example"
  child.test({ HTTPS_PROXY = srv.url, http_proxy = srv.url, NO_PROXY = name }, ([[
    local _, e = http.request { url = "https://example.invalid/" }
    t.eq(e.code, "EPROTO")
    _, e = http.request { url = "https://%s/" }
    t.eq(e.code, "EAI_NONAME")
    t.eq(t.ok(http.request { url = "%s/direct" }).body, "/direct")
    t.eq(t.ok(http.request { url = "http://example.invalid/", allow_http = true }).body,
      "by proxy")
    _, e = http.request { url = "http://example.invalid/" }
    t.eq(e.code, "EPERM")
  ]]):format(name, direct.url))
  t.eq({ #srv.requests, #direct.requests }, { 2, 1 })
end)

t.test("every name of the environment's proxy is known, and a request may do without", function()
  local srv <close> = proxy()
  for _, name in ipairs { "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY" } do
    srv.requests = {}
    child.test({ [name] = srv.url }, [[
      local _, e = http.request { url = "https://example.invalid/" }
      t.eq(e.code, "EPROTO")
      _, e = http.open { url = "https://example.invalid/" }
      t.eq(e.code, "EPROTO")
      _, e = http.request { url = "https://" .. ("x"):rep(70) .. ".example/", proxy = "" }
      t.eq(e.code, "EAI_NONAME")
    ]])
    t.eq(#srv.requests, 2, name)
  end
end)
