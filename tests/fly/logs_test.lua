--- Log lines come once each, in order, whatever happens to the connection.

local err = require "base.err"
local json = require "base.json"
local logs = require "fly.logs"
local t = require "kit"

local function entry(n, message)
  return { id = "line-" .. n, attributes = {
    timestamp = "2026-01-01T00:00:00Z", message = message or ("line " .. n), level = "info",
    instance = "m1", region = "iad",
  } }
end

--- A log of `total` lines, served in pages; `fault(n)` may spoil the nth answer.
local function server(total, page, fault)
  local asked = {}
  return function(_, args)
    asked[#asked + 1] = args.next_token or "-"
    local from = tonumber(args.next_token or "0")
    local bad = fault and fault(#asked)
    if bad then
      return nil, bad
    end
    local data = json.array {}
    for n = from + 1, math.min(total, from + page) do
      data[#data + 1] = entry(n)
    end
    return { data = data, meta = { next_token = tostring(from + #data) } }
  end, asked
end

local function follow(call, total)
  local lines, slept = {}, {}
  local stopped, e = logs.follow({
    call = call,
    sleep = function(seconds)
      slept[#slept + 1] = seconds
    end,
  }, { app = "web" }, function(line)
    lines[#lines + 1] = line.message
    return #lines < total
  end)
  return lines, slept, stopped, e
end

local function gone()
  return err.new { kind = "network", code = "ECONNRESET", message = "gone" }
end

t.test("a snapshot is one answer, with lines or without", function()
  local call, asked = server(3, 100)
  local lines = logs.snapshot({ call = call }, { app = "web" })
  t.eq(#lines, 3)
  t.eq(lines[1], {
    id = "line-1", timestamp = "2026-01-01T00:00:00Z", message = "line 1", level = "info",
    machine = "m1", region = "iad", app = "web",
  })
  t.eq(#asked, 1)
  call, asked = server(0, 100)
  t.eq(logs.snapshot({ call = call }, { app = "web" }), {})
  t.eq(#asked, 1)
end)

t.test("a machine drops the region", function()
  local seen
  local function call(_, args)
    seen = args
    return {}
  end
  logs.snapshot({ call = call }, { app = "web", machine = "m1", region = "iad" })
  t.eq(seen, { app = "web", machine = "m1" })
  logs.snapshot({ call = call }, { app = "web", region = "iad", from = "17" })
  t.eq(seen, { app = "web", region = "iad", next_token = "17" })
end)

t.test("following reads page after page without a pause, and waits for new lines", function()
  local call = server(25, 10)
  local lines, slept, stopped = follow(call, 25)
  t.eq(#lines, 25)
  t.eq(stopped, true)
  t.eq(slept, {})
  local polls = 0
  lines, slept = follow(function(_, args)
    polls = polls + 1
    return polls < 4 and { data = {}, meta = {} } or { data = { entry(1) }, meta = {} }, args
  end, 1)
  t.eq(#lines, 1)
  t.eq(slept, { 0.128, 0.128, 0.128 })
end)

t.test("a thousand disconnects lose and repeat nothing", function()
  local total, broken = 3300, 0
  local call = server(total, 3, function(n)
    if n % 2 == 0 and broken < 1000 then
      broken = broken + 1
      return gone()
    end
  end)
  local lines = follow(call, total)
  t.eq(broken, 1000)
  t.eq(#lines, total)
  for n = 1, total do
    t.eq(lines[n], "line " .. n)
  end
end)

t.test("lines that come twice at a page's edge are shown once", function()
  local pages = {
    { data = { entry(1), entry(2) }, meta = { next_token = "a" } },
    { data = { entry(2), entry(3) }, meta = { next_token = "b" } },
    { data = { entry(3), entry(4) }, meta = { next_token = "c" } },
  }
  local n = 0
  local lines = follow(function()
    n = n + 1
    return pages[n]
  end, 4)
  t.eq(lines, { "line 1", "line 2", "line 3", "line 4" })
end)

t.test("the memory of lines seen is bounded", function()
  local cursor = logs.cursor { app = "web" }
  for n = 1, 20000 do
    t.ok(cursor:is_new { id = "l" .. n })
  end
  local kept = 0
  for _, set in ipairs { cursor.seen, cursor.before } do
    for _ in pairs(set) do
      kept = kept + 1
    end
  end
  t.ok(kept <= 4096)
  t.eq(cursor:is_new { id = "l20000" }, false)
end)

t.test("failures are borne with growing pauses, for five minutes", function()
  local n = 0
  local _, slept, stopped, e = follow(function()
    n = n + 1
    return nil, gone()
  end, 1)
  t.eq(stopped, nil)
  t.eq(e.code, "ECONNRESET")
  t.eq(slept[1], 0.128)
  t.eq(slept[#slept], 4.096)
  local whole = 0
  for _, pause in ipairs(slept) do
    whole = whole + pause
  end
  t.ok(n == #slept + 1 and whole > 270 and whole < 330, whole)
end)

t.test("an outage is spoken of once, and so is its end", function()
  local n, notices = 0, {}
  logs.follow({
    call = function()
      n = n + 1
      if n % 2 == 0 and n < 10 or n > 20 and n < 60 then
        return nil, gone()
      end
      return { data = { entry(n) }, meta = {} }
    end,
    sleep = function() end,
    notice = function(text)
      notices[#notices + 1] = text
    end,
  }, { app = "web" }, function()
    return n < 70
  end)
  t.eq(#notices, 2)
  t.match(notices[1], "^no answer %(log of app web: .*%); still trying$")
  t.match(notices[2], "answers again")
end)

t.test("a token or an app that is wrong ends it at once", function()
  for _, kind in ipairs { "auth", "not_found", "forbidden" } do
    local n = 0
    local _, _, _, e = follow(function()
      n = n + 1
      return nil, err.new { kind = kind, message = kind }
    end, 1)
    t.eq(e.kind, kind)
    t.eq(n, 1)
  end
end)

t.test("tokens are opaque: large numbers lose no digit, odd ones are ignored", function()
  local body = '{"data":[],"meta":{"next_token":1700000000123456789}}'
  local pages, asked = { json.decode(body) }, {}
  pages[2] = { data = { entry(1) }, meta = { next_token = {} } }
  pages[3] = { data = { entry(2) }, meta = "x" }
  follow(function(_, args)
    asked[#asked + 1] = args.next_token or "-"
    return pages[#asked]
  end, 2)
  t.eq(asked, { "-", "1700000000123456789", "1700000000123456789" })
end)

t.test("entries of any shape are survived", function()
  local lines = logs.snapshot({ call = function()
    return { data = {
      3, "x", {}, { attributes = 3 }, { attributes = {} }, { attributes = { message = {} } },
      { id = {}, attributes = { message = "kept", region = 5, level = false } },
    }, meta = 7 }
  end }, { app = "web" })
  t.eq(lines, { { message = "kept", app = "web" } })
  t.eq(logs.snapshot({ call = function() return { data = "x" } end }, { app = "web" }), {})
end)
