--- Reads a command line as flyctl does, and refuses what it refuses, in its
--- words.
--- Pure.

local commands = require "sim.flyctl.commands"
local tbl = require "base.tbl"
local values = require "sim.flyctl.values"

local M = {}

---@class sim.flyctl.Line
---@field command sim.flyctl.Command
---@field flags table<string, any> a list for flags that may be repeated
---@field args string[]
---@field foreign string? a flag that was given and of which nothing is done

local function flag_named(command, field, name)
  return (tbl.find(command.flags, function(flag)
    return flag[field] == name
  end))
end

-- While the command is looked for, an unknown flag counts as one with a value.
local function takes_next(flag)
  return not flag or (flag.type ~= "bool" and not flag.is_optional)
end

-- Index of the first word that is neither a flag nor the value of one.
local function first_word(command, words)
  local i = 1
  while i <= #words do
    local word = words[i]
    if word == "--" then
      return nil
    elseif word:sub(1, 2) == "--" then
      if not word:find("=", 1, true)
        and takes_next(flag_named(command, "name", word:sub(3))) then
        i = i + 1
      end
    elseif word:sub(1, 1) == "-" and word ~= "-" then
      if #word == 2 and takes_next(flag_named(command, "short", word:sub(2))) then
        i = i + 1
      end
    elseif word ~= "" then
      return i
    end
    i = i + 1
  end
end

local function label(command)
  return table.concat({ "fly", table.unpack(command.path) }, " ")
end

-- The command that the words name, and the words that are left.
local function find_command(words)
  local command, rest = commands.LIST[1], tbl.copy(words)
  while true do
    local at = first_word(command, rest)
    local word = at and rest[at]
    local found = word and tbl.find(commands.under(command.path), function(one)
      return one.path[#one.path] == word or tbl.contains(one.aliases, word)
    end)
    if not found then
      return command, rest, word
    end
    table.remove(rest, at)
    command = found
  end
end

-- Why a value is not of the flag's type; nil when it is.
local function value_error(flag, value)
  local parsed, why = values.read(flag.type, value)
  if parsed ~= nil then
    return nil
  end
  local written = (flag.short and "-" .. flag.short .. ", " or "") .. "--" .. flag.name
  return ("invalid argument %q for %q flag: %s"):format(value, written, why)
end

local function keep(line, flag, value)
  local wrong = value_error(flag, value)
  if wrong then
    return wrong
  elseif flag.is_foreign then
    line.foreign = line.foreign or flag.name
    return nil
  end
  local name, flags = flag.alias_of or flag.name, line.flags
  if flag.type == "list" then
    flags[name] = flags[name] or {}
    table.insert(flags[name], value)
  else
    flags[name] = values.read(flag.type, value)
  end
end

-- A flag written long. Returns how many words it took, or nil and the error.
local function read_long(line, words, i)
  local name, value = words[i]:match("^%-%-([^=]*)=?(.*)$")
  local is_joined = words[i]:find("=", 1, true)
  if name == "" or name:sub(1, 1) == "-" then
    return nil, "bad flag syntax: " .. words[i]
  end
  local flag = flag_named(line.command, "name", name)
  if not flag then
    return nil, "unknown flag: --" .. name
  elseif is_joined then
    return 1, keep(line, flag, value)
  elseif not takes_next(flag) then
    return 1, keep(line, flag, "true")
  elseif not words[i + 1] then
    return nil, "flag needs an argument: --" .. name
  end
  return 2, keep(line, flag, words[i + 1])
end

-- Flags written short, maybe several in a word.
local function read_short(line, words, i)
  local rest = words[i]:sub(2)
  while rest ~= "" do
    local flag = flag_named(line.command, "short", rest:sub(1, 1))
    if not flag then
      return nil, ("unknown shorthand flag: '%s' in %s"):format(rest:sub(1, 1), words[i])
    elseif #rest > 2 and rest:sub(2, 2) == "=" then
      return 1, keep(line, flag, rest:sub(3))
    elseif not takes_next(flag) then
      keep(line, flag, "true")
      rest = rest:sub(2)
    elseif #rest > 1 then
      return 1, keep(line, flag, rest:sub(2))
    elseif not words[i + 1] then
      return nil, ("flag needs an argument: '%s' in %s"):format(rest, words[i])
    else
      return 2, keep(line, flag, words[i + 1])
    end
  end
  return 1
end

-- Flags and arguments into the line; the error, if any.
local function read_words(line, words)
  local i = 1
  while i <= #words do
    local word, used, why = words[i], 1, nil
    if word == "--" then
      table.move(words, i + 1, #words, #line.args + 1, line.args)
      return nil
    elseif word:sub(1, 2) == "--" then
      used, why = read_long(line, words, i)
    elseif word:sub(1, 1) == "-" and word ~= "-" then
      used, why = read_short(line, words, i)
    else
      line.args[#line.args + 1] = word
    end
    if why then
      return why
    end
    i = i + used
  end
end

local function check_count(line)
  local least, most, n = line.command.least, line.command.most, #line.args
  if n >= least and (not most or n <= most) then
    return nil
  elseif most == 0 then
    return ("unknown command %q for %q"):format(line.args[1], label(line.command))
  elseif least == most then
    return ("accepts %d arg(s), received %d"):format(least, n)
  elseif not most then
    return ("requires at least %d arg(s), only received %d"):format(least, n)
  elseif least == 0 and not line.command.is_range then
    return ("accepts at most %d arg(s), received %d"):format(most, n)
  end
  return ("accepts between %d and %d arg(s), received %d"):format(least, most, n)
end

local function check_required(line)
  local missing = {}
  for _, flag in ipairs(line.command.flags) do
    if flag.is_required and line.flags[flag.name] == nil then
      missing[#missing + 1] = ("%q"):format(flag.name)
    end
  end
  if #missing > 0 then
    return ("required flag(s) %s not set"):format(table.concat(missing, ", "))
  end
end

-- What flyctl would take and this one does not do.
local function check_done(line)
  if not line.command.run then
    return ("%q is not emulated by the simulated flyctl"):format(label(line.command))
  elseif line.foreign then
    return ("the flag --%s of %q is not emulated by the simulated flyctl"):format(
      line.foreign, label(line.command))
  end
end

--- The line, or nil and why it is refused. A group asked for nothing but help,
--- and `--help` anywhere, come back with `flags.help` set.
---@param words string[] without the program
---@return sim.flyctl.Line? line
---@return string? why
---@return sim.flyctl.Command? shown where flyctl shows how the command is used
function M.parse(words)
  local command, rest, stray = find_command(words)
  local line = { command = command, flags = {}, args = {} }
  if command.is_opaque then
    return nil, check_done(line)
  end
  -- flyctl prints the help of a group and exits with 0 when a word after it is
  -- wrong; here that is refused, so that nobody takes it for done.
  if command.is_group and stray then
    return nil, ("unknown command %q for %q"):format(stray, label(command))
  end
  local why = read_words(line, rest)
  if not why and not command.is_group and not line.flags.help then
    why = check_count(line)
  end
  if why then
    return nil, why, command
  elseif command.is_group then
    line.flags.help = true
  end
  if not line.flags.help then
    why = check_required(line) or check_done(line)
  end
  if why then
    return nil, why
  end
  return line
end

return M
