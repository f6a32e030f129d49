--- The simulator on a port: what a stranger's client meets.

local http = require "sys.http"
local json = require "base.json"
local sim = require "sim"
local main = require "sim.main"
local t = require "kit"
local task = require "sys.task"

local function request(running, method, path, opts)
  opts = opts or {}
  return http.request({
    method = method, url = running.url .. path,
    headers = { Authorization = "Bearer " .. (opts.token or running.token) },
    body = opts.body and json.encode(opts.body) or nil,
  })
end

-- Runs `fn` with a simulator that is stopped afterwards.
local function with(opts, fn)
  local running = t.ok(sim.start(opts))
  local _ <close> = setmetatable({}, { __close = running.stop })
  fn(running)
end

t.test("it listens on this computer, on any free port", function()
  with({}, function(running)
    t.match(running.url, "^http://127%.0%.0%.1:%d+$")
    t.match(running.token, "^fo1_sim")
    local reply = t.ok(request(running, "GET", "/v1/apps?org_slug=personal"))
    t.eq(reply.status, 200)
    t.eq(reply.headers["content-type"], "application/json")
    t.ok(reply.headers["fly-request-id"])
    t.eq(t.ok(request(running, "GET", "/v1/apps/my-app",
      { token = "fo1_no" })).status, 401)
  end)
end)

t.test("others are served while one waits", function()
  with({ limits = false }, function(running)
    local list = json.decode(t.ok(request(running, "GET",
      "/v1/apps/my-app/machines?state=stopped")).body)
    local path = "/v1/apps/my-app/machines/" .. list[1].id
    local waiting = task.spawn(request, running, "GET",
      path .. "/wait?timeout=30")
    for _ = 1, 20 do
      t.eq(t.ok(request(running, "GET", path)).status, 200)
    end
    t.eq(waiting:is_done(), false)
    t.ok(request(running, "POST", path .. "/start"))
    local _, reply = waiting:join()
    t.eq(json.decode(reply.body).state, "started")
  end)
end)

t.test("a wait that nobody awaits any more is given up", function()
  with({}, function(running)
    local list = json.decode(t.ok(request(running, "GET",
      "/v1/apps/my-app/machines?state=stopped")).body)
    local reply, e = http.request({
      url = ("%s/v1/apps/my-app/machines/%s/wait"):format(
        running.url, list[1].id),
      headers = { Authorization = "Bearer " .. running.token }, timeout = 0.2,
    })
    t.err(reply, e, "timeout")
  end)
end)

t.test("faults reach the wire", function()
  with({ fault = "/v1/a:reset; /v1/apps/my-app:truncate*1; *:503*1" },
    function(running)
      local reply, e = request(running, "GET", "/v1/a")
      t.err(reply, e)
      reply, e = request(running, "GET", "/v1/apps/my-app")
      t.err(reply, e)
      t.eq(t.ok(request(running, "GET", "/v1/apps/my-app")).status, 503)
      t.eq(t.ok(request(running, "GET", "/v1/apps/my-app")).status, 200)
    end)
end)

t.test("latency delays each reply, not one after the other", function()
  with({ latency = 100, limits = false }, function(running)
    local before = task.now()
    task.map({ 1, 2, 3, 4, 5, 6, 7, 8 }, 8, function()
      t.ok(request(running, "GET", "/v1/apps/my-app"))
    end)
    local took = task.now() - before
    t.ok(took >= 0.1 and took < 0.7, "took " .. took)
  end)
end)

t.test("a seed can be a file", function()
  local fs = require "sys.fs"
  local path = t.tmpdir() .. "/seed.json"
  t.ok(fs.write(path, json.encode({
    token = "fo1_simfile", orgs = { { slug = "personal", type = "PERSONAL",
      members = { { user = "user_sim" } } } },
    apps = { { name = "from-file", org = "personal" } },
  })))
  with({ seed = path }, function(running)
    t.eq(running.token, "fo1_simfile")
    t.eq(t.ok(request(running, "GET", "/v1/apps/from-file")).status, 200)
  end)
end)

t.test("what cannot be started says why", function()
  local fs = require "sys.fs"
  local dir = t.tmpdir()
  t.ok(fs.write(dir .. "/bad.json", "{"))
  t.ok(fs.write(dir .. "/list.json", "[]"))
  t.ok(fs.write(dir .. "/odd.json", '{"apps":[{"name":"a","org":"x"}]}'))
  local function refused(opts, want)
    local running, e = sim.start(opts)
    return t.err(running, e, want)
  end
  t.match(refused({ fault = "*:boom" }, "usage").message, "position 3")
  for _, place in ipairs {
    "nowhere", "", "127.0.0.1", "127.0.0.1:99999", "127.0.0.1:-1",
    "127.0.0.1:0x10", "::1:0", "[]:0", "a b:0", "example.com:0", "0.0.0.0:0",
    "192.0.2.1:0",
  } do
    local e = refused({ listen = place }, "usage")
    t.match(e.hint, "^write 127%.0%.0%.1:PORT", place)
  end
  with({}, function(running)
    local e = refused({ listen = "127.0.0.1:" .. running.port }, "error")
    t.match(e.message, "in use")
    t.match(e.hint, "port 0")
  end)
  for _, token in ipairs { "", "a b", "a,b", "a\nb", "\u{e9}" } do
    t.match(refused({ token = token }, "usage").message, "^token: ")
  end
  for _, seed in ipairs { "", dir, dir .. "/none.json" } do
    t.match(refused({ seed = seed }, "usage").hint, "demo, empty, bench")
  end
  t.match(refused({ seed = dir .. "/bad.json" }, "usage").message,
    "bad%.json: malformed JSON at line 1 column 2")
  refused({ seed = dir .. "/list.json" }, "usage")
  t.ok(fs.write(dir .. "/typo.json",
    '{"apps":[{"name":"a","org":"x","machins":[]}]}'))
  t.match(refused({ seed = dir .. "/typo.json" }, "usage").message,
    'unknown field "apps.0.machins"')
  t.match(refused({ seed = dir .. "/odd.json" }, "usage").message,
    'no organization "x"')
end)

t.test("the foreground form prints how to use it, until it is cancelled", function()
  local text = ""
  local running = task.spawn(main.run, {
    write = function(part)
      text = text .. part
      return true
    end,
  })
  t.eventually(function()
    return text:find("export FLY_API_TOKEN=fo1_sim", 1, true)
  end)
  local url = text:match("FLY_API_HOSTNAME=(%S+)")
  local token = text:match("FLY_API_TOKEN=(%S+)")
  t.eq(t.ok(request({ url = url, token = token }, "GET", "/v1/apps/my-app"))
    .status, 200)
  running:cancel()
  running:join()
end)
