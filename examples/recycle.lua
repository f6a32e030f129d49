-- Restarts the started machines of an app one by one, each out of the proxy's
-- reach while it restarts. Stops at the first failure; nothing stays cordoned.
--   clanker run examples/recycle.lua APP

local fly = require "clanker.fly"
local task = require "clanker.task"

local app = ...
if not app then
  io.stderr:write("usage: clanker run examples/recycle.lua APP\n")
  os.exit(2)
end

-- What is returned lets traffic in again when it goes out of scope, also after
-- an error and an interrupt: a shield is what cancellation does not reach.
local function cordoned(id)
  fly.machines.cordon { app = app, id = { id } }
  return setmetatable({}, { __close = function()
    task.shield(fly.machines.uncordon, { app = app, id = { id } })
  end })
end

local function recycle(machine)
  local _ <close> = cordoned(machine.id)
  fly.machines.restart { app = app, id = { machine.id } } -- waits until it runs
  print(("%s in %s runs again"):format(machine.id, machine.region))
end

local machines = fly.machines.list { app = app }
table.sort(machines, function(a, b)
  return a.id < b.id
end)
local count = 0
for _, machine in ipairs(machines) do
  if machine.state == "started" then
    recycle(machine)
    count = count + 1
  end
end
print(("%d of %d machines recycled"):format(count, #machines))
