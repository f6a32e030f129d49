local process = require "sys.process"
local secret = require "sys.secret"
local t = require "kit"
local task = require "sys.task"

t.torture("running a child survives a failing allocation", function()
  local token <close> = secret.new("hunter2!")
  local r = assert(process.run {
    argv = { "sh", "-c", "cat; echo $A >&2" }, stdin = token, env = { A = "b", T = token },
    timeout = 20,
  })
  assert(r.code == 0 and r.stdout == "hunter2!" and r.stderr == "b\n")
end)

t.torture("killing and collecting a child survive a failing allocation", function()
  local runner = task.spawn(function()
    process.run { argv = { "sleep", "1000" }, stdin = "x", cwd = "/", kill_after = 0 }
  end)
  task.sleep(0)
  runner:cancel()
  runner:join()
  local p = assert(process.spawn { argv = { "sleep", "1000" } })
  p:kill("SIGTERM")
  assert(p:wait().signal == "SIGTERM")
end)
