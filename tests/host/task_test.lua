local t = require "kit"
local task = require "sys.task"

local function boom()
  error("boom")
end

t.test("a task's results come through join and await", function()
  local a = task.spawn(function(x, y)
    return x + y, "second"
  end, 1, 2)
  t.eq({ a:join() }, { true, 3, "second" })
  t.eq({ a:await() }, { 3, "second" }, "a second joiner gets the same")
  t.ok(a:is_done())
end)

t.test("a failed task gives its error and a traceback that names the line", function()
  local a = task.spawn(boom)
  local ok, e, trace = a:join()
  t.eq(ok, false)
  t.match(e, "task_test.lua:%d+: boom")
  t.match(trace, "task_test.lua:5")
end)

t.test("a traceback reaches through awaited tasks", function()
  local outer = task.spawn(function()
    local inner = task.spawn(boom)
    inner:await()
  end)
  local _, _, trace = outer:join()
  t.match(trace, "in a task awaited here")
  t.match(trace, "in function <tests/host/task_test.lua:4>")
end)

t.test("a traceback reaches through everything that runs tasks", function()
  local function f()
    return (task.timeout(5, function()
      local sem = task.semaphore(1)
      return sem:with(function()
        return task.race { function()
          return task.all { function()
            return task.map({ 1 }, 1, boom)
          end }
        end }
      end)
    end))
  end
  local _, e, trace = task.spawn(f):join()
  t.match(e, "task_test.lua:5: boom")
  local _, joints = trace:gsub("in a task awaited here", "")
  t.eq(joints, 4)
  for _, name in ipairs { "'sys.task.map'", "'sys.task.race'",
    "'sys.task.timeout'", "test.lua:" .. debug.getinfo(f).linedefined .. ">" } do
    t.has(trace, name)
  end
end)

t.test("a failure that nobody joined becomes the parent's", function()
  local parent = task.spawn(function()
    task.spawn(boom)
    task.sleep(0.005)
    return "fine"
  end)
  local ok, e = parent:join()
  t.eq(ok, false)
  t.match(e, "boom")
end)

t.test("the parent of a failed child fails with its error, not with results", function()
  for results = 0, 2 do
    local ok, e = task.spawn(function()
      task.spawn(boom)
      task.sleep(0)
      return table.unpack({ 1, 2 }, 1, results)
    end):join()
    t.eq(ok, false)
    t.match(e, "boom")
  end
end)

t.test("a failure that was joined later is not the parent's", function()
  local parent = task.spawn(function()
    local child = task.spawn(boom)
    task.sleep(0.005)
    child:join()
    return "fine"
  end)
  t.eq({ parent:join() }, { true, "fine" })
end)

t.test("of several failures the first that nobody joined counts", function()
  local function failing(name)
    return task.spawn(error, name, 0)
  end
  for joined, expected in pairs { [0] = "one", "two", "one", "one" } do
    local ok, e = task.spawn(function()
      local all = { failing "one", failing "two", failing "three" }
      task.sleep(0)
      if all[joined] then
        all[joined]:join()
      end
    end):join()
    t.eq({ ok, e }, { false, expected }, "joined: " .. joined)
  end
  local ok, e = task.spawn(function()
    for i = 1, 200 do
      failing(i)
    end
    task.sleep(0)
  end):join()
  t.eq({ ok, e }, { false, 1 })
end)

t.test("a clean-up that fails after its parent's end is not lost", function()
  local grandparent = task.spawn(function()
    task.spawn(function()
      task.spawn(function()
        local _ <close> = setmetatable({}, { __close = boom })
        task.sleep(60)
      end)
      task.sleep(0)
      return "fine"
    end)
    task.sleep(0.01)
    return "fine"
  end)
  local ok, e, trace = grandparent:join()
  t.eq(ok, false)
  t.match(e, "task_test.lua:%d+: boom")
  t.match(trace, "task_test.lua:5")
end)

