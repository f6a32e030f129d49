--- Reads argv: the command's words, its flags, and what stands in which place.
--- Pure; only the grammar is judged here, what a value means is opkit's.

local err = require "base.err"
local str = require "base.str"
local tbl = require "base.tbl"

local M = {}

---@class cli.Parsed
---@field command cli.Command
---@field words string[] path and positionals, without flags
---@field rest string[] what stood after "--"
---@field globals table<string, any> values of the global flags
---@field values table<string, any> values of the command's own flags

---@alias cli.Resolve fun(words: string[]): cli.Command

local function usage(message, hint)
  return err.new({ kind = "usage", message = message, hint = hint })
end

-- "did you mean …?", or nothing.
local function suggest(word, candidates)
  local best = str.did_you_mean(word, candidates)
  return best and ("did you mean %s?"):format(best) or nil
end

---@param params op.Param[]
---@param written string "--app" or "-o"
---@return op.Param?
local function find_flag(params, written)
  return (tbl.find(params, function(param)
    return param.flag == written
      or param.short ~= nil and "-" .. param.short == written
  end))
end

---@param params op.Param[]
---@return string[]
local function flag_names(params)
  local names = {}
  for _, param in ipairs(params) do
    if not param.hidden then
      names[#names + 1] = param.flag
    end
  end
  return names
end

-- "--name=value" → name and value; "-oVALUE" and "-o=VALUE" → "-o", VALUE.
local function split_flag(word)
  if word:sub(1, 2) == "--" then
    local name, value = word:match("^(%-%-[^=]*)=(.*)$")
    return name or word, value
  end
  local rest = word:sub(3):gsub("^=", "")
  return word:sub(1, 2), #word > 2 and rest or nil
end

-- The word after a flag is its value, unless it is plainly another flag:
-- then the value was forgotten, and taking that word would be a guess.
local function take_value(reader, param, written)
  local value = reader.argv[reader.at + 1]
  local is_name = param.takes_dash and value and value:find("^%-%a[%w_.]")
  if value == nil then
    return nil, usage(written .. " needs a value")
  elseif value:find("^%-%-?%a") and not is_name then
    return nil, usage(
      ("%s needs a value, and %s looks like a flag"):format(written, value),
      ("write %s=%s if that is the value"):format(written, value))
  end
  reader.at = reader.at + 1
  return value
end

-- Keeps a value. A single-valued flag given twice must agree with itself.
local function keep(values, param, value, written)
  local before = values[param.name]
  if param.many or param.kind.collects then
    values[param.name] = before or {}
    table.insert(values[param.name], value)
  elseif before ~= nil and before ~= value then
    return nil, usage(written .. " is given twice, with different values",
      "give it once")
  else
    values[param.name] = value
  end
  return true
end

local function own_params(command)
  return command.row and command.row.params or {}
end

local function unknown_flag(reader, command, written)
  local known = tbl.flatten({
    flag_names(own_params(command)), flag_names(reader.globals),
  })
  local hint = suggest(written, known)
  if not hint and command.is_group then
    hint = "a command's own flags go after the command"
  end
  return usage(("unknown flag %s for %s"):format(written, command.name),
    hint or ("see %s --help"):format(command.name))
end

local function read_flag(reader, parsed)
  local written, inline = split_flag(reader.argv[reader.at])
  local command = reader.resolve(parsed.words)
  local param, values = find_flag(own_params(command), written), parsed.values
  if not param or param.rest then
    param, values = find_flag(reader.globals, written), parsed.globals
  end
  if not param then
    if command.is_group and #parsed.words > command.used then
      return true -- the unknown command is the error to report
    end
    return nil, unknown_flag(reader, command, written)
  end
  if inline == nil and param.kind.is_flag then
    return keep(values, param, true, written)
  elseif inline == nil then
    local value, e = take_value(reader, param, written)
    if value == nil then
      reader.open = param
      return nil, e
    end
    inline = value
  end
  return keep(values, param, inline, written)
end

local function is_verbatim(reader, parsed)
  local command = reader.resolve(parsed.words)
  return command.verbatim ~= nil
    and #parsed.words - command.used >= command.verbatim
end

---@class cli.Reader
---@field argv string[]
---@field resolve cli.Resolve
---@field globals op.Param[]
---@field at integer the word being read
---@field open op.Param? the flag whose value is missing at the end

local function read_all(reader, parsed)
  local argv = reader.argv
  while reader.at <= #argv do
    local word = argv[reader.at]
    if parsed.is_literal then
      table.insert(parsed.rest, word)
    elseif is_verbatim(reader, parsed) then
      table.move(argv, reader.at, #argv, #parsed.words + 1, parsed.words)
      break
    elseif word == "--" then
      parsed.is_literal = true
    elseif #word > 1 and word:sub(1, 1) == "-" and not word:find("^%-%d+$") then
      local ok, e = read_flag(reader, parsed)
      if not ok then
        return nil, e
      end
    else
      table.insert(parsed.words, word)
    end
    reader.at = reader.at + 1
  end
  return true
end

--- Reads argv. On an error the third result is what was understood before it
--- (how the user wants errors shown), the fourth the flag left without a value.
---@param argv string[]
---@param resolve cli.Resolve
---@param globals op.Param[]
---@return cli.Parsed?
---@return err.Record?
---@return cli.Parsed so_far
---@return op.Param? open
function M.parse(argv, resolve, globals)
  local parsed = { words = {}, rest = {}, globals = {}, values = {} }
  local reader = { argv = argv, resolve = resolve, globals = globals, at = 1 }
  local ok, e = read_all(reader, parsed)
  parsed.command = resolve(parsed.words)
  if not ok then
    return nil, e, parsed, reader.open
  end
  return parsed, nil, parsed
end

-- The words after the path, and after "--" unless a parameter takes those.
local function positional_words(parsed)
  local words = table.move(parsed.words, parsed.command.used + 1,
    #parsed.words, 1, {})
  local takes_rest = tbl.find(own_params(parsed.command), function(param)
    return param.rest
  end)
  if not takes_rest then
    table.move(parsed.rest, 1, #parsed.rest, #words + 1, words)
  end
  return words, takes_rest
end

-- A word too many is most often the app's name, which stands behind a flag.
local function unexpected(parsed, args, word)
  local command = parsed.command
  local lacks_app = command.row.param.app and not args.app and not parsed.globals.app
  return usage(("unexpected argument %q for %s"):format(word, command.name),
    lacks_app and ("did you mean --app %s?"):format(word)
      or ("see %s --help"):format(command.name))
end

--- The arguments of the parsed command by parameter name: slots of the path,
--- flags, positionals in their order, and what follows "--".
---@param parsed cli.Parsed
---@return table<string, any>? args still as text
---@return err.Record?
function M.bind(parsed)
  local row, args = parsed.command.row, tbl.copy(parsed.values)
  for name, value in pairs(parsed.command.slots) do
    args[name] = value
  end
  local words, rest = positional_words(parsed)
  if rest and #parsed.rest > 0 then
    args[rest.name] = parsed.rest
  end
  local at = 1
  for _, param in ipairs(row.positional) do
    if args[param.name] == nil and words[at] ~= nil then
      if param.many then
        args[param.name] = table.move(words, at, #words, 1, {})
        at = #words + 1
      else
        args[param.name] = words[at]
        at = at + 1
      end
    end
  end
  if words[at] ~= nil then
    return nil, unexpected(parsed, args, words[at])
  end
  return args
end

return M
