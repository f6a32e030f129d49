local json = require "base.json"
local render = require "cli.render"
local t = require "kit"
local tbl = require "base.tbl"

t.test("a list put together of its items is the list's own JSON", function()
  local lists = {
    {},
    { { a = 1 } },
    { { a = { b = { 1, { c = "\r\127\u{202e}ü" } } }, d = json.array {} }, {}, { e = json.null } },
  }
  for _, items in ipairs(lists) do
    local text = render.json_list(tbl.map(items, render.json_item))
    t.eq(text, render.json(json.array(items)))
    t.eq(json.decode(text), json.array(items))
    t.ok(not text:find("[\127\r]"))
  end
end)
