--- From flags to a machine's config.

local json = require "base.json"
local spec = require "ops.machine_spec"
local t = require "kit"

t.test("ports are read with their protocol and handlers", function()
  local known = {
    ["80:8080"] = { port = 80, internal = 8080, protocol = "tcp", handlers = { "http" } },
    ["443:8080"] = { port = 443, internal = 8080, protocol = "tcp",
      handlers = { "tls", "http" } },
    ["5432:5432"] = { port = 5432, internal = 5432, protocol = "tcp", handlers = {} },
    ["5432:5432/tcp:pg_tls"] = false,
    ["53:53/udp"] = { port = 53, internal = 53, protocol = "udp", handlers = {} },
    ["8443:443/tcp:tls"] = { port = 8443, internal = 443, protocol = "tcp",
      handlers = { "tls" } },
  }
  for text, wanted in pairs(known) do
    local port = spec.port(text)
    if wanted then
      t.eq(port, wanted)
    else
      t.eq(port.handlers, { "pg_tls" })
    end
  end
end)

t.test("what is no port is refused", function()
  for _, text in ipairs({ "80", "80:", ":80", "80:x", "0:80", "80:70000", "80:80/icmp",
    "80:80:80", "-1:80", "80:80/", "" }) do
    local port, e = spec.port(text)
    t.err(port, e, "usage")
  end
end)

t.test("ports to one place are one service", function()
  local services = spec.services({ "80:8080", "443:8080", "5432:5432" })
  t.eq(#services, 2)
  t.eq(services[1].internal_port, 8080)
  t.eq(#services[1].ports, 2)
  t.eq(services[2].ports[1].port, 5432)
  t.eq(json.encode(services[2].ports), '[{"handlers":[],"port":5432}]')
end)

t.test("mounts name a volume and a directory", function()
  t.eq(spec.mount("vol_1:/data"), { volume = "vol_1", path = "/data" })
  for _, text in ipairs({ "vol_1", ":/data", "vol_1:data", "vol_1:/", "" }) do
    local mount, e = spec.mount(text)
    t.err(mount, e, "usage")
  end
end)

t.test("a new config has what was asked for and nothing else", function()
  t.eq(json.encode(spec.config({ image = "nginx" })),
    '{"guest":{"cpu_kind":"shared","cpus":1,"memory_mb":256},"image":"nginx"}')
  local config = spec.config({
    image = "nginx", size = "shared-cpu-2x", env = { A = "1" }, metadata = { role = "web" },
    restart = "always", schedule = "daily", auto_destroy = true,
    command = { "sleep", "10" }, port = { "80:80" },
  })
  t.eq(config.guest.cpus, 2)
  t.eq(config.restart, { policy = "always" })
  t.eq(config.init.cmd, { "sleep", "10" })
  t.eq(config.services[1].ports[1].handlers, { "http" })
  local none, e = spec.config({ image = "nginx", memory = 5 })
  t.err(none, e, "invalid")
  none, e = spec.config({ image = "nginx", port = { "x" } })
  t.err(none, e, "usage")
end)

local TEXT = '{"image":"old","guest":{"cpu_kind":"shared","cpus":1,"memory_mb":256,'
  .. '"kernel_args":[]},"env":{"A":"0"}, "unknown":{},"mounts":[ ]}'
local GUEST = { cpu_kind = "shared", cpus = 1, memory_mb = 256 }

local function edited(args)
  local changes = assert(spec.changes(args, GUEST))
  return json.edit(TEXT, changes)
end

t.test("changes touch what was asked for, byte for byte", function()
  t.eq(edited({}), TEXT)
  t.eq(edited({ image = "new" }), (TEXT:gsub('"old"', '"new"')))
  t.eq(edited({ memory = 512 }), (TEXT:gsub("256", "512")))
  t.eq(edited({ size = "shared-cpu-1x" }), TEXT)
  t.eq(edited({ env = { B = "1", A = "2" } }),
    (TEXT:gsub('{"A":"0"}', '{"A":"2","B":"1"}')))
  t.eq(json.decode(edited({ restart = "no" })).restart, { policy = "no" })
  t.eq(json.decode(edited({ port = { "80:80" } })).services[1].internal_port, 80)
end)

t.test("environment names with dots stay one name", function()
  t.eq(json.decode(edited({ metadata = { ["a.b"] = "1" } })).metadata, { ["a.b"] = "1" })
end)
