--- What will happen when: a heap of times, each with the thing it is about.
--- Pure: nothing runs here; whoever owns the clock takes what is due.

local M = {}

---@class sim.Entry
---@field at number seconds since 1970
---@field order integer breaks ties: first planned, first done
---@field kind string
---@field id string

---@class sim.Agenda
---@field private heap sim.Entry[]
---@field private count integer how many were ever planned
local Agenda = {}
Agenda.__index = Agenda

---@return sim.Agenda
function M.new()
  return setmetatable({ heap = {}, count = 0 }, Agenda)
end

local function before(a, b)
  if a.at ~= b.at then
    return a.at < b.at
  end
  return a.order < b.order
end

local function sift_up(heap, at)
  local entry = heap[at]
  while at > 1 and before(entry, heap[at // 2]) do
    heap[at] = heap[at // 2]
    at = at // 2
  end
  heap[at] = entry
end

local function sift_down(heap)
  local entry, at, size = heap[1], 1, #heap
  while at * 2 <= size do
    local child = at * 2
    if child < size and before(heap[child + 1], heap[child]) then
      child = child + 1
    end
    if not before(heap[child], entry) then
      break
    end
    heap[at] = heap[child]
    at = child
  end
  heap[at] = entry
end

--- Plans something about the record `id` of `kind`.
---@param at number
---@param kind string
---@param id string
function Agenda:plan(at, kind, id)
  self.count = self.count + 1
  local heap = self.heap
  heap[#heap + 1] = { at = at, order = self.count, kind = kind, id = id }
  sift_up(heap, #heap)
end

--- When the next thing is due; nil when nothing is planned.
---@return number?
function Agenda:next_at()
  local first = self.heap[1]
  return first and first.at
end

--- Takes the earliest entry if it is due by `now`.
---@param now number
---@return sim.Entry?
function Agenda:take(now)
  local heap = self.heap
  local first = heap[1]
  if not first or first.at > now then
    return nil
  end
  local last = table.remove(heap)
  if #heap > 0 then
    heap[1] = last
    sift_down(heap)
  end
  return first
end

return M
