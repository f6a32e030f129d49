--- Command paths: from the words of a command line to its operation.
--- Every row answers to "noun verb" in all its nouns, the commonest verbs also
--- to "verb noun", and besides to the paths its `cli` field adds.

local str = require "base.str"
local tbl = require "base.tbl"

local M = {}

-- Verbs that may come first: "list apps", "destroy machine ID".
local LEADING = tbl.set({
  "list", "get", "create", "update", "destroy", "start", "stop", "restart",
  "suspend", "cordon", "uncordon", "clone", "exec",
})

-- Of these, the ones usage texts show first, and with which form of the noun.
local SHOWN_FIRST = {
  list = "plural", get = "singular", destroy = "singular", restart = "singular",
}

---@class op.Paths
---@field nouns table<string, string> word → resource id
---@field verbs table<string, table<string, string>> resource id → word → op id
---@field extra { words: string[], id: string }[] from `cli` fields

---@return op.Paths
function M.new()
  return { nouns = {}, verbs = {}, extra = {} }
end

--- All words that name the resource.
---@param resource op.Resource
---@return string[]
function M.nouns(resource)
  local nouns = { resource.id, resource.singular }
  for _, alias in ipairs(resource.aliases or {}) do
    nouns[#nouns + 1] = alias
  end
  return nouns
end

-- The verb as a word of a command line.
local function verb_word(verb)
  return (verb:gsub("_", "-"))
end

---@param index op.Paths
---@param resource op.Resource
function M.add_resource(index, resource)
  for _, noun in ipairs(M.nouns(resource)) do
    if index.nouns[noun] then
      error(("resource %s: %q already names %s"):format(
        resource.id, noun, index.nouns[noun]), 0)
    end
    index.nouns[noun] = resource.id
  end
  index.verbs[resource.id] = {}
end

local function is_slot(word)
  return word:find("^{") ~= nil
end

-- Whether two paths can match the same words.
local function collide(a, b)
  if #a ~= #b then
    return false
  end
  for i, word in ipairs(a) do
    if word ~= b[i] and not is_slot(word) and not is_slot(b[i]) then
      return false
    end
  end
  return true
end

-- The values of the slots if the words start with the pattern, else nil.
local function match(pattern, words)
  if #words < #pattern then
    return nil
  end
  local args = {}
  for i, word in ipairs(pattern) do
    if is_slot(word) then
      args[word:sub(2, -2)] = words[i]
    elseif word ~= words[i] then
      return nil
    end
  end
  return args
end

-- "machines list" or "list machines", in any of the nouns.
local function find_pair(index, first, second)
  local resource = index.nouns[first]
  local id = resource and index.verbs[resource][second]
  if id or not LEADING[first] then
    return id
  end
  resource = index.nouns[second]
  return resource and index.verbs[resource][first]
end

local function taken(id, words, other)
  error(("op %s: command path %q belongs to %s"):format(id, table.concat(words, " "), other), 0)
end

-- Adds a declared path. Where a pair and a declared path were the same words, one
-- of the two operations could not be reached.
local function add_path(index, id, words)
  local pair = #words == 2 and find_pair(index, words[1], words[2])
  if pair and pair ~= id then
    taken(id, words, pair)
  end
  for _, other in ipairs(index.extra) do
    if collide(words, other.words) then
      taken(id, words, other.id)
    end
  end
  index.extra[#index.extra + 1] = { words = words, id = id }
end

---@param index op.Paths
---@param id string
---@param resource_id string
---@param verb string
---@param extra string[]? more paths
function M.add_row(index, id, resource_id, verb, extra)
  index.verbs[resource_id][verb_word(verb)] = id
  for _, other in ipairs(index.extra) do
    if #other.words == 2 and find_pair(index, other.words[1], other.words[2]) == id then
      taken(id, other.words, other.id)
    end
  end
  for _, path in ipairs(extra or {}) do
    add_path(index, id, str.words(path))
  end
end

---@param index op.Paths
---@param words string[]
---@return string? id
---@return integer used
---@return table<string, string> args
function M.find(index, words)
  local best, used, args = nil, 0, {}
  if #words >= 2 then
    best = find_pair(index, words[1], words[2])
    used = best and 2 or 0
  end
  for _, extra in ipairs(index.extra) do
    local values = #extra.words > used and match(extra.words, words)
    if values then
      best, used, args = extra.id, #extra.words, values
    end
  end
  return best, used, args
end

--- The operations of which some path begins with the word, by id.
---@param index op.Paths
---@param word string
---@return string[]
function M.beginning(index, word)
  local ids, resource = {}, index.nouns[word]
  for _, id in pairs(resource and index.verbs[resource] or {}) do
    ids[id] = true
  end
  for _, verbs in pairs(LEADING[word] and index.verbs or {}) do
    if verbs[word] then
      ids[verbs[word]] = true
    end
  end
  for _, extra in ipairs(index.extra) do
    if extra.words[1] == word then
      ids[extra.id] = true
    end
  end
  return tbl.keys(ids)
end

local function first_words(index)
  local found = {}
  for noun, id in pairs(index.nouns) do
    found[noun] = next(index.verbs[id]) ~= nil or nil
  end
  for _, verbs in pairs(index.verbs) do
    for verb in pairs(verbs) do
      found[verb] = found[verb] or LEADING[verb]
    end
  end
  return found
end

-- Verbs after a noun, nouns after a leading verb.
local function second_words(index, first)
  local found = {}
  for verb in pairs(index.verbs[index.nouns[first]] or {}) do
    found[verb] = true
  end
  if LEADING[first] then
    for noun, id in pairs(index.nouns) do
      found[noun] = found[noun] or (index.verbs[id][first] and true)
    end
  end
  return found
end

-- The set of words that may follow.
local function following_words(index, words)
  local found = {}
  if #words == 0 then
    found = first_words(index)
  elseif #words == 1 then
    found = second_words(index, words[1])
  end
  for _, extra in ipairs(index.extra) do
    local following = extra.words[#words + 1]
    local head = table.move(extra.words, 1, #words, 1, {})
    if following and not is_slot(following) and match(head, words) then
      found[following] = true
    end
  end
  return found
end

---@param index op.Paths
---@param words string[]
---@return string[]
function M.next_words(index, words)
  return tbl.keys(following_words(index, words))
end

--- How many of the words, from the first, are the beginning of some path.
---@param index op.Paths
---@param words string[]
---@return integer
function M.prefix(index, words)
  local prefix = {}
  for i, word in ipairs(words) do
    if not following_words(index, prefix)[word] then
      break
    end
    prefix[i] = word
  end
  return #prefix
end

---@param index op.Paths
---@param words string[]
---@param mistyped string
---@return string?
function M.suggest(index, words, mistyped)
  return str.did_you_mean(mistyped, M.next_words(index, words))
end

--- All command paths of a row, the one that usage texts show first.
---@param row op.Row
---@param resource op.Resource
---@return string[]
function M.of(row, resource)
  local list, seen = {}, {}
  local function put(path)
    if not seen[path] then
      seen[path] = true
      list[#list + 1] = path
    end
  end
  for _, path in ipairs(row.cli or {}) do
    put(path)
  end
  local verb, form = verb_word(row.verb), SHOWN_FIRST[row.verb]
  if form then
    local noun = form == "singular" and resource.singular or resource.id
    put(verb .. " " .. noun)
  end
  for _, noun in ipairs(M.nouns(resource)) do
    put(noun .. " " .. verb)
    if LEADING[verb] then
      put(verb .. " " .. noun)
    end
  end
  return list
end

return M
