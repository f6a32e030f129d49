--- Help at every level: all commands, a group of them, one command.
--- Everything is read off rows; a group needs only their titles.

local commands = require "cli.commands"
local page = require "base.page"
local str = require "base.str"
local tbl = require "base.tbl"

local M = {}

-- Lines longer than this are hard to read however wide the terminal is.
local WIDEST = 100

local function page_width(call)
  local width = call.world.is_tty(1) and call.world.width(1) or 80
  return math.min(width, WIDEST)
end

-- Under "fly": a line per resource with its verbs.
local function resource_entries()
  local registry = commands.registry()
  local verbs = {}
  for _, id in ipairs(registry.ids()) do
    local resource, verb = id:match("^(.-)%.(.*)$")
    verbs[resource] = verbs[resource] or {}
    table.insert(verbs[resource], (verb:gsub("_", "-")))
  end
  local entries = {}
  for _, resource in ipairs(registry.resources()) do
    if verbs[resource.id] then
      entries[#entries + 1] = {
        resource.id, table.concat(verbs[resource.id], ", "),
      }
    end
  end
  return entries
end

local function add(lines, more)
  table.move(more, 1, #more, #lines + 1, lines)
end

-- The global flags by whether lists alone take them.
local function flag_entries(of_lists)
  local globals = require "cli.globals"
  local is_of_lists = tbl.set(globals.OF_LISTS)
  return require("opkit.help").entries(tbl.filter(globals.row().params,
    function(param)
      return (is_of_lists[param.name] == true) == of_lists
    end))
end

local function top_page(width)
  local lines = {
    "Query and manage Fly.io, by commands and by questions.", "",
    "Usage:", "  clanker COMMAND [flags]",
  }
  page.section(lines, "Commands", page.columns(commands.entries({}), width))
  page.section(lines, "Flags of every command",
    page.columns(flag_entries(false), width))
  page.section(lines, "Flags of every list", page.columns(flag_entries(true), width))
  page.section(lines, "Examples", {
    "  clanker fly list machines --app my-app",
    '  clanker ask --flyio "what apps are running and in which regions?"',
    "  clanker --sim fly list apps",
  })
  return lines
end

local function group_page(words, width)
  local path = table.concat(words, " ")
  local lines = { "Usage:", ("  clanker %s COMMAND [flags]"):format(path) }
  if path == "fly" then
    page.section(lines, "Commands", page.columns(resource_entries(), width))
    add(lines, {
      "",
      "The verb may come first: clanker fly list apps, clanker fly get app NAME",
      "Details: clanker fly apps --help, clanker fly list apps --help",
    })
    return lines
  end
  page.section(lines, "Commands", page.columns(commands.entries(words), width))
  add(lines, { "", ("Details: clanker %s COMMAND --help"):format(path) })
  return lines
end

local function command_page(row, width)
  local is_ours = row.home ~= nil
  local text = require("opkit.help").help(row, {
    width = width, program = is_ours and "clanker" or "clanker fly",
  })
  local lines = str.split(text:gsub("\n$", ""), "\n")
  local is_list = not is_ours and row.effect == "read"
    and require("opkit.select").is_list(row)
  add(lines, { "", ("Flags of every %s: clanker --help"):format(
    is_list and "command and list" or "command") })
  return lines
end

--- Prints the help of the command or group the words name.
---@param call cli.Call
---@param words string[]
---@return true?
---@return err.Record?
function M.show(call, words)
  local command = commands.resolve(words)
  local width = page_width(call)
  local lines
  if command.row then
    lines = command_page(command.row, width)
  elseif #words > command.used then
    return nil, commands.unknown(words)
  elseif #words == 0 then
    lines = top_page(width)
  else
    lines = group_page(words, width)
  end
  return call.out:data(table.concat(lines, "\n") .. "\n")
end

--- `clanker help WORDS…`
---@param call cli.Call
---@return true?
---@return err.Record?
function M.command(call)
  return M.show(call, call.args.command or {})
end

return M
