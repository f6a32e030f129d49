--- An app's log by polling: the newest lines once, or line after line.
--- Waits. A reply counts whole or not at all, so that no line is lost or repeated.

local err = require "base.err"
local json = require "base.json"
local tbl = require "base.tbl"
local time = require "base.time"

local M = {}

---@class fly.LogLine
---@field id string?
---@field timestamp string? RFC 3339
---@field message string as the machine wrote it: not safe for a terminal
---@field level string?
---@field machine string? id
---@field region string?
---@field app string

---@class fly.LogQuery
---@field app string
---@field machine string? only lines of this machine
---@field region string? only lines from this region; not together with a machine
---@field from string? where to begin: a token, or nanoseconds since 1970
---@field till number? seconds since 1970: following ends there

---@class fly.LogDeps
---@field call fun(id: string, args: table, opts: table?): any, table? carries out an operation
---@field sleep fun(seconds: number)
---@field task table? sys.task, to follow several
---@field wall (fun(): number)? seconds since 1970, for `till`
---@field notice fun(text: string)?

--- Pauses in seconds: without new lines, and after failures.
local IDLE_PAUSE = 0.128
local FIRST_PAUSE = 0.128
local LONGEST_PAUSE = 4.096

--- Failures in a row after which following ends (with their pauses about five
--- minutes), and after which it says that it is trying.
local PATIENCE, WORTH_A_WORD = 75, 4

--- Answers read for one look back, at most: a hundred lines each.
local MOST_PAGES = 200

--- Seconds that lines of several apps wait for older ones of the others.
local GRACE = 0.25

--- Seconds after which a line is not expected to come any more.
local LATE = 5

local FINAL = { auth = true, forbidden = true, not_found = true, usage = true }

--- Ids remembered, at least, to leave out lines that come twice at a page's
--- edge; at most twice as many.
local REMEMBERED = 2048

--- A token is opaque and may be a number beyond what a float holds.
---@param value any
---@return string?
local function token(value)
  if json.is_raw(value) or math.type(value) == "integer" then
    return tostring(value)
  end
  return type(value) == "string" and value ~= "" and value or nil
end

---@param value any
---@return string?
local function word(value)
  return type(value) == "string" and value or nil
end

---@param app string
---@param entry any
---@return fly.LogLine?
local function line_of(app, entry)
  local attributes = type(entry) == "table" and entry.attributes
  if type(attributes) ~= "table" or type(attributes.message) ~= "string" then
    return nil
  end
  return {
    id = token(entry.id),
    timestamp = word(attributes.timestamp),
    message = attributes.message,
    level = word(attributes.level),
    machine = word(attributes.instance),
    region = word(attributes.region),
    app = app,
  }
end

--- A place in a log.
---@class fly.LogCursor
---@field query fly.LogQuery
---@field token string?
---@field seen table<string, boolean> ids of the last lines
---@field before table<string, boolean> ids of those before them
---@field count integer in `seen`
local Cursor = {}
Cursor.__index = Cursor

---@param query fly.LogQuery
---@return fly.LogCursor
function M.cursor(query)
  return setmetatable({
    query = query, token = query.from, seen = {}, before = {}, count = 0,
  }, Cursor)
end

--- Whether the line is new; it is remembered then.
---@param line fly.LogLine
---@return boolean
function Cursor:is_new(line)
  if not line.id then
    return true
  elseif self.seen[line.id] or self.before[line.id] then
    return false
  end
  if self.count == REMEMBERED then
    self.before, self.seen, self.count = self.seen, {}, 0
  end
  self.seen[line.id] = true
  self.count = self.count + 1
  return true
end

