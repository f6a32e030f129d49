local host = require "host.fs"
local t = require "kit"
local task = require "sys.task"

local dir = assert(host.tmpdir("clanker-torture-"))

t.torture("writing, reading and listing survive a failing allocation", function()
  local path = dir .. "/a/b/file"
  assert(host.write(path, ("x"):rep(10000), { parents = true }))
  assert(#assert(host.read(path)) == 10000)
  assert(host.append(path, "y"))
  assert(#assert(host.read("/proc/self/status")) > 0)
  assert(#assert(host.list(dir .. "/a")) == 1)
  assert(host.stat(path).size == 10001)
  assert(host.realpath(path))
  assert(host.remove(dir .. "/a", true))
end)

t.torture("waiting for a lock survives a failing allocation", function()
  local lock <close> = assert(host.lock(dir .. "/lock"))
  local waiting = task.spawn(function()
    return host.lock(dir .. "/lock", 60)
  end)
  task.sleep(0)
  waiting:cancel()
  waiting:join()
  assert(not host.lock(dir .. "/lock", 0.001))
  lock:release()
end)

t.test("nothing else is left in the directory", function()
  assert(host.remove(dir .. "/lock"))
  assert(host.remove(dir))
end)
