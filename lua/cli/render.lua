--- An operation's result as text in the format asked for.
--- Pure; columns come from the row, widths from the caller.

local json = require "base.json"
local opkit = require "opkit"
local str = require "base.str"
local tbl = require "base.tbl"
local terminal = require "cli.terminal"

local M = {}

---@class cli.View one column, ready to be used
---@field title string
---@field key string
---@field right boolean
---@field rank integer
---@field text fun(item: table, now: number): string
---@field value fun(item: table): any

-- Ranks order by priority, then by position.
local RANK_STEP = 1000

--- The columns of a row, or those selected; the wide ones only on request.
---@param row op.Row
---@param is_wide boolean
---@param selected op.View[]?
---@return cli.View[]
function M.views(row, is_wide, selected)
  local views = {}
  for i, view in ipairs(selected or opkit.columns(row)) do
    if is_wide or not view.wide then
      views[#views + 1] = {
        title = view.title, key = view.key, right = view.align == "right",
        rank = (selected and 1 or view.priority) * RANK_STEP + i, text = view.text,
        value = view.value,
      }
    end
  end
  return views
end

--- The cells of an item as clean texts; what is absent is "-".
---@param views cli.View[]
---@param item table
---@param now number
---@return string[]
function M.cells(views, item, now)
  local cells = {}
  for i, view in ipairs(views) do
    local text = terminal.clean(view.text(item, now))
    cells[i] = text ~= "" and text or "-"
  end
  return cells
end

local function csv_field(value)
  local text = value
  if value == nil or value == json.null then
    text = ""
  elseif type(value) == "table" then
    text = json.encode(value)
  end
  text = terminal.clean(tostring(text))
  if text:find('[",\r\n]') or text:find("^%s") or text:find("%s$") then
    return '"' .. text:gsub('"', '""') .. '"'
  end
  return text
end

--- One line of CSV (RFC 4180 but for the line end, which is \n).
---@param values any[]
---@param n integer
---@return string
function M.csv_line(values, n)
  local fields = {}
  for i = 1, n do
    fields[i] = csv_field(values[i])
  end
  return table.concat(fields, ",") .. "\n"
end

--- The heading of CSV.
---@param views cli.View[]
---@return string
function M.csv_head(views)
  return M.csv_line(tbl.map(views, function(view)
    return view.key
  end), #views)
end

--- An item as a line of CSV: plain values, not the cells of the table.
---@param views cli.View[]
---@param item table
---@return string
function M.csv_item(views, item)
  local values = {}
  for i, view in ipairs(views) do
    values[i] = view.value(item)
  end
  return M.csv_line(values, #views)
end

-- "config.guest" and its leaves: what to show of a reply without columns.
local function leaves(value, prefix, list)
  for key, item in tbl.sorted(value) do
    local name = prefix == "" and tostring(key) or prefix .. "." .. tostring(key)
    if type(item) == "table" and not json.is_array(item) and #item == 0
      and next(item) ~= nil then
      leaves(item, name, list)
    else
      list[#list + 1] = { name, csv_field(item) }
    end
  end
  return list
end

--- One thing in full: a line per column of its row, or per field without any.
---@param row op.Row
---@param value table
---@param now number
---@return string
function M.detail(row, value, now)
  local views = M.views(row, true)
  local list = {}
  if #views == 0 then
    list = leaves(value, "", list)
  else
    local cells = M.cells(views, value, now)
    for i, view in ipairs(views) do
      list[i] = { view.title, cells[i] }
    end
  end
  local width = 0
  for _, entry in ipairs(list) do
    width = math.max(width, terminal.measure(entry[1]))
  end
  local lines = {}
  for i, entry in ipairs(list) do
    local gap = (" "):rep(width - terminal.measure(entry[1]) + 2)
    lines[i] = entry[1] .. gap .. entry[2]
  end
  return table.concat(lines, "\n") .. "\n"
end

-- Marks that reorder or hide what is seen around them.
local function is_invisible(code)
  return code >= 0x200B and code <= 0x200F or code >= 0x202A and code <= 0x202E
    or code >= 0x2060 and code <= 0x2069 or code == 0x61C or code == 0xFEFF
end

-- Inside of JSON texts: what the encoder leaves alone and a terminal does not.
local function printable(text)
  -- Nothing but ASCII: as many characters as bytes.
  if utf8.len(text) == #text and not text:find("\127", 1, true) then
    return text
  end
  return (text:gsub("\127", "\\u007f"):gsub(utf8.charpattern, function(char)
    if #char > 1 then
      local code = utf8.codepoint(char)
      if code < 0xA0 or is_invisible(code) then
        return ("\\u%04x"):format(code)
      end
    end
  end))
end

--- JSON that a terminal may see, with the value unchanged.
---@param value any
---@return string
function M.json(value)
  return printable(json.encode(value, { indent = 2 })) .. "\n"
end

--- An item of the list that `json_list` puts together.
---@param item any
---@return string
function M.json_item(item)
  return printable(json.encode(item, { indent = 2, depth = 1 }))
end

--- The same text as `json` has for the list of these items.
---@param items string[]
---@return string
function M.json_list(items)
  if #items == 0 then
    return "[]\n"
  end
  return "[\n  " .. table.concat(items, ",\n  ") .. "\n]\n"
end

---@param value any
---@return string
function M.yaml(value)
  local yaml = require "sys.yaml"
  local text = yaml.encode(value)
  return str.ends_with(text, "\n") and text or text .. "\n"
end

return M
