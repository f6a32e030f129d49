-- A value that is set appears nowhere but at its destination: not in arguments,
-- environments, files, logs or messages of any process, whatever happens.

local json = require "base.json"
local process = require "sys.process"
local secret_api = require "kit.secret_api"
local str = require "base.str"
local t = require "kit"
local task = require "sys.task"
local traces = require "kit.traces"

-- Several lines, and all that must be escaped somewhere.
local CANARY = "canary-4af1\"first\\line\ncanary-93bd#second line\ncanary-e7'third"
local TOKEN = "fo1_canarytoken00001111"

-- What no text may hold: each line, however it is written.
local TRACES = {
  "canary-4af1", "canary-93bd", "canary-e7", "canarytoken",
  "Y2FuYXJ5", "NhbmFyeS", "jYW5hcn", -- base64 at the three alignments
}

-- The account, and the program that is watched while it works on it.
local function setup(options)
  local run = traces.new({ traces = TRACES, flyctl = options.flyctl ~= nil })
  local api = secret_api.start()
  if options.flyctl == "echo" then
    run.flyctl:set_mode("echo")
  end
  api.answer, api.names = options.answer, { CANARY = true }
  api.on_request = function()
    run:look(true)
  end
  return run, api
end

local function go(run, api, words, stdin)
  return run:go({ "fly", "secrets", "set", "--app", "web", "--debug", table.unpack(words) }, {
    stdin = stdin, env = {
      FLY_API_HOSTNAME = api.url, FLY_API_BASE_URL = api.url, FLY_API_TOKEN = TOKEN,
    },
  })
end

-- The ways in. The prompt's is tests/c/t_ask.c.
local WAYS = {
  ["NAME=-"] = function(run, api)
    return go(run, api, { "CANARY=-" }, CANARY)
  end,
  ["--from-stdin"] = function(run, api)
    return go(run, api, { "CANARY", "--from-stdin" }, CANARY)
  end,
  ["--from-file"] = function(run, api)
    return go(run, api, { "--from-file", "CANARY=" .. run:file("value", CANARY) })
  end,
  ["--import"] = function(run, api)
    return go(run, api, { "--import",
      run:file("values", ('CANARY="""%s"""\n'):format(CANARY)) })
  end,
  ["--import -"] = function(run, api)
    return go(run, api, { "--import", "-" }, ('CANARY="""%s"""\n'):format(CANARY))
  end,
  ["--assignment=NAME=VALUE"] = function(run, api)
    run.typed = true
    return go(run, api, { "--assignment=CANARY=" .. CANARY })
  end,
  ["NAME=VALUE"] = function(run, api)
    run.typed = true
    return go(run, api, { "CANARY=" .. CANARY })
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
  }, 6 },
  ["422 that repeats its bytes"] = { {
    answer = function(req)
      return 422, {}, "bad value " .. json.decode(req.body).values.CANARY
    end,
  }, 6 },
  ["422 that repeats it after much else"] = { {
    answer = function(req)
      return 422, {}, json.encode({
        error = ("x"):rep(270) .. json.decode(req.body).values.CANARY,
      })
    end,
  }, 6 },
  ["422 that repeats a part of it"] = { {
    answer = function(req)
      return 422, {}, json.encode({
        error = "bad value: " .. json.decode(req.body).values.CANARY:sub(1, 15) .. "...",
      })
    end,
  }, 6 },
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
      local run, api = setup(outcome[1])
      local result = run_way(run, api)
      t.eq(result.code, outcome[2], name .. ": " .. result.stderr)
      run:finish(result, name)
      t.ok(run.seen > 0, "nobody looked at it")
      if outcome[2] == 0 then
        local arrived = run.flyctl and run.flyctl:values() or api.values
        t.eq(arrived, { CANARY = CANARY }, name)
      end
    end
  end)
end

t.test("the watch sees a value wherever it is", function()
  local run = traces.new({ traces = { "canary-" } })
  local path = run.home .. "/.file"
  local script = "echo canary-1 > " .. path .. "; echo canary-2; sleep 0.05"
  local result = run:go({ "-c", script, "canary-3" },
    { argv0 = "/bin/sh", env = { VALUE = "canary-4" } })
  local ok, e = pcall(run.finish, run, result, "all")
  t.eq(ok, false)
  for _, where in ipairs({ "the environment of", "the arguments of", "stdout holds", path }) do
    t.has(e, where)
  end
end)

t.test("no trace when nobody answers", function()
  local run, api = setup({ answer = function() task.sleep(600) end })
  local result = go(run, api, { "CANARY=-", "--timeout", "300ms" }, CANARY)
  t.eq(result.code, 7, result.stderr)
  run:finish(result, "silence")
  result = go(run, { url = "http://127.0.0.1:1" }, { "CANARY=-" }, CANARY)
  t.eq(result.code, 1, result.stderr)
  run:finish(result, "refused")
end)

t.test("a value typed as an argument is gone from there when it is sent", function()
  local run, api = setup({})
  run.typed = true
  local seen = ""
  api.answer = function()
    for _, pid in ipairs(require("sys.fs").list("/proc")) do
      local file = pid:find("^%d+$") and io.open("/proc/" .. pid .. "/cmdline", "rb")
      seen = seen .. (file and file:read("a") or "") .. "\n"
      if file then
        file:close()
      end
    end
    return 200, {}, '{"version":1}'
  end
  local result = go(run, api, { "CANARY=" .. CANARY, "--api-token", TOKEN })
  t.eq(result.code, 0, result.stderr)
  t.match(result.stderr, "typed on a command line")
  t.has(seen, "CANARY=")
  run:check(seen, "a command line")
  run:finish(result, "typed")
end)

t.test("values in the wrong place are not repeated", function()
  local run, api = setup({})
  local function fails(words, stdin, code)
    local result = assert(process.run({
      argv = { t.binary(), table.unpack(words) }, stdin = stdin,
      env = run:environment({ FLY_API_HOSTNAME = api.url, FLY_API_TOKEN = TOKEN }),
      inherit = { "CLANKER_LUA", "ASAN_OPTIONS" },
    }))
    t.eq(result.code, code or 2, result.stderr)
    run:finish(result, table.concat(words, " "))
  end
  fails({ "fly", "secrets", "set", "1=" .. CANARY, "--app", "web" })
  fails({ "fly", "set", "secret", "A=" .. CANARY, "--app", "web" })
  fails({ "fly", "secrets", "set", "A=" .. CANARY })
  fails({ "fly", "secrets", "set", "A=" .. CANARY, "A=-", "--app", "web" }, CANARY)
  fails({ "fly", "secrets", "set", "A=-", "B=-", "--app", "web" }, CANARY)
  fails({ "fly", "secrets", "set", "--app", "web", "--import", "-" },
    "A=1\n" .. str.split(CANARY, "\n")[1], 6)
end)
