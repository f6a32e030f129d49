--- Tools for models and programs.

local json = require "base.json"
local opkit = require "opkit"
local registry = require "opkit.registry"
local support = require "lua.opkit.support"
local t = require "kit"

local ROW = support.row({
  effect = "read", http = { "GET", "/v1/apps/{app}" },
  doc = [[
    Reads it
    twice.
  ]],
  returns = { list = "thing" },
  params = {
    { "app", "app", "name of the app", required = true },
    { "count", "integer", "how many", default = 2, min = 1, max = 9 },
    { "tag", "name", "a tag", many = true },
    { "kind", "enum", "which", values = { "a", "b" } },
    { "wait", "duration", "how long" },
    { "token", "secret", "a token" },
  },
})

registry.set_schemas(function(name)
  return ({ thing = { object = { id = "string", next = "string?" } } })[name]
    or error("no schema named " .. name, 0)
end)

t.test("the schema is closed and has no sensitive parameters", function()
  local schema = opkit.schema(ROW)
  t.eq(schema.additionalProperties, false)
  t.eq(schema.properties.token, nil)
  t.eq(schema.required, { "app" })
  t.eq(schema.properties.count,
    { type = "integer", minimum = 1, maximum = 9, default = 2, description = "how many" })
  t.eq(schema.properties.tag.type, "array")
  t.eq(schema.properties.kind.enum, { "a", "b" })
  t.match(schema.properties.wait.description, "^how long; seconds")
  t.ok(opkit.schema(ROW, { sensitive = true }).properties.token.writeOnly)
end)

t.test("an operation without required parameters has an empty array there", function()
  local tool = opkit.tool(support.row({}))
  t.match(json.encode(tool.input_schema), '"required":%[%]')
end)

t.test("the tool says what it does to the world", function()
  local tool = opkit.tool(ROW)
  t.eq(tool.name, "things_poke")
  t.eq(tool.description, "Poke a thing. Reads it twice.")
  t.eq(tool.annotations.readOnlyHint, true)
  t.eq(tool.annotations.destructiveHint, false)
  t.eq(tool.annotations.idempotentHint, true)
  local write = opkit.tool(support.row({ idempotent = true }))
  t.eq(write.annotations.readOnlyHint, false)
  t.eq(write.annotations.idempotentHint, true)
  local destroy = opkit.tool(support.row({ effect = "destroy", confirm = "Sure?" }))
  t.eq(destroy.annotations.destructiveHint, true)
end)

t.test("named schemas are put in where results are described", function()
  t.eq(opkit.returns(ROW).list.object.id, "string")
  t.eq(opkit.result_schema(ROW).items.properties.id.type, "string")
  t.eq(opkit.returns(support.row({})), nil)
  local nested = support.row({ returns = { object = { one = "thing?", n = "integer" } } })
  t.eq(opkit.returns(nested).object.one.optional, true)
  t.eq(opkit.returns(nested).object.n, "integer")
  t.raises(function()
    opkit.returns(support.row({ returns = "nothing" }))
  end, "no schema named nothing")
end)
