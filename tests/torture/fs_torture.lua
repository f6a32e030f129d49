local fs = require "sys.fs"
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

t.torture("moving, linking, walking and wiping survive a failing allocation", function()
  local place = dir .. "/place"
  assert(host.remove(place, true) or not host.stat(place))
  assert(host.mkdir(place .. "/d/e", { parents = true }))
  assert(host.symlink("f", place .. "/d/link"))
  assert(host.rename(place .. "/d/e", place .. "/d/g"))
  assert(#assert(fs.walk(place)) == 3)
  assert(host.wipe(place))
  assert(host.home() and not host.in_memory("/nonexistent"))
end)

t.torture("a temporary directory is made whole or not at all", function()
  assert(host.remove(assert(host.tmpdir("clanker-torture-"))))
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
