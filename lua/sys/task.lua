--- Tasks: straight-line code that waits without blocking others.
--- Every function that waits must run in a task; a cancelled wait raises.

local host = require "host.task"

local M = {}

---@class task.Task
---@field join async fun(self, timeout?: number): boolean|nil, any, any
---@field await async fun(self): any
---@field cancel fun(self)
---@field is_done fun(self): boolean
---@field notify fun(self, event: task.Event)

--- Starts a task. It is a child of the running one: when that ends first, its
--- children are cancelled; a failure nobody joined becomes the parent's.
---@type fun(fn: function, ...): task.Task
M.spawn = host.spawn

--- Waits for some seconds.
---@async
---@type fun(seconds: number)
M.sleep = host.sleep

--- Seconds on a clock that only goes forward.
---@type fun(): number
M.now = host.now

--- Calls a function that cancellation does not reach, for clean-up that waits.
---@async
---@type fun(fn: function, ...): any
M.shield = host.shield

--- `local _ <close> = task.defer(fn)`: the block's way out, whichever it takes,
--- calls fn, shielded. Unlike a `__close` in Lua it cannot be interrupted before
--- it begins; what it gives back is acquired after it, inside a shield.
---@type fun(fn: async fun()): any
M.defer = host.defer

--- `note(e, trace)`: the error `e` comes from elsewhere, with a traceback that
--- ends by saying from where; should it end the running task, both are told.
---@type fun(e: any, trace: string)
M.note = host.note

--- A new event: `wait(timeout?)` → whether it was set, `set()`, `clear()`,
--- `is_set()`.
M.event = host.event

local canceled = host.canceled()

--- Whether an error value is that of a cancelled wait.
---@param e any
---@return boolean
function M.is_canceled(e)
  return rawequal(e, canceled)
end

--- Raises the canceled error, for code that noticed by other means.
function M.raise_canceled()
  error(canceled, 0)
end

--- Whether the running task was cancelled, so that its next wait raises: code
--- that catches errors must not go on then. False under a shield.
---@type fun(): boolean
M.is_canceling = host.is_canceling

--- Whether a signal has asked the process to end.
---@type fun(): boolean
M.is_interrupted = host.is_interrupted

--- Tells that a coroutine goes on within the running task, so that an interrupt
--- stops that one. Whatever resumes coroutines tells it, before and afterwards.
---@type fun(co: thread)
M.follow = host.follow

-- Misuse is told at the line of whoever called the function `name` here.
local function check_type(value, expected, position, name)
  if type(value) ~= expected then
    error(("bad argument #%d to '%s' (%s expected, got %s)"):format(
      position, name, expected, type(value)), 3)
  end
end

local function check_functions(list, name)
  for i, fn in ipairs(list) do
    if type(fn) ~= "function" then
      error(("bad argument #1 to '%s' (a list of functions expected, item %d is a %s)"):format(
        name, i, type(fn)), 3)
    end
  end
end

local function check_limit(limit)
  if math.type(limit) ~= "integer" or limit < 1 then
    error("a limit is an integer from 1", 3)
  end
end

--- Waits until one of `tasks` failed or all are done; the failed one, or nil.
---@async
local function first_failure(tasks, ended)
  while true do
    local running = false
    for _, t in ipairs(tasks) do
      if not t:is_done() then
        running = true
      elseif not t:join() then
        return t
      end
    end
    if not running then
      return nil
    end
    ended:wait()
    ended:clear()
  end
end

--- Cancels what still runs of `tasks` and waits for its end.
---@async
local function stop_all(tasks)
  for _, t in ipairs(tasks) do
    t:cancel()
  end
  for _, t in ipairs(tasks) do
    t:join()
  end
end

-- Ends with the block it is a variable of, and so do the tasks in it: what the
-- block's caller closes next (a client, a file) is theirs until then.
local Block = {
  __close = function(tasks)
    for _, t in ipairs(tasks) do
      if not t:is_done() then
        return M.shield(stop_all, tasks)
      end
    end
  end,
}

local function spawn_all(count, ended, fn)
  local tasks = setmetatable({}, Block)
  for i = 1, count do
    tasks[i] = M.spawn(fn, i)
    tasks[i]:notify(ended)
  end
  return tasks
end

--- Runs `fn(item, index)` for every item, at most `limit` at a time, and gives
--- the results in the items' order. The first error cancels the rest and is
--- raised here.
---@async
---@param list any[]
---@param limit integer
---@param fn fun(item: any, index: integer): any
---@return any[]
function M.map(list, limit, fn)
  check_type(list, "table", 1, "map")
  check_limit(limit)
  check_type(fn, "function", 3, "map")
  local results, next_index, count = {}, 1, #list
  local ended = M.event()
  local workers <close> = spawn_all(math.min(limit, count), ended, function()
    while next_index <= count do
      local i = next_index
      next_index = i + 1
      results[i] = fn(list[i], i)
    end
  end)
  local failed = first_failure(workers, ended)
  if failed then
    stop_all(workers)
    failed:await()
  end
  return results
