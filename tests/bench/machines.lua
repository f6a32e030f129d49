--- `clanker run machines.lua ORG COUNT`: seconds that the list of an organization's
--- machines takes, once libcurl is loaded and the server was spoken to.

local fly = require "clanker.fly"
local task = require "clanker.task"

fly.regions.list()
local start = task.now()
local machines = fly.machines.list { org = arg[1] }
local seconds = task.now() - start
assert(#machines == tonumber(arg[2]), #machines)
print(("%.6f"):format(seconds))
