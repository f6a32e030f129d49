--- base.json: decoding, encoding, and work on texts.

local json = require "base.json"
local t = require "kit"

t.test("scalars decode to their Lua kinds", function()
  t.eq(json.decode('"a"'), "a")
  t.eq(json.decode(" true "), true)
  t.eq(json.decode("false"), false)
  t.ok(json.decode("null") == json.null)
  t.eq(json.decode("1.5"), 1.5)
end)

t.test("whole numbers are integers, in and out", function()
  local value = json.decode('{"a":256,"b":-1,"c":1e3,"d":2.0,"e":-0,"f":[1]}')
  for key, item in pairs(value) do
    t.eq(math.type(key == "f" and item[1] or item), "integer")
  end
  t.eq(json.encode(value), '{"a":256,"b":-1,"c":1000,"d":2,"e":0,"f":[1]}')
  t.eq(json.encode(10 / 2), "5")
end)

t.test("64-bit and larger integers survive", function()
  local text = '{"big":123456789012345678901234567890,'
    .. '"max":9223372036854775807,"min":-9223372036854775808,'
    .. '"odd":9007199254740993}'
  local value = json.decode(text)
  t.eq(value.max, math.maxinteger)
  t.eq(value.min, math.mininteger)
  t.eq(value.odd, 9007199254740993)
  t.eq(tostring(value.big), "123456789012345678901234567890")
  t.ok(json.is_raw(value.big))
  t.eq(json.encode(value), text)
end)

t.test("numbers no float can hold keep their literal", function()
  t.eq(json.encode(json.decode('[1e999,-1E+999]')), "[1e999,-1E+999]")
end)

t.test("floats are written with the digits that read back", function()
  for _, x in ipairs({ 0.1, 1 / 3, 1.5e300, 5e-324, -2.5, 2 ^ 60 + 0.0 }) do
    t.eq(tonumber(json.encode(x)), x)
  end
  t.eq(json.encode(0.1), "0.1")
end)

t.test("an empty array stays an array, an empty object an object", function()
  for _, text in ipairs({
    "[]", "{}", '{"a":[],"b":{}}', "[[],{},[[]]]", '{"a":[],"s":"[]"}',
    '["[]","{}"]', '{"a":[{}],"b":[[]]}',
  }) do
    t.eq(json.encode(json.decode(text)), text)
  end
  t.eq(json.encode(json.decode('{"a":[ ],"b":{ }}')), '{"a":[],"b":{}}')
  t.eq(json.encode(json.decode("[\n\t]")), "[]")
end)

t.test("arrays keep their mark when emptied", function()
  local list = json.decode("[1]")
  t.ok(json.is_array(list))
  list[1] = nil
  t.eq(json.encode(list), "[]")
  t.eq(json.encode({ required = json.array() }), '{"required":[]}')
  t.ok(not json.is_array(json.decode("{}")))
  t.ok(not json.is_array("[]"))
end)

