-- A value that is set appears nowhere but at its destination: not in arguments,
-- environments, files, logs or messages of any process, whatever happens.

local flyctls = require "kit.flyctl"
local fs = require "sys.fs"
local json = require "base.json"
local process = require "sys.process"
local secret_api = require "kit.secret_api"
local str = require "base.str"
local t = require "kit"
local task = require "sys.task"

-- Several lines, and all that must be escaped somewhere.
local CANARY = "canary-4af1\"first\\line\ncanary-93bd#second line\ncanary-e7'third"
local TOKEN = "fo1_canarytoken00001111"

-- What no text may hold: each line, however it is written.
local TRACES = {
  "canary-4af1", "canary-93bd", "canary-e7", "canarytoken",
  "Y2FuYXJ5", "NhbmFyeS", "jYW5hcn", -- base64 at the three alignments
}

local function find_trace(text)
  for _, trace in ipairs(TRACES) do
    if text:find(trace, 1, true) then
      return trace
    end
  end
end

local function check_clean(text, what)
  local trace = find_trace(text)
  if trace then
    error(("%s holds %s: %s"):format(what, trace, text:sub(1, 2000)))
  end
end

-- Every file below a directory, hidden ones too.
local function check_files(dir, except)
  for _, name in ipairs(assert(fs.list(dir))) do
    local path = dir .. "/" .. name
    local stat = fs.stat(path)
    if stat and stat.type == "directory" then
      check_files(path, except)
    elseif stat and stat.type == "file" and not except[path] then
      check_clean(t.read_file(path), path)
    end
  end
end

---@class Run one run of the program and all it may leave traces in
local function setup(options)
  local run = { dir = t.tmpdir(), api = secret_api.start(), given = {} }
  for _, name in ipairs({ "home", "tmp", "run" }) do
    assert(fs.mkdir(run.dir .. "/" .. name, 448))
  end
  run.flyctl = options.flyctl and flyctls.build() or nil
  if options.flyctl == "echo" then
    run.flyctl:set_mode("echo")
  end
  run.api.answer = options.answer
  run.api.names = { CANARY = true }
  return run
end

local function environment(run)
  return {
    HOME = run.dir .. "/home", TMPDIR = run.dir .. "/tmp",
    XDG_RUNTIME_DIR = run.dir .. "/run",
    FLY_API_HOSTNAME = run.api.url, FLY_API_BASE_URL = run.api.url,
    FLY_API_TOKEN = TOKEN,
    PATH = (run.flyctl and run.flyctl.dir or run.dir) .. ":/usr/bin:/bin",
  }
end

local function given_file(run, name, content)
  local path = run.dir .. "/home/" .. name
  assert(fs.write(path, content))
  run.given[path] = true
  return path
end

local function go(run, words, stdin)
  return assert(process.run({
    argv = { t.binary(), "fly", "secrets", "set", "--app", "web", "--debug",
      table.unpack(words) },
    stdin = stdin, env = environment(run),
    inherit = { "CLANKER_LUA", "ASAN_OPTIONS" }, timeout = 60,
  }))
end

local function check_run(run, result)
  check_clean(result.stdout, "stdout")
  check_clean(result.stderr, "stderr")
  check_files(run.dir, run.given)
  if run.flyctl then
    check_clean(run.flyctl:kept("argv"), "flyctl's arguments")
    -- The token is meant for it and travels in its environment alone.
    check_clean(run.flyctl:kept("environ"):gsub(TOKEN, ""), "flyctl's environment")
  end
end

-- The ways in.
local WAYS = {
  ["NAME=-"] = function(run)
    return go(run, { "CANARY=-" }, CANARY)
  end,
  ["--from-stdin"] = function(run)
    return go(run, { "CANARY", "--from-stdin" }, CANARY)
  end,
  ["--from-file"] = function(run)
    return go(run, { "--from-file", "CANARY=" .. given_file(run, "value", CANARY) })
  end,
  ["--import"] = function(run)
    return go(run, { "--import",
      given_file(run, "values", ('CANARY="""%s"""\n'):format(CANARY)) })
  end,
  ["NAME=VALUE"] = function(run)
    return go(run, { "CANARY=" .. CANARY })
  end,
}

local function answer_with(status, text)
  return function()
    return status, { ["Content-Type"] = "application/json" }, text
  end
end

