--- Routes that look into a machine: exec and ps.
--- Exec waits as long as its command; part of the Machines API.

local json = require "base.json"
local tbl = require "base.tbl"

local bodies = require "sim.bodies.machine"
local exec = require "sim.exec"
local handlers = require "sim.handlers"
local problem = require "sim.problem"
local request = require "sim.request"

local M = {}

local DEFAULT_TIMEOUT = 60

local function check_running(machine)
  if machine.state ~= "started" then
    return problem.precondition(
      "machine is not running, current state: " .. machine.state)
  end
  return true
end

local function run_body(ctx)
  local stdin = request.member(ctx.body, "stdin") or ""
  local words = request.member(ctx.body, "command")
  if words and words[1] then
    return exec.run(ctx.world, ctx.machine, words, stdin)
  end
  local line = request.member(ctx.body, "cmd")
  if line then
    return exec.run_line(ctx.world, ctx.machine, line, stdin)
  end
  return problem.new(400, "command is required")
end

-- Lets simulated time pass; other requests are served meanwhile.
local function pass(ctx, seconds)
  local until_time = ctx.world:now() + seconds
  while ctx.world:now() < until_time do
    ctx.account:pause(until_time - ctx.world:now())
  end
end

---@async
local function run(ctx)
  local ok, wrong = check_running(ctx.machine)
  local result
  if ok then
    result, wrong = run_body(ctx)
  end
  if not result then
    return nil, wrong
  end
  local timeout = request.member(ctx.body, "timeout") or DEFAULT_TIMEOUT
  pass(ctx, math.min(result.seconds or 0, timeout))
  if (result.seconds or 0) > timeout then
    return problem.new(408, "deadline_exceeded: command did not end in time")
  end
  return 200, {
    exit_code = result.exit_code, exit_signal = 0,
    stdout = result.stdout, stderr = result.stderr,
  }
end

local PROCESSES = {
  {
    pid = 1, command = "/fly/init", directory = "/", cpu = 0,
    rss = 6291456, rtime = 3600, stime = 12, listen_sockets = json.array {
      { proto = "tcp", address = "[::]:22" },
    },
  },
  {
    pid = 640, command = "/app/server", directory = "/app", cpu = 3,
    rss = 50331648, rtime = 3590, stime = 40, listen_sockets = json.array {
      { proto = "tcp", address = "0.0.0.0:8080" },
    },
  },
}

local SORTABLE = tbl.set {
  "command", "cpu", "directory", "pid", "rss", "rtime", "stime",
}

local function ps(ctx)
  local ok, wrong = check_running(ctx.machine)
  if not ok then
    return nil, wrong
  end
  local by = request.text(ctx.query, "sort_by") or "pid"
  if not SORTABLE[by] then
    return problem.new(400, ("invalid sort_by: %q"):format(by))
  end
  local order = request.text(ctx.query, "order") or "asc"
  local rows = tbl.sort_by(PROCESSES, function(row)
    return row[by]
  end)
  if order == "desc" then
    rows[1], rows[2] = rows[2], rows[1]
  end
  return 200, json.array(rows)
end

local ONE = "/v1/apps/{app}/machines/{machine}"

local route = handlers.rows("machine", ONE)

---@type sim.Route[]
M.routes = {
  route("POST", "/exec", run, bodies.exec),
  route("GET", "/ps", ps),
}

return M