t.test("nulls keep their places", function()
  local list = json.decode("[null,1,null]")
  t.eq(#list, 3)
  t.eq(json.encode(list), "[null,1,null]")
  t.eq(json.encode(json.decode('{"a":null}')), '{"a":null}')
end)

t.test("escapes and surrogate pairs decode; a lone surrogate is replaced", function()
  t.eq(json.decode([["\u0041\n\t\"\\\/\ud83d\ude00"]]), 'A\n\t"\\/😀')
  t.eq(json.decode([["\ud83d!"]]), "\u{FFFD}!")
  t.eq(json.decode([["\ude00"]]), "\u{FFFD}")
  t.eq(json.decode([["\u0000"]]), "\0")
end)

t.test("of a repeated key the last value counts", function()
  t.eq(json.decode('{"a":1,"a":[]}'), { a = {} })
  t.ok(json.is_array(json.decode('{"a":1,"a":[]}').a))
  t.eq(json.decode([[{"a":[],"\u0061":2}]]), { a = 2 })
end)

t.test("malformed texts are refused with their place", function()
  local cases = {
    { "", 1, 1, "unexpected end" },
    { "<html>", 1, 1, "expected a value" },
    { '{"a":1,\n  "b" 2}', 2, 7, "expected : after a key" },
    { "[1,2", 1, 5, "expected , or ]" },
    { "[1,]", 1, 4, "expected a value" },
    { '{"a":1 "b":2}', 1, 8, "expected , or }" },
    { "{a:1}", 1, 2, "expected a key" },
    { '"abc', 1, 1, "unfinished string" },
    { [["\x"]], 1, 2, "bad escape" },
    { "[01]", 1, 2, "malformed number" },
    { "[-]", 1, 2, "malformed number" },
    { "[NaN]", 1, 2, "expected a value" },
    { "[0x10]", 1, 3, "expected , or ]" },
    { "[] []", 1, 4, "more text" },
    { "nul", 1, 1, "expected a value" },
    { "[\0]", 1, 2, "expected a value" },
  }
  for _, case in ipairs(cases) do
    local value, e = json.decode(case[1])
    t.err(value, e, "protocol")
    t.eq({ e.line, e.column }, { case[2], case[3] })
    t.match(e.message, case[4])
  end
end)

t.test("depth and size are bounded, both ways", function()
  local deep = ("["):rep(200) .. ("]"):rep(200)
  t.ok(json.decode(deep))
  local value, e = json.decode(("["):rep(202) .. ("]"):rep(202))
  t.err(value, e, "nested too deeply")
  value, e = json.decode(("["):rep(1000000))
  t.err(value, e, "nested too deeply")
  value, e = json.decode("[1,2,3]", { max = 6 })
  t.err(value, e, "over the limit of 6")
  t.eq(e.code, "E2BIG")
  local cycle = {}
  cycle[1] = cycle
  t.raises(function() json.encode(cycle) end, "a cycle")
  local huge = ("x"):rep(1024 * 1024)
  local list = {}
  for i = 1, 65 do
    list[i] = huge
  end
  t.raises(function() json.encode(list) end, "over %d+ bytes")
end)

t.test("encode sorts keys and escapes what must be", function()
  t.eq(json.encode({ b = 1, a = "x\"\\\n\1\127/é" }),
    [[{"a":"x\"\\\n\u0001\u007f/é","b":1}]])
end)

t.test("encode indents on request", function()
  t.eq(json.encode({ a = { 1, 2 }, b = {}, c = json.array() }, { indent = 2 }),
    '{\n  "a": [\n    1,\n    2\n  ],\n  "b": {},\n  "c": []\n}')
end)

t.test("encode raises on what has no JSON form", function()
  t.raises(function() json.encode(error) end, "a function has no JSON form")
  t.raises(function() json.encode({ io.stdout }) end,
    "a userdata has no JSON form")
  t.raises(function() json.encode(0 / 0) end, "no form for")
  t.raises(function() json.encode(1 / 0) end, "no form for")
  t.raises(function() json.encode({ 1, 2, x = 3 }) end, "named fields")
  t.raises(function() json.encode({ [1] = 1, [3] = 3 }) end, "list")
  t.raises(function() json.encode({ [1.5] = 1 }) end, "keys must be strings")
  t.raises(function() json.encode(json.DELETE) end, "DELETE has no JSON form")
end)

t.test("raw text is written as it is", function()
  t.eq(json.encode({ a = json.raw("1.50") }), '{"a":1.50}')
end)

t.test("each hands out elements with their exact text", function()
  local text = '{"n":1, "list": [ {"a": "}"} , [1, 2],"x]", {"b":{}},\n null,7 ] ,'
    .. '"next":"c"}'
  local seen, values = {}, {}
  local count, rest = json.each(text, "list", function(piece, item)
    seen[#seen + 1] = piece
    values[#values + 1] = item
  end)
  t.eq(count, 6)
  t.eq(seen, { '{"a": "}"}', "[1, 2]", '"x]"', '{"b":{}}', "null", "7" })
  t.eq(values[1].a, "}")
  t.ok(values[5] == json.null)
  t.eq(rest, '{"n":1, "list": [] ,"next":"c"}')
end)

t.test("each takes braces in strings for what they are", function()
  local items = { '{"a":"},"}', '{"a":"{"}', [[{"a":"\"}"}]], '{"a":"}{"}',
    '{"a":"\\\\","b":"}"}' }
  local text = "[" .. table.concat(items, ",") .. "]"
  local seen = {}
  t.eq(json.each(text, nil, function(piece)
    seen[#seen + 1] = piece
  end), #items)
  t.eq(seen, items)
end)

t.test("each takes a missing or null array as empty and can stop", function()
  local function never()
    error("called")
  end
  t.eq({ json.each('{"a":null}', "a", never) }, { 0, '{"a":[]}' })
  t.eq({ json.each('{"b":1}', "a", never) }, { 0, '{"b":1}' })
  t.eq({ json.each("[]", nil, never) }, { 0, "[]" })
  local calls = 0
  t.eq({ json.each("[1,2,3]", nil, function()
    calls = calls + 1
    return calls < 2
  end) }, { 2 })
end)

t.test("each refuses what is no array, and says where it breaks", function()
  local function ignore()
  end
  local count, e = json.each('{"a":{}}', "a", ignore)
  t.err(count, e, "expected an array")
  count, e = json.each('{"a":[{"x":1},{"x":}]}', "a", ignore)
  t.err(count, e, "line 1 column 20: expected a value")
  count, e = json.each('[{"x":1}', nil, ignore)
  t.err(count, e, "expected , or ]")
  count, e = json.each("[1 2]", nil, ignore)
  t.err(count, e, "expected , or ]")
  count, e = json.each('{"b":', "a", ignore)
  t.err(count, e, "unexpected end")
end)

t.test("get_raw finds a value by path, escaped keys too", function()
  local text = [[{"a":{"b.c":[10, {"\u0064":"x"}]},"e":1.0}]]
  t.eq(json.get_raw(text, { "a", "b.c", 2, "d" }), '"x"')
  t.eq(json.get_raw(text, { "a", "b.c", 1 }), "10")
  t.eq(json.get_raw(text, "e"), "1.0")
  t.eq(json.get_raw(text, "a.nothing"), nil)
  t.eq(json.get_raw(text, "e.deeper"), nil)
  t.eq(json.get_raw(text, { "a", "b.c", 3 }), nil)
  local value, e = json.get_raw('{"a" 1}', "a")
  t.err(value, e, "expected : after a key")
end)
