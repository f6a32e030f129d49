--- Follows a listing to its end, whichever way the next page is announced.
--- Waits in `fetch`; bounded in pages, and a cursor that comes twice is an error.

local errors = require "fly.errors"
local tbl = require "base.tbl"

local M = {}

--- A listing of more pages is taken for a server that never ends.
M.MAX_PAGES = 2000

---@class fly.PageSpec
---@field style "body"|"header"|"graphql"|nil nil: there is one page
---@field items string? path of the list in a body; nil: the body is the list
---@field about fly.About
---@field check fun(reply: table, about: fly.About): table? a failure in disguise

---@param items string "apps.nodes"
---@return (string|integer)[] path of what holds the list
local function parent_path(items)
  local keys = tbl.copy(tbl.path(items))
  keys[#keys] = nil
  return keys
end

local NEXT = {}

function NEXT.body(_, rest)
  return rest.next_cursor
end

function NEXT.header(reply)
  return type(reply.headers) == "table" and reply.headers["fly-next-cursor"] or nil
end

function NEXT.graphql(_, rest, spec)
  local info = tbl.get(tbl.get(rest, parent_path(spec.items)), "pageInfo")
  if type(info) ~= "table" or info.hasNextPage ~= true then
    return nil
  end
  -- A page that is there and cannot be asked for is no end.
  return (info.endCursor ~= nil and info.endCursor ~= "") and info.endCursor or false
end

---@param spec fly.PageSpec
---@param reply table
---@param rest table
---@return string? cursor nil at the end, table? err
local function next_cursor(spec, reply, rest)
  local find = NEXT[spec.style]
  local cursor = find and find(reply, rest, spec)
  if cursor == nil or cursor == "" then
    return nil
  end
  if math.type(cursor) == "integer" then
    cursor = tostring(cursor)
  end
  if type(cursor) ~= "string" then
    return nil, errors.bad_reply(reply, spec.about, "announces a next page in an unknown form")
  end
  return cursor
end

--- What a page says about itself that the user should know.
---@param collector fly.Collector
---@param rest table
local function note_gaps(collector, rest)
  local regions = rest.error_regions
  if type(regions) ~= "table" then
    return
  end
  local names = {}
  for _, name in ipairs(regions) do
    names[#names + 1] = type(name) == "string" and name:match("^%w+$") or nil
  end
  if #names > 0 then
    collector.warnings[#collector.warnings + 1] =
      "these regions did not answer, the list may miss items: " .. table.concat(names, ", ")
  end
end

---@param spec fly.PageSpec
---@param collector fly.Collector
---@param reply table
---@return table? rest, table? err
local function take(spec, collector, reply)
  local body = reply.body
  if type(body) ~= "string" or not body:find("%S") then
    return nil, errors.bad_reply(reply, spec.about, "is empty")
  end
  local failed = spec.check and spec.check(reply, spec.about)
  if failed then
    return nil, failed
  end
  local rest, e = collector:take(body, spec.items)
  if not rest then
    return nil, errors.bad_reply(reply, spec.about, "is not the JSON expected: " .. e.message)
  end
  note_gaps(collector, rest)
  return rest
end

--- Fetches page after page into the collector.
---@async
---@param spec fly.PageSpec
---@param collector fly.Collector
---@param fetch fun(cursor: string?): table?, table? one page's reply
---@return boolean? done, table? err
function M.run(spec, collector, fetch)
  local seen, cursor = {}, nil
  for _ = 1, M.MAX_PAGES do
    local reply, e = fetch(cursor)
    if not reply then
      return nil, e
    end
    local rest, bad = take(spec, collector, reply)
    if not rest then
      return nil, bad
    end
    local following, odd = next_cursor(spec, reply, rest)
    if odd then
      return nil, odd
    elseif not following or collector.is_done then
      return true
    elseif seen[following] then
      return nil, errors.bad_reply(reply, spec.about, "announces a page that was already read")
    end
    seen[following] = true
    cursor = following
  end
  return nil, errors.bad_reply({}, spec.about,
    ("would have more than %d pages"):format(M.MAX_PAGES))
end

return M
