-- What the product's page and the operations' examples have people type, typed
-- as it stands there, on the simulated account.

local err = require "base.err"
local fs = require "sys.fs"
local json = require "base.json"
local ops = require "ops"
local str = require "base.str"
local t = require "kit"
local task = require "sys.task"
local tbl = require "base.tbl"
local world = require "face.world"

-- At a time: most of what a command takes is waiting for a limit.
local ABREAST = 40

---@class face.Line
---@field [1] string what is typed
---@field out string? a pattern in what it prints
---@field asks string? what it wants typed at a terminal before it goes on
---@field streams boolean? flyctl writes what comes out, JSON or not

---@type face.Line[]
local PAGE = {
  { "list apps", out = "\nmy%-app +personal" },
  { "list machines --app my-app", out = "\n1234abcd " },
  { "list volumes --app my-app", out = "\nvol_1234 " },
  { "get app my-app", out = "^NAME +my%-app\n" },
  { "get machine 1234abcd --app my-app", out = "1234abcd" },
  { "restart machine 1234abcd --app my-app", out = "\n1234abcd .* started +done" },
  { "stop 1234abcd --app my-app", out = "\n1234abcd .* stopped +done" },
  { "start 1234abcd --app my-app", out = "\n1234abcd .* started +unchanged" },
  { "destroy machine 1234abcd --app my-app --force", out = "\n1234abcd .* destroyed +done" },
  { "list secrets --app my-app", out = "\nOLD_KEY +%x+ " },
  { "secrets set DATABASE_URL=... --app my-app", out = "\nDATABASE_URL +deployed" },
  { "secrets unset OLD_KEY --app my-app", out = "\nOLD_KEY +removed", asks = "OLD_KEY" },
  { "secrets deploy --app my-app", out = "\n1234abcd .* done" },
  { "list ips --app my-app", out = "\n2001:db8:1::1:1 +v6" },
  { "ips allocate --app my-app --type v4", out = "\nTYPE +v4\n", asks = "my-app" },
  { "list certs --app my-app", out = "\nwww.example.com +active" },
  { "certs add example.com --app my-app", out = "^HOSTNAME +example.com\n" },
  { "list postgres", out = "\nacme%-db +managed" },
  { "list redis", out = "\nacme%-cache " },
  { "list tigris", out = "\nacme%-assets " },
  { "list extensions", out = "\nacme%-assets +tigris" },
  { "list regions", out = "\niad +Ashburn" },
  { "list orgs", out = "\npersonal +Sim User" },
  { "auth whoami", out = "^EMAIL +sim@example.com\n" },
  { "deploy --app my-app --region iad", out = "Machine 1234abcd %[app%] update succeeded",
    streams = true },
  { "deploy . --app my-app --strategy rolling", out = "with rolling strategy", streams = true },
  { "scale count 3 --app my-app", out = "Created %x+ group:app", streams = true },
  { "scale vm performance-2x --app my-app", out = "\n1234abcd .* done" },
  { "scale memory 2048 --app my-app", out = "\n1234abcd .* done" },
  { "rollback --app my-app", out = "registry.fly.io/my%-app:deployment%-01", streams = true },
}

local function type_in(line, options, more)
  local words = tbl.flatten({ { "--sim", "fly" }, str.words(line), more or {} })
  return world.run(words, tbl.merge({ hurried = true, moves = true,
    env = { PATH = "/bin:/usr/bin" } }, options or {}))
end

local function each(list, fn)
  world.flyctl()
  task.map(list, ABREAST, fn)
end

t.test("every command of the page works as it is typed", function()
  each(PAGE, function(line)
    local options = line.asks and { tty = { [0] = true, [1] = true, [2] = true },
      answer = line.asks, env = { TERM = "dumb", PATH = "/bin:/usr/bin" } }
    local code, seen = type_in(line[1], options)
    t.eq(code, 0, line[1] .. ": " .. seen.err)
    t.match(seen.out, line.out, line[1])
  end)
end)

t.test("without a terminal those that ask are declined", function()
  each(PAGE, function(line)
    if line.asks then
      t.eq(type_in(line[1]), err.EXIT.declined, line[1])
    end
  end)
end)

t.test("with --raw each is JSON alone, but for what flyctl writes", function()
  each(PAGE, function(line)
    if not line.streams then
      local code, seen = type_in(line[1], nil, { "--raw", "--yes" })
      t.eq(code, 0, line[1] .. ": " .. seen.err)
      t.ok(json.decode(seen.out), line[1] .. ": " .. seen.out)
    end
  end)
end)

-- Files that examples name.
local FILES = { ["key.pem"] = "KEY=1\n", [".env"] = "A=1\nB=2\n" }

-- Examples of what the demo account cannot have: a cluster of Postgres inside
-- an app, the id of a token, a certificate's own files. These, tried elsewhere.
local ELSEWHERE = tbl.set({
  "postgres attach pg1 --app my-app", "postgres backups pg1",
  "postgres detach pg1 --app my-app", "postgres failover pg1",
  "tokens revoke abc123",
  "certs add shop.example.com --app my-app --cert fullchain.pem --key key.pem",
})

local function with_files(line, directory)
  return (line:gsub("[%w_.]+", function(word)
    if FILES[word] then
      assert(fs.write(directory .. "/" .. word, FILES[word]))
      return directory .. "/" .. word
    end
  end):gsub("%-%-out ", "%0" .. directory .. "/"))
end

local function cluster_id()
  local _, seen = type_in("list mpg --raw")
  return json.decode(seen.out)[1].id
end

t.test("every example of every operation works on the demo account", function()
  local lines, untried = {}, tbl.copy(ELSEWHERE)
  local tried = tbl.set(tbl.map(PAGE, function(line)
    return line[1]
  end))
  for _, op in ipairs(ops.all()) do
    for _, example in ipairs(op.examples) do
      lines[#lines + 1] = not (untried[example] or tried[example]) and example or nil
      untried[example] = nil
    end
  end
  t.eq(untried, {}, "no longer examples")
  local cluster, directory = cluster_id(), t.tmpdir()
  each(lines, function(line)
    local typed = with_files(line:gsub("pg1abc", cluster), directory)
      :gsub("%-%-follow", "%0 --until 1m"):gsub("create%-bucket", "%0 --agree-terms")
    local code, seen = type_in("--yes " .. typed, { answer = "a-value",
      tty = { [0] = true, [1] = true, [2] = true },
      env = { TERM = "dumb", PATH = "/bin:/usr/bin" } })
    t.eq(code, 0, line .. ": " .. seen.err)
  end)
end)
