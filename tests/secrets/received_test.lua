-- Credentials that come in a reply, where what comes of it fails: they are in no
-- output and in no file, since nobody asked for them there.

local fs = require "sys.fs"
local json = require "base.json"
local server = require "sys.server"
local t = require "kit"
local task = require "sys.task"
local tbl = require "base.tbl"
local worlds = require "face.world"

local VALUE = "received-canary-7d31"

local ORG = { id = "n1", slug = "acme", name = "Acme", rawSlug = "acme", type = "SHARED" }

-- Answers that the commands need before they get to it.
local BEFORE = {
  GetOrg = { organization = ORG },
  AppNodes = { app = { id = "a1", organization = { id = "n1", slug = "acme" } } },
  AddOnPlans = { addOnPlans = { nodes = { { id = "p1", title = "Pay-as-you-go" } } } },
  AddOnProvider = { addOnProvider = { name = "tigris", title = "Tigris", terms = "" } },
  GetAddOn = { addOn = { id = "x", name = "canary", status = "error",
    problem = "it failed: " .. VALUE } },
}

local ADDON = { id = "x", name = "canary", status = "creating", public_url = VALUE,
  environment = { KEY = VALUE } }

-- What each command gets: the operation that makes it, and its reply.
local MAKERS = {
  ["tokens create --type org --org acme"] = { "CreateToken",
    { createLimitedAccessToken = { made = { id = "t1", token = VALUE } } } },
  ["tokens create --type deploy --app web"] = { "CreateToken",
    { createLimitedAccessToken = { made = { id = "t1", token = VALUE } } } },
  ["redis create --name canary --region iad --org acme"] = { "CreateAddOn",
    { createAddOn = { addon = ADDON } } },
  ["tigris create-bucket --name canary --org acme"] = { "CreateAddOn",
    { createAddOn = { addon = ADDON } } },
}

-- How it fails: what is answered, of the reply that would be right.
local FAILURES = {
  ["an error beside the data repeats it"] = function(data)
    return 200, json.encode({ data = data, errors = { { message = "no: " .. VALUE } } })
  end,
  ["an error cuts it in half"] = function(data)
    return 200, json.encode({ data = data,
      errors = { { message = ("x"):rep(290) .. VALUE } } })
  end,
  ["the answer ends too soon"] = function(data)
    return 200, json.encode({ data = data }):sub(1, -3)
  end,
  ["it is where nobody looks for it"] = function(data)
    return 200, json.encode({ data = json.null, extensions = data })
  end,
  ["the file cannot be written"] = function(data, out)
    fs.remove(out)
    assert(fs.mkdir(out, 448)) -- 0700
    return 200, json.encode({ data = data })
  end,
}

local JSON = { ["Content-Type"] = "application/json" }

-- An account of which one request in the middle goes wrong.
local function start(maker, fail, out)
  local srv = assert(server.listen({ max_body = 1 << 20 }))
  local account = { url = srv.url, asked = 0 }
  local serving = task.spawn(function()
    srv:serve(function(req)
      if req.method == "GET" then
        return 200, JSON, json.encode({ id = "a1", name = "web", regions = json.array() })
      end
      local name = json.decode(req.body).operationName
      if name ~= maker[1] then
        return 200, JSON, json.encode({ data = BEFORE[name] })
      end
      account.asked = account.asked + 1
      local status, body = fail(maker[2], out)
      return status, JSON, body
    end)
  end)
  t.cleanup(function()
    srv:close()
    serving:cancel()
    serving:join()
  end)
  return account
end

local function words_of(line)
  local words = {}
  for word in line:gmatch("%S+") do
    words[#words + 1] = word
  end
  return words
end

local function check(text, where)
  t.ok(not text:find("canary-7d", 1, true) and not text:find("received-c", 1, true),
    where .. " holds it: " .. text:sub(1, 2000))
end

local function run(line, account, home)
  local url = account.url
  local world = worlds.new({
    home = home, cwd = home, tty = {}, moves = true,
    env = { FLY_API_TOKEN = "fo1_simulated", FLY_API_HOSTNAME = url, FLY_API_BASE_URL = url },
  })
  local words = tbl.flatten({ { "--debug", "--timeout", "5s", "fly" }, words_of(line) })
  return require("cli").run(words, worlds.FACES, world), world
end

for how, fail in pairs(FAILURES) do
  t.test("no trace of what was made when " .. how, function()
    for line, maker in pairs(MAKERS) do
      local home = t.tmpdir()
      local out = home .. "/it"
      local account = start(maker, fail, out)
      for _, format in ipairs({ "", " -o json" }) do
        if (fs.stat(out) or {}).type == "directory" then
          fs.remove(out, true)
        end
        local code, world = run(line .. format .. " --out " .. out, account, home)
        t.ok(code ~= 0, line .. format .. ": " .. world.out)
        check(world.out, "stdout of " .. line)
        check(world.err, "stderr of " .. line)
      end
      t.eq(account.asked, 2, line)
      for _, entry in ipairs(assert(fs.walk(home))) do
        check(entry.type == "file" and t.read_file(home .. "/" .. entry.path) or "", entry.path)
      end
    end
  end)
end

t.test("no trace of it when the provider's own words repeat it", function()
  local line = "redis create --name canary --region iad --org acme"
  local home = t.tmpdir()
  local account = start(MAKERS[line], function(data)
    return 200, json.encode({ data = data })
  end)
  local code, world = run(line .. " --out " .. home .. "/it", account, home)
  t.ok(code ~= 0)
  t.match(world.err, "could not be made: it failed: %[secret%]")
  check(world.out .. world.err, "what was said")
  t.ok(not fs.exists(home .. "/it"))
end)
