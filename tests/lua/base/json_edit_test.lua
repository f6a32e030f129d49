--- base.json.edit: only what is named changes, byte for byte.

local json = require "base.json"
local t = require "kit"
local tbl = require "base.tbl"

local function edited(text, ...)
  local result, e = json.edit(text, { ... })
  return result or error(tostring(e), 2)
end

t.test("a value is replaced where it stands", function()
  local text = '{ "a" : 1.0 ,\n "b":{"c":[ ], "d":12345678901234567890} }'
  t.eq(edited(text, { "b.c", { 1 } }),
    '{ "a" : 1.0 ,\n "b":{"c":[1], "d":12345678901234567890} }')
  t.eq(edited(text, { "a", json.null }),
    '{ "a" : null ,\n "b":{"c":[ ], "d":12345678901234567890} }')
end)

t.test("missing members and their parents are added", function()
  t.eq(edited("{}", { "a", 1 }), '{"a":1}')
  t.eq(edited('{"a":1}', { "b.c", true }), '{"a":1,"b":{"c":true}}')
  t.eq(edited('{"a": null }', { "a.b", 1 }), '{"a": {"b":1} }')
  t.eq(edited("[1]", { { 2 }, "x" }), '[1,"x"]')
  t.eq(edited("[ ]", { { 1 }, "x" }), '[ "x"]')
end)

t.test("deleting takes the right comma along", function()
  t.eq(edited('{"a":1, "b":2}', { "a", json.DELETE }), '{"b":2}')
  t.eq(edited('{"a":1, "b":2 }', { "b", json.DELETE }), '{"a":1 }')
  t.eq(edited('{ "a":1 }', { "a", json.DELETE }), "{  }")
  t.eq(edited("[1,2,3]", { { 2 }, json.DELETE }), "[1,3]")
  t.eq(edited('{"a":1}', { "b", json.DELETE }), '{"a":1}')
  t.eq(edited('{"a":1}', { "b.c", json.DELETE }), '{"a":1}')
  t.eq(edited('{"a":null}', { "a.c", json.DELETE }), '{"a":null}')
end)

t.test("of a repeated key the last is set, and all are deleted", function()
  local text = [[{"a":1,"b":0,"\u0061":2}]]
  t.eq(edited(text, { "a", 3 }), [[{"a":1,"b":0,"\u0061":3}]])
  t.eq(edited(text, { "a", json.DELETE }), '{"b":0}')
end)

t.test("keys that only look alike are told apart", function()
  local text = [[{"a.b":1,"a":{"b":2},"x":"{\"a\":3}","A":4,"a ":5}]]
  t.eq(edited(text, { "a.b", 9 }),
    [[{"a.b":1,"a":{"b":9},"x":"{\"a\":3}","A":4,"a ":5}]])
  t.eq(edited(text, { { "a.b" }, 9 }),
    [[{"a.b":9,"a":{"b":2},"x":"{\"a\":3}","A":4,"a ":5}]])
end)

t.test("impossible edits are refused and name the path", function()
  local cases = {
    { '{"a":1}', { "a.b", 1 }, "cannot edit a.b" },
    { "[1]", { "x", 1 }, "an array takes an index" },
    { '{"a":1}', { { 1 }, 1 }, "an object takes a name" },
    { "[1]", { { 3 }, 1 }, "the array is shorter" },
    { "7", { "a", 1 }, "neither object nor array" },
  }
  for _, case in ipairs(cases) do
    local text, e = json.edit(case[1], { case[2] })
    t.err(text, e, case[3])
  end
  local text, e = json.edit('{"a" 1}', { { "a", 1 } })
  t.err(text, e, "expected : after a key")
end)

-- Random documents: Lua values and a text that spells them in odd ways.

