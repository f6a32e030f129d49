--- `clanker run tests/bench/http.lua [ROUNDS]`, from the tree's root: GETs of 1 KB
--- on loopback, 32 at once, from a Lua script and by `curl -Z`, side by side; the
--- best of all rounds counts. Then the same over TLS with HTTP/2.

local fs = require "sys.fs"
local http = require "sys.http"
local os = require "sys.os"
local process = require "sys.process"
local server = require "sys.server"
local task = require "clanker.task"

local ROUNDS = math.tointeger(arg[1]) or 15
local COUNT = 2000
local CLANKER = "build/release/clanker"

local dir = assert(fs.tmpdir("clanker-bench-"))
local _ <close> = setmetatable({}, { __close = function()
  fs.remove(dir, true)
end })

local function run(argv)
  local result = assert(process.run { argv = argv, inherit = { "PATH", "HOME" }, timeout = 120 })
  assert(result.code == 0, result.stderr)
  return result.stdout
end

local function spawn(argv)
  return assert(process.spawn { argv = argv, inherit = { "PATH", "HOME" } })
end

--- Seconds on the clock and of processor time that a program took.
local function measure(argv)
  local wall, cpu = task.now(), os.cpu("children")
  local out = run(argv)
  return { wall = task.now() - wall, cpu = os.cpu("children") - cpu, out = out }
end

local function best(results, field)
  local least
  for _, result in ipairs(results) do
    if not least or result[field] < least[field] then
      least = result
    end
  end
  return least
end

--- Runs both programs in turn.
local function compare(url, cafile)
  local ours, curls = {}, {}
  for _ = 1, ROUNDS do
    ours[#ours + 1] = measure { CLANKER, "run", "tests/bench/http_get.lua", url,
      tostring(COUNT), cafile }
    curls[#curls + 1] = measure { "curl", "-s", "-S", "--no-progress-meter", "-Z",
      "--parallel-max", "32", "--cacert", cafile or "/dev/null", "-o", "/dev/null",
      ("%s?[1-%d]"):format(url, COUNT) }
  end
  return ours, curls
end

local function report(name, ours, curls)
  local wall, curl_wall = best(ours, "wall").wall, best(curls, "wall").wall
  local cpu = best(ours, "cpu")
  print(("%s: %.0f requests/s, curl -Z %.0f requests/s: ratio %.2f"):format(
    name, COUNT / wall, COUNT / curl_wall, curl_wall / wall))
  print(("%s: %.1f us of processor time per request, curl -Z %.1f us (both with start-up)")
    :format(name, cpu.cpu / COUNT * 1e6, best(curls, "cpu").cpu / COUNT * 1e6))
  print(("%s: %s"):format(name, (cpu.out:gsub("\n$", ""))))
end

-- ---- plain HTTP/1.1 ----

run { "sh", "-c", "cc -O2 -o \"$1\" tests/bench/http_server.c $(pkg-config --cflags --libs libuv)",
  "sh", dir .. "/server" }
local plain = spawn { dir .. "/server" }
local _, port = plain:read() -- its first line
report("http/1.1", compare(("http://127.0.0.1:%d/"):format(port)))
plain:kill("SIGKILL")
plain:close()

-- ---- TLS, HTTP/2 ----

fs.write(dir .. "/1k", ("x"):rep(1024))
run { "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
  "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
  "-keyout", dir .. "/key.pem", "-out", dir .. "/cert.pem" }
local probe = assert(server.listen {})
probe:close()
local secure = spawn { "nghttpd", "-a", "127.0.0.1", "-d", dir, tostring(probe.port),
  dir .. "/key.pem", dir .. "/cert.pem" }
local url = ("https://127.0.0.1:%d/1k"):format(probe.port)
for _ = 1, 1000 do
  if http.request { url = url, cafile = dir .. "/cert.pem" } then
    break
  end
  task.sleep(0.01)
end
report("https, http/2", compare(url, dir .. "/cert.pem"))
secure:kill("SIGKILL")
secure:close()
