-- Tables: what is shown, cut and left out at each width.

local t = require "kit"
local tables = require "cli.table"

local COLUMNS = {
  { title = "ID", rank = 1 }, { title = "APP", rank = 2 },
  { title = "IMAGE", rank = 4 }, { title = "MEMORY", rank = 3, right = true },
}

local ROWS = {
  { "1234567890abcd", "web", "registry.example.com/web:v1", "512 MB" },
  { "abcd1234567890", "worker", "-", "4 GB" },
}

local function lines(width, rows, columns, measure)
  return tables.lines(columns or COLUMNS, rows or ROWS,
    { width = width, measure = measure })
end

t.test("without a width nothing is cut and nothing trails", function()
  t.eq(lines(nil), {
    "ID              APP     IMAGE                        MEMORY",
    "1234567890abcd  web     registry.example.com/web:v1  512 MB",
    "abcd1234567890  worker  -                              4 GB",
  })
end)

t.test("the least important column gives way first", function()
  t.eq(lines(54), {
    "ID              APP     IMAGE                   MEMORY",
    "1234567890abcd  web     registry.example.com/…  512 MB",
    "abcd1234567890  worker  -                         4 GB",
  })
  local shown, hidden = lines(51)
  t.eq(shown[2], "1234567890abcd  web     512 MB")
  t.eq(hidden, { "IMAGE" })
end)

t.test("twenty columns still show what a row is called", function()
  local shown, hidden = lines(20)
  t.eq(shown, { "ID", "1234567890abcd", "abcd1234567890" })
  t.eq(hidden, { "APP", "IMAGE", "MEMORY" })
end)

t.test("no line is ever wider than asked, down to one column", function()
  for width = 1, 80 do
    for _, line in ipairs(lines(width)) do
      t.ok(utf8.len(line) <= width, ("%d: %s"):format(width, line))
    end
  end
end)

t.test("wide and combining characters are measured, not counted", function()
  local function measure(text)
    local width = 0
    for _, code in utf8.codes(text) do
      width = width + (code == 0x301 and 0 or code > 0x2E80 and 2 or 1)
    end
    return width
  end
  t.eq(lines(nil, { { "日本", "x" }, { "e\u{301}", "y" } },
    { { title = "NAME" }, { title = "X" } }, measure),
    { "NAME  X", "日本  x", "e\u{301}     y" })
  t.eq(tables.cut("日本語です", 6, measure), "日本…")
  t.eq(tables.cut("日本語です", 10, measure), "日本語です")
end)

t.test("a table without rows is its heading", function()
  t.eq(lines(80, {}), { "ID  APP  IMAGE  MEMORY" })
end)

t.test("headings are painted after they are laid out", function()
  local painted = tables.lines({ { title = "A" }, { title = "B" } },
    { { "long", "x" } }, { header = function(text)
      return "<" .. text .. ">"
    end })
  t.eq(painted, { "<A   >  <B>", "long  x" })
end)
