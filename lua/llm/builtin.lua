--- The answerer that needs no model: matches a question to read operations and
--- computes the answer. Deterministic; waits only in ctx.call.

local err = require "base.err"
local evidence = require "llm.evidence"
local facts = require "llm.facts"
local names = require "llm.names"
local pick = require "llm.pick"
local question = require "llm.question"
local reply = require "llm.reply"
local tbl = require "base.tbl"

local M = {}

--- Its name where answers say who gave them.
M.NAME = "builtin"

---@class llm.Context what an answerer may use
---@field call fun(id: string, args: table): any, err.Record? a read operation's value
---@field map fun(list: any[], fn: fun(item: any): any): any[] in parallel, in order
---@field now fun(): number seconds since 1970
---@field app string? the question is about this app only

---@class llm.Column
---@field title string
---@field right boolean? numbers stand at the right
---@field rank integer the lowest stays longest on a narrow terminal

---@class llm.Answer
---@field sentence string
---@field operations string[] ids of the operations it rests on, sorted
---@field columns llm.Column[]
---@field rows string[][]
---@field notes string[] what a reader should know about the figures

--- What can be asked; shown when a question is not understood.
M.EXAMPLES = {
  "what apps are running and in which regions?",
  "which machines are using the most memory?",
  "do I have any unattached volumes?",
  "how many machines are stopped?",
  "how many machines are in each region?",
  "which app uses the most memory?",
  "which apps have no certificates?",
  "what is the latest release of my-app?",
  "what secrets does my-app have?",
  "who am I?",
}

-- Lists are lists, a single record is a list of one; what is not a record is
-- not counted.
local function as_list(value)
  if type(value) ~= "table" then
    return {}
  elseif #value == 0 and next(value) ~= nil then
    return { value }
  end
  return tbl.filter(value, function(item)
    return type(item) == "table"
  end)
end

local function load_set(ctx, set)
  local value, e = ctx.call(set.op, {})
  if value == nil then
    return nil, e
  end
  return as_list(value)
end

-- Asks every app and notes on each item whose it is.
local function load_per_app(ctx, set, apps)
  local replies = ctx.map(apps, function(app)
    local value, e = ctx.call(set.op, { app = app.name })
    if value == nil then
      return { error = e }
    end
    return { items = tbl.map(as_list(value), function(item)
      return tbl.merge(item, { app = app.name })
    end) }
  end)
  local lists = {}
  for i, one in ipairs(replies) do
    if one.error then
      return nil, one.error
    end
    lists[i] = one.items
  end
  return tbl.flatten(lists)
end

-- Loads sets in parallel into data.
local function load_stage(ctx, data, list, loader)
  local loaded = ctx.map(list, function(name)
    local items, e = loader(facts.SETS[name])
    return { items = items, error = e }
  end)
  for i, name in ipairs(list) do
    if not loaded[i].items then
      return nil, loaded[i].error
    end
    data[name] = loaded[i].items
  end
  return true
end

-- Loads the named sets; those asked per app come after the apps.
local function load(ctx, data, list)
  local general, per_app = {}, {}
  for _, name in ipairs(list) do
    if not data[name] then
      table.insert(facts.SETS[name].per_app and per_app or general, name)
    end
  end
  local ok, e = load_stage(ctx, data, general, function(set)
    return load_set(ctx, set)
  end)
  if ok then
    ok, e = load_stage(ctx, data, per_app, function(set)
      return load_per_app(ctx, set, data.apps)
    end)
  end
  return ok, e
end

local function not_understood(e)
  local can = "it can answer questions such as:\n  "
    .. table.concat(M.EXAMPLES, "\n  ")
  e.hint = e.hint and e.hint .. "\n" .. can or can
  return e
end

-- A question without a noun, or with a word that bears on nothing.
local function vague(query)
  if query.loose then
    return names.unknown(query.loose)
  elseif not query.subject and query.names[1] then
    return names.unknown(query.names[1])
  elseif not query.subject then
    return err.new({
      kind = "error",
      message = "the built-in answerer does not understand this question",
    })
  end
end

local function notes_for(query, picked)
  local notes, measure = {}, picked.measure
  if measure and measure.is_allotted then
    notes[1] = ("%s: what machines are given; Fly.io's API does not report"
      .. " what they use"):format(measure.words)
  end
  if query.limit and query.limit < #picked.matches then
    notes[#notes + 1] = ("shown: the first %d of %d"):format(query.limit,
      #picked.matches)
  end
  return notes
end

local function operations(data)
  local ids = {}
  for name in pairs(data) do
    ids[facts.SETS[name].op] = true
  end
  return tbl.keys(ids)
end

-- Reads what the question needs and applies it. The third result is an
-- operation's failure, the second what was not understood.
local function look_up(query, data, ctx)
  local ok, failure = load(ctx, data, pick.sets(query))
  if ok then
    ok, failure = load(ctx, data, pick.more_sets(query, data))
  end
  if not ok then
    return nil, nil, failure
  end
  return pick.apply(query, data)
end

-- "is 1234abcd running?": what a name names when it is no app.
local OTHERS = { "machine", "volume" }

-- The same for whatever the names may name; they must name it, not where it is.
local function look_up_any(query, data, ctx)
  local picked, unclear, failure = look_up(query, data, ctx)
  for _, subject in ipairs(query.is_guess and OTHERS or {}) do
    if picked or failure then
      break
    end
    query.subject = subject
    local found, _, e = look_up(query, data, ctx)
    picked, failure = found and found.is_named and found or nil, e
  end
  return picked, unclear, failure
end

--- Answers a question about the account.
---@async
---@param text string
---@param ctx llm.Context
---@return llm.Answer?
---@return err.Record?
function M.answer(text, ctx)
  local query, e = question.read(text)
  if not query then
    return nil, not_understood(e)
  end
  local problem = vague(query)
  if problem then
    return nil, not_understood(problem)
  end
  if ctx.app then
    table.insert(query.names, ctx.app:lower())
  end
  local data = {}
  local picked, unclear, failure = look_up_any(query, data, ctx)
  if failure then
    return nil, failure
  elseif not picked then
    return nil, not_understood(unclear)
  end
  local columns, rows = evidence.table(query, picked, ctx)
  return {
    sentence = reply.sentence(query, picked, ctx),
    operations = operations(data), columns = columns, rows = rows,
    notes = notes_for(query, picked),
  }
end

return M
