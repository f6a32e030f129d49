--- What is of another type than its shape says is left out, and nothing else is.

local conform = require "base.conform"
local json = require "base.json"
local schema = require "base.schema"
local t = require "kit"

local function apply(text, shape)
  local report = conform.report()
  local kept = conform.apply(json.decode(text), shape, report)
  return kept, report
end

local SHAPE = {
  object = {
    id = "string", size = "integer?", load = "number?", at = "time?", on = "boolean?",
    free = "any?", kind = { enum = { "a", "b" } },
    config = { object = { image = "string?" }, optional = true },
    names = { list = "string", optional = true },
    mounts = { list = { object = { path = "string?" } }, optional = true },
    labels = { map = "string", optional = true },
  },
}

t.test("what fits stays as it is, and so does what no shape names", function()
  local text = '{"at":"2024-01-02T03:04:05Z","config":{"image":"x","more":[1,{}]},"free":[{}],'
    .. '"id":"1","kind":"c","labels":{"a":"b"},"load":0.5,"mounts":[{"path":"/d"}],"names":[],'
    .. '"on":false,"other":{"a":null},"size":3}'
  local kept, report = apply(text, SHAPE)
  t.eq(json.encode(kept), text)
  t.eq(report.count, 0)
end)

t.test("texts and numbers that mean the same stand for each other", function()
  local kept, report = apply('{"id":7,"size":"12","load":"-1.5","names":[1,"b"]}', SHAPE)
  t.eq(kept, { id = "7", size = 12, load = -1.5, names = { "1", "b" } })
  t.eq(report.count, 0)
  t.eq(apply("123456789012345678901234567890", "string"), "123456789012345678901234567890")
  t.eq(apply("3.0", "integer"), 3)
end)

t.test("each member of another type is left out, and told", function()
  for path, text in pairs {
    ["id"] = '{"id":{}}', ["size"] = '{"size":1.5}', ["load"] = '{"load":"much"}',
    ["at"] = '{"at":[]}', ["on"] = '{"on":"yes"}', ["config"] = '{"config":"x"}',
    ["config.image"] = '{"config":{"image":true}}', ["names"] = '{"names":{"a":1}}',
    ["names.2"] = '{"names":["a",[],"b"]}', ["mounts.1"] = '{"mounts":[3]}',
    ["mounts.1.path"] = '{"mounts":[{"path":{}}]}', ["labels.a"] = '{"labels":{"a":[]}}',
    ["labels"] = '{"labels":[]}', ["kind"] = '{"kind":{}}',
  } do
    local kept, report = apply(text, SHAPE)
    t.eq(report, { count = 1, first = path, path = {} }, text)
    t.lacks(json.encode(kept), '"x"', text)
  end
  t.eq(apply('{"names":["a",[],"b"]}', SHAPE).names, { "a", "b" })
end)

t.test("numbers in other notations are no numbers", function()
  for _, odd in ipairs { '"0x10"', '"1e3"', '" 1"', '""', '"inf"', "true" } do
    t.eq(apply(odd, "number"), nil, odd)
  end
end)

t.test("nulls and what is missing are no fault", function()
  local kept, report = apply('{"id":null,"config":null,"names":[null]}', SHAPE)
  t.eq(kept, { names = {} })
  t.eq(report.count, 0)
end)

t.test("the whole can be of another type", function()
  for _, text in ipairs { "3", '"x"', "[]", "true", "[{}]" } do
    t.eq(apply(text, SHAPE), nil, text)
  end
  for _, text in ipairs { "3", '"x"', "{}", "true" } do
    t.eq(apply(text, { list = "string" }), nil, text)
  end
end)

t.test("every scalar of a shape is known", function()
  t.ok(#schema.SCALARS > 0)
  for _, name in ipairs(schema.SCALARS) do
    for _, shape in ipairs { name, name .. "?" } do
      local kept, report = apply('{"x": []}', { object = { x = shape } })
      t.eq({ kept.x ~= nil, report.count }, name == "any" and { true, 0 } or { false, 1 }, shape)
    end
  end
end)
