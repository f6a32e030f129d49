--- What a question asks for, from its terms: one noun and what is wanted of it.
--- Pure; whatever cannot be placed is refused, never dropped.

local err = require "base.err"
local words = require "llm.words"

local M = {}

---@class llm.State
---@field value string "running", "unattached", …
---@field negated boolean

---@class llm.Bound
---@field how "above"|"below"|"at_least"|"at_most"
---@field text string as it was written, with its unit
---@field value number
---@field unit "mb"|"gb"|nil

---@class llm.Query
---@field subject string? the noun asked about
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
    names = {}, marks = {}, is_closed = false,
  }
end

local function take(pending, name)
  local was = pending[name]
  pending[name] = nil
  return was
end

function HANDLERS.noun(query, term, pending)
  local noun = term.value
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
    value = term.value, negated = take(pending, "no") ~= nil,
  })
end

function HANDLERS.measure(query, term, pending)
  if take(pending, "each") then -- "by memory": the most first
    query.order = query.order or "most"
  end
  table.insert(query.measures, term.value)
end

function HANDLERS.order(query, term, pending)
  local order = term.value
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

function HANDLERS.mark(query, term, pending)
  if STICKY[term.value] then
    pending[term.value] = true
  elseif BOUNDS[term.value] then
    pending.bound = term.value
  end
  query.marks[term.value] = true
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
    return "app"
  end
  if #query.states > 0 then
    return "machine"
  end
  if #query.others > 0 then
    return table.remove(query.others, 1)
  end
end

local CLOSED = { is = true, any = true, has = true }

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
  query.is_closed = is_closed(terms)
  query.loose = (pending.no and "not") or (pending.each and "each")
    or pending.bound
  return query
end

return M
