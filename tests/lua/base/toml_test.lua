local t = require "kit"
local toml = require "base.toml"

local TEXT = table.concat({
  "# app = 'a-comment'", 'app = "my-app" # ours', "primary_region='iad'", "count = 3",
  '"quoted" = "yes"', 'odd = "a\\"b"', "", "[build]", '  image = "nginx"', 'late = "x"',
}, "\n")

t.test("a text at the top is found by its whole key", function()
  t.eq(toml.top(TEXT, "app"), "my-app")
  t.eq(toml.top(TEXT, "primary_region"), "iad")
  t.eq(toml.top(TEXT, "quoted"), "yes")
  t.eq(toml.top(TEXT, "region"), nil)
end)

t.test("what is in a section, a comment, or no plain text is not", function()
  for _, key in ipairs({ "image", "late", "count", "odd", "a.p" }) do
    t.eq(toml.top(TEXT, key), nil, key)
  end
  t.eq(toml.top("", "app"), nil)
end)
