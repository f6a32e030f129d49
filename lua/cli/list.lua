--- Prints a list operation: the wanted items, in the wanted order and format.
--- Waits. Items are turned into cells as they come, so that thousands of items
--- never stand in memory at once.

local json = require "base.json"
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
  local text = "no " .. (call.row.noun
    or title:find("^%u%u") and title or title:lower())
  local narrowed = {}
  for _, name in ipairs(tbl.keys(call.args)) do
    local value = call.args[name]
    if value == true then
      narrowed[#narrowed + 1] = name
    elseif type(value) == "string" then
      narrowed[#narrowed + 1] = name .. " " .. value
    end
  end
  if call.globals.where then
    narrowed[#narrowed + 1] = "where " .. call.globals.where
  end
  if #narrowed > 0 then
    text = text .. " (" .. table.concat(narrowed, ", ") .. ")"
  end
  return text
end

-- By what was asked for, then by the row's own order, then as they came.
local function comes_before(selection)
  return function(a, b)
    local is_before
    if a.by then
      is_before = selection:before(a.by, b.by)
    end
    if is_before ~= nil then
      return is_before
    elseif a.key ~= b.key then
      return a.key < b.key
    end
    return a.at < b.at
  end
end

-- Calls the operation; keep(item) makes of each wanted item what is kept of it.
-- Items come in any order; the row says which is theirs.
---@async
local function collect(call, account, selection, keep)
  local kept, refused = {}, nil
  local count, e = account:call(call.row.id, call.args, {
    face = "cli",
    each = function(item)
      local is_wanted, why = selection:test(item)
      if is_wanted then
        kept[#kept + 1] = {
          key = opkit.sort_key(call.row, item), at = #kept, made = keep(item),
          by = selection:key(item),
        }
      elseif why then
        refused = refused or why
        return false
      end
    end,
  })
  if refused or count == nil then
    return nil, refused or e
  end
  if call.row.order or call.globals.sort then
    table.sort(kept, comes_before(selection))
  end
  for _, remark in ipairs(selection:remarks()) do
    call.out:warn(remark)
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
  local lines, hidden, width = tables.fit(call, views, rows)
  local ok, failed = call.out:data(table.concat(lines, "\n") .. "\n")
  if ok and #hidden > 0 then
    call.out:aside(hidden_note(hidden, width))
  end
  return ok, failed
end

-- Of a bulk operation that only partly succeeded, what became of each target.
local function partial_results(e)
  local results = type(e.detail) == "table" and e.detail.results
  return type(results) == "table" and #results > 0 and results or nil
end

---@async
local function print_table(call, account, selection)
  local now = call.world.now()
  local views = render.views(call.row, call.format == "wide", selection:views())
  local rows, e = collect(call, account, selection, function(item)
    return render.cells(views, item, now)
  end)
  if not rows then
    local results = partial_results(e)
    if results then
      write_table(call, views, tbl.map(results, function(item)
        return render.cells(views, item, now)
      end))
    end
    return nil, e
  elseif #rows == 0 then
    call.out:note(empty_note(call))
    return true
  end
  return write_table(call, views, rows)
end

---@async
local function print_csv(call, account, selection)
  local views = render.views(call.row, true, selection:views())
  local lines, e = collect(call, account, selection, function(item)
    return render.csv_item(views, item)
  end)
  if not lines then
    local results = partial_results(e)
    if results then
      call.out:data(render.csv_head(views) .. table.concat(tbl.map(results,
        function(item)
          return render.csv_item(views, item)
        end)))
    end
    return nil, e
  elseif #lines == 0 then
    call.out:note(empty_note(call))
  end
  return call.out:data(render.csv_head(views) .. table.concat(lines))
end

-- How JSON and YAML are put together: of JSON, each item becomes text at once,
-- since decoded they are many times as large.
local FORMS = {
  json = { item = render.json_item, list = render.json_list },
  yaml = {
    item = function(item)
      return item
    end,
    list = function(items)
      return render.yaml(json.array(items))
    end,
  },
}

---@async
local function print_items(call, account, selection)
  local form = FORMS[call.format]
  local items, e = collect(call, account, selection, function(item)
    return form.item(selection:project(item))
  end)
  local partial = not items and partial_results(e)
  if not items and not partial then
    return nil, e
  end
  local text = form.list(items or tbl.map(partial, form.item))
  local ok, failed = call.out:data(
    call.world.is_tty(1) and terminal.clean_lines(text) or text)
  e = e or failed
  return not e and ok or nil, e
end

local PRINT = {
  table = print_table, wide = print_table, csv = print_csv, json = print_items,
  yaml = print_items,
}

--- What the call selects of its list; nil when it prints none. Judged before
--- anything is requested.
---@param call cli.Call
---@return op.Selection?
---@return err.Record?
function M.selection(call)
  if call.format == "raw" or not opkit.is_list(call.row) then
    return nil
  end
  return opkit.select(call.row, call.globals)
end

--- Carries out the list operation of the call and prints it.
---@async
---@param call cli.Call
---@param account cli.Session
---@param selection op.Selection
---@return true?
---@return err.Record?
function M.print(call, account, selection)
  return PRINT[call.format](call, account, selection)
end

return M
