--- Counts and sums records under an app, a region or an organization.
--- Pure.

local rank = require "llm.rank"
local tbl = require "base.tbl"

local M = {}

local KEYS = { app = true, region = true, org = true }

-- Whose records a measure is taken of.
local MEASURED = { memory = "machine", cpu = "machine", storage = "volume" }

local COUNTABLE = { machine = true, volume = true, app = true }

local function further_noun(query)
  return query.having[1] or tbl.find(query.others, function(noun)
    return COUNTABLE[noun] and query.subject ~= "app"
  end)
end

local function measured_noun(query, other)
  for _, measure in ipairs(query.measures) do
    local owner = MEASURED[measure]
    if measure == "size" then
      owner = other == "volume" and "volume" or "machine"
    end
    if owner then
      return owner
    end
  end
end

-- Whether regions are asked for as far as something of one's own is there.
local function is_about_own(query)
  return query.marks.mine or query.marks.uses or #query.states > 0
end

--- Whether only the names in it say whose regions are asked for: those of an
--- app, or of the platform in some place.
---@param query llm.Query
---@return boolean
function M.is_open(query)
  return query.subject == "region" and #query.names > 0
    and #query.others + #query.having == 0 and not is_about_own(query)
end

--- Whether records of one noun are to be counted under another, and which:
--- "machines per region", "which app uses the most memory".
---@param query llm.Query
---@return string? counted noun of the records
---@return string? by noun of the key
function M.of(query)
  local subject = query.subject
  if KEYS[query.group] and query.group ~= subject then
    return subject, query.group
  elseif not KEYS[subject] then
    return nil
  end
  local other = further_noun(query)
  local is_ranked = query.order == "most" or query.order == "least"
  local measured = measured_noun(query, other)
  if measured then
    return measured, subject
  elseif other and (is_ranked or subject ~= "app") then
    return other, subject
  end
  if subject == "region" and (is_about_own(query)
    or #query.names > 0 and not query.is_closed) then
    return "machine", subject
  end
end

local function keys_of(record, by, orgs)
  if by == "region" and record.regions then
    return record.regions
  elseif by == "org" then
    return { record.org or orgs[record.app] }
  end
  return { record[by] }
end

-- Apps and organizations count even with nothing in them; regions do not.
local function known_keys(by, apps)
  local keys = {}
  for _, item in ipairs(by == "region" and {} or apps) do
    local key = item.name
    if by == "org" then
      key = tbl.get(item, "organization.slug")
    end
    keys[#keys + 1] = type(key) == "string" and key or nil
  end
  return keys
end

---@class llm.GroupRow
---@field name string
---@field count integer
---@field sum number
---@field apps string[] the apps its records belong to

--- The groups, the biggest first unless the least were asked for.
---@param query llm.Query
---@param by string
---@param records table[]
---@param measure llm.Measure?
---@param data table<string, table[]>
---@return llm.GroupRow[]
function M.rows(query, by, records, measure, data)
  local rows, orgs = {}, {}
  local function row_of(key)
    rows[key] = rows[key] or { name = key, count = 0, sum = 0, app_set = {} }
    return rows[key]
  end
  for _, item in ipairs(data.apps or {}) do
    orgs[item.name or "?"] = tbl.get(item, "organization.slug")
  end
  if #query.names == 0 then
    for _, key in ipairs(known_keys(by, data.apps or {})) do
      row_of(key)
    end
  end
  for _, record in ipairs(records) do
    for _, key in ipairs(keys_of(record, by, orgs)) do
      local row = row_of(key)
      row.count = row.count + 1
      row.sum = row.sum + (measure and record[measure.key] or 0)
      row.app_set[record.app or "?"] = true
    end
  end
  local list = {}
  for _, row in tbl.sorted(rows) do
    row.apps = tbl.keys(row.app_set)
    list[#list + 1] = row
  end
  return rank.by_value(list, measure and "sum" or "count",
    query.order ~= "least")
end

return M
