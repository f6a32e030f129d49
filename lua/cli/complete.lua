--- `clanker __complete -- WORDS…`: what may stand where the cursor is, one
--- candidate and its description per line; ":files" asks the shell for files.
--- Waits for live names only; says nothing, and fails silently, otherwise.

local args = require "cli.args"
local commands = require "cli.commands"
local globals = require "cli.globals"
local tbl = require "base.tbl"
local terminal = require "cli.terminal"

local M = {}

-- Asks the shell for names of files.
local FILES = ":files"

---@class cli.Candidate
---@field [1] string
---@field [2] string?

-- Names come from the server and end up on a command line: only those that no
-- shell would read anything into are offered.
local function is_plain(name)
  return type(name) == "string" and #name <= 200
    and name:find("^[%w][%w%-_.:/@]*$") ~= nil
end

-- Longer descriptions wrap in the shell's list.
local LONGEST_TEXT = 60

local function one_line(text)
  if type(text) ~= "string" then
    return nil
  end
  text = terminal.clean(text)
  local past = utf8.len(text) and utf8.offset(text, LONGEST_TEXT + 1)
  return past and text:sub(1, past - 1) or text
end

local function starting_with(candidates, prefix)
  if candidates[1] and candidates[1][1] == FILES then
    return candidates -- the shell knows which files start like that
  end
  return tbl.filter(candidates, function(candidate)
    return candidate[1]:sub(1, #prefix) == prefix
  end)
end

-- What help shows; the synonyms only when nothing else starts like that.
local function words_after(parsed, prefix)
  if parsed.command.used < #parsed.words then
    return {} -- a word that names nothing: nothing follows it
  end
  local offered = starting_with(commands.offers(parsed.words), prefix)
  if #offered > 0 then
    return offered
  end
  return starting_with(tbl.map(commands.next_words(parsed.words),
    function(word)
      return { word }
    end), prefix)
end

local function flags_of(parsed)
  local candidates, row = {}, parsed.command.row
  local function add(params, given)
    for _, param in ipairs(params) do
      local is_taken = given[param.name] ~= nil and not param.many
      if not param.hidden and not param.rest and not is_taken then
        candidates[#candidates + 1] = { param.flag, param.text }
      end
    end
  end
  local own = row and row.params or {}
  add(own, parsed.values)
  local is_list = row and row.resource and row.effect == "read"
    and require("opkit.select").is_list(row)
  local of_lists = tbl.set(globals.OF_LISTS)
  add(tbl.filter(globals.FLAGS, function(param)
    return not (row and row.param[param.name])
      and (is_list or not of_lists[param.name])
  end), parsed.globals)
  return candidates
end

-- The columns of a list, to select or to sort by.
local function columns_of(row)
  if not (row and row.resource) then
    return {}
  end
  return tbl.map(require("opkit.columns").columns(row), function(view)
    return { view.key }
  end)
end

-- Candidates for a parameter's value.
---@async
local function values_for(param, parsed, env)
  if not param.type and (param.name == "select" or param.name == "sort") then
    return columns_of(parsed.command.row)
  elseif not param.type then
    param = globals.row().param[param.name]
  end
  local source = require("opkit.help").complete(param)
  if not source then
    return {}
  elseif source.values then
    return tbl.map(source.values, function(value)
      return { value }
    end)
  elseif source.files then
    return { { FILES } }
  end
  local items = env.live(source, parsed)
  local candidates = {}
  for _, item in ipairs(items) do
    local value = math.type(item.value) == "integer" and tostring(item.value) or item.value
    if is_plain(value) then
      candidates[#candidates + 1] = { value, one_line(item.text) }
    end
  end
  return candidates
end

-- The positional the current word would be, if the command has one.
local function next_positional(parsed)
  local row = parsed.command.row
  local at = #parsed.words - parsed.command.used
  for _, param in ipairs(row and row.positional or {}) do
    local is_given = parsed.values[param.name] ~= nil
      or parsed.command.slots[param.name] ~= nil
    if not is_given then
      if at == 0 or param.many then
        return param
      end
      at = at - 1
    end
  end
end

local function find_flag(parsed, flag)
  local row = parsed.command.row
  for _, params in ipairs({ row and row.params or {}, globals.FLAGS }) do
    for _, param in ipairs(params) do
      if param.flag == flag then
        return param
      end
    end
  end
end

---@async
local function for_word(parsed, word, env)
  local flag, value = word:match("^(%-%-[%w-]+)=(.*)$")
  if flag then
    local param = find_flag(parsed, flag)
    local found = param and values_for(param, parsed, env) or {}
    return tbl.map(starting_with(found, value), function(candidate)
      if candidate[1] == FILES then
        return candidate
      end
      return { flag .. "=" .. candidate[1], candidate[2] }
    end)
  elseif word:sub(1, 1) == "-" and #parsed.rest == 0 then
    return starting_with(flags_of(parsed), word)
  elseif not parsed.command.row then
    return words_after(parsed, word)
  end
  local param = next_positional(parsed)
  return starting_with(param and values_for(param, parsed, env) or {}, word)
end

--- The candidates for the last word.
---@async
---@param words string[] the command line after the program's name
---@param env { live: fun(source: op.Complete, parsed: cli.Parsed): {value: any, text: any}[] }
---@return cli.Candidate[]
function M.candidates(words, env)
  local before = table.move(words, 1, math.max(#words - 1, 0), 1, {})
  local word = words[#words] or ""
  local parsed, _, so_far, open = args.parse(before, commands.resolve,
    globals.FLAGS)
  if parsed then
    if parsed.command.verbatim
      and #parsed.words - parsed.command.used >= parsed.command.verbatim then
      return { { FILES } }
    end
    return for_word(parsed, word, env)
  elseif open then
    return starting_with(values_for(open, so_far, env), word)
  end
  return {}
end

--- `__complete`
---@async
---@param call cli.Call
---@return true
function M.run(call)
  local words = call.args.words
  if words[1] == "--" then
    words = table.move(words, 2, #words, 1, {})
  end
  local env = {
    live = function(source, parsed)
      return require("cli.live").items(call, source, parsed)
    end,
  }
  local lines = {}
  for i, candidate in ipairs(M.candidates(words, env)) do
    lines[i] = table.concat(candidate, "\t") .. "\n"
  end
  call.out:data(table.concat(lines))
  return true
end

return M
