--- Base URLs are cleaned, and never let a token travel in the clear.

local hosts = require "fly.hosts"
local t = require "kit"

local function base(value, allow_http)
  return hosts.base(value, "FLY_API_HOSTNAME", allow_http)
end

t.test("trailing slashes and /v1 are removed", function()
  t.eq(base("https://api.machines.dev"), "https://api.machines.dev")
  t.eq(base("https://api.machines.dev/"), "https://api.machines.dev")
  t.eq(base("https://api.machines.dev/v1"), "https://api.machines.dev")
  t.eq(base("https://api.machines.dev/v1//"), "https://api.machines.dev")
  t.eq(base("https://example.com/fly/v1/"), "https://example.com/fly")
  t.eq(base("https://example.com/v10"), "https://example.com/v10")
  t.eq(base("HTTPS://Example.com:8443"), "https://Example.com:8443")
end)

t.test("a bare host name means https", function()
  t.eq(base("api.machines.dev"), "https://api.machines.dev")
  t.eq(base("example.com:8443/v1"), "https://example.com:8443")
end)

t.test("plain http to another machine is refused unless allowed", function()
  local e = t.err(nil, select(2, base("http://example.com")), "config")
  t.has(e.message, "FLY_API_HOSTNAME")
  t.has(e.message, "unencrypted")
  t.has(e.hint, "--allow-http")
  t.eq(base("http://example.com", true), "http://example.com")
  for _, near_miss in ipairs {
    "http://localhost.example.com", "http://127.0.0.1.example.com",
    "http://_api.internal.example.com", "http://128.0.0.1",
    "http://[::2]:80", "http://10.0.0.1", "http://127.1", "http://fly.localhost",
  } do
    t.err(nil, select(2, base(near_miss)), "config")
  end
end)

t.test("plain http to this machine and to Fly's private network is fine", function()
  for _, url in ipairs {
    "http://127.0.0.1:4280", "http://localhost:4280", "http://[::1]:4280", "http://127.9.9.9",
    "http://_api.internal:4280",
  } do
    t.eq(base(url), url)
  end
end)

t.test("what is no base URL is refused with the setting's name", function()
  for _, url in ipairs {
    "", "https://", "ftp://example.com", "https:///v1", "https://example.com:port",
    "https://example.com?x=1", "https://example.com#x", "https://exa mple.com",
    "https://example.com\n", "file:///etc/passwd", "https://[::1", "https://example.com:123456",
  } do
    local e = t.err(nil, select(2, base(url)), "config")
    t.has(e.message, "FLY_API_HOSTNAME")
  end
end)

t.test("a user name or password in the URL is refused and not repeated", function()
  local e = t.err(nil, select(2, base("https://me:hunter2@example.com")), "config")
  t.lacks(e.message .. e.hint, "hunter2")
end)
