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
  machine = "attached to machine %s",
}

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

-- The field of the records themselves in which the word stands.
local function own_meaning(word, noun, records)
  for _, field in ipairs(noun.names) do
    local record = tbl.find(records, function(record)
      return is_text(record[field], word)
    end)
    if record then
      return field, record[field]
    end
  end
end

-- A region by its code, also one that is no longer listed but still in use, or
-- by a word of its title: "amsterdam".
local function region_code(data, word)
  local used = tbl.find(data.machines or {}, function(machine)
    return is_text(machine.region, word)
  end)
  if used then
    return used.region
  end
  local item = tbl.find(data.regions or {}, function(item)
    local title = type(item.name) == "string" and item.name:lower() or ""
    return is_text(item.code, word)
      or tbl.contains(str.words((title:gsub("[,()]", " "))), word)
  end)
  return item and item.code
end

local function general_meaning(word, data)
  for _, item in ipairs(data.apps or {}) do
    if is_text(item.name, word) then
      return "app", item.name
    end
  end
  for _, item in ipairs(data.apps or {}) do
    if is_text(tbl.get(item, "organization.slug"), word) then
      return "org", tbl.get(item, "organization.slug")
    end
  end
  local code = region_code(data, word)
  if code then
    return "region", code
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
  if field == "org" then
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

-- What the words name: values by field, and the fields in the words' order.
local function meanings(words, noun, records, data)
  local values, fields = {}, {}
  for _, word in ipairs(words) do
    local field, value = own_meaning(word, noun, records)
    if not field then
      field, value = general_meaning(word, data)
    end
    if not field then
      return nil, M.unknown(word)
    end
    if not values[field] then
      values[field] = {}
      fields[#fields + 1] = field
    end
    table.insert(values[field], value)
  end
  return values, fields
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
  local values, fields = meanings(words, noun, records, data)
  if not values then
    return nil, fields
  end
  local by_place = values.region and noun.has_regions
  if by_place then
    records = within_regions(noun, data, values.region)
  end
  local within = {}
  for _, field in ipairs(fields) do
    if not (by_place and field == "region") then
      local kept, e = keep_named(records, field, values[field], noun, data)
      if not kept then
        return nil, e
      end
      records = kept
    end
    if WITHIN[field] then
      within[#within + 1] = WITHIN[field]:format(str.join(values[field], "or"))
    end
  end
  return {
    records = records, within = within,
    is_named = values.name ~= nil or values.id ~= nil,
  }
end

return M
