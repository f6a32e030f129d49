--- `clanker run get.lua URL COUNT LIMIT [CAFILE]`: GETs of one URL, LIMIT at
--- once. Prints seconds, processor microseconds a request, bytes received, the
--- HTTP version, and connections opened.

local http = require "clanker.http"
local os_ = require "sys.os"
local stats = require("sys.http").stats
local task = require "clanker.task"

local url, count, limit, cafile = arg[1], tonumber(arg[2]), tonumber(arg[3]), arg[4]
local list = {}
for i = 1, count do
  list[i] = i
end

http.get(url, { cafile = cafile }) -- libcurl is loaded and connected
local start, cpu, bytes = task.now(), os_.cpu(), 0
task.map(list, limit, function()
  local reply = http.get(url, { cafile = cafile })
  assert(reply.status == 200, reply.status)
  bytes = bytes + #reply.body
end)
local seconds, micros = task.now() - start, (os_.cpu() - cpu) / count * 1e6
print(("%.6f %.3f %d %s %d"):format(seconds, micros, bytes,
  http.get(url, { cafile = cafile }).version, stats().connections))
