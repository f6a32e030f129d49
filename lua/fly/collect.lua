--- Takes the items out of reply bodies, one decoded item in memory at a time.
--- Pure. Three forms of result: a list, the server's own JSON text, a callback.

local conform = require "base.conform"
local json = require "base.json"
local str = require "base.str"
local tbl = require "base.tbl"
local text = require "fly.text"

local M = {}

---@class fly.Collector
---@field count integer items so far
---@field replies integer bodies so far
---@field is_done boolean the consumer wants no more
---@field warnings string[]
local Collector = {}
Collector.__index = Collector

--- Nulls become absent members and leave arrays, in place: to a caller a null
--- and a missing field mean the same, and `if x.field` must be right.
---@generic T
---@param value T
---@return T?
local function drop_nulls(value)
  if value == json.null then
    return nil
  end
  if type(value) ~= "table" or json.is_raw(value) then
    return value
  end
  if json.is_array(value) then
    return tbl.keep(value, drop_nulls)
  end
  for key, item in next, value do
    value[key] = drop_nulls(item)
  end
  return value
end
M.drop_nulls = drop_nulls

--- Where results came from, to give them back as the server wrote them.
---@class fly.Origins
---@field texts table<table, string> text each object was decoded from
---@field lists fly.Collector[] every listing that was read

---@return fly.Origins
function M.origins()
  return { texts = {}, lists = {} }
end

---@class fly.CollectOptions
---@field raw boolean? the result is JSON text
---@field each (fun(item: table): boolean?)? gets each item instead; false ends it
---@field origins fly.Origins? filled in
---@field shape schema.Shape? what an item is; members of another type are left out

---@param opts fly.CollectOptions
---@return fly.Collector
function M.new(opts)
  local self = setmetatable({
    count = 0,
    replies = 0,
    odd = 0,
    is_done = false,
    warnings = {},
    each = opts.each,
    items = not opts.raw and not opts.each and json.array {} or nil,
    texts = opts.raw and {} or nil,
    origins = opts.origins,
    shape = opts.shape,
    report = conform.report(),
    body = nil,
  }, Collector)
  if opts.origins then
    table.insert(opts.origins.lists, self)
  end
  return self
end

---@param self fly.Collector
---@param piece string
---@param item any
---@return boolean? `false` ends the walk
local function take_item(self, piece, item)
  if self.texts then
    self.count = self.count + 1
    self.texts[self.count] = piece
    return nil
  end
  item = drop_nulls(item)
  if type(item) ~= "table" or json.is_array(item) then
    self.odd = self.odd + 1
    return nil
  end
  if self.shape then
    item = conform.apply(item, self.shape, self.report)
  end
  self.count = self.count + 1
  if self.origins then
    self.origins.texts[item] = piece
  end
  if self.items then
    self.items[self.count] = item
    return nil
  end
  if self.each(item) == false then
    self.is_done = true
    return false
  end
  return nil
end

--- Takes the items at `path` of one body.
---@param body string
---@param path string|(string|integer)[]|nil
---@return table? rest what stands beside the items, decoded; {} when it is an array
---@return table? err of base.json
function Collector:take(body, path)
  self.replies = self.replies + 1
  self.body = self.replies == 1 and (self.texts or self.origins) and body or nil
  local count, rest = json.each(body, path, function(piece, item)
    return take_item(self, piece, item)
  end)
  if not count then
    return nil, rest
  end
  if self.is_done then
    return {}
  end
  local value, e = json.decode(rest)
  if value == nil then
    return nil, e
  end
  value = drop_nulls(value)
  return type(value) == "table" and value or {}
end

--- What was left out of a reply, for its user; nil when that is nothing.
---@param report conform.Report
---@return string?
function M.left_out(report)
  return report.count > 0
    and ("left out %s of another type than the API says, such as %s"):format(
      str.count(report.count, "value"), text.line(report.first, 80)) or nil
end

---@param self fly.Collector
local function note_odd_items(self)
  if self.odd > 0 then
    self.warnings[#self.warnings + 1] =
      ("%d entries of the reply are not objects and were left out"):format(self.odd)
    self.odd = 0
  end
  self.warnings[#self.warnings + 1] = M.left_out(self.report)
  self.report = conform.report()
end

--- The result: a list, a JSON text, or the number of items given away.
---@return any
function Collector:result()
  note_odd_items(self)
  if self.items then
    return self.items
  end
  if not self.texts then
    return self.count
  end
  if self.replies == 1 then
    return self.body
  end
  return "[" .. table.concat(self.texts, ",") .. "]"
end

--- The body that a list is all of, when one reply gave everything.
---@param list table[]
---@param origins fly.Origins
---@return string?
local function whole_body(list, origins)
  local found
  for _, collector in ipairs(origins.lists) do
    if collector.replies > 0 then
      if found or collector.replies > 1 then
        return nil
      end
      found = collector
    end
  end
  return found and found.count == #list and found.body or nil
end

--- The JSON text of a result that other calls' results were put together to:
--- the server's own where there was one reply, else each part as it came.
---@param value any
---@param origins fly.Origins
---@return string
function M.text_of(value, origins)
  if type(value) ~= "table" then
    return json.encode(value)
  elseif origins.texts[value] then
    return origins.texts[value]
  elseif not json.is_array(value) and value[1] == nil then
    return json.encode(value)
  end
  local body = whole_body(value, origins)
  if body then
    return body
  end
  local texts = {}
  for i, item in ipairs(value) do
    texts[i] = type(item) == "table" and origins.texts[item] or json.encode(item)
  end
  return "[" .. table.concat(texts, ",") .. "]"
end

return M
