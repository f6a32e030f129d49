local child_process = require "kit.child"
local fs = require "sys.fs"
local host = require "host.rate"
local process = require "sys.process"
local rate = require "sys.rate"
local t = require "kit"
local task = require "sys.task"

-- 50 a second and a burst of 2: intervals long enough to see, short to wait.
local RATE, BURST = 50, 2

local function drain(limiter, key)
  for _ = 1, BURST do
    t.ok(limiter:acquire(key, RATE, BURST))
  end
end

--- Whether it is what was asked for, less the time since `start`, on a machine
--- that may be busy with something else.
local function check_wait(wait, seconds, start)
  local most = seconds * 1.002 + 0.0001
  t.ok(wait <= most and wait >= seconds - (task.now() - start), wait)
end

t.test("a burst passes at once and the next one waits", function()
  local limiter <close> = t.ok(host.open(nil, 0))
  t.eq(limiter:delay("a", 0.1, 2), 0.0)
  local start = task.now()
  t.ok(limiter:acquire("a", 0.1, 2))
  t.ok(limiter:acquire("a", 0.1, 2))
  check_wait(limiter:delay("a", 0.1, 2), 10, start)
  t.eq(limiter:delay("b", 0.1, 2), 0.0, "another key is another bucket")
  local waiting = task.spawn(function()
    return limiter:acquire("a", 0.1, 2)
  end)
  task.sleep(0)
  limiter:skip(5)
  t.eq(waiting:join(0.01), nil)
  limiter:skip(5)
  t.eq(waiting:await(), true)
end)

t.test("the room for jitter is half a second unless said otherwise", function()
  local limiter <close> = t.ok(rate.open())
  local start = task.now()
  for _ = 1, 3 do
    t.eq(limiter:delay("a", 1, 3), 0.0)
    t.ok(limiter:acquire("a", 1, 3))
  end
  check_wait(limiter:delay("a", 1, 3), 1.5, start)
end)

t.test("several tokens can be taken at once", function()
  local limiter <close> = t.ok(rate.open(nil, { jitter = 0 }))
  local start = task.now()
  t.ok(limiter:acquire("a", RATE, 5, 5))
  check_wait(limiter:delay("a", RATE, 5, 3), 0.06, start)
end)

