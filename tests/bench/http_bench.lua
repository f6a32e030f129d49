--- Requests on loopback against curl, and processor time over HTTP/2.

local bench = ...

local fs = require "sys.fs"
local http = require "clanker.http"
local os_ = require "sys.os"

local COUNT, LIMIT, ROUNDS = 2000, 32, 15

local get = bench.here .. "/get.lua"

-- ---- plain HTTP/1.1, from a server that is faster than both ----

local flags = bench.run { "pkg-config", "--cflags", "--libs", "libuv" }.stdout
local compile = { "cc", "-O2", "-o", bench.dir .. "/server", bench.here .. "/http_server.c" }
for flag in flags:gmatch("%S+") do
  compile[#compile + 1] = flag
end
bench.run(compile)

local url
local plain <close> = bench.service({ bench.dir .. "/server" }, function(talk)
  local port = talk:match("^(%d+)\n")
  url = port and ("http://127.0.0.1:%s/1k"):format(port)
  return url
end)
assert(plain)

local function seconds_of_curl()
  local _, seconds = bench.run({ "curl", "-s", "-Z", "--parallel-max", tostring(LIMIT),
    "-o", "/dev/null", ("%s?[1-%d]"):format(url, COUNT) })
  return seconds
end

local function seconds_of_clanker()
  local _, seconds = bench.run { bench.binary, "run", get, url, tostring(COUNT),
    tostring(LIMIT) }
  return seconds
end

-- Whole processes are timed on both sides, start-up included.
-- The least of each: what else the machine does only adds.
local curl, ours = bench.turns(ROUNDS, { seconds_of_curl, seconds_of_clanker }, "least")
bench.figure(("%d GETs of 1 KB, %d at once / curl -Z, requests/s"):format(COUNT, LIMIT),
  curl / ours, "x", ">=", 1.2, ("%.0f/s, %.0f/s"):format(COUNT / ours, COUNT / curl))

-- ---- TLS, HTTP/2 ----

local key, certificate = bench.dir .. "/key.pem", bench.dir .. "/cert.pem"
bench.run { "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
  "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", certificate, "-days", "2",
  "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1" }
assert(fs.mkdir(bench.dir .. "/www"))
assert(fs.write(bench.dir .. "/www/1k", ("x"):rep(1024)))
local port = bench.free_port()
local secure = ("https://localhost:%d/1k"):format(port)
local nghttpd <close> = bench.service(
  { "nghttpd", "-a", "127.0.0.1", "-d", bench.dir .. "/www", tostring(port), key, certificate },
  function()
    return pcall(http.get, secure, { cafile = certificate })
  end)
assert(nghttpd)

-- Of curl for the same requests, start-up included: what of ours is libcurl's.
local function micros_of_curl()
  local before = os_.cpu("children")
  bench.run { "curl", "-s", "-Z", "--parallel-max", tostring(LIMIT), "--cacert", certificate,
    "-o", "/dev/null", ("%s?[1-%d]"):format(secure, COUNT) }
  return (os_.cpu("children") - before) / COUNT * 1e6
end

local version, connections, least = nil, 0, math.huge
local function micros_of_clanker()
  local result = bench.run { bench.binary, "run", get, secure, tostring(COUNT),
    tostring(LIMIT), certificate }
  local micros, opened
  micros, version, opened = result.stdout:match("^%S+ (%S+) %S+ (%S+) (%d+)")
  connections = math.max(connections, tonumber(opened))
  least = math.min(least, tonumber(micros))
  return tonumber(micros)
end

local cpu, of_curl = bench.turns(ROUNDS, { micros_of_clanker, micros_of_curl })
bench.figure("TLS HTTP/" .. version .. ", processor time a request", cpu, "µs", "<=", 60,
  ("least %.0f µs; curl -Z %.0f µs"):format(least, of_curl))
bench.figure("connections of one such run", connections, "", "<=", 1)
