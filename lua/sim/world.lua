--- The account's records, their order, and what is planned for them.
--- Pure: the clock is injected; a record is a plain table that JSON can hold.

local agenda = require "sim.agenda"
local ids = require "sim.ids"

local M = {}

---@class sim.Record
---@field id string unique within its kind
---@field owner string? what it belongs to: an app, an organization, …
---@field seq integer position in the order of creation
---@field due number? when its next change is planned

---@class sim.World
---@field ids sim.Ids
---@field agenda sim.Agenda
---@field meta table what is not a record: secret values excepted, all of it
---@field dirty table<string, table<string, boolean>>? ids by kind of what
---  changed since somebody last wrote it; nil while nobody does
---@field on_change fun()? called when anything changed
local World = {}
World.__index = World

---@param opts {now: fun(): number, seed: integer?}
---@return sim.World
function M.new(opts)
  return setmetatable({
    ids = ids.new(opts.seed or 1),
    agenda = agenda.new(),
    meta = { seq = 0, last_ns = 0 },
    records = {},
    owned = {},
    ordered = {},
    texts = setmetatable({}, { __mode = "k" }),
    clock = opts.now,
    moment = nil,
  }, World)
end

--- The simulated time: of the planned change being made, else of the clock.
---@return number seconds since 1970
function World:now()
  return self.moment or self.clock()
end

--- A time in nanoseconds that no earlier call got.
---@return integer
function World:unique_ns()
  local ns = math.floor(self:now() * 1e6) * 1000
  if ns <= self.meta.last_ns then
    ns = self.meta.last_ns + 1
  end
  self.meta.last_ns = ns
  return ns
end

---@param kind string
---@param id string
---@return table?
function World:get(kind, id)
  local of_kind = self.records[kind]
  return of_kind and of_kind[id]
end

local function bucket(index, kind, owner)
  local of_kind = index[kind]
  if not of_kind then
    of_kind = {}
    index[kind] = of_kind
  end
  local list = of_kind[owner]
  if not list then
    list = {}
    of_kind[owner] = list
  end
  return list
end

-- Appends in order of `seq`; a loaded record may come out of order.
local function insert(list, record)
  local at = #list + 1
  while at > 1 and list[at - 1].seq > record.seq do
    at = at - 1
  end
  table.insert(list, at, record)
end

local function remove(list, record)
  for i = 1, #list do
    if list[i] == record then
      table.remove(list, i)
      return
    end
  end
end

--- Says that a record changed: it will be written, its text made anew.
---@param kind string
---@param record sim.Record
function World:touch(kind, record)
  self.texts[record] = nil
  local app = record.owner and self:get("app", record.owner)
  if app then
    self.texts[app] = nil -- it counts what it has, and tells its status
  end
  local dirty = self.dirty
  if dirty then
    dirty[kind] = dirty[kind] or {}
    dirty[kind][record.id] = true
  end
  if self.on_change then
    self.on_change()
  end
end

--- Adds a record, without saying that it changed (what loading needs).
---@param kind string
---@param record sim.Record
function World:adopt(kind, record)
  local of_kind = self.records[kind]
  if not of_kind then
    of_kind = {}
    self.records[kind] = of_kind
  end
  assert(not of_kind[record.id], "a record of this id exists")
  of_kind[record.id] = record
  insert(bucket(self.owned, kind, record.owner or ""), record)
  insert(bucket(self.ordered, kind, ""), record)
  if record.due then
    self.agenda:plan(record.due, kind, record.id)
  end
end

--- Adds a new record.
---@generic T
---@param kind string
---@param record T
---@return T
function World:add(kind, record)
  self.meta.seq = self.meta.seq + 1
  record.seq = self.meta.seq
  self:adopt(kind, record)
  self:touch(kind, record)
  return record
end

---@param kind string
---@param record sim.Record
function World:drop(kind, record)
  self.records[kind][record.id] = nil
  remove(bucket(self.owned, kind, record.owner or ""), record)
  remove(bucket(self.ordered, kind, ""), record)
  self:touch(kind, record)
end

--- The records of a kind in order of creation: all, or an owner's. The list
--- is the world's own: iterate, do not keep or change it.
---@param kind string
---@param owner string?
---@return table[]
function World:list(kind, owner)
  if owner then
    return bucket(self.owned, kind, owner)
  end
  return bucket(self.ordered, kind, "")
end

--- A copy of `list` that may be kept while records come and go.
---@param kind string
---@param owner string?
---@return table[]
function World:snapshot(kind, owner)
  local list = self:list(kind, owner)
  return table.move(list, 1, #list, 1, {})
end

--- An id that no record of the kind has.
---@param kind string
---@param make fun(): string
---@return string
function World:fresh(kind, make)
  local id = make()
  while self:get(kind, id) do
    id = make()
  end
  return id
end

--- The text that `make` gives for a record, made once per change of it.
---@param record sim.Record
---@param make fun(world: sim.World, record: table): string
---@return string
function World:text(record, make)
  local texts = self.texts[record]
  if not texts then
    texts = {}
    self.texts[record] = texts
  end
  local text = texts[make]
  if not text then
    text = make(self, record)
    texts[make] = text
  end
  return text
end

--- Plans the next change of a record; a record has one at most.
---@param kind string
---@param record sim.Record
---@param seconds number from now
function World:plan(kind, record, seconds)
  record.due = self:now() + seconds
  self.agenda:plan(record.due, kind, record.id)
end

--- Makes every planned change whose time has come, each at its own time.
---@param handlers table<string, fun(world: sim.World, record: table)>
function World:run_due(handlers)
  local now = self.clock()
  while true do
    local entry = self.agenda:take(now)
    if not entry then
      break
    end
    local record = self:get(entry.kind, entry.id)
    if record and record.due == entry.at then
      record.due = nil
      self.moment = entry.at
      handlers[entry.kind](self, record)
      self.moment = nil
    end
  end
end

return M
