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

local function recycle(machine)
  -- Lets traffic in again on every way out, also after an error or Ctrl-C.
  local is_cordoned = false
  local _ <close> = task.defer(function()
    if is_cordoned then
      fly.machines.uncordon { app = app, id = machine.id }
    end
  end)
  task.shield(function() -- Ctrl-C waits until both are done
    fly.machines.cordon { app = app, id = machine.id }
    is_cordoned = true
  end)
  fly.machines.restart { app = app, id = machine.id } -- waits until it runs
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
