--- One request serves all who ask at the same time; its result is kept a while.

local kept = require "fly.kept"
local t = require "kit"
local task = require "sys.task"

t.test("those who ask at the same time get one answer", function()
  local store, asked = kept.new(task, task.now), 0
  local values = task.map({ 1, 2, 3, 4 }, 4, function()
    return store:get("k", 60, function()
      asked = asked + 1
      task.sleep(0.005)
      return "value"
    end)
  end)
  t.eq(asked, 1)
  t.eq(values, { "value", "value", "value", "value" })
end)

t.test("a value is kept for its time, a failure is not kept", function()
  local clock, asked = 0, 0
  local store = kept.new(task, function() return clock end)
  local function get()
    return store:get("k", 10, function()
      asked = asked + 1
      if asked == 1 then
        return nil, "failed"
      end
      return asked
    end)
  end
  t.eq({ get() }, { nil, "failed" })
  t.eq(get(), 2)
  clock = 9
  t.eq(get(), 2)
  clock = 11
  t.eq(get(), 3)
  store:clear()
  t.eq(get(), 4)
end)

t.test("a failure is the failure of all who asked with it", function()
  local store = kept.new(task, task.now)
  local failures = 0
  task.map({ 1, 2, 3 }, 3, function()
    local _, e = store:get("k", 60, function()
      task.sleep(0.005)
      return nil, "no"
    end)
    failures = failures + (e == "no" and 1 or 0)
  end)
  t.eq(failures, 3)
end)

t.test("when the one who asks is cancelled, another one asks", function()
  local store, asked = kept.new(task, task.now), 0
  local function get()
    return store:get("k", 60, function()
      asked = asked + 1
      task.sleep(asked == 1 and 60 or 0)
      return asked
    end)
  end
  local first = task.spawn(get)
  task.sleep(0)
  local second = task.spawn(get)
  task.sleep(0)
  first:cancel()
  first:join()
  t.eq(second:await(), 2)
end)
