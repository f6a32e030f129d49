--- Log lines of one or several apps: which are wanted, by which way they come.
--- Waits in the injected context only.

local err = require "base.err"
local json = require "base.json"
local kinds = require "base.json.kinds"
local str = require "base.str"
local tbl = require "base.tbl"
local time = require "base.time"

local M = {}

---@class ops.LogQuery
---@field apps string[]
---@field machine string?
---@field region string?
---@field since number? seconds since 1970
---@field till number?
---@field keep fun(line: table): boolean
---@field is_following boolean?

-- Apps followed at once: each is a request every moment.
local MOST_APPS = 50

-- The instant a time argument means: RFC 3339, or so long before now.
local function instant(ctx, text)
  if not text then
    return nil
  end
  return time.parse(text) or ctx.now() - time.parse_duration(text)
end

-- "a,b" and "a", "b" alike, each app once.
local function app_names(given)
  local names, seen = {}, {}
  for _, text in ipairs(given) do
    for _, part in ipairs(str.split(text, ",")) do
      local name = str.trim(part)
      if name ~= "" and not seen[name] then
        seen[name] = true
        names[#names + 1] = name
      end
    end
  end
  return names
end

-- Whether a line is asked for. What has no readable time is never left out for
-- its time.
local function matcher(query, grep)
  return function(line)
    local at = line.timestamp and time.parse(line.timestamp)
    return not (at and query.since and at < query.since)
      and not (at and query.till and at > query.till)
      and (not grep or line.message:find(grep, 1, true) ~= nil)
  end
end

local function usage(message, hint)
  return nil, err.new({ kind = "usage", message = message, hint = hint })
end

--- What the arguments ask for.
---@param ctx op.Context
---@param args table
---@return ops.LogQuery?
---@return err.Record?
function M.query(ctx, args)
  local query = {
    apps = app_names(args.app), machine = args.machine, region = args.region,
    since = instant(ctx, args.since), till = instant(ctx, args["until"]),
    is_following = args.follow,
  }
  query.keep = matcher(query, args.grep)
  if #query.apps == 0 then
    return usage("which app? none is named", "give --app NAME")
  elseif #query.apps > MOST_APPS then
    return usage(("%d apps at once: at most %d"):format(#query.apps, MOST_APPS))
  elseif query.since and query.till and query.since > query.till then
    return usage("--since is later than --until",
      "ages count back from now: --since 2h --until 1h")
  end
  return query
end

-- What fly.logs wants to know of one of the apps.
local function of_app(query, app)
  local since = query.since
  return {
    app = app, machine = query.machine, region = query.region, till = query.till,
    from = since and ("%d"):format(math.floor(since) * 1000000000) or nil,
  }
end

local function by_time(lines)
  return kinds.array(tbl.sort_by(lines, function(line)
    return time.order(line.timestamp)
  end))
end

--- The lines there are.
---@async
---@param ctx op.Context
---@param query ops.LogQuery
---@return table[]?
---@return err.Record?
function M.look(ctx, query)
  local lists, e = ctx.map(query.apps, function(app)
    return ctx.snapshot(of_app(query, app))
  end)
  if not lists then
    return nil, e
  end
  return by_time(tbl.filter(tbl.flatten(lists), query.keep))
end

--- The lines as they come.
---@async
---@param ctx op.Context
---@param query ops.LogQuery
---@return table[]? nothing: each was handed on
---@return err.Record?
function M.follow(ctx, query)
  local queries = tbl.map(query.apps, function(app)
    return of_app(query, app)
  end)
  local stopped, e = ctx.follow(queries, function(line)
    if query.keep(line) then
      return ctx.each(line)
    end
  end)
  if not stopped then
    return nil, e
  end
  return kinds.array()
end

-- A line as flyctl writes it, as ours.
local function from_flyctl(app, entry)
  if type(entry) ~= "table" or type(entry.message) ~= "string" then
    return nil
  end
  local line = { app = app, message = entry.message }
  for ours, theirs in pairs({ timestamp = "timestamp", level = "level",
    machine = "instance", region = "region" }) do
    local value = entry[theirs]
    line[ours] = type(value) == "string" and value ~= "" and value or nil
  end
  return line
end

-- An object longer than this is no log line.
local MOST_TEXT = 1024 * 1024

--- Takes the JSON objects out of a text that comes in pieces, whether each
--- stands on one line or on several.
---@param on_entry fun(entry: any)
---@return fun(chunk: string)
function M.objects(on_entry)
  local rest, object = "", {}
  local size = 0
  return function(chunk)
    rest = rest .. chunk
    local from = 1
    for line, after in rest:gmatch("([^\n]*)\n()") do
      from = after
      size = size + #line
      object[#object + 1] = line
      -- The inner lines of an object are indented, its last one is not.
      if line:find("^{.*}%s*$") or line:find("^}") then
        on_entry((json.decode(table.concat(object, "\n"))))
        object, size = {}, 0
      elseif #object == 1 and not line:find("^{") or size > MOST_TEXT then
        object, size = {}, 0
      end
    end
    rest = rest:sub(from)
    if #rest > MOST_TEXT then
      rest = ""
    end
  end
end

local function flyctl_of(ctx, query, app, on_line)
  local value, e = ctx.call(
    query.is_following and "logs.flyctl_follow" or "logs.flyctl_once",
    { app = app, machine = query.machine, region = query.region },
    { on_stdout = M.objects(function(entry)
      local line = from_flyctl(app, entry)
      if line and query.keep(line) then
        on_line(line)
      end
    end) })
  -- It waits for lines that may never come: that there are none is no error.
  if not value and not (e.kind == "timeout" and not query.is_following) then
    return nil, e
  end
  return true
end

--- The same, read by flyctl: of each app by one of its own.
---@async
---@param ctx op.Context
---@param query ops.LogQuery
---@return table[]?
---@return err.Record?
function M.through_flyctl(ctx, query)
  local lines = {}
  local done, e = ctx.map(query.apps, function(app)
    return flyctl_of(ctx, query, app, function(line)
      if query.is_following then
        ctx.each(line)
      else
        lines[#lines + 1] = line
      end
    end)
  end)
  if not done then
    return nil, e
  end
  return by_time(lines)
end

return M
