--- TLS for tests: certificates made on the spot, and an HTTP/2 front for a plain
--- server of the test. Everything goes when the test ends.

local devnet = require "host.devnet"
local http = require "sys.http"
local process = require "sys.process"
local t = require "kit"
local task = require "sys.task"

local M = {}

---@class kit.Certificates
---@field ca string path of the authority's certificate
---@field cert string path of the server's
---@field key string path of its key

local function openssl(...)
  local result, e = process.run {
    argv = { "openssl", ... }, inherit = { "PATH", "HOME" }, timeout = 30,
  }
  t.ok(result, e)
  t.eq(result.code, 0, result.stderr)
end

--- A new key and a certificate for it.
local function make(...)
  openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
    "-days", "2", ...)
end

--- An authority and a server certificate for `names` ("DNS:localhost,…").
---@async
---@param names? string
---@return kit.Certificates
function M.certificates(names)
  local dir = t.tmpdir()
  local c = { ca = dir .. "/ca.pem", cert = dir .. "/cert.pem", key = dir .. "/key.pem" }
  make("-keyout", dir .. "/ca.key", "-out", c.ca, "-subj", "/CN=test authority")
  make("-CA", c.ca, "-CAkey", dir .. "/ca.key", "-keyout", c.key, "-out", c.cert,
    "-subj", "/CN=test server", "-addext", "basicConstraints=critical,CA:FALSE",
    "-addext", "subjectAltName=" .. (names or "DNS:localhost,IP:127.0.0.1"))
  return c
end

--- The same with a server certificate that ran out yesterday.
---@async
---@param c kit.Certificates
---@return kit.Certificates
function M.expire(c)
  local request = t.tmpdir() .. "/request.pem"
  openssl("req", "-new", "-key", c.key, "-out", request, "-subj", "/CN=test server",
    "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1")
  openssl("x509", "-req", "-in", request, "-CA", c.ca, "-CAkey", (c.ca:gsub("pem$", "key")),
    "-copy_extensions", "copy", "-days", "-1", "-out", c.cert)
  return c
end

--- A certificate that nobody else signed, and its key.
---@async
---@return string cert, string key
function M.self_signed()
  local dir = t.tmpdir()
  make("-keyout", dir .. "/key.pem", "-out", dir .. "/cert.pem", "-subj", "/CN=test server",
    "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1")
  return dir .. "/cert.pem", dir .. "/key.pem"
end

--- A port that was free a moment ago.
local function free_port()
  local listener, port = assert(devnet.listen())
  listener:close()
  return port
end

---@class kit.Front
---@field url string "https://127.0.0.1:PORT"
---@field port integer
---@field private process process.Process?
local Front = {}
Front.__index = Front

--- Stops it at once. May be called again.
---@async
function Front:close()
  local child = self.process
  self.process = nil
  if child then
    task.shield(function()
      child:kill("SIGKILL")
      child:wait()
      child:close()
    end)
  end
end

Front.__close = Front.close

--- Starts nghttpx: TLS with HTTP/2 and HTTP/1.1 before the plain server on port
--- `backend`. Returns when it answers.
---@async
---@param backend integer
---@param certificates kit.Certificates
---@param ... string more arguments
---@return kit.Front
function M.front(backend, certificates, ...)
  if not process.which("nghttpx") then
    t.skip("nghttpx is not installed")
  end
  local port = free_port()
  local child = t.ok(process.spawn {
    argv = { "nghttpx", "--conf=/dev/null", "--no-ocsp", "--workers=1",
      "--frontend=127.0.0.1," .. port, "--backend=127.0.0.1," .. backend,
      "--no-location-rewrite", "--errorlog-file=/dev/null",
      certificates.key, certificates.cert, ... },
    inherit = { "PATH", "HOME" },
  })
  local front = setmetatable(
    { url = "https://127.0.0.1:" .. port, port = port, process = child }, Front)
  local client <close> = t.ok(http.new())
  t.eventually(function()
    local reply, e = client:request {
      url = front.url .. "/are-you-there", cafile = certificates.ca,
    }
    return reply or e.code ~= "ECONNREFUSED"
  end, 10)
  return front
end

return M
