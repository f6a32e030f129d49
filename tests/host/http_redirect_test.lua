local http = require "sys.http"
local raw = require "kit.raw"
local secret = require "host.secret"
local t = require "kit"
local task = require "sys.task"

local header = raw.header

--- A test with two servers: `here` redirects what asks for /go/STATUS to the
--- location the test has set, `there` only answers.
local function test(name, fn)
  t.test(name, function()
    local to = {}
    local function answer(request)
      local status = request:match("^%S+ /go/(%d+)")
      if status then
        return "moved", to.location and "Location: " .. to.location .. "\r\n" or "",
          status .. " Moved"
      end
      return "arrived"
    end
    local here <close> = raw.answering(answer)
    local there <close> = raw.answering(answer)
    local client <close> = t.ok(http.new())
    fn(client, here, there, to)
  end)
end

test("a redirect is a reply unless it is to be followed", function(client, here, _, to)
  to.location = "/there"
  for _, follow in ipairs { false, 0, 1 } do
    local reply = t.ok(client:request {
      url = here.url .. "/go/302", follow = follow or nil,
    })
    t.eq({ reply.status, reply.body }, follow == 1 and { 200, "arrived" } or { 302, "moved" })
    t.eq(reply.url, here.url .. (follow == 1 and "/there" or "/go/302"))
  end
  to.location = nil
  t.eq(t.ok(client:request { url = here.url .. "/go/302", follow = 1 }).status, 302)
end)

test("a location is resolved against where it was found", function(client, here, _, to)
  for location, path in pairs {
    ["x"] = "/go/x", ["../x?y=z"] = "/x?y=z", ["./y"] = "/go/y",
    ["//127.0.0.1:" .. here.port .. "/p"] = "/p", ["/a%20b#c"] = "/a%20b",
  } do
    to.location = location
    t.ok(client:request { url = here.url .. "/go/302", follow = 1 })
    t.match(table.remove(here.requests), "^GET " .. path:gsub("%p", "%%%0") .. " HTTP")
  end
end)

test("to the same place everything follows", function(client, here, _, to)
  to.location = "/there"
  t.ok(client:request {
    url = here.url .. "/go/307", follow = 1, method = "POST", body = { "a", secret.new("bcdef") },
    headers = { Authorization = secret.new("Bearer x"), ["X-Trace"] = "1" },
  })
  local last = here.requests[2]
  t.match(last, "^POST /there ")
  t.eq(header(last, "Authorization"), "Bearer x")
  t.eq(header(last, "X%-Trace"), "1")
  t.match(last, "\r\n\r\nabcdef$")
end)

