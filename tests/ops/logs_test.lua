--- Log lines of several apps: merged by time, narrowed down.

local support = require "ops.support"
local t = require "kit"

local failure, pluck, run = support.failure, support.pluck, support.run

local function line(app, at, message)
  return { app = app, timestamp = at, message = message }
end

-- The stand-in's clock says 2024-05-01T00:00:00Z.
local REPLIES = {
  ["snapshot web"] = { line("web", "2024-04-30T23:00:00Z", "a"),
    line("web", "2024-04-30T23:50:00Z", "error: c [x]") },
  ["snapshot db"] = { line("db", "2024-04-30T23:30:00Z", "b"), line("db", nil, "no time") },
}

t.test("lines of several apps are merged by time", function()
  local list = run("logs.show", { app = { "web", "db" } }, REPLIES)
  t.eq(pluck(list, "message"), { "no time", "a", "b", "error: c [x]" })
end)

t.test("since and until are instants or ages", function()
  local from
  local list = run("logs.show", { app = { "web" }, since = "30m" }, {
    ["snapshot web"] = function(query)
      from = query.from
      return REPLIES["snapshot web"]
    end,
  })
  t.eq(pluck(list, "message"), { "error: c [x]" })
  t.eq(from, "1714519800000000000")
  list = run("logs.show", { app = { "web" }, ["until"] = "2024-04-30T23:10:00Z" }, REPLIES)
  t.eq(pluck(list, "message"), { "a" })
end)

t.test("grep looks for the text itself, not for a pattern", function()
  t.eq(#run("logs.show", { app = { "web" }, grep = "[x]" }, REPLIES), 1)
  t.eq(#run("logs.show", { app = { "web" }, grep = ".*" }, REPLIES), 0)
end)

t.test("an app that cannot be read fails the whole", function()
  local list, e = run("logs.show", { app = { "web", "db" } },
    { ["snapshot web"] = {}, ["snapshot db"] = failure("not_found", 404) })
  t.err(list, e, "not_found")
end)

t.test("commas join several apps, each is asked for once", function()
  local _, _, ctx = run("logs.show", { app = { "web,db", "web", " db " } }, REPLIES)
  t.eq(ctx.calls, { "snapshot web", "snapshot db" })
  for _, given in ipairs({ ",", "," }) do
    local list, e = run("logs.show", { app = { given } }, {})
    t.err(list, e, "usage")
  end
end)

t.test("a span that ends before it begins is refused", function()
  local list, e = run("logs.show", { app = { "web" }, since = "1h", ["until"] = "2h" }, {})
  t.err(list, e, "usage")
end)

t.test("what is followed is handed on as far as it is asked for", function()
  local asked
  local function follow(queries, on_line)
    asked = queries
    for _, one in ipairs(REPLIES["snapshot web"]) do
      on_line(one)
    end
    return true
  end
  local list, e = run("logs.show", { app = { "web" }, follow = true }, {}, { follow = follow })
  t.err(list, e, "usage")
  local seen = {}
  list = run("logs.show",
    { app = { "web" }, follow = true, grep = "error", ["until"] = "10m", region = "iad" }, {}, {
      follow = follow,
      each = function(one)
        seen[#seen + 1] = one.message
        return true
      end,
    })
  t.eq(list, {})
  t.eq(seen, { "error: c [x]" })
  t.eq(asked, { { app = "web", region = "iad", till = 1714521000 } })
end)

t.test("objects are taken out of what flyctl writes, however it is cut", function()
  local flow_logs = require "ops.flow_logs"
  local text = 'connected\n{\n    "message": "a {\\n}",\n    "meta": {\n    }\n}\n'
    .. '{"message":"b"}\n{ broken }\n{\n  "message": "c"\n}\n'
  for size = 1, #text do
    local seen = {}
    local take = flow_logs.objects(function(entry)
      seen[#seen + 1] = entry and entry.message or "?"
    end)
    for from = 1, #text, size do
      take(text:sub(from, from + size - 1))
    end
    t.eq(seen, { "a {\n}", "b", "?", "c" })
  end
end)
