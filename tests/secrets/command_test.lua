-- `secrets set`, `list`, `unset`, `deploy` as the user types them.

local fs = require "sys.fs"
local json = require "base.json"
local secret = require "sys.secret"
local secret_api = require "kit.secret_api"
local t = require "kit"
local world = require "face.world"

local function account(env)
  local api = secret_api.start()
  env = env or {}
  env.FLY_API_HOSTNAME, env.FLY_API_BASE_URL = api.url, api.url
  env.FLY_API_TOKEN = "fo1_simtoken"
  return api, env
end

-- Runs a command line; `more` are functions of its world.
local function run(words, env, more, tty)
  local w = world.new({ env = env, home = t.tmpdir(), tty = tty })
  for name, fn in pairs(more or {}) do
    w[name] = fn
  end
  return require("cli").run(words, world.FACES, w), w
end

local SET = { "fly", "secrets", "set", "--app", "web", "--via", "api", "--stage" }

local function set(words, env, more, tty)
  return run(table.move(words, 1, #words, #SET + 1, table.move(SET, 1, #SET, 1, {})),
    env, more, tty)
end

local function stdin(text)
  return { stdin_secret = function() return secret.new(text) end }
end

local TTY = { [0] = true, [2] = true }

t.test("a bare name asks at a terminal, and each name by itself", function()
  local api, env = account()
  local asked = {}
  local code, w = set({ "ONE", "TWO" }, env, { hidden = function(text)
    asked[#asked + 1] = text
    return secret.new("typed " .. #asked)
  end }, TTY)
  t.eq(code, 0, w.err)
  t.eq(api.values, { ONE = "typed 1", TWO = "typed 2" })
  t.eq(asked, { "value of ONE (not shown): ", "value of TWO (not shown): " })
  t.lacks(w.err, "warning")
end)

t.test("all ways in together are one request", function()
  local api, env = account()
  local dir, posts = t.tmpdir(), 0
  assert(fs.write(dir .. "/value", "from a file\n"))
  assert(fs.write(dir .. "/env", "# note\nexport C='from an import' # x\nD=4\n"))
  api.answer = function(req)
    posts = posts + 1
    api.values = json.decode(req.body).values
    return 200, {}, '{"Version":3}'
  end
  local code, w = set({ "A=argument", "B=-", "--from-file", "E=" .. dir .. "/value",
    "--import", dir .. "/env" }, env, stdin("piped"))
  t.eq(code, 0, w.err)
  t.eq(posts, 1)
  t.eq(api.values, { A = "argument", B = "piped", C = "from an import", D = "4",
    E = "from a file\n" })
  t.match(w.err, "warning: A was typed on a command line")
  t.match(w.out, "^NAME  OUTCOME\nA     staged\n")
end)

t.test("a line end that came with the value is part of it, and told", function()
  local api, env = account()
  local code, w = set({ "A", "--from-stdin" }, env, stdin("with-end\n"))
  t.eq(code, 0, w.err)
  t.eq(api.values, { A = "with-end\n" })
  t.match(w.err, "note: the value of A ends with a line end")
  code, w = set({ "B=-" }, env, stdin("-----BEGIN\nx\n-----END\n"))
  t.eq(code, 0)
  t.lacks(w.err, "line end")
end)

t.test("what cannot be meant is refused before anything is sent", function()
  local api, env = account()
  for want, case in pairs({
    ["no secret to set"] = { {} },
    ["A is given twice: A=VALUE and A=-"] = { { "A=1", "A=-" }, stdin("x") },
    ["A=%- and B=%- both read standard input"] = { { "A=-", "B=-" }, stdin("x") },
    ["%-%-from%-stdin is the value of one name, and several are given"] =
      { { "A", "B", "--from-stdin" }, stdin("x") },
    ["%-%-from%-stdin is the value of one name, and none is given"] =
      { { "--from-stdin" }, stdin("x") },
    ["A has no value, and there is no terminal to ask at"] = { { "A" } },
    ["reads standard input, which is a terminal"] = { { "A=-" }, stdin("x"), TTY },
    ["must be NAME=VALUE"] = { { "a-b=1" } },
    ["a%.b is no name of a secret"] = { { "--from-file", "a.b=/dev/null" } },
    ["there are no NAME=value lines"] = { { "--import", "/dev/null" } },
  }) do
    local code, w = set(case[1], env, case[2], case[3])
    t.eq(code, 2, w.err)
    t.match(w.err, want)
  end
  local code, w = set({ "--from-file", "A=/nonexistent" }, env)
  t.eq(code, 4)
  t.match(w.err, "%-%-from%-file A: /nonexistent")
  t.eq(api.values, {})
end)

t.test("an import names what stands twice by its lines", function()
  local _, env = account()
  local path = t.tmpdir() .. "/env"
  assert(fs.write(path, "A=1\nB=2\nA=3\n"))
  local code, w = set({ "--import", path }, env)
  t.eq(code, 2)
  t.match(w.err, "A is given twice: .+/env line 1 and .+/env line 3")
end)

t.test("an empty value is a value", function()
  local api, env = account()
  t.eq(set({ "A=", "B=-" }, env, stdin("")), 0)
  t.eq(api.values, { A = "", B = "" })
end)

t.test("set, list, unset and deploy on the simulated account", function()
  local function simulated(words) -- where machines start and stop at once
    return world.run(words, { home = t.tmpdir(), hurried = true, moves = true })
  end
  local code, w = simulated({ "--sim", "fly", "secrets", "set", "NEW_KEY=of-the-test", "--app",
    "my-app", "--via", "api", "-o", "json" })
  t.eq(code, 0, w.err)
  t.eq(json.decode(w.out), { { name = "NEW_KEY", outcome = "deployed" } })
  code, w = simulated({ "--sim", "fly", "secrets", "unset", "DATABASE_URL", "NO_KEY", "--app",
    "my-app", "--yes" })
  t.eq(code, 0, w.err)
  t.match(w.err, "NO_KEY is not set")
  t.match(w.out, "DATABASE_URL  removed")
  code, w = simulated({ "--sim", "fly", "secrets", "unset", "NO_KEY", "--app", "my-app",
    "--yes" })
  t.eq(code, 4)
  t.match(w.err, "app my%-app has no secret NO_KEY")
  code, w = simulated({ "--sim", "fly", "secrets", "unset", "DATABASE_URL", "--app", "my-app" })
  t.eq(code, 9)
  code, w = simulated({ "--sim", "fly", "secrets", "deploy", "--app", "my-app" })
  t.eq(code, 0, w.err)
  t.match(w.out, "stopped  done")
end)
