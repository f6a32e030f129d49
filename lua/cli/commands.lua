--- From words to commands: our own, and under "fly" one per operation.
--- A row is read only when the words name it; groups need titles alone.

local err = require "base.err"
local own_commands = require "cli.own"
local str = require "base.str"
local tbl = require "base.tbl"

local M = {}

---@class cli.Command what words name
---@field name string as errors call it: "clanker fly list machines"
---@field row op.Row? an operation, or a command of our own in the same form
---@field used integer how many of the words are the command's path
---@field slots table<string, string> parameters that stand inside the path
---@field verbatim integer? after this many arguments all words are arguments
---@field is_group boolean? only the beginning of commands

---@class cli.Entry one line of a list of commands
---@field [1] string the path, or a word of it
---@field [2] string? its title

-- No command path is longer; the rest of the words are arguments.
local LONGEST_PATH = 8

-- First words of several commands of our own.
local GROUPS = { config = true, credentials = true }

--- The registry with every operation declared.
---@return table
function M.registry()
  return require "ops"
end

local function starts_with(words, path)
  for i, word in ipairs(path) do
    if words[i] ~= word then
      return false
    end
  end
  return true
end

-- The words after "fly", no more than a path can have.
local function tail(words)
  return table.move(words, 2, math.min(#words, LONGEST_PATH + 1), 1, {})
end

local function group(words, used)
  return {
    name = table.concat({ "clanker", table.unpack(words, 1, used) }, " "),
    used = used, slots = {}, is_group = true,
  }
end

local function resolve_fly(words)
  local registry, path = M.registry(), tail(words)
  local row, used, slots = registry.find(path)
  if not row then
    return group(words, 1 + registry.prefix(path))
  end
  return {
    name = table.concat({ "clanker fly", table.unpack(path, 1, used) }, " "),
    row = row, used = used + 1, slots = slots,
  }
end

-- A command of our own, by its path or by the other words that name it.
local function resolve_own(words)
  for _, own in ipairs(own_commands.LIST) do
    for _, spelled in ipairs({ own.path, own.also }) do
      -- Most are ruled out by their first letters: this runs at every start.
      local path = words[1] and str.starts_with(spelled, words[1]) and str.words(spelled)
      if path and starts_with(words, path) then
        return {
          name = "clanker " .. spelled, row = own_commands.row(own),
          used = #path, slots = {}, verbatim = own.verbatim,
        }
      end
    end
  end
end

local function resolve(words)
  local own = resolve_own(words)
  if own then
    return own
  elseif words[1] == "fly" then
    return resolve_fly(words)
  end
  return group(words, GROUPS[words[1]] and 1 or 0)
end

-- The last answer: the same words are resolved at each flag that follows them.
local last = { key = nil, command = nil }

--- What the words name; the beginnings of commands are groups.
---@param words string[]
---@return cli.Command
function M.resolve(words)
  local key = table.concat(words, "\0", 1, math.min(#words, LONGEST_PATH + 1))
  if key ~= last.key then
    last.key, last.command = key, resolve(words)
  end
  return last.command
end

-- Operations whose paths start with the words, each once, by the path to show
-- among those that do.
local function fly_entries(words)
  local registry, entries = M.registry(), {}
  -- Compared as text: this runs at every completion, over every path.
  local prefix = #words > 0 and table.concat(words, " ") .. " " or ""
  for _, id in ipairs(words[1] and registry.beginning(words[1]) or registry.ids()) do
    local path = tbl.find(registry.paths(id), function(path)
      return path:sub(1, #prefix) == prefix or path == prefix:sub(1, -2)
    end)
    if path then
      entries[#entries + 1] = { path, registry.title(id) }
    end
  end
  return tbl.sort_by(entries, function(entry)
    return entry[1]
  end)
end

--- The commands under a group.
---@param words string[] the group's words
---@return cli.Entry[]
function M.entries(words)
  if words[1] == "fly" then
    return fly_entries(tail(words))
  end
  local entries = {}
  if #words == 0 then
    entries[1] = { "fly", "Query and manage Fly.io; see clanker fly --help" }
  end
  for _, own in ipairs(own_commands.LIST) do
    if not own.is_hidden and starts_with(str.words(own.path), words) then
      entries[#entries + 1] = { own.path, own.title }
    end
  end
  return entries
end

-- What may follow "fly": resources by their own name, and verbs.
local function fly_offers()
  local registry, list = M.registry(), {}
  for _, word in ipairs(registry.next_words({})) do
    local id = registry.noun(word)
    if not id or id == word then
      list[#list + 1] = { word, id and registry.resource(id).title }
    end
  end
  return list
end

--- The words to offer after the beginning of a command, each once: not every
--- synonym, but what help shows.
---@param words string[]
---@return cli.Entry[] sorted
function M.offers(words)
  if #words == 1 and words[1] == "fly" then
    return fly_offers()
  end
  local found = {}
  local at = #words + (words[1] == "fly" and 0 or 1)
  for _, entry in ipairs(M.entries(words)) do
    local path = str.words(entry[1])
    local word = path[at]
    -- A title describes a word only if the command ends with it.
    if word and not found[word] then
      found[word] = { word, path[at + 1] == nil and entry[2] or nil }
    end
  end
  local list = {}
  for _, entry in tbl.sorted(found) do
    list[#list + 1] = entry
  end
  return list
end

--- Every word that may follow the beginning of a command, synonyms too.
---@param words string[]
---@return string[]
function M.next_words(words)
  if words[1] == "fly" then
    return M.registry().next_words(tail(words))
  end
  return tbl.map(M.offers(words), function(entry)
    return entry[1]
  end)
end

-- What other programs call it.
local MEANT = {
  ls = "list", show = "get", status = "get", info = "get", describe = "get",
  new = "create", rm = "destroy", delete = "destroy", remove = "destroy",
  reboot = "restart",
}

-- What was most likely meant by a word that nothing here is called.
local function suggestion(word, words, known, shown)
  local meant = MEANT[word]
  if meant and tbl.contains(shown, meant) then
    return meant
  elseif #known == 0 then
    local fly = M.resolve({ "fly", table.unpack(words, 1, LONGEST_PATH) })
    if fly.used > 1 then -- the arguments are left out: they may be secret
      return "clanker fly " .. table.concat(words, " ", 1, fly.used - 1)
    end
  end
  -- Of two words equally near the one that help shows is meant.
  return str.did_you_mean(word, tbl.flatten({ shown, M.next_words(known) }))
end

--- The error for words that name no command: which one is wrong, and what was
--- meant, or what is missing.
---@param words string[]
---@return err.Record kind "usage"
function M.unknown(words)
  local command = M.resolve(words)
  local known = table.move(words, 1, command.used, 1, {})
  local shown = tbl.map(M.offers(known), function(entry)
    return entry[1]
  end)
  local word = words[command.used + 1]
  if not word then
    return err.new({
      kind = "usage", message = command.name .. " needs a command",
      hint = "one of: " .. table.concat(shown, ", "),
    })
  end
  local near = suggestion(word, words, known, shown)
  return err.new({
    kind = "usage",
    message = ("unknown command %q for %s"):format(word, command.name),
    hint = near and ("did you mean %s?"):format(near)
      or ("see %s --help"):format(command.name),
  })
end

return M