t.test("children of a task that ends are cancelled before it is done", function()
  local log = {}
  local parent = task.spawn(function()
    task.spawn(function()
      local _ <close> = setmetatable({}, { __close = function()
        log[#log + 1] = "child closed"
      end })
      task.sleep(60)
    end)
    task.sleep(0)
    return 1
  end)
  parent:await()
  t.eq(log, { "child closed" })
end)

t.test("cancel raises at the wait and at every later wait", function()
  local seen = {}
  local a = task.spawn(function()
    local ok, e = pcall(task.sleep, 60)
    seen[1] = { ok, task.is_canceled(e), tostring(e), e.code }
    local ok2, e2 = pcall(task.sleep, 0)
    seen[2] = { ok2, task.is_canceled(e2) }
  end)
  task.sleep(0)
  a:cancel()
  a:join()
  t.eq(seen, { { false, true, "canceled", "ECANCELED" }, { false, true } })
end)

t.test("a task cancelled before it started stops at its first wait", function()
  local ran, waited = false, false
  local a = task.spawn(function()
    ran = true
    task.sleep(0)
    waited = true
  end)
  a:cancel()
  local ok, e = a:join()
  t.eq({ ok, task.is_canceled(e), ran, waited }, { false, true, true, false })
end)

t.test("cancelling an ended task and cancelling twice do nothing", function()
  local a = task.spawn(function()
    return 7
  end)
  a:join()
  a:cancel()
  a:cancel()
  t.eq({ a:join() }, { true, 7 })
end)

t.test("a task can ask whether it was cancelled, which a shield hides", function()
  local seen
  local a = task.spawn(function()
    seen = { task.is_canceling() }
    pcall(task.sleep, 60)
    seen[2] = task.is_canceling()
    task.shield(function()
      seen[3] = task.is_canceling()
    end)
    seen[4] = task.is_canceling()
  end)
  task.sleep(0)
  a:cancel()
  a:join()
  t.eq(seen, { false, true, false, true })
end)

t.test("clean-up may wait under a shield while the task is cancelled", function()
  local released = false
  local a = task.spawn(function()
    local _ <close> = setmetatable({}, { __close = function()
      task.shield(function()
        task.sleep(0.005)
        released = true
      end)
    end })
    task.sleep(60)
  end)
  task.sleep(0)
  a:cancel()
  local ok, e = a:join()
  t.ok(not ok and task.is_canceled(e))
  t.ok(released, "the closer waited to its end")
end)

t.test("a cancellation during a shield is delivered after it", function()
  local reached
  local a = task.spawn(function()
    task.shield(function()
      task.sleep(0.01)
      reached = true
    end)
    task.sleep(0)
    reached = "too far"
  end)
  task.sleep(0)
  a:cancel()
  t.ok(task.is_canceled(select(2, a:join())))
  t.eq(reached, true)
end)

t.test("a join that takes too long says so, and the task goes on", function()
  local go = task.event()
  local a = task.spawn(function()
    go:wait()
    return "done"
  end)
  for _, seconds in ipairs { 0, 0.002 } do
    t.eq({ a:join(seconds) }, { nil, "timed out", "ETIMEDOUT" })
  end
  go:set()
  t.eq({ a:join(5) }, { true, "done" })
  t.eq({ a:join(0) }, { true, "done" }, "who has ended needs no time")
end)

t.test("what a waiting task alone holds is not collected", function()
  local event = task.event()
  local seen = setmetatable({ event }, { __mode = "v" })
  local waiting = task.spawn(function(ev)
    return ev:wait(60)
  end, event)
  event = nil
  task.sleep(0)
  collectgarbage()
  collectgarbage()
  t.ok(seen[1], "the event is alive")
  seen[1]:set()
  t.eq(waiting:await(), true)
end)

t.test("a shield passes errors and results through", function()
  t.eq({ task.shield(function(...)
    return ...
  end, 1, nil, 3) }, { 1, nil, 3 })
  t.raises(function()
    task.shield(boom)
  end, "boom")
end)

t.test("a timeout gives an error of kind timeout and cancels the call", function()
  local closed = false
  local v, e = task.timeout(0.01, function()
    local _ <close> = setmetatable({}, { __close = function()
      closed = true
    end })
    task.sleep(60)
  end)
  t.err(v, e, "timeout")
  t.ok(closed)
  t.eq({ task.timeout(5, function()
    return "in", "time"
  end) }, { "in", "time" })
end)

t.test("map keeps the order and never exceeds its limit", function()
  local running, most = 0, 0
  local out = task.map({ 5, 4, 3, 2, 1 }, 2, function(ms, i)
    running = running + 1
    most = math.max(most, running)
    task.sleep(ms / 1000)
    running = running - 1
    return i * 10
  end)
  t.eq(out, { 10, 20, 30, 40, 50 })
  t.eq(most, 2)
  t.eq(task.map({}, 3, boom), {})
end)

t.test("the first error of map cancels the rest and is raised", function()
  local finished = 0
  local ok, e = pcall(task.map, { 1, 2, 3, 4 }, 2, function(_, i)
    if i == 2 then
      error({ kind = "conflict" })
    end
    task.sleep(60)
    finished = finished + 1
  end)
  t.eq({ ok, e.kind, finished }, { false, "conflict", 0 })
end)

t.test("all runs together, race takes the first and cancels the others", function()
  t.eq(task.all {
    function()
      task.sleep(0.005)
      return "a"
    end,
    function()
      return "b"
    end,
  }, { "a", "b" })
  local lost
  t.eq(task.race {
    function()
      local _ <close> = setmetatable({}, { __close = function(_, e)
        lost = task.is_canceled(e)
      end })
      task.sleep(60)
    end,
    function()
      task.sleep(0.002)
      return "fast"
    end,
  }, "fast")
  t.eq(lost, true)
end)

t.test("a semaphore serves in turn, and a cancelled waiter gives its turn on", function()
  local sem, order = task.semaphore(1), {}
  sem:acquire()
  local function taker(name)
    return task.spawn(function()
      sem:with(function()
        order[#order + 1] = name
      end)
    end)
  end
  local a, b, c = taker "a", taker "b", taker "c"
  task.sleep(0)
  b:cancel()
  b:join()
  sem:release()
  a:join()
  c:join()
  t.eq(order, { "a", "c" })
  t.raises(function()
    sem:release()
  end, "release without acquire")
end)

t.test("a cancellation between grant and wake gives the place back", function()
  local sem = task.semaphore(1)
  sem:acquire()
  local a = task.spawn(function()
    sem:with(task.sleep, 60)
  end)
  task.sleep(0)
  sem:release()
  a:cancel()
  a:join()
  local got = task.timeout(1, function()
    sem:acquire()
    return true
  end)
  t.ok(got, "the place is free again")
  sem:release()
end)

t.test("a queue holds back a fast producer and ends when closed", function()
  local q, got, ahead, most = task.queue(2), {}, 0, 0
  local producer = task.spawn(function()
    for i = 1, 10 do
      q:put(i)
      ahead = ahead + 1
      most = math.max(most, ahead)
    end
    q:close()
  end)
  for v in function()
    return q:get()
  end do
    ahead = ahead - 1
    got[#got + 1] = v
    task.sleep(0)
  end
  producer:join()
  t.eq(got, { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 })
  t.ok(most <= 3, most)
  t.eq(q:put(1), false)
  t.raises(function()
    q:put(nil)
  end, "task_test.lua:%d+: a queue holds no nil")
end)

t.test("an event wakes all who wait, and times out", function()
  local ev, woken = task.event(), 0
  local waiters = {}
  for i = 1, 3 do
    waiters[i] = task.spawn(function()
      t.eq(ev:wait(), true)
      woken = woken + 1
    end)
  end
  task.sleep(0)
  t.eq(woken, 0)
  ev:set()
  for _, w in ipairs(waiters) do
    w:join()
  end
  t.eq(woken, 3)
  t.eq(ev:wait(0), true, "set already")
  ev:clear()
  t.eq(ev:is_set(), false)
  t.eq(ev:wait(0.002), false)
end)

t.test("waiting outside a task is a clear error", function()
  t.raises(function()
    local co = coroutine.wrap(function()
      task.sleep(0)
    end)
    co()
  end, "cannot wait outside a task")
  t.raises(function()
    table.sort({ 1, 2 }, function()
      task.sleep(0)
      return false
    end)
  end, "cannot wait outside a task")
end)

t.test("a task that yields by itself fails clearly", function()
  local a = task.spawn(function()
    coroutine.yield(1)
  end)
  local ok, e = a:join()
  t.eq(ok, false)
  t.match(e, "yielded outside a wait")
end)

t.test("misuse raises", function()
  t.raises(function()
    task.spawn(3)
  end, "function expected")
  t.raises(function()
    task.sleep(-1)
  end, "not negative")
  t.raises(function()
    task.map({}, 0, boom)
  end, "limit")
  t.raises(function()
    task.race({})
  end, "at least one")
  t.raises(function()
    task.map("list", 1, boom)
  end, "task_test.lua:%d+: bad argument #1 to 'map' %(table expected, got string")
  t.raises(function()
    task.map({ 1 }, 1)
  end, "task_test.lua:%d+: bad argument #3 to 'map' %(function expected, got nil")
  t.raises(function()
    task.all({ boom, 3 })
  end, "task_test.lua:%d+: bad argument #1 to 'all' .-item 2 is a number")
  t.raises(function()
    task.race(boom)
  end, "task_test.lua:%d+: bad argument #1 to 'race' %(table expected")
  for _, seconds in ipairs { -1, 0 / 0 } do
    t.raises(function()
      task.timeout(seconds, boom)
    end, "task_test.lua:%d+: bad argument #1 to 'timeout' .-not negative")
  end
  t.raises(function()
    task.timeout(1)
  end, "task_test.lua:%d+: bad argument #2 to 'timeout' %(function expected")
end)

t.test("a task that nobody holds is collected only after its end", function()
  local ran = false
  task.spawn(function()
    task.sleep(0.005)
    ran = true
  end)
  collectgarbage()
  collectgarbage()
  task.sleep(0.02)
  t.ok(ran)
end)

t.test("ten thousand sleeping tasks end", function()
  local n = 0
  for _ = 1, 10000 do
    task.spawn(function()
      task.sleep(0.001)
      n = n + 1
    end)
  end
  t.eventually(function()
    return n == 10000
  end, 20)
end)

t.test("what map, race and timeout run has ended when they are left", function()
  local function clean(log)
    local _ <close> = setmetatable({}, { __close = function()
      task.shield(task.sleep, 0.02)
      log[#log + 1] = "cleaned"
    end })
    task.sleep(60)
  end
  local ways = {
    function(log)
      task.map({ 1, 2 }, 2, function() clean(log) end)
    end,
    function(log)
      task.race({ function() clean(log) end, function() clean(log) end })
    end,
    function(log)
      task.timeout(60, clean, log)
    end,
  }
  for i, way in ipairs(ways) do
    local log = {}
    local outer = task.spawn(function()
      local _ <close> = setmetatable({}, { __close = function()
        log[#log + 1] = "left"
      end })
      way(log)
    end)
    task.sleep(0.01)
    outer:cancel()
    outer:join()
    t.eq(log[#log], "left", "way " .. i)
    t.eq(#log, i == 3 and 2 or 3, "way " .. i)
  end
end)
