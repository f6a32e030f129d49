local host = require "host.server"
local http = require "sys.http"
local t = require "kit"
local task = require "sys.task"

-- Libraries are loaded before, so that every round allocates the same.
assert(host.listen {}):close()

t.torture("listening and closing survive a failing allocation", function()
  local srv <close> = assert(host.listen {})
  assert(srv:port() > 0)
end)

t.torture("waiting for a request survives a failing allocation", function()
  local srv <close> = assert(host.listen {})
  local waiting = task.spawn(function()
    return srv:accept()
  end)
  task.sleep(0)
  srv:close()
  assert(waiting:join())
end)

t.torture("a reply and a stream survive a failing allocation", function()
  local client <close> = assert(http.new())
  local srv <close> = assert(host.listen {})
  local url = ("http://127.0.0.1:%d/"):format(srv:port())
  local server = task.spawn(function()
    local _ <close> = srv -- a failure here must not leave the client waiting
    local first <close>, head = srv:accept()
    assert(head.method == "POST" and #head.body == 5000)
    assert(first:reply(200, { "X", "y" }, "whole"))
    local second <close> = srv:accept()
    assert(second:stream(200, {}))
    for _ = 1, 3 do
      assert(second:write(("x"):rep(5000)))
    end
    second:finish()
  end)
  local reply = assert(client:request {
    url = url, method = "POST", body = ("b"):rep(5000), timeout = 5,
  })
  assert(reply.body == "whole")
  reply = assert(client:request { url = url, timeout = 5 })
  assert(#reply.body == 15000)
  server:await()
end)
