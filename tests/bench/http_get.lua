--- What the HTTP benches measure: `clanker run http_get.lua URL COUNT [CAFILE]`
--- fetches a URL COUNT times, 32 at once, and says what it took.

local http = require "clanker.http"
local task = require "clanker.task"
local os = require "sys.os"
local stats = require("sys.http").stats

local url, count, cafile = arg[1], math.tointeger(arg[2]), arg[3]
local list = {}
for i = 1, count do
  list[i] = i
end

local bytes, version = 0, nil
task.map(list, 32, function()
  local reply = http.get(url, { cafile = cafile })
  assert(reply.status == 200)
  bytes, version = bytes + #reply.body, reply.version
end)

print(("%d bytes, HTTP/%s, %d connections, %.1f us of processor time per request"):format(
  bytes, version, stats().connections, os.cpu() / count * 1e6))
