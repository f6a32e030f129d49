--- Logs: what an app's machines wrote.
--- Rows; what they run waits, and reaches others through its context only.

local err = require "base.err"
local flow_logs = require "ops.flow_logs"
local op = require "opkit.op"
local resource = require "opkit.resource"

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

-- What flyctl writes line by line, which it does not end by itself.
local FLYCTL_PARAMS = {
  { "app", "app", "name of the app", required = true },
  { "machine", "machine", "only lines of this machine" },
  { "region", "region", "only lines from this region" },
}

op {
  id = "logs.flyctl_follow",
  hidden = true,
  title = "Follow an app's log through flyctl",
  effect = "read",
  flyctl = {
    "logs", "--json", "--app={app}",
    { when = "machine", "--machine={machine}" },
    { when = "region", "--region={region}" },
  },
  params = FLYCTL_PARAMS,
  returns = { object = { stdout = "string?", stderr = "string?" } },
}

op {
  id = "logs.flyctl_once",
  hidden = true,
  title = "Read an app's log through flyctl",
  doc = "flyctl waits for a first line, so that an app without any takes all the"
    .. " time there is.",
  effect = "read",
  flyctl = {
    "logs", "--json", "--no-tail", "--app={app}",
    { when = "machine", "--machine={machine}" },
    { when = "region", "--region={region}" },
  },
  timeout = 20,
  params = FLYCTL_PARAMS,
  returns = { object = { stdout = "string?", stderr = "string?" } },
}

op {
  id = "logs.show",
  title = "Show the log lines of apps",
  doc = [[
    One look at what is kept (about a week): the newest hundred lines of each
    app, or with --since all from then on. With --follow it goes on with every
    line that comes, until it is interrupted; lost connections lose and repeat
    nothing. Several apps are merged by time.

    Both read the logs API, so flyctl is not needed; --via flyctl uses it all
    the same.
  ]],
  effect = "read",
  calls = { "logs.page", "logs.flyctl_once", "logs.flyctl_follow" },
  run = function(ctx, args)
    local query, e = flow_logs.query(ctx, args)
    if not query then
      return nil, e
    elseif args.follow and not ctx.each then
      return nil, err.new({
        kind = "usage", message = "there is nobody to take the lines as they come",
        hint = "leave out --follow for those there are; --raw cannot follow",
      })
    elseif args.follow and args["until"] and args.via == "flyctl" then
      return nil, err.new({
        kind = "usage", message = "flyctl follows without an end",
        hint = "leave out --until, or --via flyctl",
      })
    end
    if args.via == "flyctl" then
      return flow_logs.through_flyctl(ctx, query)
    elseif args.follow then
      return flow_logs.follow(ctx, query)
    end
    return flow_logs.look(ctx, query)
  end,
  params = {
    { "app", "app", "names of the apps; commas join several", required = true,
      many = true },
    { "follow", "boolean", "go on with what comes" },
    { "since", "time", "only lines from then on" },
    { "until", "time", "only lines up to then" },
    { "grep", "string", "only lines that contain this text" },
    { "machine", "machine", "only lines of this machine" },
    { "region", "region", "only lines from this region" },
    { "via", "enum", "who reads them", values = { "api", "flyctl" },
      default = "api" },
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
  examples = {
    "logs --app my-app", "logs --app my-app --since 15m --grep error",
    "logs --app my-app,acme-api --follow",
  },
}
