-- `clanker run`: what a script sees, what it ends with, what people read then.

local process = require "sys.process"
local raw = require "kit.raw"
local support = require "script.support"
local tbl = require "base.tbl"
local t = require "kit"
local task = require "sys.task"

local run = support.run

t.test("a script gets its arguments and its standard output", function()
  local result = run('print(#arg, arg[1], ...)\nio.write("a", 1, "\\n")\n'
    .. 'io.output():write("b\\n")\nio.stdout:write("c\\n")', { "--json", "y" })
  t.eq({ result.code, result.stdout, result.stderr },
    { 0, "2\t--json\t--json\ty\na1\nb\nc\n", "" })
end)

t.test("an interpreter line is no Lua", function()
  t.eq(run("#!/usr/bin/env -S clanker run\nprint(1)").stdout, "1\n")
end)

t.test("output goes to a file when the script says so", function()
  local path = t.tmpdir() .. "/out"
  local result = run('io.output(...)\nio.write("kept")\nio.output():close()\nprint "told"',
    { path })
  t.eq({ result.code, result.stdout, t.read_file(path) }, { 0, "told\n", "kept" })
end)

t.test("operations are functions that return tables", function()
  local env = support.account()
  local result = run([[
    local fly = require "clanker.fly"
    local list = fly.machines.list { app = "my-app" }
    print(#list, math.type(list[1].config.guest.memory_mb), list[1].state ~= nil)
  ]], {}, { env = env })
  t.eq({ result.code, result.stdout, result.stderr }, { 0, "3\tinteger\ttrue\n", "" })
end)

t.test("an operation that fails raises a typed error", function()
  local env = support.account()
  local result = run([[
    local fly = require "clanker.fly"
    local ok, e = pcall(fly.apps.get, { app = "nope" })
    print(ok, e.kind, e.status, e.message, e.hint ~= nil, #e.request_id > 0)
    print(tostring(e) == e.message)
    print(select(2, pcall(fly.apps.get, {})).kind)
    print(select(2, pcall(fly.apps.get, "my-app")))
  ]], {}, { env = env })
  t.eq(result.stderr, "")
  t.eq(result.stdout, 'false\tnot_found\t404\tCould not find App "nope"\ttrue\ttrue\n'
    .. "true\nusage\nbad argument #1 to 'apps.get' (table expected, got string)\n")
end)

t.test("a misspelt operation is told with the name it may be", function()
  local result = run([[
    local fly = require "clanker.fly"
    local function raised(fn)
      local e = select(2, pcall(fn))
      print(e.kind, e.message, e.hint)
    end
    raised(function() return fly.machnes end)
    raised(function() return fly.machines.lst end)
  ]])
  t.match(result.stdout, 'usage\tclanker%.fly has no resource "machnes"\tdid you mean "machines"%?')
  t.match(result.stdout, 'no operation "machines%.lst"\tdid you mean "machines%.list"%?')
end)

t.test("a script that asks nothing of an account needs no token", function()
  t.eq(run('require "clanker.fly"\nprint "fine"').stdout, "fine\n")
  local result = run('require("clanker.fly").apps.list()')
  t.eq(result.code, 3)
  t.match(result.stderr, "no Fly API token")
end)

t.test("tasks run side by side and their order is kept", function()
  local result = run([[
    local task = require "clanker.task"
    local order = {}
    local got = task.map({ 3, 1, 2 }, 3, function(n)
      task.sleep(n / 50)
      order[#order + 1] = n
      return n * 10
    end)
    print(table.concat(order, " "), table.concat(got, " "))
    local value, e = task.timeout(0.01, task.sleep, 60)
    print(value, e.kind, tostring(e))
  ]])
  t.eq(result.stdout, "1 2 3\t30 10 20\nnil\ttimeout\tno answer within 0.01 s\n")
end)

t.test("a request returns any reply and raises what is none", function()
  local _, account = support.account()
  local result = run([[
    local http = require "clanker.http"
    local url = ...
    local reply = http.get(url .. "/v1/apps", { timeout = 5 })
    print(reply.status, reply.headers["content-type"] ~= nil, #reply.body > 0)
    print(http.request({ url = url .. "/nowhere", method = "POST", body = "x" }).status)
    local ok, e = pcall(http.get, "http://127.0.0.1:1/")
    print(ok, e.kind, e.code)
    print(select(2, pcall(http.get, "http://example.com/")).message)
  ]], { account.url })
  t.eq(result.stderr, "")
  t.match(result.stdout, "^401\ttrue\ttrue\n4%d%d\nfalse\tnetwork\tECONNREFUSED\n")
  t.match(result.stdout, "example%.com")
end)

t.test("a failed request says what to do next, and a wrong call where it is", function()
  local srv <close> = raw.hello()
  local plain <close> = raw.start(function(conn)
    conn:read()
    conn:write("no TLS here\r\n")
  end)
  local result = run([[
    local http = require "clanker.http"
    local function hint(url, opts)
      local _, e = pcall(http.get, url, opts)
      print(e.code, e.hint)
    end
    hint("http://example.com/")
    hint("http://127.0.0.1:1/")
    hint(..., { max_body = 2 })
    hint((select(2, ...)))
    print(http.get("http://_api.internal/v1/apps", { proxy = ... }).body)
    print(pcall(http.get, "http://_api.internal/v1/apps", { proxy = ..., http_hosts = {} }))
    print(select(2, pcall(function() http.request() end)))
    print(select(2, pcall(function() http.get("", 3) end)))
  ]], { srv.url, "https://127.0.0.1:" .. plain.port })
  t.eq(result.stderr, "")
  local lines = {}
  for line in result.stdout:gmatch("[^\n]+") do
    lines[#lines + 1] = line
  end
  t.match(lines[1], "^EPERM\tuse https://, or allow_http = true")
  t.match(lines[2], "^ECONNREFUSED\tcheck the host and port")
  t.match(lines[3], "^E2BIG\tgive a larger max_body")
  t.match(lines[4], "^ETLS\t.*cafile")
  t.eq(lines[5], "hello")
  t.match(lines[6], "^false\tplain http to _api.internal is not allowed")
  t.match(lines[7], "script.lua:12: bad argument #1 to 'request' %(table expected, got nil%)")
  t.match(lines[8], "script.lua:13: bad argument #2 to 'get' %(table expected, got number%)")
end)

t.test("a deadlock is an error with the line that waits, also on a simulated account", function()
  for _, words in ipairs { {}, { "--sim" } } do
    local command = support.command(support.write([[
      local task, fly = require "clanker.task", require "clanker.fly"
      task.spawn(function()
        local event = task.event()
        event:wait()
      end):await()
    ]]))
    table.move(words, 1, #words, #command.argv + 1, command.argv)
    command.timeout = 20
    local result = t.ok(process.run(command))
    t.eq(result.code, 1)
    t.match(result.stderr, "^error: [^\n]*script.lua:4: deadlock: ")
    t.match(result.stderr, "in a task awaited here.*script.lua:2: in main chunk")
  end
end)

t.test("a traceback reaches through a script's own coroutines", function()
  local result = run([[
    local task = require "clanker.task"
    local function deep(e)
      error(e)
    end
    local function each(e)
      return coroutine.wrap(function()
        for i in coroutine.wrap(function()
          coroutine.yield(1)
          deep(e)
        end) do
          coroutine.yield(i)
        end
      end)
    end
    print(coroutine.resume(coroutine.create(deep), "kept"))
    print(pcall(each("caught")))
    task.spawn(function()
      for i in each("boom") do
        print(i)
      end
    end):await()
  ]])
  t.eq(result.code, 1)
  t.match(result.stdout, "^false\t[^\n]*script.lua:3: kept\ntrue\t1\n1\n$")
  t.match(result.stderr, "^error: [^\n]*script.lua:3: boom\n")
  local at = 1
  for _, part in ipairs {
    "script.lua:3: in", "script.lua:9: in", "\n(in a coroutine resumed here)\n",
    "script.lua:7: in", "\n(in a coroutine resumed here)\n", "script.lua:18: in",
    "\n(in a task awaited here)\n", "script.lua:17: in main chunk",
  } do
    local _, stop = result.stderr:find(part, at, true)
    at = t.ok(stop, part .. " is missing in\n" .. result.stderr)
  end
end)

t.test("an uncaught error shows file, line and the way through tasks", function()
  local path = support.write([[
    local task = require "clanker.task"
    local function deep()
      error("boom")
    end
    task.all {
      function()
        local x = deep()
        return x
      end,
    }
  ]])
  local result = support.run_file(path)
  t.eq(result.code, 1)
  t.has(result.stderr, ("error: %s:3: boom\nstack traceback:\n"):format(path))
  t.has(result.stderr, path .. ":7: in function")
  t.match(result.stderr, "awaited here.-" .. path:gsub("%p", "%%%0") .. ":5: in main chunk")
end)

--- Runs a script with words before "run".
local function run_with(words, text, options)
  local all = support.command(support.write(text), {}, options)
  table.move(words, 1, #words, 2, table.move(all.argv, 2, #all.argv, 2 + #words))
  return assert(process.run(all))
end

t.test("with --json the last line says how a script failed", function()
  local env = support.account()
  for text, want in pairs {
    ["error 'own'"] = '^{"error":{"kind":"error","message":"[^"]*script.lua:1: own"}}$',
    ["error { message = 'table' }"] = '^{"error":{"kind":"error","message":"table"}}$',
    ["require('clanker.fly').apps.get { app = 'nope' }"] =
      '^{"error":{.*"kind":"not_found",.*"request_id":"%S+","status":404}}$',
    ["= 1"] = '^{"error":{"kind":"error","message":"[^"]*script.lua:1: unexpected',
  } do
    local result = run_with({ "--json" }, text, { env = env })
    t.ok(result.code ~= 0)
    t.match(result.stderr:match("([^\n]*)\n$"), want)
  end
  t.eq(run_with({ "--json" }, "os.exit(3)").stderr, "")
end)

t.test("a token on standard input is not the script's to read", function()
  local env, account = support.account()
  local result = run_with({ "--api-token-file", "-" }, [[
    print(io.read())
    print(#require("clanker.fly").apps.list {})
  ]], { env = tbl.merge(env, { FLY_API_TOKEN = "" }), stdin = account.token })
  t.eq({ result.stdout, result.stderr }, { "nil\n3\n", "" })
end)

t.test("tasks that ask at once share one account", function()
  local env, account = support.account()
  local result = run_with({ "--api-token", account.token }, [[
    local fly, task = require "clanker.fly", require "clanker.task"
    local counts = task.map({ 1, 2, 3 }, 3, function() return #fly.apps.list {} end)
    print(table.concat(counts, " "))
  ]], { env = env })
  t.eq(result.stdout, "3 3 3\n")
  t.eq(select(2, result.stderr:gsub("warning: %-%-api%-token", "")), 1, "opened once")
end)

t.test("a traceback leads through tasks within tasks", function()
  local path = support.write([[
    local task = require "clanker.task"
    task.timeout(5, function()
      task.all { function()
        return (task.map({ 1, 2, 3 }, 2, function(x)
          error({ message = "deep " .. x })
        end))
      end }
    end)
  ]])
  local result = support.run_file(path)
  t.match(result.stderr, "^error: deep 1\nstack traceback:\n")
  local places = {}
  for line in result.stderr:gmatch(path:gsub("%p", "%%%0") .. ":(%d+): ") do
    places[#places + 1] = line
  end
  t.eq(places, { "5", "4", "3", "2" }, result.stderr)
  t.eq(select(2, result.stderr:gsub("\n%(in a task awaited here%)\n", "")), 3)
end)

t.test("an uncaught error of Fly shows what to do next and where it was", function()
  local env = support.account()
  local path = support.write('local fly = require "clanker.fly"\n\n'
    .. 'local app = fly.apps.get { app = "nope" }\nprint(app)')
  local result = support.run_file(path, {}, { env = env })
  t.eq(result.code, 4)
  t.match(result.stderr, '^error %(not found%): Could not find App "nope"\n'
    .. 'hint: [^\n]+\nrequest id: %S+\n')
  t.has(result.stderr, path .. ":3: in main chunk")
end)

t.test("whatever is raised can be read, and acts on no terminal", function()
  local function told(text)
    local result = run(text)
    t.eq(result.code, 1)
    return result.stderr:match("^[^\n]+")
  end
  t.eq(told("error({ 1, 2 })"), "error: the error value is a table")
  t.eq(told("error()"), "error: the error value is a nil")
  t.eq(told("error(7)"), "error: 7")
  t.eq(told("error(print)"), "error: the error value is a function")
  t.eq(told("error({ message = 'told', kind = 'mine' })"), "error: told")
  t.eq(told("error({ code = 'EPIPE', message = 'lost' })"), "error: lost")
  t.eq(told("error({ message = {} })"), "error: the error value is a table")
  t.match(told("error(io.open('/dev/null'))"), "^error: file %(")
  for _, meta in ipairs {
    "__tostring = function() error 'inner' end", "__tostring = function() return {} end",
    "__index = function() error 'inner' end", "__metatable = 5", "__name = 7",
  } do
    t.eq(told(("error(setmetatable({}, { %s }))"):format(meta)),
      "error: the error value is a table", meta)
  end
  t.eq(told([[error(setmetatable({}, { __tostring = function() return "own\27[31m" end }))]]),
    "error: own\\x1b[31m")
end)

t.test("a file that is none and a text that is no Lua say so", function()
  local result = support.run_file(t.tmpdir() .. "/none.lua")
  t.eq(result.code, 4)
  t.match(result.stderr, "^error %(not found%): cannot read the script: [^\n]*none%.lua: "
    .. "no such file or directory\nhint: ")
  result = run("local x = = 1")
  t.eq(result.code, 1)
  t.match(result.stderr, "script%.lua:1: unexpected symbol near '='\n$")
  result = support.run_file(t.tmpdir())
  t.eq(result.code, 1)
  t.match(result.stderr, "cannot read the script")
  local loop = t.tmpdir() .. "/loop.lua"
  assert(process.run { argv = { "ln", "-s", loop, loop }, inherit = { "PATH" } })
  result = support.run_file(loop)
  t.eq({ result.code, (result.stderr:match("\nhint: ")) }, { 1, nil }, "it is there")
  t.eq(run("\27Lua compiled").code, 1)
end)

t.test("os.exit ends the script with its code, from any depth and task", function()
  t.eq(run("os.exit()").code, 0)
  t.eq(run("os.exit(false)").code, 1)
  t.eq(run("os.exit(3.0)").code, 3)
  local result = run([[
    local task = require "clanker.task"
    local kept <close> = setmetatable({}, { __close = function() print "closed" end })
    task.all { function() task.sleep(60) end, function() os.exit(5) end }
  ]])
  t.eq({ result.code, result.stdout, result.stderr }, { 5, "closed\n", "" })
  result = run('os.exit("x")')
  t.eq(result.code, 1)
  t.match(result.stderr, "integer expected, got string")
end)

t.test("nothing that catches errors catches os.exit", function()
  for _, catcher in ipairs {
    "pcall(os.exit, 7)",
    "xpcall(function() os.exit(7) end, function() print('handled') end)",
    "pcall(pcall, function() os.exit(7) end)",
    "coroutine.resume(coroutine.create(function() os.exit(7) end))",
    "coroutine.wrap(function() pcall(os.exit, 7) end)()",
  } do
    local result = run(catcher .. " print 'went on'")
    t.eq({ result.code, result.stdout, result.stderr }, { 7, "", "" }, catcher)
  end
  local result = run([[
    local task = require "clanker.task"
    print(pcall(error, "x", 0))
    print(pcall(function() task.sleep(0) return 1, nil, 3 end))
    print(xpcall(error, function(e) return e .. "!" end, "y", 0))
    print(select("#", xpcall(function(...) return ... end, print, 1, nil)))
  ]])
  t.eq({ result.code, result.stdout }, { 0, "false\tx\ntrue\t1\tnil\t3\nfalse\ty!\n3\n" },
    result.stderr)
end)

t.test("coroutines are those of plain Lua", function()
  local text = [[
    local function try(...) print(select("#", ...), ...) end
    local numbers = coroutine.wrap(function(...)
      local got = coroutine.yield(...)
      coroutine.yield(got, nil)
      return
    end)
    try(numbers(1, nil))
    try(numbers("a"))
    try(numbers())
    try(pcall(numbers))
    local closed
    local failing = coroutine.wrap(function()
      local _ <close> = setmetatable({}, { __close = function() closed = true end })
      error("own", 0)
    end)
    try(pcall(failing))
    print(closed)
    local value = {}
    print(select(2, pcall(coroutine.wrap(function() error(value) end))) == value)
    local co = coroutine.create(function() error("x", 0) end)
    try(coroutine.resume(co))
    try(coroutine.resume(co))
    try(pcall(function() end))
    try(xpcall(function() return 1, nil end, print))
    print(coroutine.status(co), pcall(coroutine.resume, nil) == false)
    local outer = coroutine.wrap(function()
      local inner = coroutine.wrap(function() coroutine.yield(coroutine.isyieldable()) end)
      coroutine.yield(inner())
    end)
    print(outer())
  ]]
  local plain = assert(process.run { argv = { "lua5.4", support.write(text) } })
  t.eq(plain.code, 0, plain.stderr)
  local result = run(text)
  local function without_paths(out)
    return (out:gsub("/[^\n]-/script", "script"))
  end
  t.eq(without_paths(result.stdout), without_paths(plain.stdout))
  t.eq(result.stderr, "")
end)

t.test("an interrupt that was caught by pcall ends the script all the same", function()
  local result = run([[
    local task = require "clanker.task"
    os.execute("kill -INT $PPID; sleep 0.01") -- ignored while it waits
    print "still here"
    io.popen("kill -INT $PPID"):close()
    while true do
      pcall(task.sleep, 600)
    end
  ]])
  t.eq({ result.code, result.stdout, result.stderr }, { 130, "still here\n", "" })
end)

t.test("a reader that goes away ends a script quietly", function()
  local path = support.write('for i = 1, 1000000 do print("line", i) end')
  local result = assert(process.run({
    argv = { "/bin/sh", "-c", '{ "$0" run "$1"; echo "code $?" >&2; } | head -n 1',
      t.binary(), path },
    env = { HOME = t.tmpdir() }, inherit = { "PATH", "CLANKER_LUA", "ASAN_OPTIONS" },
    timeout = 60,
  }))
  t.eq({ result.stdout, result.stderr }, { "line\t1\n", "code 0\n" })
end)

t.test("no way of writing shows a secret", function()
  local result = run([[
    local fly = require "clanker.fly"
    pcall(fly.apps.list)
    local token = os.getenv("FLY_API_TOKEN") or ("fo1_" .. "canarycanary")
    print(token)
    io.write(token, "\n")
    io.stderr:write(token, "\n")
    io.output():write(token, "\n")
    error("failed with " .. token)
  ]], {}, { env = { FLY_API_TOKEN = "fo1_canarycanary", FLY_API_HOSTNAME = "http://127.0.0.1:1",
    FLY_API_BASE_URL = "http://127.0.0.1:1" } })
  t.eq(result.code, 1)
  t.eq(result.stdout, ("[secret]\n"):rep(3))
  t.match(result.stderr, "^%[secret%]\nerror: [^\n]*failed with %[secret%]\n")
  t.lacks(result.stderr, "canary")
end)

t.test("an interrupt ends a script that waits and one that computes", function()
  for _, text in ipairs { 'require("clanker.task").sleep(600)', "while true do end" } do
    local path = support.write('io.stdout:setvbuf("no")\nprint "here"\n' .. text)
    local child <close> = assert(process.spawn(support.command(path)))
    local stream, chunk = child:read()
    t.eq({ stream, chunk }, { "stdout", "here\n" })
    local started = task.now()
    assert(child:kill("SIGINT"))
    t.eq(child:wait().code, 130)
    t.ok(task.now() - started < 2, "it took too long to end")
  end
end)
