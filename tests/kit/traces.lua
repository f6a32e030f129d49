--- Watches a run of the program for traces of values that nobody may see: in the
--- arguments and the environments of all its processes, in every file below its
--- home, its directories for temporary files and flyctl's, in what it says.

local flyctls = require "kit.flyctl"
local fs = require "sys.fs"
local process = require "sys.process"
local t = require "kit"
local task = require "sys.task"

local M = {}

--- Seconds between two looks.
local PAUSE = 0.01

---@class kit.Traces
---@field dir string all of the run's own: home, tmp
---@field home string
---@field memory string flyctl's directory is here
---@field traces string[] what no text may hold
---@field given table<string, boolean> files that the user keeps the value in
---@field typed boolean? the values were arguments: until the program hides them
---@field problems string[] where a trace was
---@field seen integer how often a process of the run was looked at while it
--- had to be clean
---@field flyctl kit.Flyctl?
local Traces = {}
Traces.__index = Traces

-- Variables in which a token is meant to be.
local MEANT = {
  FLY_API_TOKEN = true, FLY_ACCESS_TOKEN = true, CLANKER_BACKEND_API_KEY = true,
}

---@param options { traces: string[], flyctl: boolean? }
---@return kit.Traces
function M.new(options)
  local dir = t.tmpdir()
  local run = setmetatable({
    dir = dir, home = dir .. "/home", memory = t.memory_dir(), given = {},
    traces = options.traces, problems = {}, seen = 0,
    flyctl = options.flyctl and flyctls.build() or nil,
  }, Traces)
  assert(fs.mkdir(run.home, 448)) -- 0700
  assert(fs.mkdir(dir .. "/tmp", 448))
  return run
end

--- Looks for traces in a text.
---@param text string
---@param where string
function Traces:check(text, where)
  for _, trace in ipairs(self.traces) do
    if text:find(trace, 1, true) then
      table.insert(self.problems, ("%s holds %s: %q"):format(where, trace, text:sub(1, 1000)))
    end
  end
end

local function read(path)
  local file = io.open(path, "rb")
  local text = file and file:read("a")
  if file then
    file:close()
  end
  return text or ""
end

-- The environment without what is meant to be there.
local function unexpected(environment)
  local kept = {}
  for variable in environment:gmatch("[^%z\n]+") do
    if not MEANT[variable:match("^[^=]*")] then
      kept[#kept + 1] = variable
    end
  end
  return table.concat(kept, "\n")
end

-- Only processes of this run have its directory in their environment.
local function look_at_processes(run, is_strict)
  for _, pid in ipairs(assert(fs.list("/proc"))) do
    local environment = pid:find("^%d+$") and read("/proc/" .. pid .. "/environ") or ""
    if environment:find(run.dir, 1, true) then
      run:check(unexpected(environment), "the environment of process " .. pid)
      if is_strict or not run.typed then
        run:check(read("/proc/" .. pid .. "/cmdline"), "the arguments of process " .. pid)
        run.seen = run.seen + 1
      end
    end
  end
end

-- flyctl's own log, while it runs, is what the directory in memory is for.
local function look_at_files(run, dir, may_log)
  for _, entry in ipairs(fs.walk(dir) or {}) do
    local path = dir .. "/" .. entry.path
    local is_log = may_log and entry.path:find("^clanker%-%d+/fly%-%x+/logs/")
    if entry.type == "file" and not run.given[path] and not is_log then
      run:check(read(path), path)
    end
  end
end

--- Looks at all processes and files of the run as they are now. `is_strict`: the
--- program has long had its arguments.
---@param is_strict boolean?
function Traces:look(is_strict)
  look_at_processes(self, is_strict)
  look_at_files(self, self.dir, false)
  look_at_files(self, self.memory, true)
end

--- A file that the user keeps a value in.
---@param name string
---@param content string
---@return string path
function Traces:file(name, content)
  local path = self.home .. "/" .. name
  assert(fs.write(path, content))
  self.given[path] = true
  return path
end

---@param env table<string, string>?
---@return table<string, string>
function Traces:environment(env)
  local all = {
    HOME = self.home, TMPDIR = self.dir .. "/tmp", XDG_RUNTIME_DIR = self.memory,
    PATH = (self.flyctl and self.flyctl.dir or self.dir) .. ":/usr/bin:/bin",
  }
  for name, value in pairs(env or {}) do
    all[name] = value
  end
  return all
end

--- Runs the program and watches it.
---@async
---@param words string[]
---@param options { stdin: string?, env: table<string, string>?, argv0: string? }?
---@return table result of process.run
function Traces:go(words, options)
  options = options or {}
  local running = task.spawn(function()
    return assert(process.run({
      argv = { options.argv0 or t.binary(), table.unpack(words) },
      stdin = options.stdin, env = self:environment(options.env),
      inherit = { "CLANKER_LUA", "ASAN_OPTIONS" }, timeout = 60,
    }))
  end)
  while not running:is_done() do
    self:look()
    task.sleep(PAUSE)
  end
  return running:await()
end

--- Everything a run that ended may have left, and all that was seen meanwhile.
---@param result table
---@param name string of the case
function Traces:finish(result, name)
  self:check(result.stdout, "stdout")
  self:check(result.stderr, "stderr")
  look_at_files(self, self.dir, false)
  look_at_files(self, self.memory, false)
  local left = fs.list(self.memory)
  if #left > 0 then
    table.insert(self.problems, "left in memory: " .. table.concat(left, " "))
  end
  if self.flyctl then
    self:check(self.flyctl:kept("argv"), "flyctl's arguments")
    self:check(unexpected(self.flyctl:kept("environ")), "flyctl's environment")
    self:check(unexpected(self.flyctl:kept("parent")), "the process that started flyctl")
  end
  if #self.problems > 0 then
    error(name .. ": " .. table.concat(self.problems, "\n"), 2)
  end
end

return M
