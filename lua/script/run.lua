--- `clanker run FILE.lua [args…]`: a user's script as a task on the host.
--- Waits until the script and its tasks have ended; returns the exit code.

local err = require "base.err"
local modules = require "script.modules"
local output = require "script.output"
local task = require "sys.task"
local term = require "sys.term"

local M = {}

local EXIT_MARK = {}

--- The error a script ended with, as people read it: what, next step, where.
---@param e any
---@param trace? string
---@return string
local function describe(e, trace)
  local lines = {}
  if type(e) == "table" and e.message then
    lines[1] = "error: " .. tostring(e.message)
    if e.hint then
      lines[#lines + 1] = "hint: " .. tostring(e.hint)
    end
    if e.request_id then
      lines[#lines + 1] = "request id: " .. tostring(e.request_id)
    end
  else
    lines[1] = "error: " .. tostring(e)
  end
  lines[#lines + 1] = trace
  return term.sanitize(table.concat(lines, "\n"), { keep_lines = true }) .. "\n"
end

local function exit_code(e)
  if type(e) == "table" and e[1] == EXIT_MARK then
    return e[2]
  end
  if task.is_canceled(e) then
    return 130
  end
  return type(e) == "table" and e.kind and err.exit_code(e) or 1
end

--- The script's os.exit unwinds instead of ending the process under the host.
local function exit(code)
  if code == nil or code == true then
    code = 0
  elseif code == false then
    code = 1
  end
  error({ EXIT_MARK, code }, 0)
end

local function load_script(path)
  local chunk, message = loadfile(path, "t")
  if chunk then
    return chunk
  end
  return nil, err.new {
    kind = message:find("cannot open", 1, true) and "not_found" or "invalid",
    message = message,
    hint = "give the path of a Lua 5.4 source file",
  }
end

--- Runs the script. Its results are ignored; its exit code is that of the error
--- it ended with, or 0.
---@async
---@param path string
---@param args string[]
---@param deps script.Deps
---@return integer|nil exit_code, table? err
function M.run(path, args, deps)
  local chunk, e = load_script(path)
  if not chunk then
    return nil, e
  end
  modules.provide(deps)
  local flush = output.install()
  os.exit = exit
  _G.arg = table.move(args, 1, #args, 1, { [0] = path })
  local script = task.spawn(chunk, table.unpack(args))
  local ok, failure, trace = script:join()
  local flushed, flush_error = flush()
  if ok then
    if not flushed and flush_error.code ~= "EPIPE" then
      return nil, flush_error
    end
    return 0
  end
  local is_exit = type(failure) == "table" and failure[1] == EXIT_MARK
  local is_pipe = type(failure) == "table" and failure.code == "EPIPE"
  if not is_exit and not is_pipe and not task.is_canceled(failure) then
    term.write(2, describe(failure, trace))
  end
  return is_pipe and 0 or exit_code(failure)
end

return M
