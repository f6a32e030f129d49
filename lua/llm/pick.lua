--- Applies a question to the data: whose records, which of them, in what order.
--- Pure. A word of the question that names nothing in the data is an error.

local facts = require "llm.facts"
local group = require "llm.group"
local names = require "llm.names"
local rank = require "llm.rank"
local tbl = require "base.tbl"

local M = {}

---@class llm.Pick
---@field noun llm.Noun of the records
---@field subject string its key in facts.NOUNS
---@field scope table[] the records the question is about
---@field matches table[] those for which it is true, in answer order
---@field within string[] "in ams", "of app web": what narrowed the scope
---@field is_named boolean the scope are records asked for by name
---@field measure llm.Measure?
---@field group {by: string, rows: llm.GroupRow[]}?

--- The data sets a question needs.
---@param query llm.Query
---@return string[] sorted
function M.sets(query)
  local set = {}
  local function need(nouns)
    for _, noun in ipairs(nouns) do
      for _, one in ipairs(facts.NOUNS[noun].sets) do
        set[one] = true
      end
    end
  end
  local counted, by = group.of(query)
  need({ counted or query.subject })
  if by == "app" or by == "org" then
    set.apps = true
  end
  if not counted then
    need(query.having)
    need(query.without)
  end
  return tbl.keys(set)
end

--- The further sets needed to understand the question's names.
---@param query llm.Query
---@param data table<string, table[]>
---@return string[]
function M.more_sets(query, data)
  local noun = facts.NOUNS[group.of(query) or query.subject]
  if not names.need_more(query.names, noun, noun.records(data)) then
    return {}
  end
  return tbl.filter(names.SETS, function(set)
    return data[set] == nil
  end)
end

-- Where a record has what is measured, for the nouns that only show it.
local FIELD = { image = "image", state = "state", age = "created", cpu = "cpus" }

-- The first measure, as written, that no record of the scope has.
local function unmeasured(query, noun, records)
  local name = tbl.find(query.measures, function(name)
    return #records > 0 and not noun.measures[name]
      and not tbl.find(records, function(record)
        return FIELD[name] and record[FIELD[name]] ~= nil
      end)
  end)
  return name and (query.written[name] or query.written.order)
end

local function any_of(tests)
  return function(record)
    return #tests == 0 or tbl.find(tests, function(test)
      return test(record)
    end) ~= nil
  end
end

