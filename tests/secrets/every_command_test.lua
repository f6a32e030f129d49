-- Every command, on success and on failure: neither the token it works with nor
-- a value it is given is in its output or in a file of its home.

local fs = require "sys.fs"
local json = require "base.json"
local ops = require "ops"
local own = require "cli.own"
local server = require "sys.server"
local sim = require "sim"
local str = require "base.str"
local t = require "kit"
local task = require "sys.task"
local tbl = require "base.tbl"
local worlds = require "face.world"

-- Every line is run in this process: what depends on it being one, its arguments
-- and its environment, canary_test.lua looks at.

local TOKEN = "fo1_canarytoken00001111"
local VALUE = "canary-value-7d31"
local TRACES = { "canarytoken", "canary-value", "Y2FuYXJ5", "NhbmFyeS", "jYW5hcn" }

local FLAGS = { "--debug", "--yes" }

local function check(text, where)
  for _, trace in ipairs(TRACES) do
    if text:find(trace, 1, true) then
      error(("%s holds %s: %s"):format(where, trace, text:sub(1, 2000)))
    end
  end
end

-- All examples of the documentation but those that somebody has to end.
local EXAMPLES = {}
for _, op in ipairs(ops.all()) do
  for _, example in ipairs(op.examples) do
    if not example:find("--follow", 1, true) then
      EXAMPLES[#EXAMPLES + 1] = "fly " .. example
    end
  end
end
local ENDLESS = tbl.set({ "sim", "run", "sim flyctl", "__complete" })
for _, row in ipairs(own.LIST) do
  if not ENDLESS[row.path] then
    table.move(row.examples or { row.path }, 1, #(row.examples or { 1 }), #EXAMPLES + 1, EXAMPLES)
  end
end

-- The words of an example, with flags before those of a command of its own.
local function words_of(example, first)
  local words, at = tbl.flatten({ first, str.words(example) }), nil
  for i, word in ipairs(words) do
    at = at or (word == "--" and i)
  end
  at = at or #words + 1
  return tbl.flatten({
    table.move(words, 1, at - 1, 1, {}), FLAGS, table.move(words, at, #words, 1, {}),
  })
end

-- Runs a command line with the canaries in all places that one can be in.
local function run(example, home, options)
  local world = worlds.new({
    home = home, cwd = home, answer = VALUE, tty = { [0] = true, [2] = true }, moves = true,
    env = tbl.merge({ FLY_API_TOKEN = TOKEN }, options.env or {}),
  })
  local faces = tbl.merge(worlds.FACES, { sim = options.sim })
  local code = require("cli").run(words_of(example, options.first or {}), faces, world)
  check(world.out, "stdout of " .. example)
  check(world.err, "stderr of " .. example)
  return code, world
end

-- What `config init` and `credentials store` keep a token in is what they are for;
-- the store is encrypted.
local function check_home(home)
  fs.remove(home .. "/.clanker.yaml")
  for _, entry in ipairs(assert(fs.walk(home))) do
    if entry.type == "file" then
      check(t.read_file(home .. "/" .. entry.path), entry.path)
    end
  end
end

local HURRIED = tbl.merge(require "sim.seeds.demo", { pace = 0.01 })

local function hurried_sim()
  return {
    start = function(options)
      return sim.start(tbl.merge(options, { token = TOKEN, seed = HURRIED, limits = false }))
    end,
  }
end

-- Where things of the account are that examples make up.
local LISTS = {
  ["1234abcd"] = "fly list machines --app my-app", vol_1234 = "fly list volumes --app my-app",
  pg1abc = "fly list mpg", ["2001:db8::1"] = "fly list ips --app my-app",
}

-- What an example writes is below home.
local function at_home(example, home)
  return (example:gsub("%-%-out ", "--out " .. home .. "/"))
end

-- The examples with real things in those places.
local function filled(home)
  local lines = at_home(table.concat(EXAMPLES, "\n"), home)
  for made_up, list in pairs(LISTS) do
    local _, world = run(list .. " -o csv", home, { first = { "--sim" }, sim = hurried_sim })
    lines = lines:gsub(made_up, world.out:match("\n([^,]+)"))
  end
  return str.split(lines, "\n")
end

-- Several at once: some wait for what they did.
t.test("no trace of it when they succeed", function()
  local home, done = t.tmpdir(), 0
  assert(fs.write(home .. "/.clanker.yaml", "flyio:\n  org_slug: personal\n", { mode = 384 }))
  task.map(filled(home), 8, function(example)
    local code = run(example, home, {
      first = { "--sim", "--timeout", "3s" }, sim = hurried_sim,
    })
    done = done + (code == 0 and 1 or 0)
  end)
  check_home(home)
  t.ok(done > #EXAMPLES // 2, done)
end)

-- An account that repeats all it is told in its refusals.
local function start_parrot(status)
  local srv = assert(server.listen({ max_body = 1 << 20 }))
  local serving = task.spawn(function()
    srv:serve(function(req)
      local said = ("%s %s %s"):format(req.headers.authorization, req.target, req.body or "")
      return status, { ["Content-Type"] = "application/json" }, json.encode({
        error = said, message = said, errors = { { message = said } },
      })
    end)
  end)
  t.cleanup(function()
    srv:close()
    serving:cancel()
    serving:join()
  end)
  return srv.url
end

-- Each has a home of its own: the pace of requests is kept there.
t.test("no trace of it when they fail and all that was said is repeated", function()
  local homes, failed = t.tmpdir(), 0
  local urls = { [0] = start_parrot(200), start_parrot(422) }
  for i, example in ipairs(EXAMPLES) do
    local home, url = homes .. "/" .. i, urls[i % 2]
    assert(fs.mkdir(home))
    local code = run(at_home(example, home), home, {
      first = { "--timeout", "300ms" },
      env = { FLY_API_HOSTNAME = url, FLY_API_BASE_URL = url },
    })
    failed = failed + (code ~= 0 and 1 or 0)
    check_home(home)
  end
  t.ok(failed > #EXAMPLES // 2, failed)
end)
