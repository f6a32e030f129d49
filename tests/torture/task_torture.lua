local t = require "kit"
local task = require "sys.task"

t.torture("spawn, wait, cancel and join survive a failing allocation", function()
  local ev = task.event()
  local a = task.spawn(function()
    return ev:wait(1)
  end)
  local b = task.spawn(function()
    task.sleep(60)
  end)
  task.sleep(0)
  b:cancel()
  ev:set()
  a:join()
  b:join()
  local out = task.map({ 1, 2, 3 }, 2, function(x)
    return x
  end)
  assert(#out == 3)
  assert(task.timeout(0, function()
    task.sleep(60)
  end) == nil)
end)
