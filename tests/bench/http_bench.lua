--- Requests on loopback against curl, and processor time over HTTP/2.

local bench = ...

local fs = require "sys.fs"
local http = require "clanker.http"

local COUNT, LIMIT, ROUNDS = 2000, 32, 7

local function write(name, text)
  local path = bench.dir .. "/" .. name
  assert(fs.write(path, text))
  return path
end

local key, certificate = bench.dir .. "/key.pem", bench.dir .. "/cert.pem"
bench.run { "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
  "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", certificate, "-days", "2",
  "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1" }
write("1k", ("x"):rep(1024))
local plain, tls = bench.free_port(), bench.free_port()
local config = write("nginx.conf", ([[
daemon off; master_process off; pid DIR/nginx.pid; error_log DIR/error.log;
events { worker_connections 1024; }
http {
  access_log DIR/access.log;
  log_format c '$connection'; access_log DIR/connections.log c;
  client_body_temp_path DIR/t1; proxy_temp_path DIR/t2; fastcgi_temp_path DIR/t3;
  uwsgi_temp_path DIR/t4; scgi_temp_path DIR/t5;
  keepalive_requests 1000000; http2_max_requests 1000000; http2_max_concurrent_streams 256;
  server { listen 127.0.0.1:PLAIN; root DIR; }
  server { listen 127.0.0.1:TLS ssl http2; root DIR; access_log DIR/h2.log c;
    ssl_certificate DIR/cert.pem; ssl_certificate_key DIR/key.pem; }
}]]):gsub("DIR", bench.dir):gsub("PLAIN", plain):gsub("TLS", tls))
local url = ("http://127.0.0.1:%d/1k"):format(plain)
local nginx <close> = bench.service({ "nginx", "-c", config }, function()
  return pcall(http.get, url)
end)
assert(nginx)

local get = bench.here .. "/get.lua"

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
local curl, ours = bench.turns(ROUNDS, { seconds_of_curl, seconds_of_clanker })
bench.figure(("%d GETs of 1 KB, %d at once / curl -Z, requests/s"):format(COUNT, LIMIT),
  curl / ours, "x", ">=", 1.2, ("%.0f/s, %.0f/s"):format(COUNT / ours, COUNT / curl))

local version
local cpu = bench.turns(ROUNDS, { function()
  local result = bench.run { bench.binary, "run", get,
    ("https://localhost:%d/1k"):format(tls), tostring(COUNT), tostring(LIMIT), certificate }
  local _, micros, _, v = result.stdout:match("(%S+) (%S+) (%S+) (%S+)")
  version = v
  return tonumber(micros)
end })
bench.figure("TLS HTTP/" .. version .. ", processor time a request", cpu, "µs", "<=", 60)

local seen, connections = {}, 0
for id in assert(fs.read(bench.dir .. "/h2.log")):gmatch("%d+") do
  if not seen[id] then
    seen[id] = true
    connections = connections + 1
  end
end
bench.figure("connections of one such run", connections / ROUNDS, "", "<=", 1)
