-- The scripts of examples/ do what their first lines say, on the demo account.

local fs = require "sys.fs"
local server = require "sys.server"
local support = require "script.support"
local t = require "kit"
local task = require "sys.task"

local tested = {}

local function run(name, words, options)
  tested[name] = true
  return support.run_file("examples/" .. name, words, options)
end

t.test("idle.lua finds what costs without serving", function()
  local env = support.account()
  local result = run("idle.lua", {}, { env = env })
  t.eq({ result.code, result.stderr }, { 0, "" })
  t.match(result.stdout, "^acme%-api\t%w+\tnrt\tsuspended\n")
  t.match(result.stdout, "my%-app\tvol_%w+\tfra\t3 GB\n")
  t.match(result.stdout, "\n3 idle machines, 3 GB in unattached volumes\n$")
  result = run("idle.lua", { "acme" }, { env = env })
  t.match(result.stdout, "\n2 idle machines, 0 GB in unattached volumes\n$")
end)

t.test("probe.lua asks addresses at once and tells those that fail", function()
  local srv = assert(server.listen({}))
  local serving = task.spawn(function()
    srv:serve(function(request)
      return request.path == "/up" and 200 or 503, {}, ""
    end)
  end)
  local up, down, none = srv.url .. "/up", srv.url .. "/down", "http://127.0.0.1:1/"
  local result = run("probe.lua", { up })
  t.eq({ result.code, result.stdout }, { 0, ("ok\t%s\t200\n"):format(up) })
  result = run("probe.lua", { down, up, none })
  t.eq({ result.code, result.stderr }, { 1, "" })
  t.match(result.stdout, "^FAIL\t%S+/down\t503\nok\t%S+/up\t200\nFAIL\t[^\n]*refused\n$")
  t.eq(run("probe.lua", {}).code, 2)
  srv:close()
  serving:join()
end)

t.test("recycle.lua restarts started machines and leaves none cordoned", function()
  local env, account = support.account()
  local result = run("recycle.lua", { "my-app" }, { env = env })
  t.eq({ result.code, result.stderr }, { 0, "" })
  t.match(result.stdout, "\n2 of 3 machines recycled\n$")
  result = run("recycle.lua", { "no-such-app" }, { env = env })
  t.eq(result.code, 4)
  t.eq(run("recycle.lua", {}).code, 2)
  t.ok(account)
end)

t.test("every example is tested", function()
  for _, name in ipairs(assert(fs.list("examples"))) do
    t.ok(tested[name], name)
  end
end)
