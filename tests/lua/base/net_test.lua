local net = require "base.net"
local t = require "kit"

local function all(fn, want, texts)
  for _, text in ipairs(texts) do
    t.eq(fn(text), want, text)
  end
end

t.test("a host name has two labels or more of allowed characters", function()
  all(net.is_host_name, true, {
    "example.com", "*.example.com", "a-b.c_d.example", ("x"):rep(63) .. ".com", "bücher.example",
  })
  all(net.is_host_name, false, {
    "", "com", ".com", "a..b", "-a.com", "a-.com", "a.*.com", "a b.com", ("x"):rep(64) .. ".com",
    ("abcdefg."):rep(32) .. "com",
  })
end)

t.test("a host is found in a URL", function()
  t.eq(net.bare_host(" https://user@WWW.Example.com:443/a?b#c "), "www.example.com")
  t.eq(net.bare_host("example.com."), "example.com")
end)

t.test("addresses are told from what only looks like one", function()
  all(net.is_ipv4, true, { "0.0.0.0", "203.0.113.7", "255.255.255.255" })
  all(net.is_ipv4, false, { "", "1.2.3", "1.2.3.256", "1.2.3.0004", "1.2.3.4.5", " 1.2.3.4" })
  all(net.is_ipv6, true, { "::", "::1", "2001:db8::1", "1:2:3:4:5:6:7:8", "fdaa:0:1:a7b::2" })
  all(net.is_ipv6, false, {
    "", ":", "1.2.3.4", "1::2::3", ":::", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::", "12345::",
    ":1::2", "1:2:3:4:5:6:7:", "g::",
  })
end)