-- What may become of it: setup options, and the exit code.
local OUTCOMES = {
  ["set by the API"] = { {}, 0 },
  ["set by flyctl"] = { { flyctl = "ok" }, 0 },
  ["flyctl fails and repeats it"] = { { flyctl = "echo" }, 1 },
  ["401"] = { { answer = answer_with(401, '{"error":"no"}') }, 3 },
  ["422 that repeats it"] = { {
    answer = function(req)
      return 422, {}, json.encode({ error = "bad value: " .. req.body })
    end,
  }, 1 },
  ["422 that repeats its bytes"] = { {
    answer = function(req)
      return 422, {}, "bad value " .. json.decode(req.body).values.CANARY
    end,
  }, 1 },
  ["422 that repeats it after much else"] = { {
    answer = function(req)
      return 422, {}, json.encode({
        error = ("x"):rep(270) .. json.decode(req.body).values.CANARY,
      })
    end,
  }, 1 },
  ["500 page that repeats it"] = { {
    answer = function(req)
      return 500, { ["Content-Type"] = "text/html" },
        "<title>" .. req.body .. "</title>"
    end,
  }, 1 },
  ["200 that is no JSON"] = { {
    answer = function(req)
      return 200, {}, "{" .. req.body
    end,
  }, 1 },
}

for way, run_way in pairs(WAYS) do
  t.test("no trace of a value given by " .. way, function()
    for name, outcome in pairs(OUTCOMES) do
      local run = setup(outcome[1])
      local result = run_way(run)
      t.eq(result.code, outcome[2], name .. ": " .. result.stderr)
      local ok, e = pcall(check_run, run, result)
      t.ok(ok, name .. ": " .. tostring(e))
      if outcome[2] == 0 then
        local arrived = run.flyctl and run.flyctl:values() or run.api.values
        t.eq(arrived, { CANARY = CANARY }, name)
      end
    end
  end)
end

t.test("no trace when nobody answers", function()
  local run = setup({ answer = function() task.sleep(600) end })
  local result = go(run, { "CANARY=-", "--timeout", "300ms" }, CANARY)
  t.eq(result.code, 7, result.stderr)
  check_run(run, result)
  result = assert(process.run({
    argv = { t.binary(), "fly", "secrets", "set", "CANARY=-", "--app", "web" },
    stdin = CANARY, inherit = { "CLANKER_LUA", "ASAN_OPTIONS" }, timeout = 60,
    env = { HOME = run.dir .. "/home", FLY_API_TOKEN = TOKEN,
      FLY_API_HOSTNAME = "http://127.0.0.1:1", FLY_API_BASE_URL = "http://127.0.0.1:1" },
  }))
  t.eq(result.code, 1, result.stderr)
  check_run(run, result)
end)

-- The command lines of all processes that can be read.
local function command_lines()
  local lines = {}
  for _, pid in ipairs(assert(fs.list("/proc"))) do
    local f = pid:find("^%d+$") and io.open("/proc/" .. pid .. "/cmdline", "rb")
    if f then
      lines[#lines + 1] = f:read("a") or ""
      f:close()
    end
  end
  return table.concat(lines, "\n")
end

t.test("a value typed as an argument is gone from there when it is sent", function()
  local seen
  local run = setup({ answer = function()
    seen = command_lines()
    return 200, {}, '{"version":1}'
  end })
  local result = go(run, { "CANARY=" .. CANARY, "--api-token", TOKEN })
  t.eq(result.code, 0, result.stderr)
  t.match(result.stderr, "typed on a command line")
  t.has(seen, "CANARY=")
  check_clean(seen, "a command line")
end)

t.test("values in the wrong place are not repeated", function()
  local run = setup({})
  local function fails(words, stdin, code)
    local result = assert(process.run({
      argv = { t.binary(), table.unpack(words) }, stdin = stdin,
      env = environment(run), inherit = { "CLANKER_LUA", "ASAN_OPTIONS" },
    }))
    t.eq(result.code, code or 2, result.stderr)
    check_run(run, result)
  end
  fails({ "fly", "secrets", "set", "1=" .. CANARY, "--app", "web" })
  fails({ "fly", "set", "secret", "A=" .. CANARY, "--app", "web" })
  fails({ "fly", "secrets", "set", "A=" .. CANARY })
  fails({ "fly", "secrets", "set", "A=" .. CANARY, "A=-", "--app", "web" }, CANARY)
  fails({ "fly", "secrets", "set", "A=-", "B=-", "--app", "web" }, CANARY)
  fails({ "fly", "secrets", "set", "--app", "web", "--import", "-" },
    "A=1\n" .. str.split(CANARY, "\n")[1], 1)
end)
