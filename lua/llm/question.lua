--- What a question asks for, from its terms: one noun and what is wanted of it.
--- Pure; whatever cannot be placed is refused, never dropped.

local err = require "base.err"
local tbl = require "base.tbl"
local words = require "llm.words"

local M = {}

---@class llm.State
---@field value string "running", "unattached", …
---@field text string as it was written
---@field negated boolean

---@class llm.Bound
---@field how "above"|"below"|"at_least"|"at_most"
---@field text string as it was written, with its unit
---@field value number
---@field unit "mb"|"gb"|nil

---@class llm.Query
---@field subject string? the noun asked about
---@field is_guess boolean? the subject is whatever its names name
---@field others string[] further nouns, to be shown beside it
---@field having string[] nouns it must have
---@field without string[] nouns it must not have
---@field group string? "per region"
---@field states llm.State[]
---@field measures string[]
---@field order string? "most", "least", "newest" or "oldest"
---@field limit integer? "top 3"
---@field bound llm.Bound?
---@field names string[] words to be found in the data
---@field marks table<string, true>
---@field is_closed boolean to be answered by yes or no
---@field written table<string, string> nouns, orders, marks: as they were written
---@field loose string? a word that bears on nothing: the question is not understood

-- What a question without a noun is about, by what it measures.
local OWNER = {
  memory = "machine", cpu = "machine", image = "machine",
  size = "volume", storage = "volume",
}

local STATE_OWNER = {
  unattached = "volume", attached = "volume", encrypted = "volume",
  ready = "cert",
}

local HANDLERS = {}

local function new_query()
  return {
    others = {}, having = {}, without = {}, states = {}, measures = {},
    names = {}, marks = {}, written = {}, is_closed = false,
  }
end

local function take(pending, name)
  local was = pending[name]
  pending[name] = nil
  return was
end

function HANDLERS.noun(query, term, pending)
  local noun = term.value
  query.written[noun] = query.written[noun] or term.text
  if take(pending, "each") then
    query.group = noun
  elseif query.subject and take(pending, "no") then
    table.insert(query.without, noun)
  elseif term.text == "where" then
    table.insert(query.others, noun)
  elseif not query.subject then
    query.subject = noun
  elseif noun == query.subject then
    return
  elseif pending.has and noun ~= "region" and noun ~= "app" then
    table.insert(query.having, noun)
  else
    table.insert(query.others, noun)
  end
end

function HANDLERS.state(query, term, pending)
  table.insert(query.states, {
    value = term.value, text = term.text, negated = take(pending, "no") ~= nil,
  })
end

function HANDLERS.measure(query, term, pending)
  if take(pending, "each") then -- "by memory": the most first
    query.order = query.order or "most"
    query.written.order = query.written.order or query.written.each
  end
  query.written[term.value] = query.written[term.value] or term.text
  table.insert(query.measures, term.value)
end

function HANDLERS.order(query, term, pending)
  local order = term.value
  query.written.order = term.text
  if order == "biggest" or order == "smallest" then
    table.insert(query.measures, "size")
    order = order == "biggest" and "most" or "least"
  end
  query.order = order
  pending.order = true
end

function HANDLERS.number(query, term, pending)
  if pending.bound then
    query.bound = {
      how = take(pending, "bound"), value = term.value, unit = term.unit,
      text = term.text,
    }
  elseif take(pending, "order") and not term.unit then
    query.limit = math.tointeger(term.value)
  else
    table.insert(query.names, term.text)
  end
end

function HANDLERS.unit(query, term)
  if query.bound and not query.bound.unit then
    query.bound.unit = term.value
    query.bound.text = query.bound.text .. " " .. term.text
  else
    table.insert(query.names, term.text)
  end
end

local STICKY = { each = true, no = true, has = true }

local BOUNDS = { above = true, below = true, at_least = true, at_most = true }

-- What a mark says besides.
local IMPLIED = { uses = { "has" }, own = { "any", "mine" } }

local function mark(query, value, text, pending)
  if STICKY[value] then
    pending[value] = text
  elseif BOUNDS[value] then
    pending.bound, query.written.bound = value, text
  end
  query.marks[value], query.written[value] = true, text
end

function HANDLERS.mark(query, term, pending)
  mark(query, term.value, term.text, pending)
  for _, value in ipairs(IMPLIED[term.value] or {}) do
    mark(query, value, term.text, pending)
  end
end

function HANDLERS.name(query, term)
  table.insert(query.names, term.text)
end

function HANDLERS.filler()
end

local function change_error(term)
  return err.new({
    kind = "error",
    message = ("ask only reads, and %q asks for a change"):format(term.text),
    hint = "clanker fly --help lists the commands that change things",
  })
end

-- The subject of a question that names none.
local function default_subject(query)
  for _, measure in ipairs(query.measures) do
    if OWNER[measure] then
      return OWNER[measure]
    end
  end
  for _, state in ipairs(query.states) do
    if STATE_OWNER[state.value] then
      return STATE_OWNER[state.value]
    end
  end
  if #query.names > 0 and (#query.states > 0 or #query.others > 0
    or #query.measures > 0) then
    query.is_guess = true
    return "app"
  end
  if #query.states > 0 then
    return "machine"
  end
  if #query.others > 0 then
    return table.remove(query.others, 1)
  end
end

local CLOSED = { is = true, any = true, own = true, has = true, platform = true }

-- When a release was made, and of which app, is what "which app was deployed
-- last" asks for.
local function turn_to_release(query)
  local is_by_time = query.order == "newest" or query.order == "oldest"
  if query.subject == "app" and is_by_time
    and tbl.contains(query.others, "release") then
    query.subject, query.others = "release", { "app" }
  end
end

-- The word that an answer would pass over: one with nothing to bear on, or one
-- that asks for what no answer here tells.
local function loose_word(query, pending)
  local written, marks = query.written, query.marks
  local is_release = query.subject == "release"
  return pending.no or pending.each or pending.bound and written.bound
    or marks.platform and not written[query.subject] and "fly"
    or marks.who and not is_release and query.subject ~= "user" and written.who
    or marks.when and not is_release and not query.order and written.when
    -- "is web the newest app?" asks for more than an order
    or query.order and query.is_closed and written.order
    or nil
end

-- "are …", "is there …", "do I have …" want yes or no; "how many … are" not.
local function is_closed(terms)
  for _, term in ipairs(terms) do
    if term.kind ~= "filler" then
      return term.kind == "mark" and CLOSED[term.value] ~= nil
    end
    if term.text:match("^wh") or term.text == "how" or term.text == "list"
      or term.text == "show" then
      return false
    end
  end
  return false
end

--- Reads a question.
---@param question string
---@return llm.Query?
---@return err.Record?
function M.read(question)
  local terms = words.terms(question)
  local query, pending = new_query(), {}
  for _, term in ipairs(terms) do
    if term.kind == "change" then
      return nil, change_error(term)
    end
    HANDLERS[term.kind](query, term, pending)
  end
  query.subject = query.subject or default_subject(query)
  turn_to_release(query)
  query.is_closed = is_closed(terms)
  query.loose = loose_word(query, pending)
  return query
end

return M
