--- Following logs over real connections that break all the time, and several
--- logs at once.

require "ops"

local client = require "fly.client"
local err = require "base.err"
local logs = require "fly.logs"
local secret = require "sys.secret"
local sim = require "sim"
local sim_logs = require "sim.logs"
local t = require "kit"
local task = require "sys.task"

local ENDINGS = { "reset", "truncate", "lost" }
local DISCONNECTS, IN_FLIGHT = 1000, 2

-- Every other answer breaks off, each in another way.
local function faults()
  local rules = {}
  for n = 1, DISCONNECTS do
    rules[#rules + 1] = "/api/v1/apps/web/logs:latency=0*1"
    rules[#rules + 1] = "/api/v1/apps/web/logs:" .. ENDINGS[n % #ENDINGS + 1] .. "*1"
  end
  return table.concat(rules, ";")
end

local function account()
  local running = assert(sim.start({
    limits = false, fault = faults(), seed = {
      orgs = { { slug = "personal", type = "PERSONAL",
        members = { { user = "user_sim" } } } },
      apps = { { name = "web", org = "personal", machines = {
        { region = "iad", config = { image = "example.com/a" } } } } },
    },
  }))
  t.cleanup(running.stop)
  return running
end

local function connect(running)
  local found = client.new({
    settings = {
      token = secret.new(running.token), token_source = "test", warnings = {},
      bases = { machines = running.url, api = running.url },
    },
    sleep = function() end,
    random = function()
      return 0
    end,
  })
  t.cleanup(function()
    found:close()
  end)
  return found
end

t.test("a thousand broken connections lose and repeat no line", function()
  local running = account()
  local world = running.account.world
  local machine = world:list("machine", "web")[1]
  local written, read, last = 0, {}, nil
  local function write()
    written = written + 1
    sim_logs.add(world, machine, "app", ("line %d"):format(written))
  end
  local first = #world:list("log", "web")
  for _ = 1, IN_FLIGHT do
    write()
  end
  local total = (DISCONNECTS + 2) * IN_FLIGHT
  local count, e = connect(running):call("logs.show", { app = { "web" }, follow = true }, {
    each = function(line)
      local number = line.message:match("^line (%d+)$")
      if not number then
        return true
      end
      read[#read + 1] = tonumber(number)
      last = line
      if written < total then
        write()
      end
      return #read < total
    end,
  })
  t.ok(count, tostring(e))
  t.eq(#read, total)
  for n = 1, total do
    t.eq(read[n], n)
  end
  t.eq(last.app, "web")
  t.eq(count - first, total)
  t.eq(running.account.opts.faults:meet("GET", "/api/v1/apps/web/logs"), nil,
    "every disconnect was met")
end)

-- A log whose answers are given one after another, then none.
local function scripted(pages)
  local at = {}
  return function(_, args)
    at[args.app] = (at[args.app] or 0) + 1
    local page = pages[args.app][at[args.app]]
    if err.is(page) then
      return nil, page
    end
    return { data = page or {}, meta = {} }
  end
end

local function entry(id, timestamp)
  return { id = id, attributes = { message = id, timestamp = timestamp } }
end

local function follow(pages, total)
  local seen = {}
  local stopped, e = logs.follow_all({
    call = scripted(pages), task = task,
    sleep = function()
      task.sleep(0)
    end,
    wall = function()
      return 1e10
    end,
  }, { { app = "web", till = 1e9 }, { app = "db", till = 1e9 } }, function(line)
    seen[#seen + 1] = line.message
    return #seen < total
  end)
  return seen, stopped, e
end

t.test("lines of several apps that come together stand in order of time", function()
  local seen, stopped = follow({
    web = { { entry("a", "2001-01-01T00:00:00Z"), entry("c", "2001-01-01T00:00:02Z") } },
    db = { { entry("b", "2001-01-01T00:00:00.5Z"), entry("d", "2001-01-01T00:00:03Z") } },
  }, 9)
  t.eq(stopped, true)
  t.eq(seen, { "a", "b", "c", "d" })
end)

t.test("following several ends when the taker has enough", function()
  local seen, stopped = follow({
    web = { { entry("a", "2001-01-01T00:00:00Z") } },
    db = { { entry("b", "2001-01-01T00:00:01Z") } },
  }, 1)
  t.eq(stopped, true)
  t.eq(seen, { "a" })
end)

t.test("a log that cannot be read ends them all", function()
  local _, stopped, e = follow({
    web = { { entry("a", "2001-01-01T00:00:00Z") } },
    db = { err.new({ kind = "not_found", message = "no such app" }) },
  }, 9)
  t.eq(stopped, nil)
  t.eq(e.kind, "not_found")
end)

t.test("a line after the end stops following", function()
  local seen, stopped = follow({
    web = { { entry("a", "2001-01-01T00:00:00Z"), entry("z", "2009-01-01T00:00:00Z") } },
    db = { {} },
  }, 9)
  t.eq({ seen, stopped }, { { "a" }, true })
end)

t.test("a look back from a moment on reads answer after answer", function()
  local pages = { web = { { entry("a") }, { entry("b") }, {}, { entry("never") } } }
  local lines = logs.snapshot({ call = scripted(pages) }, { app = "web", from = "1" })
  t.eq(#lines, 2)
  local notices = {}
  local n = 0
  lines = logs.snapshot({
    call = function()
      n = n + 1
      return { data = { entry("l" .. n) }, meta = {} }
    end,
    notice = function(text)
      notices[#notices + 1] = text
    end,
  }, { app = "web", from = "1" })
  t.eq(#lines, 200)
  t.eq(notices, { "there is more of app web than these 200 lines" })
end)