t.test("waiters are served in the order they came", function()
  local limiter <close> = t.ok(rate.open(nil, { jitter = 0 }))
  drain(limiter, "a")
  local order, tasks = {}, {}
  for i = 1, 6 do
    tasks[i] = task.spawn(function()
      -- The third asks for two: those behind it must not overtake.
      limiter:acquire("a", RATE, BURST, i == 3 and 2 or 1)
      order[#order + 1] = i
    end)
  end
  for _, waiting in ipairs(tasks) do
    waiting:await()
  end
  t.eq(order, { 1, 2, 3, 4, 5, 6 })
end)

t.test("a hundred waiters take as long as the limit says", function()
  local limiter <close> = t.ok(rate.open(nil, { jitter = 0 }))
  local start, items = task.now(), {}
  for i = 1, 100 do
    items[i] = i
  end
  task.map(items, 100, function()
    t.ok(limiter:acquire("a", 200, 10))
  end)
  t.ok(task.now() - start >= 90 / 200, task.now() - start)
end)

t.test("who is cancelled leaves the queue and takes nothing", function()
  local limiter <close> = t.ok(rate.open(nil, { jitter = 0 }))
  t.ok(limiter:acquire("a", 5, BURST, BURST))
  local served = {}
  local function waiter(name)
    return task.spawn(function()
      limiter:acquire("a", 5, BURST)
      served[#served + 1] = name
    end)
  end
  local first, second, third = waiter("first"), waiter("second"), waiter("third")
  task.sleep(0)
  first:cancel()
  second:cancel()
  third:await()
  t.eq(served, { "third" })
  local ok, e = first:join()
  t.ok(ok == false and task.is_canceled(e))
  second:join()
end)

t.test("a waiter that is cancelled last leaves no timer behind", function()
  local limiter <close> = t.ok(rate.open(nil, { jitter = 0 }))
  limiter:penalize("a", 60)
  local waiting = task.spawn(function()
    limiter:acquire("a", RATE, BURST)
  end)
  task.sleep(0)
  waiting:cancel()
  waiting:join()
end)

t.test("a penalty holds everyone back and the longer one counts", function()
  local limiter <close> = t.ok(rate.open(nil, { jitter = 0 }))
  local start = task.now()
  limiter:penalize("a", 0.05)
  limiter:penalize("a", 0.01)
  local wait = limiter:delay("a", RATE, BURST)
  check_wait(wait, 0.05, start)
  start = task.now()
  t.ok(limiter:acquire("a", RATE, BURST))
  t.ok(task.now() - start >= wait - 0.001)
  limiter:penalize("b", 1e9)
  t.ok(limiter:delay("b", RATE, BURST) <= 3600.1)
end)

t.test("a penalty also holds back who already waits", function()
  local limiter <close> = t.ok(rate.open(nil, { jitter = 0 }))
  drain(limiter, "a")
  local start = task.now()
  local waiting = task.spawn(function()
    limiter:acquire("a", RATE, BURST)
    return task.now() - start
  end)
  task.sleep(0)
  limiter:penalize("a", 0.08)
  t.ok(waiting:await() >= 0.079)
end)

t.test("closing ends the waits with an error", function()
  local limiter = t.ok(rate.open(nil, { jitter = 0 }))
  limiter:penalize("a", 60)
  limiter:penalize("b", 60)
  local waiting = {}
  for i = 1, 4 do
    waiting[i] = task.spawn(function()
      return limiter:acquire(i % 2 == 0 and "a" or "b", RATE, BURST)
    end)
  end
  task.sleep(0)
  limiter:close()
  limiter:close()
  for i = 1, 4 do
    t.err(waiting[i]:await(), select(2, waiting[i]:await()), "canceled")
  end
  t.raises(function()
    limiter:delay("a", RATE, BURST)
  end, "the limiter is closed")
  t.raises(function()
    limiter:acquire("a", RATE, BURST)
  end, "the limiter is closed")
  t.raises(function()
    limiter:penalize("a", 1)
  end, "the limiter is closed")
end)

t.test("a limiter is kept while a task waits for it", function()
  local waiting
  do
    local limiter = t.ok(rate.open(nil, { jitter = 0 }))
    drain(limiter, "a")
    waiting = task.spawn(function(l)
      return l:acquire("a", RATE, BURST)
    end, limiter)
  end
  task.sleep(0)
  collectgarbage()
  collectgarbage()
  t.eq(waiting:await(), true)
end)

t.test("wrong arguments are refused", function()
  local limiter <close> = t.ok(rate.open())
  local wrong = { { 0, 3 }, { -1, 3 }, { 1, 0 }, { 0 / 0, 3 }, { 1e9, 3 }, { 1, 1000000 } }
  for _, limit in ipairs(wrong) do
    t.raises(function()
      limiter:acquire("a", limit[1], limit[2])
    end, "a rate and burst within range")
  end
  t.raises(function()
    limiter:acquire("a", 1, 3, 4)
  end, "1 to burst tokens")
  t.raises(function()
    limiter:acquire("a", 1, 3, 0)
  end, "1 to burst tokens")
  t.raises(function()
    limiter:penalize("a", -1)
  end, "a number of seconds")
  t.raises(function()
    host.open(nil, 6)
  end, "0 to 5 seconds")
end)

t.test("two limiters on one file share its buckets", function()
  local path = t.tmpdir() .. "/limits"
  local a <close> = t.ok(rate.open(path, { jitter = 0 }))
  local b <close> = t.ok(rate.open(path, { jitter = 0 }))
  t.ok(a:acquire("k", 0.1, 2))
  t.ok(b:acquire("k", 0.1, 2))
  t.ok(a:delay("k", 0.1, 2) > 0)
  b:penalize("k", 100)
  t.ok(a:delay("k", 0.1, 2) > 50)
end)

t.test("a file that cannot be had says why", function()
  local dir = t.tmpdir()
  t.err(rate.open(dir .. "/no/such"), select(2, rate.open(dir .. "/no/such")), "ENOENT")
  t.err(rate.open(dir), select(2, rate.open(dir)), "EISDIR")
  local path = dir .. "/letter"
  local file = t.ok(io.open(path, "w"))
  file:write("dear grandmother")
  file:close()
  local limiter, e = rate.open(path)
  t.err(limiter, e, "EINVAL")
  t.has(e.message, path)
  t.has(e.message, "not a file of rate limits")
  t.eq(t.read_file(path), "dear grandmother")
end)

t.test("a file that others decide on is refused", function()
  local path = t.tmpdir() .. "/limits"
  local function refused(code)
    local limiter, e = rate.open(path)
    t.err(limiter, e, code)
    t.has(e.message, path)
  end
  local function run(...)
    t.eq(t.ok(process.run { argv = { ... }, inherit = { "PATH" } }).code, 0)
  end
  run("ln", "-s", "/nonexistent", path)
  refused("ELOOP")
  run("rm", path)
  run("mkfifo", path)
  refused("EINVAL")
  run("rm", path)
  path = "/dev/null/limits"
  refused("ENOTDIR")
  if t.ok(fs.stat(t.tmpdir())).uid == 0 then
    path = t.tmpdir() .. "/limits"
    t.ok(rate.open(path)):close()
    run("chown", "12345", path)
    refused("EPERM")
  end
end)

t.test("a file that another process does not finish setting up is EBUSY", function()
  local path = t.tmpdir() .. "/limits"
  t.ok(fs.write(path, "")) -- to be replaced, for which its lock is needed
  local lock <close> = t.ok(fs.lock(path))
  local limiter, e = rate.open(path)
  t.err(limiter, e, "EBUSY")
  lock:release()
  limiter = t.ok(rate.open(path))
  limiter:close()
end)

t.test("without a free descriptor a file is EMFILE, and a process's own limits work", function()
  if not process.which("prlimit") then
    t.skip("prlimit is not installed")
  end
  child_process.test({}, ([[
    local rate = require "sys.rate"
    local held = {}
    for file in function()
      return (io.open("/dev/null"))
    end do
      held[#held + 1] = file
    end
    t.err(nil, select(2, rate.open(%q)), "EMFILE")
    local own <close> = t.ok(rate.open())
    t.ok(own:acquire("a", 1, 1))
    for _, file in ipairs(held) do
      file:close()
    end
  ]]):format(t.tmpdir() .. "/limits"), { "prlimit", "--nofile=64" })
end)

t.test("a directory that may not be entered is EACCES", function()
  local dir, as_user = t.tmpdir(), nil
  if t.ok(fs.stat(dir)).uid == 0 then -- root enters, unless these are taken away
    as_user = { "setpriv", "--bounding-set=-dac_override,-dac_read_search" }
    local able = process.run { argv = { as_user[1], as_user[2], "true" }, inherit = { "PATH" } }
    if not able or able.code ~= 0 then
      t.skip("this root may not give up its rights")
    end
  end
  t.ok(fs.mkdir(dir .. "/closed", 0))
  child_process.test({}, ([[
    local rate = require "sys.rate"
    local path = %q
    local limiter, e = rate.open(path)
    t.err(limiter, e, "EACCES")
    t.has(e.message, path)
  ]]):format(dir .. "/closed/limits"), as_user)
end)

t.test("a limiter that is dropped is closed by the collector", function()
  local function open_files()
    collectgarbage()
    collectgarbage()
    return #t.ok(fs.list("/proc/self/fd"))
  end
  local path, before = t.tmpdir() .. "/limits", open_files()
  local limiter = t.ok(rate.open(path, { jitter = 0 }))
  limiter:penalize("a", 60)
  local waiting = task.spawn(function()
    limiter:acquire("a", RATE, BURST)
  end)
  task.sleep(0)
  limiter = nil
  t.ok(open_files() > before, "who waits keeps it")
  waiting:cancel()
  waiting:join()
  waiting = nil
  t.eq(open_files(), before)
end)

-- Starts a process that takes `count` tokens; notes when it asked for each and
-- had it: in between it was granted.
local function start_child(path, count)
  local child = { grants = {} }
  child.process = t.ok(process.spawn {
    argv = { t.binary(), "-l", "tests/host/rate_child.lua", path, tostring(count) },
    inherit = { "CLANKER_LUA", "CLANKER_BINARY" },
  })
  child.task = task.spawn(function()
    local rest = ""
    while true do
      local stream, chunk = child.process:read()
      if not stream then
        return
      end
      rest = rest .. chunk
      child.ready = child.ready or rest:find("ready\n", 1, true)
      for asked, got in rest:gmatch("got ([%d.]+) ([%d.]+)\n") do
        table.insert(child.grants, { asked = tonumber(asked), got = tonumber(got) })
      end
      rest = rest:match("[^\n]*$")
    end
  end)
  return child
end

-- Lets children begin, all at once.
local function go(path, children)
  t.eventually(function()
    for _, child in ipairs(children) do
      if not child.ready then
        return false
      end
    end
    return true
  end, 30)
  t.ok(io.open(path .. ".go", "w")):close()
end

local function finish(child)
  child.task:join()
  local outcome = child.process:wait()
  child.process:close()
  return outcome
end

-- In no window there are more grants than a burst and what refills meanwhile;
-- those that may lie outside are not counted.
local function check_windows(grants, rate_, burst)
  table.sort(grants, function(a, b)
    return a.got < b.got
  end)
  for _, first in ipairs(grants) do
    local count = 0
    for _, grant in ipairs(grants) do
      if grant.asked >= first.asked then
        count = count + 1
        local seconds = grant.got - first.asked
        t.ok(count <= burst + rate_ * seconds + 0.001,
          ("%d tokens in %.6f s"):format(count, seconds))
      end
    end
  end
end

t.test("processes that wait for one bucket share it and never exceed it", function()
  local path = t.tmpdir() .. "/limits"
  local children = { start_child(path, 60), start_child(path, 60), start_child(path, 60) }
  go(path, children)
  local grants = {}
  for _, child in ipairs(children) do
    finish(child)
    t.eq(#child.grants, 60)
    table.move(child.grants, 1, 60, #grants + 1, grants)
  end
  check_windows(grants, 100, 5)
  -- Nobody is starved: while all three run, each gets its turn.
  local first_end, fewest = math.huge, 60
  for _, child in ipairs(children) do
    first_end = math.min(first_end, child.grants[60].got)
  end
  for _, child in ipairs(children) do
    local got = 0
    for _, grant in ipairs(child.grants) do
      got = got + (grant.got <= first_end and 1 or 0)
    end
    fewest = math.min(fewest, got)
  end
  t.ok(fewest >= 10, fewest)
end)

t.test("a killed process blocks nobody who waits for the same bucket", function()
  local path = t.tmpdir() .. "/limits"
  local victim = start_child(path, 100000)
  local witness = start_child(path, 50)
  go(path, { victim, witness })
  t.eventually(function()
    return #victim.grants > 5 and #witness.grants > 5
  end)
  victim.process:kill("SIGKILL")
  t.eq(finish(victim).signal, "SIGKILL")
  finish(witness)
  t.eq(#witness.grants, 50)
  check_windows(table.move(victim.grants, 1, #victim.grants, 51, witness.grants), 100, 5)
  local limiter <close> = t.ok(rate.open(path, { jitter = 0 }))
  t.ok(limiter:delay("shared", 100, 5) <= 0.0101)
end)