-- Several states mean any of them: a machine is never in two at once.
local function state_test(query, noun)
  local tests = {}
  for _, state in ipairs(query.states) do
    local test = noun.states[state.value]
    if not test then
      return nil, names.unknown(state.text)
    end
    tests[#tests + 1] = function(record)
      return test(record) ~= state.negated
    end
  end
  return any_of(tests)
end

-- How records of a further noun hang on those of the subject.
local function link(subject, noun)
  if subject == "app" then
    return "app", "app"
  elseif subject == "machine" and noun == "volume" then
    return "id", "machine"
  end
end

local function possession_test(query, noun, wanted, data)
  local own, foreign = link(query.subject, noun)
  if not own then
    return nil, names.unknown(query.written[noun])
  end
  local owners = {}
  for _, record in ipairs(facts.NOUNS[noun].records(data)) do
    if record[foreign] ~= nil then
      owners[record[foreign]] = true
    end
  end
  return function(record)
    return (owners[record[own]] == true) == wanted
  end
end

local COMPARE = {
  above = function(a, b)
    return a > b
  end,
  below = function(a, b)
    return a < b
  end,
  at_least = function(a, b)
    return a >= b
  end,
  at_most = function(a, b)
    return a <= b
  end,
}

local function bound_test(query, measure)
  local bound = query.bound
  if not measure then
    return nil, names.unknown(bound.text)
  end
  local factor = bound.unit and (measure.unit or {})[bound.unit] or 1
  return function(record)
    local value = record[measure.key]
    return value ~= nil and COMPARE[bound.how](value, bound.value * factor)
  end
end

-- Every test a record must pass, or the error of the first without a meaning.
local function tests_for(query, noun, measure, data, is_grouped)
  local tests, problem = {}, nil
  local function add(test, e)
    tests[#tests + 1] = test
    problem = problem or e
  end
  add(state_test(query, noun))
  if not is_grouped then
    for _, other in ipairs(query.having) do
      add(possession_test(query, other, true, data))
    end
    for _, other in ipairs(query.without) do
      add(possession_test(query, other, false, data))
    end
  elseif #query.without > 0 then
    add(nil, names.unknown(query.written[query.without[1]]))
  end
  if query.bound then
    add(bound_test(query, measure))
  end
  if problem then
    return nil, problem
  end
  return tests
end

local function find_measure(query, noun)
  for _, name in ipairs(query.measures) do
    if noun.measures[name] then
      return noun.measures[name]
    end
  end
  -- "more than 512 MB" says by its unit what of.
  return query.bound and query.bound.unit and noun.measures.size or nil
end

-- The first noun of the question that neither counts nor shows, as written.
local function passed_over(query, noun, counted, by)
  local nouns = counted and tbl.flatten({ query.others, query.having })
    or query.others
  local shown = counted and { [counted] = true, [by] = true } or noun.beside or {}
  local other = tbl.find(nouns, function(other)
    return not shown[other]
  end)
  return other and query.written[other]
end

local function ordered(query, measure, records)
  local order = query.order
  if order == "newest" or order == "oldest" then
    local is_timed = #records == 0 or tbl.find(records, function(record)
      return record.created ~= nil
    end)
    if not is_timed then
      return nil, names.unknown(query.written.order)
    end
    return rank.by_value(records, "created", order == "newest")
  elseif order and measure then
    return rank.by_value(records, measure.key, order == "most")
  elseif order then
    return nil, names.unknown(query.written.order)
  elseif query.subject == "release" then
    return rank.by_value(records, "created", true)
  end
  return rank.by_name(records)
end

-- Where an app is, or where it runs: whichever the question is about.
local function with_places(query, records)
  local is_running = tbl.find(query.states, function(state)
    return state.value == "running" and not state.negated
  end)
  return tbl.map(records, function(record)
    return tbl.merge(record, {
      regions = is_running and #record.running_regions > 0
        and record.running_regions or record.regions,
    })
  end)
end

--- Applies the question to the data.
---@param query llm.Query
---@param data table<string, table[]>
---@return llm.Pick?
---@return err.Record?
function M.apply(query, data)
  local counted, by = group.of(query)
  if group.is_open(query) and data.regions and names.are_places(query.names, data) then
    counted, by = nil, nil
  end
  local subject = counted or query.subject
  local noun = facts.NOUNS[subject]
  local unseen = passed_over(query, noun, counted, by)
  if unseen then
    return nil, names.unknown(unseen)
  end
  local measure = find_measure(query, noun)
  local scope, e = names.narrow(query.names, noun, noun.records(data), data)
  if not scope then
    return nil, e
  end
  -- "does web run in ams and fra?" wants both, and is answered for either.
  local second = query.is_closed and noun.has_regions and scope.places[2]
  if second then
    return nil, names.unknown(second)
  end
  local unknown = unmeasured(query, noun, scope.records)
    or query.marks.much and not measure and query.written.much
  if unknown then
    return nil, names.unknown(unknown)
  end
  if noun.has_regions then
    scope.records = with_places(query, scope.records)
  end
  local tests, problem = tests_for(query, noun, measure, data, counted ~= nil)
  if not tests then
    return nil, problem
  end
  local matches = tbl.filter(scope.records, function(record)
    return tbl.find(tests, function(test)
      return not test(record)
    end) == nil
  end)
  local pick = {
    noun = noun, subject = subject, measure = measure, scope = scope.records,
    within = scope.within, is_named = scope.is_named, matches = matches,
  }
  if counted then
    pick.group = {
      by = by, rows = group.rows(query, by, matches, measure, data),
    }
    return pick
  end
  pick.matches, problem = ordered(query, measure, matches)
  if not pick.matches then
    return nil, problem
  end
  return pick
end

return M
