--- `clanker run FILE.lua [args…]`: a user's script as a task on the host.
--- Waits until the script and its tasks have ended; returns the exit code.

local ending = require "script.ending"
local err = require "base.err"
local input = require "script.input"
local modules = require "script.modules"
local output = require "script.output"
local task = require "sys.task"
local term = require "sys.term"
local user = require "script.user"

local M = {}

-- What went wrong, of any value that can be raised.
local function text_of(e)
  if type(e) == "table" and e.message ~= nil then
    return tostring(e.message)
  elseif type(e) == "string" or type(e) == "number"
    or (getmetatable(e) or {}).__tostring then
    return tostring(e)
  end
  return ("the error value is a %s"):format(type(e))
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
  end
  lines[#lines + 1] = trace
  return term.sanitize(table.concat(lines, "\n"), true) .. "\n"
end

local function exit_code(e)
  return ending.code(e) or task.is_canceled(e) and 130 or err.exit_code(e)
end

local function load_script(path)
  local chunk, message = loadfile(path, "t")
  if chunk then
    return chunk
  end
  local is_missing = message:find("^cannot open ") ~= nil
  return nil, err.new {
    kind = is_missing and "not_found" or "error",
    message = message,
    hint = is_missing and "give the path of a Lua 5.4 source file, or the name of one in"
      .. " ./.clanker or ~/.clanker/lua" or nil,
  }
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

--- Runs the script. Its results are ignored; its exit code is that of the error
--- it ended with, or 0.
---@async
---@param word string the script's path, or the name of one of the user's
---@param args string[]
---@param deps script.Deps
---@return integer|nil exit_code, table? err
function M.run(word, args, deps)
  local path = user.script(word)
  local chunk, e = load_script(path)
  if not chunk then
    return nil, e
  end
  modules.provide(deps)
  user.provide(path)
  local flush = output.install()
  input.install()
  ending.install()
  if deps.is_simulated then
    refuse_to_block()
  end
  _G.arg = table.move(args, 1, #args, 1, { [0] = path })
  -- Interrupted, it gives away what goes without waiting.
  local _ <close> = setmetatable({}, { __close = function()
    flush()
  end })
  local script = task.spawn(chunk, table.unpack(args))
  local ok, failure, trace = script:join()
  local flushed, flush_error = flush()
  if ok then
    if not flushed and flush_error.code ~= "EPIPE" then
      return nil, flush_error
    end
    return 0
  end
  local is_pipe = type(failure) == "table" and failure.code == "EPIPE"
  if not ending.code(failure) and not is_pipe and not task.is_canceled(failure) then
    term.write(2, describe(failure, trace))
  end
  return is_pipe and 0 or exit_code(failure)
end

return M
