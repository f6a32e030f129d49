-- Are these addresses up? Asks all of them, eight at a time, five seconds each.
-- Ends with 1 when one does not answer with a status below 400.
--   clanker run examples/probe.lua URL…

local http = require "clanker.http"
local task = require "clanker.task"

local AT_ONCE, SECONDS = 8, 5

local urls = { ... }
if #urls == 0 then
  io.stderr:write("usage: clanker run examples/probe.lua URL…\n")
  os.exit(2)
end

-- A failed request raises; one bad address must not end the others.
local function probe(url)
  local ok, reply = pcall(http.get, url, { timeout = SECONDS, max_body = 1 << 20 })
  if not ok then
    return { failed = true, text = tostring(reply) }
  end
  return { failed = reply.status >= 400, text = ("%d"):format(reply.status) }
end

local failed = false
for i, result in ipairs(task.map(urls, AT_ONCE, probe)) do
  failed = failed or result.failed
  print(result.failed and "FAIL" or "ok", urls[i], result.text)
end
os.exit(not failed)