local KEYS = { "a", "b", "config", "env", "é", "a.b", 'q"uote', "", "1" }
local SCALARS = {
  "null", "true", "false", "0", "-0", "1.0", "1e3", "0.10",
  "9007199254740993", "123456789012345678901234567890", "-1E+400",
  '""', '"[]"', '"{}"', [["\u0061\u00e9"]], [["a\/b"]], [["\ud83d\ude00"]],
  [["}],{["]], [["\\"]], [["\""]], "[]", "{}", "[ ]", "{\n}",
}
local SPACES = { "", "", "", " ", "\n  ", "\t" }

local function pick(list)
  return list[math.random(#list)]
end

local function spell_key(key)
  local text = json.encode(key)
  if math.random(4) == 1 then
    text = text:gsub("^\"(%a)", function(c)
      return ('"\\u%04x'):format(c:byte())
    end)
  end
  return text
end

local function random_text(depth)
  local kind = math.random(10)
  if depth == 0 or kind <= 5 then
    return pick(SCALARS)
  end
  local parts = {}
  for i = 1, math.random(0, 4) do
    local value = random_text(depth - 1)
    if kind <= 8 then
      value = spell_key(pick(KEYS)) .. pick(SPACES) .. ":" .. pick(SPACES) .. value
    end
    parts[i] = pick(SPACES) .. value .. pick(SPACES)
  end
  local inside = #parts == 0 and pick(SPACES) or table.concat(parts, ",")
  return kind <= 8 and "{" .. inside .. "}" or "[" .. inside .. "]"
end

-- A document whose object "config" surely exists.
local function random_document()
  return "{" .. pick(SPACES) .. '"id":' .. random_text(1) .. ', "config" :'
    .. pick(SPACES) .. '{"guest":' .. '{"cpus":1,"x":' .. random_text(2) .. "}"
    .. ',"env":' .. random_text(2) .. "}," .. '"rest":' .. random_text(4) .. "}"
end

t.test("random documents change in the named place only", function()
  math.randomseed(20240501)
  for _ = 1, 2000 do
    local text = random_document()
    local before = text:find('"cpus":1', 1, true) + #'"cpus":'
    local wanted = text:sub(1, before - 1) .. "64" .. text:sub(before + 1)
    t.eq(edited(text, { "config.guest.cpus", 64 }), wanted)
    local back = edited(wanted, { { "config", "guest", "new" }, json.array() },
      { "config.guest.new", json.DELETE }, { "config.guest.cpus", 1 })
    t.eq(back, text)
  end
end)

t.test("random edits equal the same change on the decoded document", function()
  math.randomseed(7)
  for _ = 1, 2000 do
    local text = random_text(4)
    local value = json.decode(text)
    if type(value) == "table" and not json.is_array(value)
      and not json.is_raw(value) then
      local key = pick(KEYS)
      local result = json.decode(edited(text, { { key }, { 1, {} } }))
      local changed = tbl.copy(value)
      changed[key] = { 1, {} }
      t.eq(json.encode(result), json.encode(changed))
      changed[key] = nil
      result = json.decode(edited(text, { { key }, json.DELETE }))
      t.eq(json.encode(result), json.encode(changed))
    end
  end
end)

t.test("the fast and the exact decoder agree on random documents", function()
  local exact = require "base.json.exact"
  math.randomseed(99)
  for _ = 1, 3000 do
    local text = random_text(5)
    local value, slow = json.decode(text), exact.decode(text)
    t.eq(json.encode(value), json.encode(slow))
    local again = json.encode(value)
    t.eq(json.encode(json.decode(again)), again)
  end
end)

t.test("each agrees with decode on random arrays", function()
  math.randomseed(3)
  for _ = 1, 1000 do
    local items = {}
    for i = 1, math.random(0, 5) do
      items[i] = pick(SPACES) .. random_text(3) .. pick(SPACES)
    end
    local text = '{"list":[' .. table.concat(items, ",") .. '],"after":1}'
    local seen = json.array()
    local count, rest = json.each(text, "list", function(_, item)
      seen[#seen + 1] = item
    end)
    t.eq(count, #items)
    t.eq(json.encode(seen), json.encode(json.decode(text).list))
    t.eq(rest, '{"list":[],"after":1}')
  end
end)
