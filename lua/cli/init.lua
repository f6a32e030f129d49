--- The command line face: argv in, exit code out.
--- Waits where a command does; whatever goes wrong ends in one report.

local args = require "cli.args"
local commands = require "cli.commands"
local err = require "base.err"
local globals_of = require "cli.globals"
local out = require "cli.out"
local tbl = require "base.tbl"
local values = require "cli.values"

local M = {}

---@class cli.Faces what is injected, each loaded when it is first asked for
---@field sim fun(): table the simulator in this process: start{…}
---@field serve fun(): table the simulator's own face: run{…}
---@field script fun(): table scripts: run(path, args, deps)

---@class cli.Call one command being run
---@field out cli.Out
---@field world cli.World
---@field faces cli.Faces
---@field parsed cli.Parsed
---@field command cli.Command
---@field row op.Row
---@field globals table<string, any> checked
---@field args table<string, any> checked, by parameter name
---@field is_every_org boolean an empty --org was given
---@field format "table"|"wide"|"json"|"yaml"|"csv"|"raw"

local function usage(message, hint)
  return err.new({ kind = "usage", message = message, hint = hint })
end

-- Switches that stand alone need no checking, and most starts have no others.
local function checked_values(given)
  for _, value in pairs(given) do
    if value ~= true then
      return require("opkit.check").check(globals_of.row(), given, "cli")
    end
  end
  return given
end

local function check_globals(given)
  local checked, e = checked_values(given)
  if not checked then
    e.message = e.message:gsub("^clanker: ", "")
    return nil, e
  end
  local is_json = checked.json or checked.output == "json"
  if checked.json and checked.output and checked.output ~= "json" then
    return nil, usage(("--json and -o %s contradict each other"):format(
      checked.output))
  elseif checked.raw and (checked.json or checked.output) then
    return nil, usage("--raw has one form: leave out --json and -o")
  elseif checked.timeout == 0 then
    return nil, usage("--timeout must be longer than 0",
      "leave it out to wait as long as it takes")
  elseif checked.api_token and checked.api_token_file then
    return nil, usage("--api-token and --api-token-file are both given",
      "the file is the safe one")
  end
  local format = checked.raw and "raw" or is_json and "json" or checked.output
  return checked, nil, format or "table"
end

-- An empty --org names none but is a choice: every organization, whatever the
-- settings say. Where one is required it is missing.
local function take_every_org(parsed)
  local is_every = parsed.values.org == "" or parsed.globals.org == ""
  if is_every then
    parsed.values.org, parsed.globals.org = nil, nil
  end
  return is_every
end

-- A parameter of the command that is also a global flag is given by either.
local function lend_globals(command, given, globals)
  local row = command.row
  for _, name in ipairs({ "app", "org", "timeout" }) do
    local value = globals[name]
    if value ~= nil and row.param[name] then
      if given[name] ~= nil and given[name] ~= value then
        return nil, usage(("--%s is given twice, with different values")
          :format(name), "give it once")
      end
      given[name] = value
    elseif value ~= nil and name == "app" and row.resource then
      return nil, usage("unknown flag --app for " .. command.name,
        "this command is not about one app")
    end
  end
  return given
end

-- Lists alone are selected from; the server's own text is left as it is.
local function check_list_flags(command, globals)
  for _, name in ipairs(globals_of.OF_LISTS) do
    if globals[name] ~= nil then
      local row = command.row
      -- Of what is changed nothing is chosen this way: it would look as if the
      -- rest were left alone.
      if not row.resource or row.effect ~= "read"
        or not require("opkit.select").is_list(row) then
        return nil, usage(("unknown flag --%s for %s"):format(name, command.name),
          "only lists are selected from and sorted")
      elseif globals.raw then
        return nil, usage(("--raw is the server's own JSON: leave out --%s")
          :format(name), "-o json prints what is selected")
      end
    end
  end
  return true
end

-- --force agrees to what destroys, as --yes does; elsewhere it says nothing.
local function check_force(command, globals)
  local row = command.row
  local destroys = row.effect == "destroy"
    or tbl.find(row.escalate or {}, function(rule)
      return rule.effect == "destroy"
    end)
  if globals.force ~= nil and not (row.resource and destroys) then
    return nil, usage("unknown flag --force for " .. command.name)
  end
  return true
end

-- The checked arguments of the command.
local function check_args(parsed)
  local row = parsed.command.row
  local fits, why = check_list_flags(parsed.command, parsed.globals)
  if fits then
    fits, why = check_force(parsed.command, parsed.globals)
  end
  if not fits then
    return nil, why
  end
  if row.takes_words then
    return { words = table.move(parsed.words, parsed.command.used + 1,
      #parsed.words, 1, {}) }
  end
  local given, e = args.bind(parsed)
  if not given then
    return nil, e
  end
  given, e = lend_globals(parsed.command, given, parsed.globals)
  if not given then
    return nil, e
  end
  return require("opkit.check").check(row, given, "cli")
end

local function runner(row)
  if row.home then
    return require(row.home)[row.fn]
  end
  require("sys.http").preload() -- the rest of the program loads meanwhile
  return require("cli.fly").run
end

---@async
---@param call cli.Call
---@return integer|true|nil code, err.Record?
local function run_command(call)
  local parsed = call.parsed
  if call.globals.version then
    return require("cli.version").run(call)
  elseif call.globals.help or #parsed.words == 0 then
    return require("cli.help").show(call, parsed.words)
  elseif not call.row then
    return nil, commands.unknown(parsed.words)
  end
  local checked, e = check_args(parsed)
  if not checked then
    e.hint = e.hint or ("see %s --help"):format(parsed.command.name)
    return nil, e
  end
  call.args = checked
  collectgarbage("restart") -- lua/main.lua starts without
  return runner(call.row)(call)
end

---@async
local function run(argv, faces, world, say)
  local parsed, e, so_far = args.parse(argv, commands.resolve, globals_of.FLAGS)
  say.is_json = so_far.globals.json == true or so_far.globals.output == "json"
  say.no_color = so_far.globals.no_color == true
  if not parsed then
    return nil, e
  end
  local is_every_org = take_every_org(parsed)
  local globals, bad, format = check_globals(parsed.globals)
  if not globals then
    return nil, bad
  end
  return run_command({
    out = say, world = world, faces = faces, parsed = parsed,
    command = parsed.command, row = parsed.command.row, globals = globals,
    is_every_org = is_every_org, format = format,
  })
end

--- Runs a command line.
---@async
---@param argv string[] without the program's name
---@param faces cli.Faces
---@param world cli.World? the real process unless told
---@return integer exit_code
function M.run(argv, faces, world)
  world = world or require("cli.world").real()
  local say = out.new(world)
  local _ <close> = values.hide(argv, world)
  local code, e = run(argv, faces, world, say)
  if code then
    return code == true and 0 or code
  elseif e.code == "EPIPE" and e.is_output then
    return 0 -- the reader has what it wanted
  end
  say:fail(e)
  return err.exit_code(e)
end

return M
