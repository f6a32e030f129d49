--- Cells that are made, not read.

local cells = require "ops.cells"
local t = require "kit"

t.test("sizes read like Fly's presets", function()
  local function size(kind, cpus)
    return cells.size({ config = { guest = { cpu_kind = kind, cpus = cpus } } })
  end
  t.eq(size("shared", 2), "shared-cpu-2x")
  t.eq(size("performance", 8), "performance-8x")
  t.eq(cells.size({}), nil)
end)

t.test("images lose their registry and digest", function()
  t.eq(cells.image({ image_ref = { repository = "my-app", tag = "deployment-01" } }),
    "my-app:deployment-01")
  t.eq(cells.image({ image_ref = { repository = "nginx" } }), "nginx")
  t.eq(cells.image({ config = { image = "registry.fly.io/my-app:v1@sha256:"
    .. ("a"):rep(64) } }), "my-app:v1")
  t.eq(cells.image({}), nil)
end)

t.test("checks are counted", function()
  t.eq(cells.checks({ checks = { { status = "passing" }, { status = "critical" } } }), "1/2")
  t.eq(cells.checks({ checks = {} }), nil)
end)

t.test("addresses tell their kind", function()
  t.eq(cells.ip_type({ ip = "203.0.113.7" }), "v4")
  t.eq(cells.ip_type({ ip = "203.0.113.7", shared = true }), "shared")
  t.eq(cells.ip_type({ ip = "2001:db8::1" }), "v6")
  t.eq(cells.ip_type({ ip = "fdaa:0:1::3" }), "private")
  t.eq(cells.ip_type({ ip = "203.0.113.7", egress = true }), "egress v4")
  t.eq(cells.ip_type({}), nil)
end)

t.test("an address has one spelling for comparing", function()
  local same = { "2001:db8::1", "2001:DB8:0:0:0:0:0:1", "2001:0db8::0001" }
  for _, text in ipairs(same) do
    t.eq(cells.address(text), "2001:db8:0:0:0:0:0:1")
  end
  t.eq(cells.address("::"), "0:0:0:0:0:0:0:0")
  t.eq(cells.address("192.0.2.1"), "192.0.2.1")
  t.eq(cells.address(nil), nil)
end)
