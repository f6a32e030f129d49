-- How scripts end: what an interrupt reaches, what it leaves done, and what of
-- it a script's own catching of errors sees.

local process = require "sys.process"
local support = require "script.support"
local t = require "kit"
local tbl = require "base.tbl"

--- Runs a script of this text, interrupts it once it printed "here", and returns
--- its exit code and what else it printed.
local function interrupted(text, options)
  local path = support.write(text)
  local command = support.command(path, {}, options)
  local child <close> = assert(process.spawn {
    argv = command.argv, cwd = command.cwd, timeout = 60, stdin = command.stdin,
    env = tbl.merge(require("sys.os").environ(), command.env),
  })
  local printed, asked = "", false
  while true do
    local stream, chunk = child:read()
    if not stream then
      break
    end
    printed = printed .. chunk
    if not asked and printed:find("here\n", 1, true) then
      asked = child:kill("SIGINT")
    end
  end
  return child:wait().code, (printed:gsub("here\n", "", 1))
end

local HEAD = [[
local task = require "clanker.task"
local function spin() while true do end end
io.stderr:write "here\n"
]]

t.test("one interrupt ends a script, whatever it does", function()
  for _, text in ipairs {
    "while true do pcall(task.sleep, 60) end",
    "while true do pcall(spin) end",
    "while true do xpcall(spin, print) end",
    "coroutine.wrap(spin)()",
    "while true do coroutine.resume(coroutine.create(spin)) end",
    "task.map({ 1, 2, 3 }, 3, spin)",
    "task.map({ 1, 2, 3 }, 3, function() while true do pcall(task.sleep, 60) end end)",
    "task.timeout(60, task.all, { function() task.map({ 1, 2 }, 2, task.sleep) end, spin })",
    "local q = task.queue(1)\ntask.spawn(function() while true do q:put(1) end end)\n"
      .. "while true do q:get() end",
  } do
    t.eq({ interrupted(HEAD .. text) }, { 130, "" }, text)
  end
end)

t.test("what was printed before an interrupt is written", function()
  for _, text in ipairs { "task.sleep(60)", "spin()" } do
    t.eq({ interrupted('print "kept"\n' .. HEAD .. text) }, { 130, "kept\n" }, text)
  end
  local code, printed = interrupted(HEAD .. [[
    local _ <close> = setmetatable({}, { __close = function() print "closed" end })
    task.map({ 1, 2 }, 2, function(i)
      local _ <close> = task.defer(function() task.sleep(i / 100) print("gave back", i) end)
      task.sleep(60)
    end)]])
  t.eq({ code, printed }, { 130, "gave back\t1\ngave back\t2\nclosed\n" })
end)

t.test("a reader that does not read holds up no interrupt", function()
  local path = support.write('io.stderr:write "here\\n"\nwhile true do print(("x"):rep(1000)) end')
  local result = assert(process.run {
    argv = { "/bin/sh", "-c", [[
      mkfifo "$2/out" && { sleep 60 < "$2/out" & }; reader=$!
      "$0" run "$1" > "$2/out" 2> "$2/err" & script=$!
      until grep -q here "$2/err"; do sleep 0.02; done
      sleep 0.1; kill -INT $script; wait $script; echo "code $?"; kill $reader]],
      t.binary(), path, t.tmpdir() },
    env = { HOME = t.tmpdir() }, inherit = { "PATH", "CLANKER_LUA", "ASAN_OPTIONS" },
    timeout = 30,
  })
  t.eq(result.stdout, "code 130\n")
end)

t.test("a time limit holds although errors are caught", function()
  local result = support.run [[
    local task = require "clanker.task"
    print(task.timeout(0.02, function()
      while true do pcall(task.sleep, 60) end
    end))
    print(task.timeout(0.02, task.timeout, 60, task.sleep, 60))
    print(task.timeout(60, task.timeout, 0.02, task.sleep, 60))
    print(task.timeout(0, function() return "no wait" end))
  ]]
  t.eq({ result.stdout, result.stderr },
    { ("nil\tno answer within 0.02 s\n"):rep(3) .. "no wait\n", "" })
end)

t.test("the cancellation of another task is an error like others", function()
  local result = support.run [[
    local task = require "clanker.task"
    local child = task.spawn(task.sleep, 60)
    task.sleep(0)
    child:cancel()
    print(pcall(child.await, child))
    print(xpcall(child.await, function(e) return task.is_canceled(e) end, child))
  ]]
  t.eq({ result.code, result.stdout }, { 0, "false\tcanceled\nfalse\ttrue\n" }, result.stderr)
end)

t.test("coroutines are Lua's own in all else", function()
  local result = support.run [[
    local function count(n) for i = 1, n do coroutine.yield(i) end return "done" end
    local next_one = coroutine.wrap(count)
    print(next_one(2), next_one(), next_one(), pcall(next_one))
    local function same(...) return select("#", ...), ... end
    print(coroutine.resume(coroutine.create(same), nil, 2))
    print(pcall(coroutine.wrap(function() error "text" end)))
    print(select(2, pcall(coroutine.wrap(function() error({ kind = "mine" }) end))).kind)
    print(pcall(coroutine.resume, 3))
    local closed
    pcall(coroutine.wrap(function()
      local _ <close> = setmetatable({}, { __close = function() closed = true end })
      error "x"
    end))
    print(closed)
    print(pcall(coroutine.wrap(function() require("clanker.task").sleep(0) end)))
  ]]
  t.match(result.stdout, "^1\t2\tdone\tfalse\t[^\n]*cannot resume dead coroutine\n"
    .. "true\t2\tnil\t2\nfalse\t[^\n]*script.lua:6: text\nmine\nfalse\tbad "
    .. "argument #1 to 'resume' %(coroutine expected%)\ntrue\n"
    .. "false\t[^\n]*cannot wait outside a task[^\n]*\n$")
end)

-- While one task restarts machines, under their leases, another ends the script.
t.test("an exit, an error and an interrupt give back the leases that tasks hold", function()
  for code, ending in pairs {
    [7] = "os.exit(7)", [1] = "error 'boom'", [130] = 'io.stderr:write "here\\n" task.sleep(60)',
  } do
    local env, running = support.account {
      limits = false, seed = tbl.merge(require "sim.seeds.demo", { pace = 100 }),
    }
    local ended, said = interrupted(([[
      local fly, task = require "clanker.fly", require "clanker.task"
      task.spawn(fly.machines.restart, { app = "my-app", all = true, parallel = 3 })
      while true do
        for _, machine in ipairs(fly.machines.list { app = "my-app" }) do
          if machine.state == "restarting" then
            %s
          end
        end
        task.sleep(0.01)
      end
    ]]):format(ending), { env = env })
    t.eq(ended, code, said)
    local machines = running.account.world:list("machine")
    t.ok(#machines > 0)
    for _, machine in ipairs(machines) do
      t.eq(machine.lease, nil, machine.id .. " is still leased")
    end
  end
end)
