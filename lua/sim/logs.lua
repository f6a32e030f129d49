--- The lines of an app's log: written by what happens, read by time.
--- Pure. A line's time is in nanoseconds and unique, so it is its id too.

local time = require "base.time"

local M = {}

--- Lines kept per app; the oldest go first.
M.MAX_LINES = 2000

--- Lines in one answer.
M.PAGE = 100

-- How far back an answer without a position looks, in seconds.
local WINDOW = 24 * 3600

---@class sim.LogLine: sim.Record
---@field ns integer when, in nanoseconds since 1970
---@field level string
---@field message string
---@field instance string machine id
---@field region string
---@field provider string who wrote it: app, runner, proxy

--- Writes a line at the simulated now, or at a given time.
---@param world sim.World
---@param machine table
---@param provider string
---@param message string
---@param opts {level: string?, ns: integer?}?
function M.add(world, machine, provider, message, opts)
  local app = machine.owner
  local ns = opts and opts.ns or world:unique_ns()
  world:add("log", {
    id = ("%s/%d"):format(app, ns), owner = app, ns = ns,
    level = opts and opts.level or "info",
    message = message, instance = machine.id, region = machine.region,
    provider = provider,
  })
  local lines = world:list("log", app)
  while #lines > M.MAX_LINES do
    world:drop("log", lines[1])
  end
end

-- What running machines say when they have nothing else to say.
local CHATTER = {
  "GET /healthz 200 in 1ms", "GET / 200 in 12ms", "GET /items 200 in 7ms",
  "GET /healthz 200 in 2ms", "POST /items 201 in 31ms",
}

-- Rounds made up for after a pause; older ones are left out.
local MAX_ROUNDS = 100

--- Lets every running machine write a line now and then.
---@param world sim.World
---@param seconds number from one line to the next
function M.start_chatter(world, seconds)
  local record = world:get("chatter", "all")
    or world:add("chatter", { id = "all", count = 0 })
  record.every = math.max(seconds, 0.1)
  world:plan("chatter", record, record.every)
  world:touch("chatter", record)
end

--- The agenda's handler: it is time for a line of each running machine.
---@param world sim.World
---@param record table
function M.chatter_due(world, record)
  record.count = record.count + 1
  for _, machine in ipairs(world:list("machine")) do
    if machine.state == "started" then
      M.add(world, machine, "app", CHATTER[record.count % #CHATTER + 1])
    end
  end
  local behind = world.clock() - world:now()
  local skipped = behind > MAX_ROUNDS * record.every and behind or 0
  world:plan("chatter", record, record.every + skipped)
  world:touch("chatter", record)
end

-- The index of the first line later than `ns`; lines are in order of time.
local function first_after(lines, ns)
  local low, high = 1, #lines + 1
  while low < high do
    local middle = (low + high) // 2
    if lines[middle].ns > ns then
      high = middle
    else
      low = middle + 1
    end
  end
  return low
end

---@class sim.LogQuery
---@field after integer? nanoseconds; nil for the newest lines
---@field instance string?
---@field region string?

local function wanted(line, query)
  return (not query.instance or line.instance == query.instance)
    and (not query.region or line.region == query.region)
end

-- The newest lines of the window, oldest first.
local function newest(world, lines, query)
  local oldest = math.floor((world:now() - WINDOW) * 1e9)
  local out, at = {}, #lines
  while at >= 1 and lines[at].ns > oldest and #out < M.PAGE do
    if wanted(lines[at], query) then
      table.insert(out, 1, lines[at])
    end
    at = at - 1
  end
  return out
end

--- A page of lines, oldest first, and the position to ask from next.
---@param world sim.World
---@param app string
---@param query sim.LogQuery
---@return sim.LogLine[] page
---@return integer? next
function M.read(world, app, query)
  local lines = world:list("log", app)
  local out = {}
  if query.after then
    local at = first_after(lines, query.after)
    while lines[at] and #out < M.PAGE do
      if wanted(lines[at], query) then
        out[#out + 1] = lines[at]
      end
      at = at + 1
    end
  else
    out = newest(world, lines, query)
  end
  local last = out[#out]
  return out, last and last.ns or query.after
end

local function timestamp(ns)
  local seconds = time.format(ns // 1000000000):sub(1, -2)
  return ("%s.%09dZ"):format(seconds, ns % 1000000000)
end

--- A line in the form of the logs API.
---@param line sim.LogLine
---@return table
function M.view(line)
  return {
    id = tostring(line.ns),
    attributes = {
      timestamp = timestamp(line.ns),
      message = line.message,
      level = line.level,
      instance = line.instance,
      region = line.region,
      meta = {
        instance = line.instance, region = line.region,
        event = { provider = line.provider },
      },
    },
  }
end

return M
