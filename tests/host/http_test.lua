local t = require "kit"
local http = require "sys.http"
local server = require "sys.server"
local task = require "sys.task"

t.test("a request is sent whole and its reply is read whole", function()
  local srv = assert(server.listen {})
  task.spawn(function()
    srv:serve(function(req)
      return 200, { ["X-Kind"] = "echo" }, req.method .. " " .. req.body
    end)
  end)
  local reply = t.ok(http.request { url = srv.url .. "/x", method = "POST", body = { "a", "b" } })
  t.eq(reply.status, 200)
  t.eq(reply.headers["x-kind"], "echo")
  t.eq(reply.body, "POST ab")
  http.close()
  srv:close()
end)
