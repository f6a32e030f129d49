--- Prints what an operation gives: tables, details, JSON, YAML, CSV, raw text,
--- the output of remote commands. Waits where the operation does.

local opkit = require "opkit"
local render = require "cli.render"
local str = require "base.str"
local tables = require "cli.table"
local tbl = require "base.tbl"
local terminal = require "cli.terminal"

local M = {}

-- What is not there, and where: "no machines (app web)".
local function empty_note(call)
  local resource = require("opkit.registry").resource(call.row.resource)
  local title = resource.title
  -- "Apps" is a noun here, "IP addresses" stays as it is.
  local text = "no " .. (title:find("^%u%u") and title or title:lower())
  local narrowed = {}
  for _, name in ipairs(tbl.keys(call.args)) do
    local value = call.args[name]
    if value == true then
      narrowed[#narrowed + 1] = name
    elseif type(value) == "string" then
      narrowed[#narrowed + 1] = name .. " " .. value
    end
  end
  if #narrowed > 0 then
    text = text .. " (" .. table.concat(narrowed, ", ") .. ")"
  end
  return text
end

local function is_list(row)
  return row.page ~= nil or row.items ~= nil
    or type(row.returns) == "table" and row.returns.list ~= nil
end

local function by_key(a, b)
  if a.key == b.key then
    return a.at < b.at
  end
  return a.key < b.key
end

-- Calls a list operation; keep(item) makes of each item what is kept of it, so
-- that thousands never stand in memory whole. Items come in any order; the row
-- says which is theirs.
---@async
local function collect(call, account, keep)
  local kept = {}
  local count, e = account:call(call.row.id, call.args, {
    face = "cli",
    each = function(item)
      kept[#kept + 1] = {
        key = opkit.sort_key(call.row, item), at = #kept, made = keep(item),
      }
    end,
  })
  if count == nil then
    return nil, e
  end
  if call.row.order then
    table.sort(kept, by_key)
  end
  return tbl.map(kept, function(entry)
    return entry.made
  end)
end

-- By name where there is room for the names, else how many.
local function hidden_note(hidden, width)
  local text = ("not shown: %s (-o json has everything)"):format(
    table.concat(hidden, ", "):lower())
  if #text <= width then
    return text
  end
  return str.count(#hidden, "column") .. " not shown"
end

local function write_table(call, views, rows)
  local width = call.world.is_tty(1) and call.world.width(1) or nil
  local lines, hidden = tables.lines(views, rows, {
    width = width,
    measure = terminal.measure,
    header = function(text)
      return call.out:paint(1, "bold", text)
    end,
  })
  local ok, failed = call.out:data(table.concat(lines, "\n") .. "\n")
  if ok and #hidden > 0 then
    call.out:aside(hidden_note(hidden, width))
  end
  return ok, failed
end

-- Of a bulk operation that only partly succeeded, what became of each target.
local function write_partial(call, views, e)
  local results = type(e.detail) == "table" and e.detail.results
  if type(results) ~= "table" or #results == 0 then
    return
  end
  local now = call.world.now()
  write_table(call, views, tbl.map(results, function(item)
    return render.cells(views, item, now)
  end))
end

---@async
local function print_table(call, account)
  local now = call.world.now()
  local views = render.views(call.row, call.format == "wide")
  local rows, e = collect(call, account, function(item)
    return render.cells(views, item, now)
  end)
  if not rows then
    write_partial(call, views, e)
    return nil, e
  elseif #rows == 0 then
    call.out:note(empty_note(call))
    return true
  end
  return write_table(call, views, rows)
end

---@async
local function print_csv(call, account)
  local views = render.views(call.row, true)
  local lines, e = collect(call, account, function(item)
    return render.csv_item(views, item)
  end)
  if not lines then
    return nil, e
  elseif #lines == 0 then
    call.out:note(empty_note(call))
  end
  return call.out:data(render.csv_head(views) .. table.concat(lines))
end

-- Text that must reach a program unchanged, and a terminal without effect.
local function for_terminal(call, fd, text)
  return call.world.is_tty(fd) and terminal.clean_lines(text) or text
end

local function with_line_end(text)
  return str.ends_with(text, "\n") and text or text .. "\n"
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

--- A result as people read it.
---@param row op.Row
---@param value any
---@param call cli.Call
---@return string
function M.text(row, value, call)
  if type(value) ~= "table" then
    return terminal.clean(tostring(value)) .. "\n"
  elseif not is_list(row) then
    return render.detail(row, value, call.world.now())
  end
  local now, views = call.world.now(), render.views(row, false)
  local lines = tables.lines(views, tbl.map(value, function(item)
    return render.cells(views, item, now)
  end), { measure = terminal.measure })
  return table.concat(lines, "\n") .. "\n"
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
    value = is_list(call.row) and opkit.sort(call.row, value) or value
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
---@return integer|true|nil exit_code
---@return err.Record?
function M.print(call, account)
  if is_list(call.row) then
    if call.format == "table" or call.format == "wide" then
      return print_table(call, account)
    elseif call.format == "csv" then
      return print_csv(call, account)
    end
  end
  return print_value(call, account)
end

return M
