-- What costs without serving: machines that do not run, volumes no machine has.
--   clanker run examples/idle.lua [ORG]

local fly = require "clanker.fly"
local task = require "clanker.task"

local org = ...

-- Both lists are fetched at once; each reaches every page and organization.
local machines, volumes = table.unpack(task.all {
  function()
    return fly.machines.list { org = org }
  end,
  function()
    return fly.volumes.list { org = org }
  end,
})

local function by(field, other)
  return function(a, b)
    if a[field] ~= b[field] then
      return a[field] < b[field]
    end
    return a[other] < b[other]
  end
end

local idle, gigabytes = 0, 0
table.sort(machines, by("app_name", "id"))
for _, machine in ipairs(machines) do
  if machine.state == "stopped" or machine.state == "suspended" then
    idle = idle + 1
    print(("%s\t%s\t%s\t%s"):format(machine.app_name, machine.id, machine.region, machine.state))
  end
end
table.sort(volumes, by("app_name", "id"))
for _, volume in ipairs(volumes) do
  if not volume.attached_machine_id then
    gigabytes = gigabytes + volume.size_gb
    print(("%s\t%s\t%s\t%d GB"):format(volume.app_name, volume.id, volume.region, volume.size_gb))
  end
end
print(("%d idle machines, %d GB in unattached volumes"):format(idle, gigabytes))
