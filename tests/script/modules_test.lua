-- The modules of scripts: whole, strict about their arguments, true to types.

local registry = require "opkit.registry"
local support = require "script.support"
local t = require "kit"

require "ops"

--- Runs a script that has `fly`, `http`, `json`, `process`, `task`, and `told(fn, …)`,
--- which prints how calling fn fails.
local function run(text, env)
  return support.run([[
local fly, http, json = require "clanker.fly", require "clanker.http", require "clanker.json"
local process, task = require "clanker.process", require "clanker.task"
local function told(fn, ...)
  local ok, e = pcall(fn, ...)
  print(ok, type(e) == "table" and e.kind or "text", type(e) == "table" and e.message or e)
end
local _ = { http, json, process, task, told }
]] .. text, {}, { env = env })
end

t.test("every operation is a function, and nothing else is there", function()
  local result = run [[
    local ids = {}
    for resource, verbs in pairs(fly) do
      for verb, fn in pairs(verbs) do
        assert(type(fn) == "function")
        ids[#ids + 1] = resource .. "." .. verb
      end
    end
    table.sort(ids)
    print(table.concat(ids, "\n"))
  ]]
  local want = {}
  for _, op in ipairs(registry.all()) do
    want[#want + 1] = not op.hidden and op.id or nil
  end
  table.sort(want)
  t.ok(#want > 80, #want)
  t.eq(result.stdout, table.concat(want, "\n") .. "\n", result.stderr)
end)

t.test("every operation refuses a parameter it does not have, by its name", function()
  local result = run([[
    for _, verbs in pairs(fly) do
      for _, fn in pairs(verbs) do
        local ok, e = pcall(fn, { no_such = 1 })
        print(ok, e.kind, e.message)
      end
    end
  ]], support.account())
  local count = 0
  for line in result.stdout:gmatch("[^\n]+") do
    t.match(line, '^false\tusage\t[%w_]+%.[%w_%-]+: unknown parameter "no_such"')
    count = count + 1
  end
  t.ok(count > 80, result.stderr)
end)

t.test("a wrong argument is told with operation, argument, and what was meant", function()
  local result = run([[
    told(fly.machines.list, { ap = "my-app" })
    told(fly.machines.get, { app = "my-app" })
    told(fly.machines.list, { app = 5 })
    told(fly.machines.list, { app = {} })
    told(fly.machines.list, { "my-app" })
    local cycle = {}
    cycle.app = cycle
    told(fly.machines.list, cycle)
    told(fly.machines.list, { app = { print } })
    told(fly.machines.list, { app = "my-app" }, 5)
    told(fly.machines.list, {}, { timeoutt = 5 })
    told(fly.machines.list, {}, { timeout = "5" })
    told(fly.machines.list, {}, { timeout = -1 })
    told(fly.machines.list, {}, { each = true })
    told(fly.machines.list, {}, { timeout = 0 })
  ]], support.account())
  t.eq(result.stdout, [[
false	usage	machines.list: unknown parameter "ap" (did you mean app?)
false	usage	machines.get: missing id (id of the machine)
false	usage	machines.list: app must be a text, got "5"
false	usage	machines.list: app must be a text, got "{}"
false	usage	machines.list: unknown parameter "1"
false	usage	machines.list: app must be a text, got "a table"
false	usage	machines.list: app must be a text, got "a table"
false	text	bad argument #2 to 'machines.list' (table expected, got number)
false	usage	machines.list: unknown option "timeoutt" (did you mean timeout?)
false	usage	machines.list: option timeout must be a number, got a string
false	usage	machines.list: option timeout must not be negative
false	usage	machines.list: option each must be a function, got a boolean
false	timeout	no answer within 0 s
]], result.stderr)
end)

t.test("misuse is told at the script's line", function()
  local env = support.account()
  local result = run('\n\nfly.machines.list({}, { tmeout = 1 })', env)
  t.eq(result.code, 2)
  t.match(result.stderr, "^error %(usage%): [^\n]*\"tmeout\"[^\n]*\n"
    .. "stack traceback:\n\t[^\n]*script%.lua:10: in main chunk")
  result = run([==[
    for _, call in ipairs {
      "fly.machines.list(3)", "http.get()", 'http.get("http://127.0.0.1:1/", { timeot = 1 })',
      "http.request()", "process.run()", 'process.run { argv = "ls" }', "json.encode(print)",
      "json.decode()", "task.sleep(-1)", "task.map({ 1 }, 0, print)", "task.all { 1 }",
      'require "no.such"', 'require "clanker.nope"',
    } do
      local text = "local fly, http, json, process, task = ...\n" .. call
      local chunk = assert(load(text, "@mine.lua"))
      local ok, e = pcall(chunk, fly, http, json, process, task)
      print(ok, e:match("^[^\n]*"), call)
    end
  ]==], env)
  local count = 0
  for line in result.stdout:gmatch("[^\n]+") do
    t.match(line, "^false\tmine%.lua:2: ")
    count = count + 1
  end
  t.eq({ count, result.stderr }, { 13, "" })
end)

t.test("lists stay lists and integers integers, through JSON and back", function()
  local result = run([==[
    local texts = { '[]', '{}', '{"a":[],"b":{},"c":1,"d":12345678901234567890,"f":null}', 'null',
      '[[],[{}]]', '9007199254740993', '1.5', '"x"' }
    for _, text in ipairs(texts) do
      assert(json.encode(json.decode(text)) == text, text)
    end
    print(json.encode(json.array()), json.encode({}), json.decode("null") == json.null)
    print(json.encode({ b = 1, a = { 2 } }, { indent = 2 }))
    local none = fly.certs.list { app = "acme-staging" }
    print(#none, json.encode(none))
    print(math.type(fly.volumes.list {} [1].size_gb))
    local machine = fly.machines.list { app = "my-app" } [1]
    print(json.encode(json.decode(json.encode(machine))) == json.encode(machine))
    print(machine.config.init.cmd, type(machine.config.services))
  ]==], support.account())
  t.eq(result.stdout, "[]\t{}\ttrue\n{\n  \"a\": [\n    2\n  ],\n  \"b\": 1\n}\n"
    .. "0\t[]\ninteger\ntrue\nnil\ttable\n", result.stderr)
end)

t.test("a credential that an operation makes never becomes a string", function()
  local env, account = support.account()
  local result = run([[
    local token = fly.tokens.create { type = "org", org = "acme", name = "x" }.token
    print(type(token), tostring(token), ("%s"):format(token))
    told(function() return "t=" .. token end)
    told(json.encode, { token })
    told(io.write, token)
    print(http.get(os.getenv "FLY_API_HOSTNAME" .. "/v1/apps?org_slug=acme", {
      headers = { Authorization = token },
    }).status)
    print(#process.run { argv = { "cat" }, stdin = token }.stdout > 20)
  ]], env)
  t.ok(account)
  t.match(result.stdout, "^userdata\t%[secret%]\t%[secret%]\nfalse\ttext\t[^\n]*concatenated"
    .. "[^\n]*\nfalse\ttext\t[^\n]*no JSON form\nfalse\ttext\t[^\n]+\n")
  t.match(result.stdout, "\n%d%d%d\ntrue\n$")
end)

t.test("what destroys does so without a question", function()
  local env, account = support.account()
  local result = run('print(fly.apps.destroy { app = "my-app" } ~= nil, #fly.apps.list {})', env)
  t.eq({ result.stdout, result.stderr }, { "true\t2\n", "" })
  t.ok(account)
end)