test("to another port, host or scheme no credential follows", function(client, here, there, to)
  for _, base in ipairs { there.url, "http://localhost:" .. here.port } do
    to.location = base .. "/there"
    for _, list in ipairs { false, true } do
      local headers = {
        Authorization = "Bearer plain", Cookie = "c=1", ["X-Api-Key"] = "k",
        ["Proxy-Authorization"] = "p", ["Fly-Machine-Lease-Nonce"] = "n", Accept = "text/x",
        ["User-Agent"] = secret.new("hidden"),
      }
      if list then
        local pairs_list = {}
        for name, value in pairs(headers) do
          pairs_list[#pairs_list + 1] = { name, value }
        end
        headers = pairs_list
      end
      t.ok(client:request { url = here.url .. "/go/302", follow = 1, headers = headers })
      local server = base == there.url and there or here
      local last = table.remove(server.requests)
      t.match(last, "^GET /there ")
      t.eq(header(last, "Accept"), "text/x")
      for _, name in ipairs { "Authorization", "Cookie", "X%-Api%-Key", "Proxy%-Authorization",
        "Fly%-Machine%-Lease%-Nonce", "User%-Agent" } do
        t.eq(header(last, name), nil)
      end
    end
  end
end)

test("what was dropped on the way stays dropped on the way back", function(client, here, there, to)
  local hops = 0
  local third <close> = raw.answering(function()
    hops = hops + 1
    return "", "Location: " .. here.url .. "/end\r\n", "302 Found"
  end)
  to.location = third.url
  t.ok(client:request {
    url = here.url .. "/go/302", follow = 3, headers = { Authorization = "Bearer x" },
  })
  t.eq(hops, 1)
  t.match(here.requests[2], "^GET /end ")
  t.eq(header(here.requests[2], "Authorization"), nil)
  t.eq(#there.requests, 0)
end)

test("a body with a secret does not go to another place", function(client, here, there, to)
  to.location = there.url
  for _, body in ipairs { secret.new("hidden"), { "a", secret.new("hidden") } } do
    local reply, e = client:request {
      url = here.url .. "/go/308", follow = 1, method = "PUT", body = body,
    }
    t.err(reply, e, "EPERM")
    t.eq(e.message, "refused to send a secret on to 127.0.0.1")
    t.eq(e.sent, true)
  end
  t.eq(#there.requests, 0)
  t.ok(client:request { url = here.url .. "/go/308", follow = 1, method = "PUT", body = "open" })
  t.match(there.requests[1], "^PUT / .*\r\n\r\nopen$")
end)

test("a redirected POST becomes a GET where that is the custom", function(client, here, _, to)
  to.location = "/there"
  local cases = {
    { 301, "POST", "GET" }, { 302, "POST", "GET" }, { 303, "POST", "GET" }, { 303, "PUT", "GET" },
    { 301, "PUT", "PUT" }, { 307, "POST", "POST" }, { 308, "POST", "POST" },
    { 303, "HEAD", "HEAD" }, { 302, "DELETE", "DELETE" },
  }
  for _, case in ipairs(cases) do
    local has_body = case[2] == "POST" or case[2] == "PUT"
    t.ok(client:request {
      url = here.url .. "/go/" .. case[1], follow = 1, method = case[2],
      body = has_body and "data" or nil, headers = { ["Content-Type"] = "text/x" },
    })
    local last = table.remove(here.requests)
    t.match(last, "^" .. case[3] .. " /there ")
    local kept = case[2] == case[3]
    t.eq(header(last, "Content%-Type"), kept and "text/x" or nil)
    t.match(last, "\r\n\r\n" .. (kept and has_body and "data" or "") .. "$")
  end
end)

test("redirects are counted", function(client, here, _, to)
  to.location = "/go/302"
  local reply, e = client:request { url = here.url .. "/go/302", follow = 5 }
  t.err(reply, e, "ELOOP")
  t.eq({ e.message, e.sent, #here.requests }, { "more redirects than 5", true, 6 })
end)

test("how many redirects is a number, or it would be no bound", function(client, here)
  for _, follow in ipairs { -1, 2.5, "3", true, 0 / 0, math.huge } do
    for _, way in ipairs { "request", "open" } do
      t.raises(function()
        client[way](client, { url = here.url, follow = follow })
      end, "http_redirect_test.lua:%d+: follow: a number of redirects expected")
    end
  end
  t.eq(#here.requests, 0)
end)

test("a header given twice keeps its order on the way", function(client, here, there, to)
  to.location = there.url
  local headers = {}
  for i = 1, 30 do
    headers[i] = { "Accept", "type/" .. i }
  end
  t.ok(client:request { url = here.url .. "/go/302", follow = 1, headers = headers })
  local i = 0
  for value in there.requests[1]:gmatch("\nAccept: ([^\r]*)") do
    i = i + 1
    t.eq(value, "type/" .. i)
  end
  t.eq(i, 30)
end)

test("a redirect may not lead where a request may not", function(client, here, _, to)
  for location, code in pairs {
    ["http://example.com/"] = "EPERM", ["ftp://127.0.0.1/"] = "EPROTONOSUPPORT",
    ["file:///etc/passwd"] = "EPROTONOSUPPORT", ["http://u:p@127.0.0.1/"] = "EINVAL",
    ["http://[::1"] = "EINVAL", ["https://127.0.0.1:99999/"] = "EINVAL",
  } do
    to.location = location
    local reply, e = client:request { url = here.url .. "/go/302", follow = 1 }
    t.err(reply, e, code)
  end
end)

test("the time limit is for all of it", function(client, here, _, to)
  local slow <close> = raw.start(function(conn)
    conn:request()
    task.sleep(0.4)
    conn:reply("", "Location: /next\r\n", "302 Found")
    conn:request()
    conn:wait_closed()
  end)
  to.location = slow.url
  local reply, e = client:request { url = here.url .. "/go/302", follow = 9, timeout = 0.5 }
  t.err(reply, e, "ETIMEDOUT")
  -- The last hop had what the first ones left, or nothing was left for it.
  local host, seconds = e.message:match("^no complete reply(.*) within (%S+) s$")
  t.ok(host == "" or tonumber(seconds) < 0.11, e)
end)

test("opened replies follow redirects too", function(client, here, there, to)
  to.location = there.url .. "/there"
  local reply <close> = t.ok(client:open {
    url = here.url .. "/go/302", follow = 1, headers = { Authorization = "x" },
  })
  t.eq({ reply.status, reply.url, reply:read() }, { 200, there.url .. "/there", "arrived" })
  t.eq(header(there.requests[1], "Authorization"), nil)
end)
