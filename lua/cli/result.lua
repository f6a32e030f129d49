--- Prints what an operation gives: lists, details, JSON, YAML, CSV, raw text,
--- the output of remote commands. Waits where the operation does.

local list = require "cli.list"
local opkit = require "opkit"
local render = require "cli.render"
local str = require "base.str"
local tables = require "cli.table"
local tbl = require "base.tbl"
local terminal = require "cli.terminal"

local M = {}

-- Text that must reach a program unchanged, and a terminal without effect.
local function for_terminal(call, fd, text)
  return call.world.is_tty(fd) and terminal.clean_lines(text) or text
end

local function with_line_end(text)
  return (text == "" or str.ends_with(text, "\n")) and text or text .. "\n"
end

-- The output of a remote command is ours, and so is its exit code.
local function pass_on(call, value)
  local ok, e = true, nil
  if type(value.stdout) == "string" and value.stdout ~= "" then
    ok, e = call.out:data(for_terminal(call, 1, value.stdout))
  end
  if ok and type(value.stderr) == "string" and value.stderr ~= "" then
    call.out:talk(for_terminal(call, 2, value.stderr))
  end
  if not ok then
    return nil, e
  end
  return math.tointeger(value.exit_code)
end

--- Several results of an operation as a table.
---@param row op.Row
---@param values table[]
---@param call cli.Call
---@return string
function M.table(row, values, call)
  local now, views = call.world.now(), render.views(row, false)
  local lines = tables.lines(views, tbl.map(values, function(item)
    return render.cells(views, item, now)
  end), { measure = terminal.measure })
  return table.concat(lines, "\n") .. "\n"
end

--- A result as people read it.
---@param row op.Row
---@param value any
---@param call cli.Call
---@return string
function M.text(row, value, call)
  if type(value) ~= "table" then
    return terminal.clean(tostring(value)) .. "\n"
  elseif not opkit.is_list(row) then
    return render.detail(row, value, call.world.now())
  end
  return M.table(row, value, call)
end

local function print_text(call, value)
  if call.row.effect == "exec" and type(value) == "table"
    and math.tointeger(value.exit_code) then
    return pass_on(call, value)
  elseif type(value) == "table" and next(value) == nil then
    call.out:note("done")
    return true
  end
  return call.out:data(M.text(call.row, value, call))
end

---@async
local function print_value(call, account)
  local format = call.format
  local value, e = account:call(call.row.id, call.args, {
    face = "cli", raw = format == "raw",
  })
  if value == nil then
    return nil, e
  elseif format == "raw" then
    return call.out:data(for_terminal(call, 1, with_line_end(value)))
  elseif format == "json" or format == "yaml" then
    return call.out:data(for_terminal(call, 1, render[format](value)))
  elseif format == "csv" and type(value) == "table" then
    local views = render.views(call.row, true)
    return call.out:data(render.csv_head(views) .. render.csv_item(views, value))
  end
  return print_text(call, value)
end

--- Carries out the call's operation and prints its result.
---@async
---@param call cli.Call
---@param account cli.Session
---@param selection op.Selection? what a list shows of its items
---@return integer|true|nil exit_code
---@return err.Record?
function M.print(call, account, selection)
  if selection then
    return list.print(call, account, selection)
  end
  return print_value(call, account)
end

return M
