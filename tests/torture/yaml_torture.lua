local t = require "kit"
local yaml = require "host.yaml"

local TEXT = [[
flyio:
  api_token: &no fo1_example
  list: [1, 2.5, true, ~, "text", &a {b: c}]
  again: *a
]]

t.torture("decoding survives a failing allocation", function()
  local value, message = yaml.decode(TEXT, { secrets = { "x.y" } })
  assert(value, message)
  assert(value.flyio.again.b == "c")
end)

t.torture("decoding a secret survives a failing allocation", function()
  local value, message = yaml.decode("a: {b: s}\nc: [d]", { secrets = { "a.b" } })
  assert(value, message)
  value.a.b:close()
end)

t.torture("loading a file survives a failing allocation", function()
  local path = os.tmpname()
  local file = io.open(path, "w")
  if file then
    file:write(TEXT)
    file:close()
  end
  local value, message = yaml.load(path)
  os.remove(path)
  assert(value and value.flyio, message)
end)

t.torture("an error survives a failing allocation", function()
  local value, message, code, place = yaml.decode("a: 1\na: 2")
  assert(not value and message and code == "EINVAL" and place.line == 2, message)
end)

t.torture("encoding survives a failing allocation", function()
  local text = yaml.encode({ a = { 1, 2.5, true, "text", { b = "c" } }, long = ("x y "):rep(1000) })
  assert(#text > 4000)
end)
