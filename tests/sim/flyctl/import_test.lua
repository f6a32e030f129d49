--- The simulated `flyctl secrets import` against what flyctl's own parser made
--- of the same texts.

local json = require "base.json"
local read_import = require "sim.flyctl.import"
local t = require "kit"

local FILE = t.shared("secrets-import-vectors.json")

-- Long runs are written "<70000 x>" there.
local function expand(text)
  return (text:gsub("<(%d+) (.)>", function(count, letter)
    return letter:rep(math.tointeger(tonumber(count)))
  end))
end

t.test("every text is read as flyctl reads it", function()
  if not FILE then
    return t.skip("no secrets-import-vectors.json beside the repository")
  end
  local checked = 0
  for _, vector in ipairs(assert(json.decode(t.read_file(FILE))).vectors) do
    local values, why = read_import(expand(vector.stdin))
    if vector.error or vector.crash then
      t.eq(values, nil, vector.name)
    else
      t.eq(values or why, vector.result, vector.name)
    end
    checked = checked + 1
  end
  t.ok(checked >= 40)
end)

t.test("a name without a value refuses the whole, and repeats the line", function()
  local values, why = read_import("A=1\nhunter2\n")
  t.eq(values, nil)
  t.match(why, "hunter2")
end)
