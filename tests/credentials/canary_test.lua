-- A token that is stored, and the key of the backend, appear nowhere but where
-- they are kept: not in arguments, environments, files or messages.

local backends = require "kit.backend"
local fs = require "sys.fs"
local json = require "base.json"
local sim = require "sim"
local t = require "kit"
local traces = require "kit.traces"

local TOKEN = "fo1_canarytoken00001111"
local KEY = "canarykey-2222"
local TRACES = { "canarytoken", "canarykey", "Y2FuYXJ5", "NhbmFyeS", "jYW5hcn" }

-- What keeps the token, and the environment that leads there.
local STORES = {
  ["this machine"] = function()
    return {}, nil
  end,
  ["a backend"] = function(run)
    local backend = backends.start()
    backend.key = KEY
    backend.on_request = function()
      run:look(true)
    end
    return { CLANKER_BACKEND_URL = backend.url, CLANKER_BACKEND_API_KEY = KEY }, backend
  end,
}

local WAYS = {
  ["standard input"] = function(run, env)
    return run:go({ "credentials", "store", "flyio", "--api-token", "-", "--debug" },
      { stdin = TOKEN .. "\n", env = env })
  end,
  ["an argument"] = function(run, env)
    run.typed = true
    local result = run:go({ "credentials", "store", "flyio", "--api-token=" .. TOKEN, "--debug" },
      { env = env })
    run.typed = false
    return result
  end,
}

for way, store in pairs(WAYS) do
  for place, open in pairs(STORES) do
    t.test(("no trace of a token from %s in %s"):format(way, place), function()
      local account = assert(sim.start({ seed = "demo", token = TOKEN, limits = false }))
      t.cleanup(account.stop)
      local run = traces.new({ traces = TRACES })
      local env = open(run)
      env.FLY_API_HOSTNAME, env.FLY_API_BASE_URL = account.url, account.url
      local function go(result, code)
        t.eq(result.code, code or 0, result.stderr)
        run:finish(result, way .. ", " .. place)
      end
      go(store(run, env))
      for _, words in ipairs({
        { "credentials", "list" }, { "credentials", "test", "flyio" },
        { "fly", "list", "apps", "--debug" }, { "config", "show" },
        { "credentials", "delete", "flyio", "--yes" },
      }) do
        go(run:go(words, { env = env }))
      end
      t.ok(run.seen > 0)
    end)
  end
end

local function repeats(status, make)
  return function(req)
    local said = ("%s %s"):format(req.headers["x-api-key"], req.body or "")
    return status, { ["Content-Type"] = "application/json" }, make(said)
  end
end

local function as_error(said)
  return json.encode({ success = false, error = { message = said } })
end

t.test("no trace in what a backend says when it refuses", function()
  for name, answer in pairs({
    ["401"] = repeats(401, as_error), ["404"] = repeats(404, as_error),
    ["422"] = repeats(422, as_error),
    ["500 page"] = repeats(500, function(said) return "<h1>" .. said .. "</h1>" end),
    ["no success"] = repeats(200, as_error),
    ["no JSON"] = repeats(200, function(said) return "{" .. said end),
  }) do
    local run = traces.new({ traces = TRACES })
    local env, backend = STORES["a backend"](run)
    backend.answer = answer
    local result = WAYS["standard input"](run, env)
    t.ok(result.code ~= 0, name)
    run:finish(result, name)
    result = run:go({ "fly", "list", "apps", "--debug" }, { env = env })
    t.eq(result.code, 3, name .. ": " .. result.stderr)
    run:finish(result, name)
  end
end)

t.test("no trace when the place on this machine cannot be written", function()
  local run = traces.new({ traces = TRACES })
  assert(fs.mkdir(run.home .. "/.clanker", 448)) -- 0700
  assert(fs.write(run.home .. "/.clanker/credentials", "{", { mode = 384 })) -- 0600
  local result = WAYS["standard input"](run, {})
  t.eq(result.code, 1, result.stderr)
  t.match(result.stderr, "it is damaged")
  run:finish(result, "damaged")
end)
