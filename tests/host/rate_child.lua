--- A process that takes tokens from a shared bucket as fast as it may, once the
--- file PATH.go is there, and prints when it asked for and got each; run by
--- rate_test.lua.

local rate = require "host.rate"
local task = require "host.task"

local path, count = arg[1], math.tointeger(arg[2])
local limiter = assert(rate.open(path, 0))

io.stdout:write("ready\n")
io.stdout:flush()
while not io.open(path .. ".go") do
  task.sleep(0.001)
end
for _ = 1, count do
  local asked = task.now()
  assert(limiter:acquire("shared", 100, 5))
  io.stdout:write(("got %.6f %.6f\n"):format(asked, task.now()))
  io.stdout:flush()
end
limiter:close()