--- The lines since the last call; an empty list when there are none yet.
---@async
---@param deps fly.LogDeps
---@return fly.LogLine[]? lines, table? err
function Cursor:read(deps)
  local query = self.query
  local page, e = deps.call("logs.page", {
    app = query.app, machine = query.machine,
    region = not query.machine and query.region or nil,
    next_token = self.token,
  })
  if not page then
    return nil, err.wrap(e, "log of app " .. query.app)
  end
  local lines = {}
  for _, entry in ipairs(type(page.data) == "table" and page.data or {}) do
    local line = line_of(query.app, entry)
    if line and self:is_new(line) then
      lines[#lines + 1] = line
    end
  end
  self.token = token(type(page.meta) == "table" and page.meta.next_token) or self.token
  return lines
end

--- The newest lines, from one answer, whether it has some or none. From a place
--- on: all that are there, answer after answer.
---@async
---@param deps fly.LogDeps
---@param query fly.LogQuery
---@return fly.LogLine[]? lines, table? err
function M.snapshot(deps, query)
  local cursor, lines = M.cursor(query), {}
  for page = 1, query.from and MOST_PAGES or 1 do
    local more, e = cursor:read(deps)
    if not more then
      return nil, e
    end
    table.move(more, 1, #more, #lines + 1, lines)
    local last = more[#more] and M.instant(more[#more])
    if #more == 0 or last and query.till and last > query.till then
      break
    elseif page == MOST_PAGES and deps.notice then
      deps.notice(("there is more of app %s than these %d lines"):format(
        query.app, #lines))
    end
  end
  return lines
end

--- When a line was written, in seconds since 1970; nil when it does not say.
---@param line fly.LogLine
---@return number?
function M.instant(line)
  return line.timestamp and time.parse(line.timestamp) or nil
end

-- Hands a page of lines on. True when following ends with them.
local function hand_on(query, lines, on_line)
  for _, line in ipairs(lines) do
    local at = query.till and M.instant(line)
    if at and at > query.till or on_line(line) == false then
      return true
    end
  end
  return false
end

-- Says once that no answer comes, and once that they come again.
local function tell(deps, query, failures, e)
  if not deps.notice then
    return
  elseif e and failures == WORTH_A_WORD then
    deps.notice(("no answer (%s); still trying"):format(e.message))
  elseif not e and failures >= WORTH_A_WORD then
    deps.notice(("the log of app %s answers again; no line is lost"):format(query.app))
  end
end

--- Hands on line after line until `on_line` returns false, `till` is past, the
--- caller is cancelled, or the log cannot be read any more.
---@async
---@param deps fly.LogDeps
---@param query fly.LogQuery
---@param on_line fun(line: fly.LogLine): boolean?
---@return boolean? stopped, table? err
function M.follow(deps, query, on_line)
  local cursor, failures, pause = M.cursor(query), 0, FIRST_PAUSE
  while true do
    local lines, e = cursor:read(deps)
    if lines then
      tell(deps, query, failures)
      failures, pause = 0, FIRST_PAUSE
      if hand_on(query, lines, on_line) then
        return true
      elseif #lines == 0 then
        if query.till and deps.wall() > query.till + LATE then
          return true
        end
        deps.sleep(IDLE_PAUSE)
      end
    else
      failures = failures + 1
      tell(deps, query, failures, e)
      if FINAL[e.kind] or failures >= PATIENCE then
        return nil, e
      end
      deps.sleep(pause)
      pause = math.min(LONGEST_PAUSE, pause * 2)
    end
  end
end

-- Follows every query, putting lines aside; sets the event when there are some.
local function gather(deps, queries, pending, filled)
  local failure
  deps.task.map(queries, #queries, function(query)
    local stopped, e = M.follow(deps, query, function(line)
      pending[#pending + 1] = line
      filled:set()
      return failure == nil
    end)
    failure = failure or (not stopped and e) or nil
    if failure then
      error(failure, 0)
    end
  end)
end

--- Follows several logs at once. Lines that come at about the same time are
--- handed on by their own; the first log that cannot be read ends it.
---@async
---@param deps fly.LogDeps
---@param queries fly.LogQuery[]
---@param on_line fun(line: fly.LogLine): boolean?
---@return boolean? stopped, table? err
function M.follow_all(deps, queries, on_line)
  if #queries == 1 then
    return M.follow(deps, queries[1], on_line)
  end
  local pending, filled, is_over = {}, deps.task.event(), false
  local gatherer = deps.task.spawn(function()
    local _ <close> = setmetatable({}, { __close = function()
      is_over = true
      filled:set()
    end })
    gather(deps, queries, pending, filled)
  end)
  repeat
    filled:wait()
    filled:clear()
    local was_over = is_over
    if not was_over then
      deps.sleep(GRACE)
    end
    local lines = table.move(pending, 1, #pending, 1, {})
    for i = #pending, 1, -1 do
      pending[i] = nil
    end
    for _, line in ipairs(M.by_time(lines)) do
      if on_line(line) == false then
        gatherer:cancel()
        gatherer:join()
        return true
      end
    end
  until was_over and #pending == 0
  local ok, e = gatherer:join()
  if not ok then
    if type(e) == "table" and e.kind then
      return nil, e
    end
    error(e, 0)
  end
  return true
end

--- Lines in the order of their times; those without one, and those of the same
--- time, stay as they are.
---@param lines fly.LogLine[]
---@return fly.LogLine[]
function M.by_time(lines)
  return tbl.sort_by(lines, function(line)
    return time.order(line.timestamp)
  end)
end

return M
