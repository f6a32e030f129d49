--- Pages of a list: cursors in and out.
--- Pure. A cursor names the last record seen and when it was given.

local problem = require "sim.problem"
local request = require "sim.request"

local M = {}

--- Seconds a cursor can be used.
M.CURSOR_LIFE = 30 * 60

---@param record sim.Record
---@param now number
---@return string
function M.cursor(record, now)
  return ("%x-%x"):format(record.seq, math.floor(now))
end

-- The `seq` after which the page starts.
local function position(cursor, now)
  local seq, given = cursor:match("^(%x+)%-(%x+)$")
  if not seq or #seq > 12 or #given > 12 then
    return problem.new(400, "invalid cursor")
  end
  if now - tonumber(given, 16) > M.CURSOR_LIFE then
    return problem.new(400, "cursor expired")
  end
  return tonumber(seq, 16)
end

--- Cuts the page that `limit` and `cursor` of a query ask for. Without a limit
--- the page is the rest of the list.
---@param list sim.Record[] ordered by seq
---@param ctx sim.Context
---@param most integer the highest limit
---@param default integer? page size when none is asked for
---@return sim.Record[]? page
---@return string|sim.Problem|nil next the cursor of the following page
function M.cut(list, ctx, most, default)
  local limit, wrong = request.integer(ctx.query, "limit", 1, most, default)
  if wrong then
    return nil, wrong
  end
  local cursor, after = request.text(ctx.query, "cursor"), 0
  local now = ctx.world:now()
  if cursor then
    after, wrong = position(cursor, now)
    if wrong then
      return nil, wrong
    end
  end
  local page, first = {}, 1
  while list[first] and list[first].seq <= after do
    first = first + 1
  end
  local last = limit and math.min(#list, first + limit - 1) or #list
  table.move(list, first, last, 1, page)
  return page, last < #list and M.cursor(list[last], now) or nil
end

return M
