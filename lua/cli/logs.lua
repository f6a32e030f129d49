--- `clanker fly logs`: lines as logs are read, one below the other, as they come.
--- Waits until there are no more, or until interrupted.

local err = require "base.err"
local json = require "base.json"
local list = require "cli.list"
local progress = require "cli.progress"
local render = require "cli.render"
local terminal = require "cli.terminal"

local M = {}

local STYLES = { error = "red", fatal = "red", warn = "yellow", warning = "yellow" }

-- A line for people: time, where from, level, message.
local function for_people(call)
  local is_terminal = call.world.is_tty(1)
  return function(line)
    local level = line.level or "info"
    local text = ("%s %s[%s] %s [%s] "):format(line.timestamp or "-", line.app,
      line.machine or "-", line.region or "-", level)
    text = terminal.clean(text)
    local style = STYLES[level]
    if style then
      text = call.out:paint(1, style, text)
    end
    -- One line of a log stays one line, also where nothing would obey it.
    local message = is_terminal and terminal.clean(line.message)
      or line.message:gsub("[\r\n]+", " ")
    return text .. message .. "\n"
  end
end

local function for_programs(call, selection)
  local is_terminal = call.world.is_tty(1)
  return function(line)
    local text = json.encode(selection:project(line))
    return (is_terminal and terminal.clean(text) or text) .. "\n"
  end
end

local function for_sheets(call, selection)
  local views = render.views(call.row, true, selection:views())
  local head = render.csv_head(views)
  return function(line)
    local text = head .. render.csv_item(views, line)
    head = ""
    return text
  end
end

-- How a line is written, or nil where a table is wanted.
local function writer(call, selection)
  local wants_table = call.format == "wide" or call.globals.select
  if call.format == "json" then
    return for_programs(call, selection)
  elseif call.format == "csv" then
    return for_sheets(call, selection)
  elseif call.format == "table" and not wants_table then
    return for_people(call)
  end
end

-- Hands every wanted line on as it comes.
---@async
local function stream(call, account, selection, write)
  local failed
  local count, e = account:call(call.row.id, call.args, {
    face = "cli",
    on_notice = function(text)
      call.out:note(text)
    end,
    each = function(line)
      local is_wanted, why = selection:test(line)
      local ok = true
      if is_wanted then
        ok, why = call.out:data(write(line))
      end
      failed = failed or why
      return ok ~= nil and is_wanted ~= nil
    end,
  })
  if failed or count == nil then
    return nil, failed or e
  elseif count == 0 and not call.args.follow then
    call.out:note("no log lines")
  end
  return true
end

--- Prints the log the call asks for.
---@async
---@param call cli.Call
---@param account cli.Session
---@param selection op.Selection
---@return true?
---@return err.Record?
function M.print(call, account, selection)
  local write = not call.globals.sort and writer(call, selection)
  if call.args.follow then
    if not write then
      return nil, err.new({
        kind = "usage", message = "what is followed comes line by line:"
          .. " without -o yaml, -o wide, --select or --sort",
        hint = "-o json and -o csv take --select too",
      })
    end
    return stream(call, account, selection, write)
  end
  local _ <close> = progress.start(call.out, "logs")
  if not write then
    return list.print(call, account, selection)
  end
  return stream(call, account, selection, write)
end

return M
