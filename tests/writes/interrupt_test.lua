-- The real program, interrupted in the middle of a change.

local process = require "sys.process"
local sim = require "sim"
local t = require "kit"
local task = require "sys.task"
local tbl = require "base.tbl"

-- Everything it writes to stderr from now on.
local function rest_of(child)
  local said = {}
  for stream, chunk in child.read, child do
    said[#said + 1] = stream == "stderr" and chunk or nil
  end
  return table.concat(said)
end

-- Runs a command against a slow account, interrupts it when `when` holds; what
-- it said.
local function interrupted(words, when)
  local running = assert(sim.start({
    limits = false, seed = tbl.merge(require "sim.seeds.demo", { pace = 100 }),
  }))
  t.cleanup(running.stop)
  local account, asked = running.account, {}
  local world, handle = account.world, account.handle
  function account:handle(req)
    asked[#asked + 1] = req.target
    return handle(self, req)
  end
  local argv = { t.binary(), "fly" }
  table.move(words, 1, #words, #argv + 1, argv)
  local child <close> = assert(process.spawn({
    argv = argv, inherit = { "CLANKER_LUA", "ASAN_OPTIONS" },
    env = { HOME = t.tmpdir(), FLY_API_HOSTNAME = running.url,
      FLY_API_BASE_URL = running.url, FLY_API_TOKEN = running.token },
  }))
  t.eventually(function()
    return when(world, asked)
  end, 60)
  local started = task.now()
  assert(child:kill("SIGINT"))
  local said = rest_of(child)
  local result = child:wait()
  t.eq(result.code, 130, said)
  t.ok(task.now() - started < 5, "it took too long to end")
  for _, machine in ipairs(world:list("machine")) do
    t.eq(machine.lease, nil, machine.id .. " is still leased")
  end
  return said
end

local function any(world, test)
  return tbl.find(world:list("machine"), test)
end

t.test("interrupted while it waits, a restart gives its leases back", function()
  interrupted({ "restart", "app", "my-app", "--parallel", "5" }, function(world)
    return #tbl.filter(world:list("machine"), function(machine)
      return machine.state == "restarting" and machine.lease ~= nil
    end) == 2
  end)
end)

t.test("interrupted as soon as a lease is there, it is given back", function()
  interrupted({ "stop", "--all", "--app", "my-app" }, function(world)
    return any(world, function(machine)
      return machine.lease ~= nil
    end)
  end)
end)

t.test("an update interrupted gives its lease back", function()
  interrupted({ "machines", "update", "585189504ea5e3", "--app", "my-app", "--memory",
    "1024" }, function(world)
    return any(world, function(machine)
      return machine.state == "replacing"
    end)
  end)
end)

t.test("interrupted after a change was asked for, it says so", function()
  t.match(interrupted({ "stop", "585189504ea5e3", "--app", "my-app" }, function(world)
    return any(world, function(machine)
      return machine.state == "stopping"
    end)
  end), "interrupted: what was begun may be done all the same, look before you repeat it\n$")
end)

t.test("interrupted while something new is made, it names that", function()
  local id
  local said = interrupted({ "machines", "create", "--image", "nginx", "--name", "fresh",
    "--region", "iad", "--app", "my-app" }, function(world, asked)
    local machine = any(world, function(machine)
      return machine.name == "fresh"
    end)
    id = machine and machine.id
    return id and tbl.find(asked, function(target)
      return target:find("/" .. id, 1, true) -- the reply to its creation has come
    end)
  end)
  t.match(said, "interrupted: machine " .. id .. " is there already\n$")
end)
