-- Every exit code of the README's table, each come by at the command line: what
-- the account answers, and what the program ends with.

local sim = require "sim"
local t = require "kit"
local task = require "sys.task"
local world = require "face.world"

-- Runs words on an account of its own, which has these faults.
local function run(words, fault, options)
  local account = assert(sim.start({ seed = "demo", fault = fault, limits = false,
    token = "fo1_simexit" }))
  t.cleanup(account.stop)
  options = options or {}
  options.home = options.home or t.tmpdir()
  options.env = { FLY_API_HOSTNAME = account.url, FLY_API_BASE_URL = account.url,
    FLY_API_TOKEN = options.token or "fo1_simexit" }
  return world.run(words, options)
end

-- { code, command line, fault, beginning of the error }
local CASES = {
  { 0, "fly list apps" },
  { 1, "fly list regions --timeout 500ms", "*:500", "error %(server%): " },
  { 1, "ask --flyio what is love", nil, "error: .-\nhint: it can answer" },
  { 2, "fly list appz", nil, "error %(usage%): .-\nhint: did you mean" },
  { 3, "fly list apps", "*:401", "error %(auth%): " },
  { 3, "fly list apps", "*:403", "error %(forbidden%): " },
  { 4, "fly get app nope", nil, "error %(not found%): " },
  { 5, "fly cordon 1234abcd --app my-app", "POST *:409", "error %(conflict%): " },
  { 6, "fly create app other --org acme", "POST *:422=name is too odd",
    "error %(invalid%): name is too odd\n" },
  { 7, "fly list regions --timeout 100ms", "*:latency=60000", "error %(timeout%): " },
  { 8, "fly list regions --timeout 500ms", "*:429,retry-after=30", "error %(rate limited%): " },
  { 9, "fly destroy app acme-staging", nil, "error %(declined%): " },
  { 10, "fly restart app my-app --timeout 20s", "POST /v1/*/1234abcd/*:422=not this one",
    "error %(partial%): " },
}

t.test("each exit code is what its failure ends with", function()
  local results = task.map(CASES, 4, function(case)
    local words = {}
    for word in case[2]:gmatch("%S+") do
      words[#words + 1] = word
    end
    local code, seen = run(words, case[3])
    return { code = code, err = seen.err }
  end)
  for i, case in ipairs(CASES) do
    t.eq(results[i].code, case[1], case[2] .. "\n" .. results[i].err)
    t.match("\n" .. results[i].err, case[4] and "\n" .. case[4] or "^\n", case[2])
  end
end)

t.test("none of the table is left out here", function()
  local seen = { [130] = true } -- see process_test: an interrupt
  for _, case in ipairs(CASES) do
    seen[case[1]] = true
  end
  for kind, code in pairs(require("base.err").EXIT) do
    t.ok(seen[code], kind)
  end
end)

t.test("waiting is shown at a terminal after 300 ms, and gone with the result", function()
  local at_terminal = { [2] = true }
  local code, seen = run({ "fly", "list", "regions" }, "*:latency=700",
    { tty = at_terminal })
  t.eq(code, 0)
  t.match(seen.err, "^\r\27%[K⠋ list regions… 0s\r\27%[K⠙")
  t.match(seen.err, "\r\27%[K$")
  t.lacks(seen.out, "\27")
  code, seen = run({ "fly", "list", "regions" }, "*:latency=700")
  t.eq({ code, seen.err }, { 0, "" }, "no terminal, no line")
end)

t.test("nothing is shown of what takes no time", function()
  local now = task.now()
  local code, seen = run({ "fly", "list", "regions" }, nil, { tty = { [2] = true } })
  t.eq(code, 0)
  if task.now() - now < 0.3 then
    t.eq(seen.err, "")
  end
end)

t.test("a failure wipes the line before it is told", function()
  local code, seen = run({ "fly", "list", "regions" }, "*:latency=500,404=gone",
    { tty = { [2] = true } })
  t.eq(code, 4)
  t.match(seen.err, "\r\27%[Kerror %(not found%): ")
end)
