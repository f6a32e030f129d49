local t = require "kit"
local rate = require "host.rate"
local task = require "sys.task"

t.torture("waiting for tokens survives a failing allocation", function()
  local limiter <close> = assert(rate.open(nil, 0))
  limiter:penalize("b", 60)
  local waiting = task.spawn(function()
    return limiter:acquire("b", 100, 1)
  end)
  for _ = 1, 3 do
    assert(limiter:acquire("a", 500, 1))
  end
  waiting:cancel()
  waiting:join()
  limiter:close()
end)

t.torture("opening a shared file survives a failing allocation", function()
  local path = os.tmpname()
  os.remove(path)
  local limiter, message = rate.open(path, 0)
  local taken = limiter and limiter:acquire("a", 1, 3)
  if limiter then
    limiter:close()
  end
  os.remove(path)
  assert(taken, message)
end)
