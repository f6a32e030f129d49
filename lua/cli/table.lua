--- Lays cells out in columns: fitted to a width, or plain when there is none.
--- Pure: how wide a text shows is injected, and `fit` only asks how wide the
--- terminal is. Cells are clean one-line texts.

local terminal = require "cli.terminal"

local M = {}

local GAP = "  "
local ELLIPSIS = "…"

-- A column is cut down to this, and no further: a narrower one is better left
-- out than cut to the beginning of a name.
local LEAST = 20

---@class cli.Column
---@field title string
---@field right boolean? numbers stand at the right
---@field rank integer? 1 is dropped last; the column's position unless told

---@class cli.Layout
---@field columns integer[] the shown columns, in their order
---@field widths integer[] of the shown columns
---@field hidden integer[] the columns there was no room for

--- The text cut to a width in terminal cells, with … for what is missing.
---@param text string UTF-8
---@param width integer at least 1
---@param measure fun(text: string): integer
---@return string
function M.cut(text, width, measure)
  if measure(text) <= width then
    return text
  end
  local kept, used = {}, 1
  for char in text:gmatch(utf8.charpattern) do
    local cells = measure(char)
    if used + cells > width then
      break
    end
    kept[#kept + 1] = char
    used = used + cells
  end
  return table.concat(kept) .. ELLIPSIS
end

local function natural_widths(columns, rows, measure)
  local widths = {}
  for i, column in ipairs(columns) do
    widths[i] = measure(column.title)
  end
  for _, row in ipairs(rows) do
    for i = 1, #columns do
      local width = measure(row[i])
      if width > widths[i] then
        widths[i] = width
      end
    end
  end
  return widths
end

-- Column indexes, the most important first.
local function by_rank(columns)
  local order = {}
  for i = 1, #columns do
    order[i] = i
  end
  table.sort(order, function(a, b)
    local rank_a, rank_b = columns[a].rank or a, columns[b].rank or b
    if rank_a == rank_b then
      return a < b
    end
    return rank_a < rank_b
  end)
  return order
end

local function least_width(columns, natural, i, first, measure)
  if i == first then
    return natural[i]
  end
  return math.min(natural[i], math.max(LEAST, measure(columns[i].title)))
end

-- Gives every shown column its least width, then what is left over to the
-- more important ones first.
local function share(shown, least, natural, room)
  local widths = {}
  for _, i in ipairs(shown) do
    widths[i] = least[i]
    room = room - least[i]
  end
  for _, i in ipairs(shown) do
    local more = math.max(0, math.min(natural[i] - widths[i], room))
    widths[i] = widths[i] + more
    room = room - more
  end
  return widths
end

--- Decides which columns are shown and how wide, within `width` cells.
---@param columns cli.Column[]
---@param natural integer[]
---@param width integer
---@param measure fun(text: string): integer
---@return cli.Layout
function M.layout(columns, natural, width, measure)
  local order = by_rank(columns)
  local least, shown, used = {}, {}, -#GAP
  for _, i in ipairs(order) do
    least[i] = least_width(columns, natural, i, order[1], measure)
    if i == order[1] or used + #GAP + least[i] <= width then
      shown[#shown + 1] = i
      used = used + #GAP + least[i]
    else
      break
    end
  end
  least[order[1]] = math.min(least[order[1]], width)
  local widths = share(shown, least, natural, width - #GAP * (#shown - 1))
  local layout = { columns = {}, widths = {}, hidden = {} }
  for i = 1, #columns do
    if widths[i] then
      table.insert(layout.columns, i)
      table.insert(layout.widths, widths[i])
    else
      table.insert(layout.hidden, i)
    end
  end
  return layout
end

local function padded(text, width, right, is_last, measure)
  local missing = width - measure(text)
  if missing <= 0 or is_last and not right then
    return text
  end
  local space = (" "):rep(missing)
  return right and space .. text or text .. space
end

local function line_of(cells, columns, layout, measure, paint)
  local out = {}
  local last = #layout.columns
  for at, i in ipairs(layout.columns) do
    local text = M.cut(cells[i], layout.widths[at], measure)
    text = padded(text, layout.widths[at], columns[i].right, at == last, measure)
    out[at] = paint and paint(text, i) or text
  end
  return (table.concat(out, GAP):gsub(" +$", ""))
end

---@class cli.TableOptions
---@field width integer? cells of the terminal; nil never cuts and never hides
---@field measure (fun(text: string): integer)? display width; #text unless told
---@field header (fun(text: string): string)? how the heading is painted
---@field paint (fun(text: string, column: integer): string)?

--- The lines of a table, heading first, and the titles of hidden columns.
---@param columns cli.Column[]
---@param rows string[][]
---@param opts cli.TableOptions
---@return string[] lines
---@return string[] hidden
function M.lines(columns, rows, opts)
  local measure = opts.measure or string.len
  local natural = natural_widths(columns, rows, measure)
  local layout = M.layout(columns, natural, opts.width or math.maxinteger, measure)
  local titles, hidden = {}, {}
  for i, column in ipairs(columns) do
    titles[i] = column.title
  end
  for at, i in ipairs(layout.hidden) do
    hidden[at] = columns[i].title
  end
  local lines = { line_of(titles, columns, layout, measure, opts.header) }
  for at, row in ipairs(rows) do
    lines[at + 1] = line_of(row, columns, layout, measure, opts.paint)
  end
  return lines, hidden
end

--- The lines for a call's standard output: as wide as its terminal, the heading
--- bold; in a pipe whole and plain.
---@param call cli.Call
---@param columns cli.Column[]
---@param rows string[][] clean texts
---@return string[] lines
---@return string[] hidden
---@return integer? width of the terminal
function M.fit(call, columns, rows)
  local width = call.world.is_tty(1) and call.world.width(1) or nil
  local lines, hidden = M.lines(columns, rows, {
    width = width,
    measure = terminal.measure,
    header = function(text)
      return call.out:paint(1, "bold", text)
    end,
  })
  return lines, hidden, width
end

return M
