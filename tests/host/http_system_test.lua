local child = require "kit.child"
local fs = require "sys.fs"
local process = require "sys.process"
local raw = require "kit.raw"
local t = require "kit"

t.test("without libcurl a request is ENOSYS and says what is missing", function()
  local dir = t.tmpdir()
  t.ok(fs.write(dir .. "/libcurl.so.4", "no library"))
  child.test({ LD_LIBRARY_PATH = dir }, [[
    for _, call in ipairs { http.request, http.open, http.new } do
      local reply, e = call { url = "https://example.com/" }
      t.err(reply, e, "ENOSYS")
      t.match(e.message, "^cannot load libcurl: .*libcurl%.so%.4")
      t.ok(not e.sent)
    end
    http.preload()
    t.err(nil, select(2, http.request { url = "https://example.com/" }), "ENOSYS")
  ]])
end)

t.test("without a free descriptor a request is EMFILE and nothing was sent", function()
  if not process.which("prlimit") then
    t.skip("prlimit is not installed")
  end
  local srv <close> = raw.hello()
  child.test({}, ([[
    local url = %q
    t.ok(http.request { url = url })
    local held = {}
    for file in function()
      return (io.open("/dev/null"))
    end do
      held[#held + 1] = file
    end
    t.eq(t.ok(http.request { url = url }).body, "hello", "a kept connection needs none")
    local reply, e = http.request { url = "http://127.0.0.1:1/" }
    t.err(reply, e, "EMFILE")
    t.eq({ e.message, e.sent },
      { "cannot connect to 127.0.0.1:1: too many open files", false })
    for _, file in ipairs(held) do
      file:close()
    end
    _, e = http.request { url = "http://127.0.0.1:1/" }
    t.err(nil, e, "ECONNREFUSED")
  ]]):format(srv.url), { "prlimit", "--nofile=64" })
end)

t.test("a name whose resolution hangs is bounded, and delays no abort and no end", function()
  child.test(child.names(), [[
    local started = task.now()
    for _, limit in ipairs { "connect_timeout", "timeout" } do
      local reply, e = http.request { url = "https://name.hang/", [limit] = 0.05 }
      t.err(reply, e, "ETIMEDOUT")
      t.eq(e.sent, false)
    end
    local waiting = task.spawn(http.request, { url = "https://name.hang/" })
    t.err(nil, select(2, waiting:join(0.05)), "timed out")
    waiting:cancel()
    t.ok(task.is_canceled(select(2, waiting:join())))
    t.eq(http.stats().active, 0)
    t.ok(task.now() - started < 10)
  ]])
end)

t.test("plain http goes to what a list names, over real connections", function()
  local srv <close> = raw.hello()
  child.test(child.names(), ([[
    local port, list = %d, { "_api.internal" }
    local function get(host, opts)
      opts.url = ("http://%%s:%%d/"):format(host, port)
      return http.request(opts)
    end
    t.eq(t.ok(get("_api.internal", { http_hosts = list })).body, "hello")
    t.eq(t.ok(get("_API.Internal", { http_hosts = list })).body, "hello")
    t.eq(t.ok(get("other.here", { allow_http = true })).body, "hello")
    for _, host in ipairs { "other.here", "x_api.internal", "_api.internal.here" } do
      t.err(nil, select(2, get(host, { http_hosts = list })), "EPERM")
    end
    t.err(nil, select(2, get("_api.internal", {})), "EPERM")
  ]]):format(srv.port))
  t.eq(#srv.requests, 3)
end)

t.test("credentials stay with the host they were for, whatever leads away from it", function()
  local to
  local function answer(request)
    if request:find("^%S+ /go") then
      return "", "Location: " .. to .. "\r\n", "307 Moved"
    end
    return "arrived"
  end
  local srv <close> = raw.answering(answer)
  for location, kept in pairs {
    ["http://b.here:%d/end"] = false, ["//b.here:%d/end"] = false, ["/end"] = true,
    ["http://A.HERE:%d/end"] = true, ["http://a.here.:%d/end"] = false,
    ["http://sub.a.here:%d/end"] = false,
  } do
    to = location:format(srv.port)
    child.test(child.names(), ([[
      local reply, e = http.request {
        url = "http://a.here:%d/go", follow = 1, allow_http = true, method = "POST",
        body = "plain", headers = { Authorization = "Bearer canary", Cookie = "c=canary" },
      }
      t.eq(t.ok(reply, e).body, "arrived")
    ]]):format(srv.port))
    local last = table.remove(srv.requests)
    t.match(last, "^POST /end HTTP")
    t.eq(last:find("canary", 1, true) ~= nil, kept, location)
  end
end)
