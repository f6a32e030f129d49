--- The values of `secrets set`: from arguments, standard input, files or a
--- prompt. They are handles from the moment they are read. Waits.

local err = require "base.err"
local secret = require "sys.secret"
local str = require "base.str"
local tbl = require "base.tbl"
local types = require "opkit.types"

local M = {}

--- Longest value and longest file of values, in bytes.
local MAX = 1 << 20

--- Lines of a value that are hidden one by one as well, at most so many and no
--- shorter ones (bytes): programs quote the line they do not understand.
local MAX_LINES = 256
local MIN_LINE = 8

local function usage(message, hint)
  return err.new({ kind = "usage", message = message, hint = hint })
end

---@class cli.Values what is known so far
---@field call cli.Call
---@field map table<string, secret.Secret> by name
---@field from table<string, string> by name, for messages
---@field stdin string? what reads standard input
---@field typed string[] names whose values were typed as arguments

local function put(values, name, value, source)
  if values.map[name] then
    return nil, usage(("%s is given twice: %s and %s"):format(name,
      values.from[name], source), "give each name once")
  end
  values.map[name], values.from[name] = value, source
  return true
end

-- Standard input has one reader.
local function claim_stdin(values, who)
  local token = values.call.globals.api_token_file == "-" and "--api-token-file -"
  local other = values.stdin or token
  if other then
    return nil, usage(("%s and %s both read standard input"):format(other, who),
      "take one of them from a file")
  elseif values.call.world.is_tty(0) then
    return nil, usage(who .. " reads standard input, which is a terminal",
      "pipe the value in, or give the bare name to be asked for it")
  end
  values.stdin = who
  return true
end

---@async
local function read_stdin(values, who)
  local ok, e = claim_stdin(values, who)
  if not ok then
    return nil, e
  end
  local value, failed = values.call.world.stdin_secret(MAX)
  if not value then
    return nil, err.wrap(failed, "standard input")
  end
  return value
end

-- `echo` adds a line end that is rarely meant to be part of a value.
local function note_newline(values, name, value)
  local last <close> = value:sub(-1)
  if last:equals("\n") and #value:split("\n") == 2 then
    values.call.out:note(("note: the value of %s ends with a line end, which is"
      .. " part of it; printf writes none"):format(name))
  end
end

---@async
local function take_stdin(values, name, who)
  local value, e = read_stdin(values, who)
  if not value then
    return nil, e
  end
  note_newline(values, name, value)
  return put(values, name, value, who)
end

---@async
local function ask(values, name)
  local world = values.call.world
  if not (world.is_tty(0) and world.is_tty(2)) then
    return nil, usage(("%s has no value, and there is no terminal to ask at")
      :format(name), ("give %s=- and pipe the value in, or --from-file %s=PATH")
      :format(name, name))
  end
  local value, e = world.hidden(("value of %s (not shown): "):format(name))
  if not value then
    if e.code == "EMSGSIZE" then
      e.hint = ("give several lines with --from-file %s=PATH, or pipe them to %s=-")
        :format(name, name)
    end
    return nil, e
  end
  return put(values, name, value, "the prompt")
end

---@async
local function take_word(values, word)
  local name, text = word:match("^([^=]*)=(.*)$")
  if not name then
    if values.call.args.from_stdin then
      return take_stdin(values, word, "--from-stdin")
    end
    return ask(values, word)
  elseif text == "-" then
    return take_stdin(values, name, name .. "=-")
  end
  values.typed[#values.typed + 1] = name
  return put(values, name, secret.new(text), name .. "=VALUE")
end

---@async
local function take_file(values, name, path)
  if not types.is_secret_name(name) then
    return nil, usage(("--from-file: %s is no name of a secret"):format(name),
      "letters, digits and _, the first no digit")
  end
  local value, e = secret.from_file(path, MAX)
  if not value then
    return nil, err.wrap(e, "--from-file " .. name)
  end
  return put(values, name, value, "--from-file")
end

---@async
local function take_import(values, path)
  local who = "--import " .. path
  local text, e
  if path == "-" then
    text, e = read_stdin(values, who)
  else
    text, e = secret.from_file(path, MAX)
  end
  if not text then
    return nil, path == "-" and e or err.wrap(e, "--import")
  end
  local entries, bad = secret.dotenv(text)
  text:close()
  if not entries then
    return nil, err.wrap(bad, who)
  elseif #entries == 0 then
    return nil, usage(who .. ": there are no NAME=value lines in it")
  end
  for _, entry in ipairs(entries) do
    local ok, twice = put(values, entry.name, entry.value,
      ("%s line %d"):format(path, entry.line))
    if not ok then
      return nil, twice
    end
  end
  return true
end

-- Everything that was named, in the order of the command line's forms.
---@async
local function collect(values)
  local args = values.call.args
  local jobs = {}
  for _, word in ipairs(args.assignment or {}) do
    jobs[#jobs + 1] = { take_word, word }
  end
  for name, path in tbl.sorted(args.from_file or {}) do
    jobs[#jobs + 1] = { take_file, name, path }
  end
  if args.import then
    jobs[#jobs + 1] = { take_import, args.import }
  end
  for _, job in ipairs(jobs) do
    local ok, e = job[1](values, job[2], job[3])
    if not ok then
      return nil, e
    end
  end
  return true
end

local function check_stdin_flag(args)
  if not args.from_stdin then
    return true
  end
  local bare = tbl.filter(args.assignment or {}, function(word)
    return not word:find("=", 1, true)
  end)
  if #bare ~= 1 then
    return nil, usage(("--from-stdin is the value of one name, and %s"):format(
      #bare == 0 and "none is given" or "several are given"),
      "give one bare NAME with it")
  end
  return true
end

-- What others may quote of a value of several lines: each line is a secret too.
local function hide_lines(values)
  local left, held = MAX_LINES, {}
  for _, value in tbl.sorted(values.map) do
    local lines = left > 0 and value:split("\n") or {}
    for _, line in ipairs(lines) do
      if #lines > 1 and left > 0 and line:len() >= MIN_LINE then
        held[#held + 1], left = line, left - 1
      else
        line:close()
      end
    end
  end
  return held
end

-- The account's own arguments in place of this face's.
local function replace_args(call, values)
  local args = {}
  for _, param in ipairs(call.row.params) do
    if not param.only then
      args[param.name] = call.args[param.name]
    end
  end
  args.values = values.map
  call.args, call.held = args, hide_lines(values)
end

--- Reads the values that the call's arguments name, and makes them its `values`.
---@async
---@param call cli.Call
---@return true?
---@return err.Record?
function M.read(call)
  local values = { call = call, map = {}, from = {}, typed = {} }
  local ok, e = check_stdin_flag(call.args)
  if ok then
    ok, e = collect(values)
  end
  if not ok then
    return nil, e
  elseif next(values.map) == nil then
    return nil, usage("there is no secret to set",
      "give NAME (asks), NAME=-, NAME=VALUE, --from-file NAME=PATH or --import FILE")
  end
  if #values.typed > 0 then
    call.out:warn(("%s typed on a command line: other users can see it while it"
      .. " starts, and the shell keeps it; use NAME=- or the bare NAME"):format(
      str.join(values.typed) .. (#values.typed == 1 and " was" or " were")))
  end
  replace_args(call, values)
  return true
end

return M
