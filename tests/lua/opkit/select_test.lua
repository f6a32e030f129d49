--- opkit.select: which items, what of each, in what order.

local json = require "base.json"
local select = require "opkit.select"
local t = require "kit"
local tbl = require "base.tbl"

local OP = {
  id = "things.list",
  returns = { list = { object = { name = "string", note = "string?" } } },
  columns = {
    { "NAME", "name" },
    { "ORG", "organization.slug" },
    { "SIZE", function(item)
      return item.config and item.config.size
    end, format = "megabytes", priority = 3 },
  },
}

local ITEMS = {
  { name = "b", organization = { slug = "x" }, config = { size = 10 } },
  { name = "a", organization = { slug = "y" }, config = { size = 9 } },
  { name = "c", organization = { slug = "x" } },
}

local function wanted(flags)
  local selection = assert(select.new(OP, flags))
  local kept = {}
  for i, item in ipairs(ITEMS) do
    if selection:test(item) then
      kept[#kept + 1] = { item = item, by = selection:key(item), at = i }
    end
  end
  if flags.sort then
    table.sort(kept, function(a, b)
      local is_before = selection:before(a.by, b.by)
      if is_before == nil then
        return a.at < b.at
      end
      return is_before
    end)
  end
  return tbl.map(kept, function(entry)
    return entry.item.name
  end), selection
end

t.test("fields come first, then columns by their heading", function()
  t.eq(wanted({ where = 'org == "x"' }), { "b", "c" })
  t.eq(wanted({ where = "size > 9" }), { "b" })
  t.eq(wanted({ where = "config.size > 9" }), { "b" })
  t.eq(wanted({}), { "b", "a", "c" })
end)

t.test("numbers sort as numbers, missing ones last, ties as they came", function()
  t.eq(wanted({ sort = "size" }), { "a", "b", "c" })
  t.eq(wanted({ sort = "-size" }), { "b", "a", "c" })
  t.eq(wanted({ sort = "org" }), { "b", "c", "a" })
  t.eq(wanted({ sort = "-org,-name" }), { "a", "c", "b" })
  t.eq(wanted({ sort = "config" }), { "b", "a", "c" })
end)

t.test("what is selected is projected to its place", function()
  local selection = assert(select.new(OP, { select = "name,config.size,org,note" }))
  t.eq(json.encode(selection:project(ITEMS[1])),
    '{"config":{"size":10},"name":"b","note":null,"org":"x"}')
  t.eq(json.encode(selection:project(ITEMS[3])),
    '{"config":{"size":null},"name":"c","note":null,"org":"x"}')
  selection = assert(select.new(OP, { select = "name.x,name" }))
  t.eq(json.encode(selection:project(ITEMS[3])), '{"name":"c"}')
end)

t.test("selected columns are the row's own where it has them", function()
  local selection = assert(select.new(OP,
    { select = "size,organization.slug,config.size" }))
  local views = selection:views()
  t.eq(tbl.map(views, function(view)
    return { view.title, view.key, view.text(ITEMS[1], 0) }
  end), {
    { "SIZE", "size", "10 MB" }, { "ORG", "organization.slug", "x" },
    { "CONFIG.SIZE", "config.size", "10" },
  })
  t.eq(assert(select.new(OP, {})):views(), nil)
end)

t.test("names nothing has are remarked, those of the reply are not", function()
  local _, selection = wanted({
    where = "nam == 1 and note == nil", select = "config", sort = "org",
  })
  t.eq(selection:remarks(), {
    '--where: nothing listed has "nam" (did you mean name?)',
  })
  _, selection = wanted({ where = "true", select = "config,sise" })
  t.eq(selection:remarks(), {
    '--select: nothing listed has "sise" (did you mean size?)',
  })
  t.eq(assert(select.new(OP, { where = "nam" })):remarks(), {})
end)

t.test("wrong flags are refused before anything is listed", function()
  for flag, texts in pairs({
    select = { "", "a,,b", ".a", "a.", "a..b", "a b", "-a", ("a,"):rep(64) .. "a" },
    sort = { "", "--a", "-", "a,", "a\nb" },
    where = { "", "name =", "x(" },
  }) do
    for _, text in ipairs(texts) do
      local selection, e = select.new(OP, { [flag] = text })
      t.err(selection, e, "usage")
      t.match(e.message, "^%-%-" .. flag .. ": ")
    end
  end
end)

t.test("an expression that does not fit an item says so", function()
  local selection = assert(select.new(OP, { where = "name > 1" }))
  local is_wanted, e = selection:test(ITEMS[1])
  t.err(is_wanted, e, "usage")
  t.match(e.message, "^%-%-where: cannot compare a text with a number")
end)
