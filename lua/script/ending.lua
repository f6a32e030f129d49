--- How a script ends before its last line: by os.exit, or by an interrupt.
--- Replaces os.exit, and whatever could catch or outlast such an end: pcall,
--- xpcall, os.execute, coroutine.resume and coroutine.wrap.

local task = require "sys.task"

local M = {}

local EXIT_MARK = {}

local protected = pcall -- Lua's own

local function is_exit(e)
  return type(e) == "table" and rawget(e, 1) == EXIT_MARK
end

--- The exit code of a script that ended with this error by os.exit, else nil.
---@param e any
---@return integer?
function M.code(e)
  return is_exit(e) and e[2] or nil
end

-- What no script catches: its end by os.exit, by an interrupt, or by the
-- cancellation of its task. Were it caught, a loop that tries again would go on
-- for ever. The cancellation of another task, awaited here, is an error.
local function is_end(e)
  return is_exit(e)
    or task.is_canceled(e) and (task.is_canceling() or task.is_interrupted())
end

-- The results of a protected call, unless it was the script's end: that goes on
-- upwards.
local function passing(ok, ...)
  if not ok and is_end((...)) then
    error((...), 0)
  end
  return ok, ...
end

-- Whatever catches errors lets the script's end through.
local function let_end_through()
  local pcall, xpcall = pcall, xpcall
  _G.pcall = function(...)
    return passing(pcall(...))
  end
  _G.xpcall = function(fn, handler, ...)
    return passing(xpcall(fn, function(e, ...)
      if is_end(e) then
        return e
      end
      return handler(e, ...)
    end, ...))
  end
end

-- Coroutines as they are, but that an interrupt stops them too, and that the
-- traceback of an error which leaves them is not lost.
local function follow_coroutines()
  local resume, running, status = coroutine.resume, coroutine.running, coroutine.status
  local noted = {}
  local function note(co, e)
    local trace = debug.traceback(co) .. "\n(in a coroutine resumed here)"
    if rawequal(noted.e, e) then
      trace = noted.trace .. "\n" .. trace
    end
    noted = { e = e, trace = trace }
    task.note(e, trace)
  end
  local function told(co, ok, ...)
    if not ok and co then
      note(co, (...))
    end
    return ok, ...
  end
  local function resumed(here, co, ...)
    task.follow(here)
    return told(co, passing(...))
  end
  coroutine.resume = function(co, ...)
    if type(co) ~= "thread" then
      error("bad argument #1 to 'resume' (coroutine expected)", 2)
    end
    local here, can_run = running(), status(co) == "suspended"
    task.follow(co)
    return resumed(here, can_run and co, resume(co, ...))
  end
  coroutine.wrap = function(fn)
    local co = coroutine.create(fn)
    local function unwrap(ok, ...)
      if not ok then
        coroutine.close(co)
        local _, e = protected(error, (...), 3) -- with the place of the call
        if rawequal(noted.e, (...)) then
          noted.e = e
          task.note(e, noted.trace)
        end
        error(e, 0)
      end
      return ...
    end
    return function(...)
      return unwrap(coroutine.resume(co, ...))
    end
  end
end

--- The script's os.exit unwinds instead of ending the process under the host.
local function exit(code)
  if code == nil or code == true then
    code = 0
  elseif code == false then
    code = 1
  end
  local whole = math.tointeger(code)
  if not whole then
    error(("bad argument #1 to 'exit' (integer expected, got %s)"):format(type(code)), 2)
  end
  error({ EXIT_MARK, whole }, 0)
end

-- While os.execute waits, Ctrl-C reaches the program alone, which it ends: it
-- was meant for the script as well.
local function end_with_program()
  local execute, interrupt = os.execute, 2
  local function unless_interrupted(...)
    local _, how, number = ...
    if how == "signal" and number == interrupt then
      task.raise_canceled()
    end
    return ...
  end
  os.execute = function(...)
    if task.is_interrupted() then
      task.raise_canceled() -- the program would not hear of it
    end
    return unless_interrupted(execute(...))
  end
end

--- Installs the replacements.
function M.install()
  os.exit = exit
  let_end_through()
  follow_coroutines()
  end_with_program()
end

return M
