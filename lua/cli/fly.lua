--- Runs an operation and prints its result: `clanker fly …`.
--- Waits. Lists are turned into cells as they come, so that thousands of items
--- never stand in memory at once.

local err = require "base.err"
local opkit = require "opkit"
local progress = require "cli.progress"
local render = require "cli.render"
local session = require "cli.session"
local str = require "base.str"
local tables = require "cli.table"
local tbl = require "base.tbl"
local terminal = require "cli.terminal"

local M = {}

-- What is under way, for the progress line: "list machines".
local function label(call)
  return opkit.paths(call.row)[1]
end

-- What is not there, and where: "no machines in app web".
local function empty_note(call)
  local registry = require "opkit.registry"
  local resource = registry.resource(call.row.resource)
  local text = "no " .. resource.title:lower():gsub("^ip ", "IP ")
  local narrowed = {}
  for _, name in ipairs(tbl.keys(call.args)) do
    local value = call.args[name]
    if type(value) == "string" or type(value) == "boolean" then
      narrowed[#narrowed + 1] = value == true and name
        or ("%s %s"):format(name, tostring(value))
    end
  end
  if #narrowed > 0 then
    text = text .. " (" .. table.concat(narrowed, ", ") .. ")"
  end
  return terminal.clean(text)
end

local function by_key(a, b)
  if a.key == b.key then
    return a.at < b.at
  end
  return a.key < b.key
end

-- Calls a list operation; keep(item) makes of each item what is kept of it.
-- Items come in any order; the row says which is theirs.
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
  return ("%s not shown"):format(str.count(#hidden, "column"))
end

---@async
local function print_table(call, account)
  local now = call.world.now()
  local views = render.views(call.row, call.format == "wide")
  local rows, e = collect(call, account, function(item)
    return render.cells(views, item, now)
  end)
  if not rows then
    return nil, e
  elseif #rows == 0 then
    call.out:note(empty_note(call))
    return true
  end
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

local function is_list(row)
  return row.page ~= nil or row.items ~= nil
    or type(row.returns) == "table" and row.returns.list ~= nil
end

-- Text that must reach a program unchanged, and a terminal without effect.
local function for_terminal(call, text)
  return call.world.is_tty(1) and terminal.clean_lines(text) or text
end

local function raw_text(call, text)
  text = for_terminal(call, text)
  return str.ends_with(text, "\n") and text or text .. "\n"
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
    return call.out:data(raw_text(call, value))
  elseif format == "json" or format == "yaml" then
    value = is_list(call.row) and opkit.sort(call.row, value) or value
    return call.out:data(for_terminal(call, render[format](value)))
  elseif type(value) ~= "table" then
    return call.out:data(terminal.clean(tostring(value)) .. "\n")
  elseif format == "csv" then
    local views = render.views(call.row, true)
    return call.out:data(render.csv_head(views)
      .. render.csv_item(views, value))
  end
  return call.out:data(render.detail(call.row, value, call.world.now()))
end

---@async
local function print_result(call, account)
  if is_list(call.row) then
    if call.format == "table" or call.format == "wide" then
      return print_table(call, account)
    elseif call.format == "csv" then
      return print_csv(call, account)
    end
  end
  return print_value(call, account)
end

-- A destroy asks; this face cannot ask yet, so it takes only --yes.
local function check_consent(call)
  local question = opkit.confirm(call.row, call.args)
  if not question or call.globals.yes or call.args.force then
    return true
  end
  return nil, err.new({
    kind = "declined", message = question, hint = "say --yes to go ahead",
  })
end

--- Runs the operation of the call.
---@async
---@param call cli.Call
---@return true?
---@return err.Record?
function M.run(call)
  local agreed, refusal = check_consent(call)
  if not agreed then
    return nil, refusal
  end
  local account <close>, e = session.open(call)
  if not account then
    return nil, e
  end
  local _ <close> = progress.start(call.out, label(call))
  return print_result(call, account)
end

return M
