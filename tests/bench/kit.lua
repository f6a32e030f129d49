--- What the benches share: running programs against the clock, servers on free
--- ports, and the table of figures.

local binary, here = ...

local fs = require "sys.fs"
local json = require "base.json"
local os_ = require "sys.os"
local process = require "sys.process"
local server = require "sys.server"
local task = require "sys.task"

local M = { binary = binary, here = here, missed = 0 }

local ENV = { PATH = os_.env("PATH"), LC_ALL = "C.UTF-8", NO_COLOR = "1" }

--- A private directory for this run.
M.dir = assert(fs.tmpdir("clanker-bench-"))

local homes = 0

--- A home directory that nobody used yet.
function M.home()
  homes = homes + 1
  local path = ("%s/home-%d"):format(M.dir, homes)
  assert(fs.mkdir(path))
  return path
end

--- Runs a program to its end; its result and seconds. A failing one is a bug.
--- Each has a home of its own, so that none waits for another's rate limit.
function M.run(argv, env, opts)
  local all = { HOME = env and env.HOME or M.home() }
  for k, v in pairs(ENV) do
    all[k] = v
  end
  for k, v in pairs(env or {}) do
    all[k] = v
  end
  local start = task.now()
  local result, e = process.run {
    argv = argv, env = all, timeout = 120, max_output = 64 << 20,
    on_stdout = opts and opts.discard and function() end or nil,
  }
  local seconds = task.now() - start
  if not result then
    error(argv[1] .. ": " .. tostring(e))
  end
  if result.code ~= 0 then
    error(("%s: exit %s: %s"):format(table.concat(argv, " "), tostring(result.code),
      result.stderr:sub(1, 2000)))
  end
  return result, seconds
end

function M.median(list)
  table.sort(list)
  return list[(#list + 1) // 2]
end

local function least(list)
  return math.min(table.unpack(list))
end

--- Runs functions in turn, `rounds` times each; the median of what each returns
--- (or of its seconds), or the least. Turns keep what disturbs the machine from
--- one side.
function M.turns(rounds, fns, how)
  local pick = how == "least" and least or M.median
  local values = {}
  for i = 1, #fns do
    values[i] = {}
  end
  for _ = 1, rounds do
    for i, fn in ipairs(fns) do
      local start = task.now()
      local value = fn()
      values[i][#values[i] + 1] = value or task.now() - start
    end
  end
  local medians = {}
  for i, list in ipairs(values) do
    medians[i] = pick(list)
  end
  return table.unpack(medians)
end

--- A file with an account of the organization "bench", for `--seed`.
---@param name string
---@param apps table[] as in seed files, a JSON array
---@param pace number? how long what the account does takes, 1: as it really does
---@return string path
function M.seed(name, apps, pace)
  local path = ("%s/%s.json"):format(M.dir, name)
  assert(fs.write(path, json.encode {
    pace = pace, apps = apps,
    users = { { id = "user_sim", email = "user@example.com" } },
    orgs = { { slug = "bench", members = { { user = "user_sim" } } } },
  }))
  return path
end

-- Processor ticks of this machine so far: all, and those the host gave to others
-- while something here was ready to run. Nil where that is not told.
local function ticks()
  local line = (fs.read("/proc/stat") or ""):match("^cpu +([%d ]+)")
  if not line then
    return nil
  end
  local fields, all = {}, 0
  for field in line:gmatch("%d+") do
    fields[#fields + 1] = tonumber(field)
  end
  for i = 1, 8 do -- what follows is contained in these
    all = all + fields[i]
  end
  return all, fields[8]
end

--- What a virtual machine's host takes away in between makes figures worse:
--- returns a function that says how much it was, when it was something.
---@return fun()
function M.stolen()
  local all, taken = ticks()
  return function()
    local all_now, taken_now = ticks()
    local share = all and (taken_now - taken) / math.max(all_now - all, 1) or 0
    if share >= 0.01 then
      print(("(the host gave %.0f %% of the processors to others meanwhile)"):format(share * 100))
    end
  end
end

--- A port nobody listens on just now.
function M.free_port()
  local srv = assert(server.listen {})
  local port = srv.port
  srv:close()
  return port
end

--- Starts a long-running program and waits until `ready()`; it is stopped when
--- the returned value is closed.
function M.service(argv, ready, on_stdout)
  local env = { HOME = M.dir }
  for k, v in pairs(ENV) do
    env[k] = v
  end
  local child = assert(process.spawn { argv = argv, env = env, timeout = 600 })
  local talk = {}
  local reader = task.spawn(function()
    while true do
      local stream, chunk = child:read()
      if not stream then
        return
      end
      talk[#talk + 1] = chunk
      if on_stdout then
        on_stdout(table.concat(talk))
      end
    end
  end)
  local deadline = task.now() + 20
  while not ready(table.concat(talk)) do
    if task.now() > deadline then
      error(argv[1] .. " did not start: " .. table.concat(talk))
    end
    task.sleep(0.02)
  end
  return setmetatable({ pid = child:pid() }, { __close = function()
    child:kill("SIGTERM")
    task.shield(reader.join, reader)
    task.shield(child.wait, child)
    child:close()
  end })
end

--- Starts the simulator as a program of its own: its URL and token.
function M.simulator(words)
  local argv = { binary, "sim", "--token", "fo1_simbench", "--listen", "127.0.0.1:0" }
  for _, word in ipairs(words) do
    argv[#argv + 1] = word
  end
  local url
  local service = M.service(argv, function(talk)
    url = talk:match("(http://127%.0%.0%.1:%d+)")
    return url
  end)
  service.url = url
  service.env = {
    FLY_API_HOSTNAME = url, FLY_API_BASE_URL = url, FLY_API_TOKEN = "fo1_simbench",
  }
  return service
end

--- One figure. `limit` is what `value` must not exceed ("<=") or must reach.
function M.figure(name, value, unit, sense, limit, detail)
  local good = (sense == "<=" and value <= limit) or (sense == ">=" and value >= limit)
  if not good then
    M.missed = M.missed + 1
  end
  print(("%-58s %8.2f %-6s %s %6g  %s%s"):format(name, value, unit, sense, limit,
    good and "ok" or "MISSED", detail and "   " .. detail or ""))
end

--- Clears up; the exit code.
function M.finish()
  fs.remove(M.dir, true)
  return M.missed == 0 and 0 or 1
end

return M
