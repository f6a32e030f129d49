local t = require "kit"
local host = require "host.rate"
local process = require "sys.process"
local rate = require "sys.rate"
local task = require "sys.task"

-- 50 a second and a burst of 2: intervals long enough to see, short to wait.
local RATE, BURST = 50, 2

local function drain(limiter, key)
  for _ = 1, BURST do
    t.ok(limiter:acquire(key, RATE, BURST))
  end
end

t.test("a burst passes at once and the next one waits", function()
  local limiter <close> = t.ok(rate.open(nil, { jitter = 0 }))
  t.eq(limiter:delay("a", RATE, BURST), 0.0)
  drain(limiter, "a")
  local wait = limiter:delay("a", RATE, BURST)
  t.ok(wait > 0 and wait <= 0.0201, wait)
  t.eq(limiter:delay("b", RATE, BURST), 0.0, "another key is another bucket")
  local start = task.now()
  t.ok(limiter:acquire("a", RATE, BURST))
  t.ok(task.now() - start >= wait - 0.001, task.now() - start)
end)

t.test("the room for jitter is half a second unless said otherwise", function()
  local limiter <close> = t.ok(rate.open())
  for _ = 1, 3 do
    t.eq(limiter:delay("a", 1, 3), 0.0)
    t.ok(limiter:acquire("a", 1, 3))
  end
  local wait = limiter:delay("a", 1, 3)
  t.ok(wait > 1.4 and wait < 1.51, wait)
end)

t.test("several tokens can be taken at once", function()
  local limiter <close> = t.ok(rate.open(nil, { jitter = 0 }))
  t.ok(limiter:acquire("a", RATE, 5, 5))
  local wait = limiter:delay("a", RATE, 5, 3)
  t.ok(wait > 0.04 and wait <= 0.0601, wait)
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
  drain(limiter, "a")
  local served = {}
  local function waiter(name)
    return task.spawn(function()
      limiter:acquire("a", RATE, BURST)
      served[#served + 1] = name
    end)
  end
  local first, second, third = waiter("first"), waiter("second"), waiter("third")
  task.sleep(0)
  first:cancel()
  second:cancel()
  local start = task.now()
  third:await()
  t.eq(served, { "third" })
  t.ok(task.now() - start < 1)
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
  limiter:penalize("a", 0.05)
  limiter:penalize("a", 0.01)
  local wait = limiter:delay("a", RATE, BURST)
  t.ok(wait > 0.03 and wait <= 0.0501, wait)
  local start = task.now()
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
  t.ok(a:acquire("k", RATE, BURST))
  t.ok(b:acquire("k", RATE, BURST))
  t.ok(a:delay("k", RATE, BURST) > 0)
  b:penalize("k", 10)
  t.ok(a:delay("k", RATE, BURST) > 9)
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

-- Starts a process that takes `count` tokens; notes when it got them.
local function start_child(path, count)
  local child = { times = {} }
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
      for time in rest:gmatch("got ([%d.]+)\n") do
        child.times[#child.times + 1] = tonumber(time)
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

t.test("processes that wait for one bucket share it and never exceed it", function()
  local path = t.tmpdir() .. "/limits"
  local children = { start_child(path, 60), start_child(path, 60), start_child(path, 60) }
  go(path, children)
  local times = {}
  for _, child in ipairs(children) do
    finish(child)
    t.eq(#child.times, 60)
    table.move(child.times, 1, 60, #times + 1, times)
  end
  table.sort(times)
  local seconds = times[#times] - times[1]
  t.ok(#times <= 5 + 100 * seconds + 1, ("%d tokens in %.3f s"):format(#times, seconds))
  -- Nobody is starved: while all three run, each gets its turn.
  local first_end, fewest = math.huge, 60
  for _, child in ipairs(children) do
    first_end = math.min(first_end, child.times[60])
  end
  for _, child in ipairs(children) do
    local got = 0
    for _, time in ipairs(child.times) do
      got = got + (time <= first_end and 1 or 0)
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
    return #victim.times > 5 and #witness.times > 5
  end)
  victim.process:kill("SIGKILL")
  t.eq(finish(victim).signal, "SIGKILL")
  finish(witness)
  t.eq(#witness.times, 50)
  local limiter <close> = t.ok(rate.open(path, { jitter = 0 }))
  t.ok(limiter:delay("shared", 100, 5) <= 0.0101)
end)
