--- What the unknown words of a question name in the data: a machine, an app,
--- an organization, a region. Pure.

local err = require "base.err"
local str = require "base.str"
local tbl = require "base.tbl"

local M = {}

--- The sets that say what apps, organizations and regions there are.
M.SETS = { "apps", "regions" }

local WITHIN = {
  region = "in %s", app = "of app %s", org = "in organization %s",
  machine = "attached to machine %s", image = "with image %s",
  state = "in state %s", type = "of type %s", name = "named %s",
  title = "named %s", id = "with id %s",
}

-- Fields that name a record itself.
local OWN = { name = true, id = true, title = true }

--- The error for a word that means nothing here.
---@param word string
---@return err.Record
function M.unknown(word)
  return err.new({
    kind = "error",
    message = ("the built-in answerer does not understand %q"):format(word),
    detail = { word = word },
  })
end

local function is_text(value, word)
  return type(value) == "string" and value:lower() == word
end

-- "ipv6" is the type "v6".
local function in_field(field, word)
  return field == "type" and word:match("^ip(v[46])$") or word
end

-- The field of the records themselves in which the word stands.
local function own_meaning(word, noun, records)
  for _, field in ipairs(noun.names) do
    local record = tbl.find(records, function(record)
      return is_text(record[field], in_field(field, word))
    end)
    if record then
      return field, record[field]
    end
  end
end

-- Whether a region lies there: its city, state, country or continent. Only
-- whole names count: of "United Kingdom" the half is something else.
local function lies_in(item, place)
  local title = type(item.name) == "string" and item.name:lower() or ""
  for part in title:gmatch("[^,()]+") do
    if str.trim(part) == place then
      return true
    end
  end
  return is_text(item.geo_region, place)
end

-- Regions by code, also one that is no longer listed but still in use, or by
-- the place where they are: "amsterdam", "europe". nil when there are none.
local function region_codes(data, word)
  local used = tbl.find(data.machines or {}, function(machine)
    return is_text(machine.region, word)
  end) or tbl.find(data.regions or {}, function(item)
    return is_text(item.code, word)
  end)
  if used then
    return { used.region or used.code }
  end
  local there = tbl.filter(data.regions or {}, function(item)
    return type(item.code) == "string" and lies_in(item, word)
  end)
  return #there > 0 and tbl.map(there, function(item)
    return item.code
  end) or nil
end

local function general_meaning(word, data)
  for _, item in ipairs(data.apps or {}) do
    if is_text(item.name, word) then
      return "app", { item.name }
    end
  end
  for _, item in ipairs(data.apps or {}) do
    if is_text(tbl.get(item, "organization.slug"), word) then
      return "org", { tbl.get(item, "organization.slug") }
    end
  end
  local codes = region_codes(data, word)
  if codes then
    return "region", codes
  end
end

--- Whether some word needs the general sets to be understood.
---@param words string[]
---@param noun llm.Noun
---@param records table[]
---@return boolean
function M.need_more(words, noun, records)
  return tbl.find(words, function(word)
    return own_meaning(word, noun, records) == nil
  end) ~= nil
end

local function org_of(data)
  local orgs = {}
  for _, item in ipairs(data.apps or {}) do
    if type(item.name) == "string" then
      orgs[item.name] = tbl.get(item, "organization.slug")
    end
  end
  return orgs
end

-- Whether a record is in what the word names; nil if that makes no sense.
local function test_for(field, value, noun, data)
  if field == "org" and (tbl.contains(noun.names, "org")
    or tbl.contains(noun.names, "app")) then
    local orgs = org_of(data)
    return function(record)
      return record.org == value or orgs[record.app] == value
    end
  elseif tbl.contains(noun.names, field) then
    return function(record)
      return record[field] == value
    end
  end
end

-- Records made of machines, seen in some regions only: what is true of an app
-- elsewhere is not true of it there.
local function within_regions(noun, data, codes)
  local there = tbl.merge(data, {
    machines = tbl.filter(data.machines, function(machine)
      return tbl.contains(codes, machine.region)
    end),
  })
  return tbl.filter(noun.records(there), function(record)
    return record.machines > 0
  end)
end

-- What one word means: a field and its values.
local function meaning(word, noun, records, data)
  local field, value = own_meaning(word, noun, records)
  if field then
    return field, { value }
  end
  return general_meaning(word, data)
end

-- Words of a place's name at most: "salt lake city".
local LONGEST_PLACE = 3

-- What the words mean from one of them on, and how many that takes.
local function meaning_at(words, at, noun, records, data)
  for n = math.min(LONGEST_PLACE, #words - at + 1), 2, -1 do
    local codes = region_codes(data, table.concat(words, " ", at, at + n - 1))
    if codes then
      return n, "region", codes
    end
  end
  return 1, meaning(words[at], noun, records, data)
end

--- Whether all the words name places.
---@param words string[]
---@param data table<string, table[]>
---@return boolean
function M.are_places(words, data)
  local at = 1
  while at <= #words do
    local count, field = meaning_at(words, at, { names = {} }, {}, data)
    if field ~= "region" then
      return false
    end
    at = at + count
  end
  return true
end

-- What the words name: values by field, and the fields in the words' order.
local function meanings(words, noun, records, data)
  local values, fields, at, places = {}, {}, 1, {}
  while at <= #words do
    local count, field, found = meaning_at(words, at, noun, records, data)
    if not field then
      return nil, M.unknown(words[at])
    end
    if not values[field] then
      values[field] = {}
      fields[#fields + 1] = field
    end
    table.move(found, 1, #found, #values[field] + 1, values[field])
    places[#places + 1] = field == "region" and words[at] or nil
    at = at + count
  end
  return values, fields, places
end

-- Keeps the records that are in any of the named.
local function keep_named(records, field, names, noun, data)
  local tests = {}
  for i, name in ipairs(names) do
    tests[i] = test_for(field, name, noun, data)
    if not tests[i] then
      return nil, M.unknown(name)
    end
  end
  return tbl.filter(records, function(record)
    return tbl.find(tests, function(test)
      return test(record)
    end) ~= nil
  end)
end

---@class llm.Scope
---@field records table[]
---@field within string[] "in ams", "of app web"
---@field places string[] the words that named regions
---@field is_named boolean records were asked for by their own names

--- Narrows records by the question's words. Several words of one kind mean
--- any of them: "in ams and fra".
---@param words string[]
---@param noun llm.Noun
---@param records table[]
---@param data table<string, table[]>
---@return llm.Scope?
---@return err.Record?
function M.narrow(words, noun, records, data)
  local values, fields, places = meanings(words, noun, records, data)
  if not values then
    return nil, fields
  end
  local by_place = values.region and noun.has_regions
  if by_place then
    records = within_regions(noun, data, values.region)
  end
  for _, field in ipairs(fields) do
    if not (by_place and field == "region") then
      local kept, e = keep_named(records, field, values[field], noun, data)
      if not kept then
        return nil, e
      end
      records = kept
    end
  end
  local within, is_named = {}, false
  for _, field in ipairs(fields) do
    local is_own = OWN[field] or field == "region" and noun.is_region
    is_named = is_named or is_own
    -- One thing that is named stands in the sentence itself.
    if not is_own or #records ~= 1 then
      within[#within + 1] = WITHIN[field]:format(str.join(values[field], "or"))
    end
  end
  return { records = records, within = within, is_named = is_named, places = places }
end

return M
