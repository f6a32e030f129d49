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

local VALUES = {
  int = "^[+-]?%d+$", float64 = "^[+-]?%d+%.?%d*$",
  bool = "^[01tTfF]%a*$", duration = "^%d[%d.hmsnuµ]*$",
}

-- Reads the flag at words[i]; returns the index of the last word it used.
local function read_flag(command, words, i)
  local name, value = words[i]:match("^%-%-([^=]+)=?(.*)$")
  local flag
  if name then
    flag = flag_named(command, "name", name)
    value = words[i]:find("=", 1, true) and value or nil
  else
    name = words[i]:sub(2, 2)
    flag = flag_named(command, "shorthand", name)
    value = #words[i] > 2 and words[i]:sub(3) or nil
  end
  if not flag then
    return nil, ("unknown flag %s"):format(words[i])
  elseif not value and takes_next(flag) then
    i = i + 1
    value = words[i]
    if not value then
      return nil, ("flag %s needs a value"):format(name)
    end
  end
  local pattern = value and VALUES[flag.type]
  if pattern and not value:find(pattern) then
    return nil, ("flag %s: %q is no %s"):format(name, value, flag.type)
  end
  return i
end

--- nil when the words (without the program) parse; else why not.
---@param grammar table
---@param words string[]
---@return string? why
function M.refuse(grammar, words)
  local command, rest = find_command(grammar, words)
  local label = "flyctl " .. table.concat(command.path, " ")
  local count, i = 0, 1
  while i <= #rest do
    if rest[i] == "--" then
      count = count + #rest - i
      break
    elseif rest[i]:find("^%-.") then
      local last, why = read_flag(command, rest, i)
      if not last then
        return ("%s: %s"):format(label, why)
      end
      i = last
    else
      count = count + 1
    end
    i = i + 1
  end
  if not command.runnable then
    return label .. ": needs a subcommand"
  end
  local least, most = command.args.min, command.args.max
  if most == json.null then
    most = math.huge
  end
  if count < least or count > most then
    return ("%s: %d arguments, takes %s to %s"):format(label, count, least, most)
  end
end

return M
