--- Programs, run without a shell and with nothing but what they are given.
--- Waits for the child; a cancelled caller takes the child's whole group along.

local err = require "base.err"
local host = require "host.process"
local os = require "sys.os"
local task = require "sys.task"

local M = {}

local MAX_OUTPUT = 16 << 20

---@class process.Options
---@field argv string[] the program and its arguments; never a secret
---@field stdin (string|secret.Secret)? /dev/null when absent
---@field env table<string, string|secret.Secret>? all the child gets, and
---@field inherit string[]? … these variables of ours, where they are set
---@field cwd string?
---@field timeout number? seconds
---@field kill_after number? seconds from SIGTERM to SIGKILL (2)
---@field max_output integer? bytes kept of each stream (16 MiB)
---@field on_stdout (async fun(chunk: string))? takes the output instead
---@field on_stderr (async fun(chunk: string))?

---@class process.Result
---@field code integer? exit code, nil when a signal ended it
---@field signal string? "SIGKILL"
---@field stdout string what was kept
---@field stderr string

---@class process.Process
---@field read async fun(self): "stdout"|"stderr"|nil, string?
---@field wait async fun(self): { code: integer?, signal: string?, timed_out: boolean }
---@field kill fun(self, signal?: string): boolean?, string?, string?
---@field pid fun(self): integer
---@field close fun(self)

local RUN_ONLY = { max_output = true, on_stdout = true, on_stderr = true, inherit = true }

--- The options the host knows, with the inherited variables filled in.
local function host_options(opts)
  local plain, env = {}, {}
  for key, value in pairs(opts) do
    if not RUN_ONLY[key] then
      plain[key] = value
    end
  end
  for _, name in ipairs(opts.inherit or {}) do
    env[name] = os.env(name)
  end
  for name, value in pairs(opts.env or {}) do
    env[name] = value
  end
  plain.env = env
  return plain
end

--- Starts a program; the caller reads, waits and closes.
---@param opts process.Options
---@return process.Process?, err.Record?
function M.spawn(opts)
  return err.outcome(host.spawn(host_options(opts)))
end

--- Closes the child at the end of a scope. When an error leaves the scope the
--- child may first end by itself, for as long as `kill_after` says.
local function guard(process)
  return setmetatable({}, {
    __close = function(_, e)
      if e ~= nil and process:kill("SIGTERM") then
        task.shield(process.wait, process)
      end
      process:close()
    end,
  })
end

--- A function that keeps up to `max` bytes, and one that gives them all.
local function keeper(max)
  local chunks, size = {}, 0
  local function keep(chunk)
    size = size + #chunk
    chunks[#chunks + 1] = chunk
    return size <= max
  end
  return keep, function()
    return table.concat(chunks):sub(1, max)
  end
end

--- Runs the child's output through its takers. False when one kept too much.
---@async
local function pump(process, takers)
  while true do
    local stream, chunk = process:read()
    if not stream then
      return true
    end
    if takers[stream](chunk) == false then
      return false, stream
    end
  end
end

local function callback(fn)
  return fn and function(chunk)
    fn(chunk)
  end
end

--- Runs a program to its end. How it ended is a result, not an error; errors
--- are that it could not be started (`code` ENOENT, EACCES, …), that it took
--- too long (kind timeout) or wrote too much (E2BIG). `detail` of the last two
--- is the result so far.
---@async
---@param opts process.Options
---@return process.Result?, err.Record?
function M.run(opts)
  local max = opts.max_output or MAX_OUTPUT
  local keep_out, stdout = keeper(max)
  local keep_err, stderr = keeper(max)
  local process, e = M.spawn(opts)
  if not process then
    return nil, e
  end
  local _ <close> = guard(process)
  local ok, stream = pump(process, {
    stdout = callback(opts.on_stdout) or keep_out,
    stderr = callback(opts.on_stderr) or keep_err,
  })
  if not ok then
    process:kill("SIGTERM")
  end
  local status = process:wait()
  local result = {
    code = status.code, signal = status.signal, stdout = stdout(), stderr = stderr(),
  }
  if not ok then
    return nil, err.new({ kind = "invalid", code = "E2BIG", detail = result,
      message = ("%s: wrote more than %d bytes to %s"):format(opts.argv[1], max, stream) })
  elseif status.timed_out then
    return nil, err.new({ kind = "timeout", code = "ETIMEDOUT", detail = result,
      message = ("%s: still ran after %g seconds"):format(opts.argv[1], opts.timeout) })
  end
  return result
end

--- Where a program is found in a search path, default $PATH.
---@param name string
---@param path? string
---@return string?, err.Record?
function M.which(name, path)
  return err.outcome(host.which(name, path))
end

return M
