--- `clanker run FILE.lua [args…]`: a user's script as a task on the host.
--- Waits until the script and its tasks have ended; returns the exit code.

local ending = require "script.ending"
local err = require "base.err"
local input = require "script.input"
local load = require "script.load"
local modules = require "script.modules"
local output = require "script.output"
local task = require "sys.task"
local term = require "sys.term"
local user = require "script.user"

local M = {}

-- Seconds that a reader who does not read may hold up an interrupted script.
local LAST_WORDS = 0.1

-- Whether `tostring` says more of a value than its address.
local function can_tell(e)
  local meta = debug.getmetatable(e)
  return type(meta) == "table" and rawget(meta, "__tostring") ~= nil
end

-- What went wrong, of any value that can be raised, whatever its metatable does.
local function text_of(e)
  local message = type(e) == "table" and rawget(e, "message") or e
  if type(message) == "string" or type(message) == "number" then
    return tostring(message)
  end
  local ok, text = pcall(tostring, e)
  if ok and can_tell(e) then
    return text
  end
  return ("the error value is a %s"):format(type(e))
end

-- A typed error is raised in our modules: the script's own lines come first.
local function without_ours(trace)
  local head, frames = trace:match("^([^\n]*\n)(.*)$")
  while frames do
    local rest = frames:match("^\t%[C%]: in [^\n]*\n(.*)$")
      or frames:match("^\tlua/script/[^\n]*\n(.*)$")
      or frames:match("^\t%(%.%.%.tail calls%.%.%.%)\n(.*)$")
    if not rest then
      return head .. frames
    end
    frames = rest
  end
  return trace
end

--- The error a script ended with, as people read it: what, next step, where.
---@param e any
---@param trace? string
---@return string
local function describe(e, trace)
  local lines = { err.label(e) .. ": " .. text_of(e) }
  if err.is(e) then
    lines[#lines + 1] = e.hint and "hint: " .. e.hint
    lines[#lines + 1] = e.request_id and "request id: " .. e.request_id
    trace = trace and without_ours(trace)
  end
  lines[#lines + 1] = trace
  return term.sanitize(table.concat(lines, "\n"), true) .. "\n"
end

local function exit_code(e)
  if task.is_canceled(e) then
    return 130
  end
  return ending.code(e) or err.exit_code(e)
end

-- A simulated account is in this process: while a function of C waits for a
-- program, that program would wait for the account.
local function refuse_to_block()
  local function refusal(name)
    return function()
      error(name .. " stops the simulated account while it waits:"
        .. " use require \"clanker.process\".run{ argv = {…} }", 2)
    end
  end
  os.execute, io.popen = refusal("os.execute"), refusal("io.popen")
end

-- What the script sees instead of Lua's own; returns what writes its output out.
local function prepare(path, args, deps)
  modules.provide(deps)
  user.provide(path)
  local flush = output.install()
  input.install(flush)
  ending.install()
  if deps.is_simulated then
    refuse_to_block()
  end
  _G.arg = table.move(args, 1, #args, 1, { [0] = path })
  return flush
end

-- The exit code of a script that failed, whose error is told.
local function failed(failure, trace, tell)
  if output.is_unread(failure) then
    return 0
  elseif not ending.code(failure) and not task.is_canceled(failure) then
    term.write(2, describe(failure, trace))
    if tell then
      tell(err.is(failure) and failure
        or err.new { kind = "error", message = text_of(failure) })
    end
  end
  return exit_code(failure)
end

--- Runs the script. Its results are ignored; its exit code is that of the error
--- it ended with, or 0.
---@async
---@param word string the script's path, or the name of one of the user's, or "-"
---@param args string[]
---@param deps script.Deps
---@return integer|nil exit_code, table? err
function M.run(word, args, deps)
  local path = user.script(word)
  local chunk, e = load.script(path)
  if not chunk then
    return nil, e
  end
  local flush = prepare(path, args, deps)
  local script = task.spawn(chunk, table.unpack(args))
  -- On an interrupt: what the script printed and prints on its way out.
  local _ <close> = task.defer(function()
    script:cancel()
    script:join()
    task.timeout(LAST_WORDS, flush)
  end)
  local ok, failure, trace = script:join()
  local flushed, flush_error = flush()
  if not ok then
    return failed(failure, trace, deps.tell)
  elseif not flushed and not output.is_unread(flush_error) then
    return nil, flush_error
  end
  return 0
end

return M
