--- Whether words parse as a flyctl command line, by flyctl's own command tree.
--- Pure, over the decoded grammar.

local json = require "base.json"
local tbl = require "base.tbl"

local M = {}

---@param text string the grammar document
---@return table grammar
function M.read(text)
  local document = assert(json.decode(text))
  local grammar = { root = nil, children = {} }
  for _, command in ipairs(document.commands) do
    if #command.path == 0 then
      grammar.root = command
    else
      local parent = table.concat(command.path, " ", 1, #command.path - 1)
      grammar.children[parent] = grammar.children[parent] or {}
      table.insert(grammar.children[parent], command)
    end
  end
  return grammar
end

local function flag_named(command, field, name)
  return tbl.find(command.flags, function(flag)
    return flag[field] == name
  end)
end

local function takes_next(flag)
  return not flag or (flag.takes_value and not flag.no_opt_default)
end

-- Index of the first word that is neither a flag nor a flag's value.
local function first_word(command, words)
  local i = 1
  while i <= #words do
    local word = words[i]
    if word == "--" then
      return nil
    elseif word:find("^%-%-") then
      local is_joined = word:find("=", 1, true)
      if not is_joined and takes_next(flag_named(command, "name", word:sub(3))) then
        i = i + 1
      end
    elseif word:find("^%-.") then
      if #word == 2 and takes_next(flag_named(command, "shorthand", word:sub(2))) then
        i = i + 1
      end
    else
      return i
    end
    i = i + 1
  end
end

local function find_command(grammar, words)
  local command, rest = grammar.root, tbl.copy(words)
  while true do
    local at = first_word(command, rest)
    local children = grammar.children[table.concat(command.path, " ")] or {}
    local found = at and tbl.find(children, function(child)
      return child.path[#child.path] == rest[at]
        or tbl.contains(child.aliases, rest[at])
    end)
    if not found then
      return command, rest
    end
    table.remove(rest, at)
    command = found
  end
end

local BOOLS = tbl.set({
  "1", "t", "T", "TRUE", "true", "True", "0", "f", "F", "FALSE", "false", "False",
})

local VALUES = {
  bool = function(value)
    return BOOLS[value]
  end,
  int = function(value)
    local digits = value:gsub("^[+-]", "")
    return digits:find("^%d[%d_]*$") or digits:find("^0[xX][%x_]+$")
      or digits:find("^0[oO][0-7_]+$") or digits:find("^0[bB][01_]+$")
  end,
  float64 = function(value)
    return tonumber(value) ~= nil and not value:find("[xX%s]")
  end,
  duration = function(value)
    local rest = value:gsub("^[+-]", "")
    repeat
      local left = rest:match("^%d+%.?%d*[nuµm]?s(.*)$") or rest:match("^%d+%.?%d*[mh](.*)$")
      if not left then
        return value:find("^[+-]?0$")
      end
      rest = left
    until rest == ""
    return true
  end,
}

-- Why a flag may not have the value.
local function wrong_value(flag, value)
  local is_right = VALUES[flag.type]
  if is_right and not is_right(value) then
    return ("flag %s: %q is no %s"):format(flag.name, value, flag.type)
  end
end

-- Reads the flag written long at words[i]; returns the index of the last word it
-- used, or nil and why not.
local function read_long(command, words, i, given)
  local name, value = words[i]:match("^%-%-([^=]+)=?(.*)$")
  local flag = flag_named(command, "name", name)
  if not flag or name:find("^%-") then
    return nil, ("unknown flag %s"):format(words[i])
  elseif not words[i]:find("=", 1, true) then
    value = nil
  end
  if not value and takes_next(flag) then
    i = i + 1
    value = words[i]
    if not value then
      return nil, ("flag %s needs a value"):format(name)
    end
  end
  local why = value and wrong_value(flag, value)
  given[flag.name] = true
  return not why and i or nil, why
end

-- The same of flags written short, which may share a word.
local function read_shorts(command, words, i, given)
  local rest = words[i]:sub(2)
  while rest ~= "" do
    local flag = flag_named(command, "shorthand", rest:sub(1, 1))
    if not flag then
      return nil, ("unknown flag %s in %s"):format(rest:sub(1, 1), words[i])
    end
    given[flag.name] = true
    local value
    if rest:find("^.=.") then
      value, rest = rest:sub(3), ""
    elseif not takes_next(flag) then
      rest = rest:sub(2)
    elseif #rest > 1 then
      value, rest = rest:sub(2), ""
    elseif words[i + 1] then
      i, value, rest = i + 1, words[i + 1], ""
    else
      return nil, ("flag %s needs a value"):format(rest)
    end
    local why = value and wrong_value(flag, value)
    if why then
      return nil, why
    end
  end
  return i
end

-- A flag that must be there and is not.
local function missing_flag(command, given)
  return tbl.find(command.flags, function(flag)
    return flag.required == true and not given[flag.name]
  end)
end

--- nil when the words (without the program) parse; else why not.
---@param grammar table
---@param words string[]
---@return string? why
function M.refuse(grammar, words)
  local command, rest = find_command(grammar, words)
  local label = "flyctl " .. table.concat(command.path, " ")
  local count, i, given = 0, 1, {}
  while i <= #rest do
    if rest[i] == "--" then
      count = count + #rest - i
      break
    elseif rest[i]:find("^%-.") then
      local read = rest[i]:find("^%-%-") and read_long or read_shorts
      local last, why = read(command, rest, i, given)
      if not last then
        return ("%s: %s"):format(label, why)
      end
      i = last
    else
      count = count + 1
    end
    i = i + 1
  end
  if not command.runnable or #command.path == 0 then
    return label .. ": needs a subcommand"
  end
  local least, most = command.args.min, command.args.max
  if most == json.null then
    most = math.huge
  end
  if count < least or count > most then
    return ("%s: %d arguments, takes %s to %s"):format(label, count, least, most)
  end
  local missing = missing_flag(command, given)
  if missing then
    return ("%s: needs --%s"):format(label, missing.name)
  end
end

return M