end

--- Runs all functions at once; their first results in order. The first error
--- cancels the others and is raised here.
---@async
---@param list function[]
---@return any[]
function M.all(list)
  check_type(list, "table", 1, "all")
  check_functions(list, "all")
  return M.map(list, math.max(#list, 1), function(fn)
    return fn()
  end)
end

--- Runs all functions at once; the results of the first that ends (or its
--- error). The others are cancelled.
---@async
---@param list function[]
---@return any ...
function M.race(list)
  check_type(list, "table", 1, "race")
  check_functions(list, "race")
  if #list == 0 then
    error("race needs at least one function", 2)
  end
  local ended = M.event()
  local tasks <close> = spawn_all(#list, ended, function(i)
    return list[i]()
  end)
  ended:wait()
  local first
  for _, t in ipairs(tasks) do
    if t:is_done() then
      first = t
      break
    end
  end
  stop_all(tasks)
  return first:await()
end

local function timeout_result(seconds, t, ok)
  if ok == nil then
    t:cancel()
    t:join()
    local err = require "base.err" -- only here: tasks are part of every start
    return nil, err.new({
      kind = "timeout", code = "ETIMEDOUT",
      message = ("no answer within %g s"):format(seconds),
    })
  end
  return t:await()
end

--- Calls a function with a time limit.
---@async
---@param seconds number
---@param fn function
---@param ... any
---@return any ... its results, or nil and an error of kind timeout
function M.timeout(seconds, fn, ...)
  check_type(seconds, "number", 1, "timeout")
  check_type(fn, "function", 2, "timeout")
  if seconds < 0 or seconds ~= seconds then
    error("bad argument #1 to 'timeout' (a timeout is not negative)", 2)
  end
  local t = M.spawn(fn, ...)
  local _ <close> = setmetatable({ t }, Block)
  return timeout_result(seconds, t, t:join(seconds))
end

---@class task.Semaphore
local Semaphore = {}
Semaphore.__index = Semaphore

--- Takes one of the places, waiting for it in turn.
---@async
function Semaphore:acquire()
  if self.free > 0 and self.first > self.last then
    self.free = self.free - 1
    return
  end
  local turn = { event = M.event() }
  self.last = self.last + 1
  self.queue[self.last] = turn
  local _ <close> = setmetatable({}, { __close = function(_, e)
    if e == nil then
      return
    elseif turn.granted then
      self:release()
    else
      turn.gone = true
    end
  end })
  turn.event:wait()
end

--- Gives a place back.
function Semaphore:release()
  while self.first <= self.last do
    local turn = self.queue[self.first]
    self.queue[self.first] = nil
    self.first = self.first + 1
    if not turn.gone then
      turn.granted = true
      turn.event:set()
      return
    end
  end
  if self.free >= self.size then
    error("release without acquire", 2)
  end
  self.free = self.free + 1
end

--- Calls a function while holding a place.
---@async
---@param fn function
---@return any ...
function Semaphore:with(fn, ...)
  self:acquire()
  local _ <close> = setmetatable({}, { __close = function()
    self:release()
  end })
  return fn(...)
end

--- `size` places that tasks take and give back.
---@param size integer
---@return task.Semaphore
function M.semaphore(size)
  check_limit(size)
  return setmetatable(
    { size = size, free = size, queue = {}, first = 1, last = 0 }, Semaphore)
end

---@class task.Queue
local Queue = {}
Queue.__index = Queue

--- Puts a value, waiting while the queue is full. Returns false once closed.
---@async
---@param value any not nil
---@return boolean
function Queue:put(value)
  if value == nil then
    error("a queue holds no nil", 2)
  end
  while self.count >= self.max and not self.closed do
    self.room:clear()
    self.room:wait()
  end
  if self.closed then
    return false
  end
  self.tail = self.tail + 1
  self.items[self.tail] = value
  self.count = self.count + 1
  self.filled:set()
  return true
end

--- Takes the oldest value, waiting for one; nil when closed and empty.
---@async
---@return any
function Queue:get()
  while self.count == 0 and not self.closed do
    self.filled:clear()
    self.filled:wait()
  end
  if self.count == 0 then
    return nil
  end
  local value = self.items[self.head]
  self.items[self.head] = nil
  self.head = self.head + 1
  self.count = self.count - 1
  self.room:set()
  return value
end

--- No more values: waiting takers get nil once it is empty.
function Queue:close()
  self.closed = true
  self.filled:set()
  self.room:set()
end

--- A queue of at most `max` values between tasks.
---@param max integer
---@return task.Queue
function M.queue(max)
  check_limit(max)
  return setmetatable({
    max = max, items = {}, head = 1, tail = 0, count = 0, closed = false,
    room = M.event(), filled = M.event(),
  }, Queue)
end

return M
