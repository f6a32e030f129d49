--- Logs: what an app's machines wrote.

local kinds = require "base.json.kinds"
local op = require "opkit.op"
local resource = require "opkit.resource"
local tbl = require "base.tbl"
local time = require "base.time"

resource {
  id = "logs",
  title = "Logs",
}

op {
  id = "logs.page",
  hidden = true,
  title = "Read the next lines of an app's log",
  effect = "read",
  http = { "GET", "/api/v1/apps/{app}/logs" },
  api = "web",
  limit = "none",
  params = {
    { "app", "app", "name of the app", required = true },
    { "next_token", "text", "where the page before ended" },
    { "machine", "machine", "only lines of this machine", at = "query.instance" },
    { "region", "region", "only lines from this region" },
  },
  returns = {
    object = {
      data = { list = {
        object = {
          id = "string?",
          attributes = {
            object = {
              timestamp = "string?", message = "string?", level = "string?",
              instance = "string?", region = "string?", meta = "any?",
            },
          },
        },
      }, optional = true },
      meta = { object = { next_token = "any?" }, optional = true },
    },
  },
}

-- The instant a time argument means: RFC 3339, or so long before now.
local function instant(ctx, text)
  if not text then
    return nil
  end
  return time.parse(text) or ctx.now() - time.parse_duration(text)
end

-- Whether a line is asked for. What has no readable time is never left out for
-- its time.
local function matcher(ctx, args)
  local since, till = instant(ctx, args.since), instant(ctx, args["until"])
  return function(line)
    local at = line.timestamp and time.parse(line.timestamp)
    return not (at and since and at < since) and not (at and till and at > till)
      and (not args.grep or line.message:find(args.grep, 1, true) ~= nil)
  end
end

op {
  id = "logs.show",
  title = "Show the newest log lines of apps",
  doc = [[
    One look at what was kept, by default the newest hundred lines of each app;
    several apps are merged by time.
  ]],
  effect = "read",
  calls = { "logs.page" },
  run = function(ctx, args)
    local keep, since = matcher(ctx, args), instant(ctx, args.since)
    local lists, e = ctx.map(args.app, function(app)
      return ctx.snapshot({
        app = app, machine = args.machine, region = args.region,
        from = since and ("%d"):format(math.floor(since) * 1000000000) or nil,
      })
    end)
    if not lists then
      return nil, e
    end
    local lines = tbl.filter(tbl.flatten(lists), keep)
    return kinds.array(tbl.sort_by(lines, function(line)
      return line.timestamp or ""
    end))
  end,
  params = {
    { "app", "app", "names of the apps", required = true, many = true },
    { "since", "time", "only lines from then on" },
    { "until", "time", "only lines up to then" },
    { "grep", "string", "only lines that contain this text" },
    { "machine", "machine", "only lines of this machine" },
    { "region", "region", "only lines from this region" },
  },
  returns = {
    list = {
      object = {
        id = "string?", app = "string", timestamp = "string?",
        message = "string", level = "string?", machine = "string?",
        region = "string?",
      },
    },
  },
  order = { "timestamp" },
  columns = {
    { "TIME", "timestamp" },
    { "APP", "app", priority = 3 },
    { "MACHINE", "machine", priority = 3 },
    { "REGION", "region", priority = 4 },
    { "LEVEL", "level", priority = 4 },
    { "MESSAGE", "message" },
  },
  cli = { "logs" },
  examples = { "logs --app my-app", "logs --app my-app --since 15m --grep error" },
}
