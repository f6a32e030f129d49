--- Words the one sentence that answers a question, from the picked records.
--- Pure.

local facts = require "llm.facts"
local fmt = require "base.fmt"
local str = require "base.str"
local tbl = require "base.tbl"

local M = {}

-- More names than this make a sentence unreadable; the table has them all.
local NAMED = 5

local GB = 1024 * 1024 * 1024

local function noun_for(noun, n)
  return n == 1 and noun.singular or noun.plural
end

local function count_of(noun, n)
  return ("%d %s"):format(n, noun_for(noun, n))
end

local function first_upper(text)
  return text:sub(1, 1):upper() .. text:sub(2)
end

-- The first texts and how many more there are.
local function listed(texts, total, separator)
  local shown = { table.unpack(texts, 1, NAMED) }
  if total > #shown then
    shown[#shown + 1] = ("%d more"):format(total - #shown)
  end
  return separator and table.concat(shown, separator) or str.join(shown)
end

-- Whose a record is, unless the whole answer is about that one app.
local function app_text(record, scope)
  local is_said = tbl.find(scope, function(text)
    return text:find("^of app ")
  end)
  return record.app and not is_said and "app " .. record.app or ""
end

-- What stands in brackets behind a record's name, by noun.
local DETAILS = {
  machine = function(record, scope)
    return { app_text(record, scope), record.region or "" }
  end,
  volume = function(record, scope)
    return {
      record.size and fmt.bytes(record.size * GB) or "",
      record.region or "", app_text(record, scope),
    }
  end,
  release = function(record, scope, ctx, query)
    return {
      app_text(record, scope), record.state or "",
      query.marks.who and record.user and "by " .. record.user or "",
      record.created and fmt.ago(ctx.now(), record.created) or "",
    }
  end,
}

local function asks_where(query)
  return tbl.contains(query.others, "region")
end

local function label(record, pick, query, ctx)
  if pick.subject == "app" and asks_where(query) and #record.regions > 0 then
    return ("%s in %s"):format(record.name, str.join(record.regions))
  end
  local details = DETAILS[pick.subject]
  local texts = details and details(record, pick.within, ctx, query) or {}
  local known = tbl.filter(texts, function(text)
    return text ~= ""
  end)
  local name = pick.subject == "volume" and record.id or record.name
  if #known == 0 then
    return name
  end
  return ("%s (%s)"):format(name, table.concat(known, ", "))
end

local function labels(records, pick, query, ctx)
  local texts = {}
  for i = 1, math.min(NAMED, #records) do
    texts[i] = label(records[i], pick, query, ctx)
  end
  local is_nested = pick.subject == "app" and asks_where(query)
  return listed(texts, #records, is_nested and "; " or nil)
end

local function amount(measure, value)
  return (measure.amount or "%s of " .. measure.words)
    :format(measure.show(value))
end

local BOUND = {
  above = "more than", below = "less than", at_least = "at least",
  at_most = "at most",
}

---@class llm.Predicate what is true of the matches, as words
---@field one string "is" or "has"
---@field many string
---@field none string "is not", "does not have"
---@field words string
---@field adjective string? "running": before the noun
---@field with string? "volumes": behind it
---@field opposite llm.Predicate? what is true of all others

local function being(words)
  return { one = "is", many = "are", none = "is not", words = words }
end

local function having(words)
  return { one = "has", many = "have", none = "does not have", words = words }
end

-- What records have of what was asked for: "more than 1 GB of memory", "volumes",
-- "no certificates".
local function belongings(query, pick)
  local things = {}
  if query.bound and pick.measure then
    local bound = query.bound
    local factor = bound.unit and (pick.measure.unit or {})[bound.unit] or 1
    things[1] = BOUND[bound.how] .. " " .. amount(pick.measure, bound.value * factor)
  end
  -- What is counted in groups they have anyway.
  for _, noun in ipairs(pick.group and {} or query.having) do
    things[#things + 1] = facts.NOUNS[noun].plural
  end
  for _, noun in ipairs(query.without) do
    things[#things + 1] = "no " .. facts.NOUNS[noun].plural
  end
  return things
end

-- What is true of the records that do not match, if that can be said shortly.
local function opposite(query, things)
  local state, without = query.states[1], query.without[1]
  if #query.states == 1 and #things == 0 then
    return state.negated and being(state.value) or nil
  elseif not state and #things == 1 and without then
    return having(facts.NOUNS[without].plural)
  end
end

---@param query llm.Query
---@param pick llm.Pick
---@return llm.Predicate?
local function predicate(query, pick)
  local things = belongings(query, pick)
  local with = #things > 0 and str.join(things) or nil
  local adjective = #query.states > 0 and str.join(tbl.map(query.states, function(state)
    return (state.negated and "not " or "") .. state.value
  end), "or") or nil
  if not adjective and not with then
    return nil
  end
  local pred = adjective and being(with and adjective .. " with " .. with or adjective)
    or having(with)
  pred.adjective, pred.with = adjective, with
  pred.opposite = opposite(query, things)
  return pred
end

-- "3 stopped machines", "2 apps with volumes".
local function qualified(pick, pred, n)
  local text = noun_for(pick.noun, n)
  if pred and pred.adjective then
    text = pred.adjective .. " " .. text
  end
  return pred and pred.with and text .. " with " .. pred.with or text
end

-- "3 machines of app web in ams".
local function scoped(pick, what)
  return table.concat({ what, table.unpack(pick.within) }, " ")
end

-- "2 of 3 apps are running", "All 3 …", "None of the 3 …". That none is not so
-- is said as all are.
local function share_text(pick, pred)
  local n, total = #pick.matches, #pick.scope
  if pred.opposite and (n == 0 or n == total) then
    n, pred = total - n, pred.opposite
  end
  local all = scoped(pick, count_of(pick.noun, total))
  if n == 0 and total == 1 then
    return ("your only %s %s %s"):format(
      scoped(pick, pick.noun.singular), pred.none, pred.words)
  elseif n == 0 then
    return ("none of your %s %s %s"):format(all, pred.one, pred.words)
  elseif n == total and n > 1 then
    return ("all %s %s %s"):format(all, pred.many, pred.words)
  elseif n == total then
    return ("your only %s %s %s"):format(
      scoped(pick, pick.noun.singular), pred.one, pred.words)
  end
  return ("%d of %s %s %s"):format(n, all, n == 1 and pred.one or pred.many,
    pred.words)
end

-- "Yes: " or "No: " before the sentence, where the question wants it.
local function verdict(query, pick, pred)
  if not query.is_closed then
    return ""
  end
  local n, total = #pick.matches, #pick.scope
  local is_about_any = query.marks.any or query.marks.has
  local is_about_all = query.marks.all or not is_about_any
  if is_about_all and pred and total > 0 then
    return n == total and "Yes: " or "No: "
  end
  return n > 0 and "Yes: " or "No: "
end

local function say(lead, text)
  return (lead == "" and first_upper(text) or lead .. text) .. "."
end

local function is_single(pick)
  return pick.is_named and #pick.scope == 1
end

-- One thing asked for by its name: itself, rather than a list of one.
local function single_sentence(query, pick, pred, ctx)
  local record = pick.scope[1]
  local text = pick.noun.singular .. " " .. label(record, pick, query, ctx)
  if tbl.contains(query.measures, "age") and record.created then
    text = text .. " was created " .. fmt.ago(ctx.now(), record.created)
  end
  if pred then
    local is_so = #pick.matches == 1
    if pred.opposite then
      is_so, pred = not is_so, pred.opposite
    end
    text = ("%s %s %s"):format(text, is_so and pred.one or pred.none, pred.words)
  end
  return say(verdict(query, pick, pred), text)
end

-- One app asked for by its name.
local function app_sentence(query, pick, pred)
  local app = pick.scope[1]
  local regions = app.running > 0 and app.running_regions or app.regions
  local text = ("app %s has %s running%s"):format(app.name,
    app.machines == 0 and "no machines, so none"
      or ("%d of %s"):format(app.running,
        count_of(facts.NOUNS.machine, app.machines)),
    #regions > 0 and ", in " .. str.join(regions) or "")
  if tbl.contains(query.measures, "state") and app.state then
    text = text .. (" (status: %s)"):format(app.state)
  end
  return say(verdict(query, pick, pred), text)
end

local function have_text(pick, what)
  if pick.subject == "region" then
    return "Fly.io has " .. scoped(pick, what)
  end
  local app = pick.within[1] and #pick.within == 1
    and pick.within[1]:match("^of app (.+)$")
  if app then
    return ("app %s has %s"):format(app, what)
  end
  return "you have " .. scoped(pick, what)
end

local function plain_sentence(query, pick, ctx)
  local noun, matches = pick.noun, pick.matches
  local pred = predicate(query, pick)
  local lead = verdict(query, pick, pred)
  if #pick.scope == 0 then
    return say(lead, have_text(pick, "no " .. noun.plural))
  elseif is_single(pick) then
    local has_own = pick.subject == "app" and #query.having + #query.without == 0
    return (has_own and app_sentence or single_sentence)(query, pick, pred, ctx)
  end
  local text = pred and share_text(pick, pred)
    or have_text(pick, count_of(noun, #matches))
  if #matches > 0 and not query.marks.count then
    text = text .. ": " .. labels(matches, pick, query, ctx)
  end
  return say(lead, text)
end

-- The first record and those that are level with it.
local function leaders(records, key)
  local best, list = records[1] and records[1][key], {}
  for _, record in ipairs(records) do
    if record[key] ~= best or best == nil then
      break
    end
    list[#list + 1] = record
  end
  return list
end

local function time_sentence(query, pick, ctx)
  local best = leaders(pick.matches, "created")
  local which = qualified(pick, predicate(query, pick), #best)
  return ("The %s %s %s %s."):format(query.order, scoped(pick, which),
    #best == 1 and "is" or "are", labels(best, pick, query, ctx))
end

-- "3 stopped machines in ams": all that were compared, when they are not all
-- there are.
local function compared(query, pick)
  local pred = predicate(query, pick)
  if not pred and #pick.within == 0 then
    return nil
  end
  return scoped(pick, ("%d %s"):format(#pick.matches,
    qualified(pick, pred, #pick.matches)))
end

local function ranked_sentence(query, pick, ctx)
  local measure = pick.measure
  local best = leaders(pick.matches, measure.key)
  if #best == 0 then
    return ("Nothing says how much %s %s have."):format(measure.words,
      scoped(pick, "your " .. pick.noun.plural))
  end
  local value, some = measure.show(best[1][measure.key]), compared(query, pick)
  if #best == #pick.matches and #best > 1 then
    return ("All %s have the same %s: %s."):format(
      some or count_of(pick.noun, #best), measure.words, value)
  elseif #best > 1 then
    return ("%s have the %s %s, %s each: %s."):format(
      some and ("%d of %s"):format(#best, some) or count_of(pick.noun, #best),
      query.order, measure.words, value, labels(best, pick, query, ctx))
  elseif some and #pick.matches > 1 then
    return ("Of %s, %s has the %s %s: %s."):format(some,
      labels(best, pick, query, ctx), query.order, measure.words, value)
  elseif #pick.matches == 1 and not is_single(pick) then
    return ("The only %s is %s, with %s."):format(
      scoped(pick, qualified(pick, predicate(query, pick), 1)),
      labels(best, pick, query, ctx), amount(measure, best[1][measure.key]))
  end
  return ("%s %s has the %s %s: %s."):format(first_upper(pick.noun.singular),
    labels(best, pick, query, ctx), query.order, measure.words, value)
end

local function total_sentence(query, pick)
  local pred, n = predicate(query, pick), #pick.matches
  local sum = 0
  for _, record in ipairs(pick.matches) do
    sum = sum + (record[pick.measure.key] or 0)
  end
  local what = ("%d %s"):format(n, qualified(pick, pred, n))
  return ("%s %s %s%s."):format(scoped(pick, what), n == 1 and "has" or "have",
    amount(pick.measure, sum), n > 1 and " in total" or "")
end

local function group_text(row, pick)
  if pick.measure then
    return ("%s %s"):format(row.name, pick.measure.show(row.sum))
  elseif pick.subject == "app" then
    return ("%s (%s)"):format(row.name, table.concat(row.apps, ", "))
  end
  return ("%s %d"):format(row.name, row.count)
end

local function best_group_sentence(query, pick, what)
  local is_some = what ~= pick.noun.plural
  local rows, measure = pick.group.rows, pick.measure
  local best = leaders(rows, measure and "sum" or "count")
  local names = str.join(tbl.map(best, function(row)
    return row.name
  end))
  local word = query.order == "least" and not measure and "fewest" or query.order
  return ("%s %s %s the %s %s: %s%s."):format(
    first_upper(noun_for(facts.NOUNS[pick.group.by], #best)), names,
    #best == 1 and "has" or "have", word,
    measure and measure.words .. (is_some and " of " .. what or "") or what,
    measure and measure.show(best[1].sum) or best[1].count,
    #best > 1 and " each" or "")
end

local function group_sentence(query, pick)
  local rows, by = pick.group.rows, facts.NOUNS[pick.group.by]
  local pred, n = predicate(query, pick), #pick.matches
  if n == 0 then
    return ("You have no %s."):format(scoped(pick, qualified(pick, pred, 0)))
  elseif query.order == "most" or query.order == "least" then
    return best_group_sentence(query, pick, scoped(pick, qualified(pick, pred, 0)))
  end
  local texts = tbl.map(rows, function(row)
    return group_text(row, pick)
  end)
  return ("%d %s in %s: %s."):format(n, scoped(pick, qualified(pick, pred, n)),
    count_of(by, #rows), listed(texts, #rows, pick.subject == "app" and "; " or nil))
end

--- The sentence.
---@param query llm.Query
---@param pick llm.Pick
---@param ctx llm.Context
---@return string
function M.sentence(query, pick, ctx)
  local is_total = query.marks.much or query.marks.total
    or query.marks.count and pick.measure
  if pick.subject == "user" then
    return ("You are %s."):format(pick.scope[1].name)
  elseif pick.group then
    return group_sentence(query, pick)
  elseif #pick.matches == 0 then
    return plain_sentence(query, pick, ctx)
  elseif query.order == "newest" or query.order == "oldest" then
    return time_sentence(query, pick, ctx)
  elseif query.order then
    return ranked_sentence(query, pick, ctx)
  elseif is_total and pick.measure then
    return total_sentence(query, pick)
  end
  return plain_sentence(query, pick, ctx)
end

return M
