--- base.schema: validation and JSON Schema.

local json = require "base.json"
local schema = require "base.schema"
local t = require "kit"

local MACHINE = {
  object = {
    id = "string",
    region = "string?",
    state = { enum = { "started", "stopped" } },
    created_at = "time?",
    config = {
      object = { cpus = "integer", env = { map = "string", optional = true } },
      optional = true,
    },
    tags = { list = "string", optional = true, text = "free words" },
  },
}

local function fits(text, shape)
  return schema.validate(json.decode(text), shape)
end

t.test("a fitting value passes, with unknown fields and nulls", function()
  t.ok(fits('{"id":"1","state":"started","new":true}', MACHINE))
  t.ok(fits('{"id":"1","state":"stopped","region":null,"tags":[],'
    .. '"config":{"cpus":2,"env":{}},"created_at":"2024-05-01T00:00:00Z"}',
    MACHINE))
end)

t.test("a misfit is told with its path", function()
  local cases = {
    { '{"state":"started"}', "value.id: expected a string, got nothing" },
    { '{"id":1,"state":"started"}', "value.id: expected a string, got an integer" },
    { '{"id":"1","state":"gone"}', 'one of started, stopped, got "gone"' },
    { '{"id":"1","state":"started","config":{"cpus":1.5}}',
      "value.config.cpus: expected an integer, got a float" },
    { '{"id":"1","state":"started","config":[]}',
      "value.config: expected an object, got an array" },
    { '{"id":"1","state":"started","tags":["a",2]}',
      "value.tags%[2%]: expected a string" },
    { '{"id":"1","state":"started","tags":{"a":1}}',
      "value.tags: expected an array, got an object" },
    { '{"id":"1","state":"started","config":{"cpus":1,"env":{"A":1}}}',
      "value.config.env.A: expected a string" },
    { '{"id":"1","state":"started","created_at":"soon"}',
      "value.created_at: expected a time" },
    { "null", "value: expected an object, got null" },
  }
  for _, case in ipairs(cases) do
    local ok, e = fits(case[1], MACHINE)
    t.err(ok, e, case[2])
  end
end)

t.test("a closed object refuses unknown fields", function()
  local shape = { object = { a = "any?" }, closed = true }
  t.ok(fits('{"a":[1]}', shape))
  local ok, e = fits('{"a":1,"b":2}', shape)
  t.err(ok, e, 'unexpected field "b"')
end)

t.test("one_of takes the first that fits", function()
  local shape = { list = { one_of = { "integer", "boolean" } } }
  t.ok(fits("[1,true]", shape))
  local ok, e = fits('["x"]', shape)
  t.err(ok, e, "value%[1%]: expected a boolean")
end)

t.test("integers too large for Lua are still integers", function()
  t.ok(fits("123456789012345678901234567890", "integer"))
  t.ok(fits("123456789012345678901234567890", "number"))
end)

t.test("the JSON Schema says the same", function()
  t.eq(json.encode(schema.json_schema({
    object = {
      id = "string", n = "integer?", at = "time",
      list = { list = { enum = { "a" } }, text = "words" },
      map = { map = "number" }, any = "any?",
    },
    closed = true,
  })), '{"additionalProperties":false,"properties":{'
    .. '"any":{"anyOf":[{},{"type":"null"}]},'
    .. '"at":{"format":"date-time","type":"string"},"id":{"type":"string"},'
    .. '"list":{"description":"words","items":{"enum":["a"],"type":"string"},'
    .. '"type":"array"},'
    .. '"map":{"additionalProperties":{"type":"number"},"type":"object"},'
    .. '"n":{"anyOf":[{"type":"integer"},{"type":"null"}]}},'
    .. '"required":["at","id","list","map"],"type":"object"}')
end)

t.test("at finds the shape under a path, through lists and maps", function()
  t.eq(schema.at(MACHINE, "config.cpus"), "integer")
  t.eq(schema.at({ list = MACHINE }, "region"), "string?")
  t.eq(schema.at(MACHINE, "config.env.ANY"), "string")
  t.eq(schema.at(MACHINE, "config.nothing"), nil)
  t.eq(schema.at(MACHINE, "id.deeper"), nil)
  t.eq(schema.at("any", "whatever.deep"), "any")
end)

t.test("a malformed shape is a bug", function()
  schema.check_shape(MACHINE)
  t.raises(function() schema.check_shape("text") end, "unknown shape: text")
  t.raises(function() schema.check_shape({ object = { a = "strin" } }) end,
    "unknown shape: strin")
  t.raises(function() schema.check_shape({ lst = "string" }) end, "none of the forms")
end)

t.test("a shape tells whether its values may be missing", function()
  for _, shape in ipairs { "string?", { list = "string", optional = true } } do
    t.eq(schema.is_optional(shape), true)
  end
  for _, shape in ipairs { "string", { object = { a = "string?" } } } do
    t.eq(schema.is_optional(shape), false)
  end
end)
