-- The reference is what the rows say, and says it of all of them.

local limits = require "fly.limits"
local opkit = require "opkit"
local reference = require "opkit.reference"
local registry = require "ops"
local str = require "base.str"
local t = require "kit"
local world = require "face.world"

local STALE = "run `make docs`"

t.test("docs/reference.md is what the rows say", function()
  local code, seen = world.run({ "docs" })
  t.eq(code, 0)
  t.ok(seen.out == t.read_file("docs/reference.md"), STALE)
end)

t.test("the README's table is what the rows say", function()
  local _, seen = world.run({ "docs", "--summary" })
  local table_text = t.read_file("README.md"):match(
    "<!%-%- operations:[^\n]*\n(.-)<!%-%- /operations %-%->")
  t.ok(seen.out == table_text, STALE)
end)

t.test("every operation says how it is written, what it calls, its limits, an example", function()
  local text = reference.page({ limit = limits.describe })
  for _, op in ipairs(registry.all()) do
    local calls = reference.calls(op)
    t.ok(#calls > 0, op.id)
    local page = table.concat(reference.operation(op, { limit = limits.describe }), "\n")
    t.match(page, "\n%- limits: %w[^\n]+\n", op.id)
    t.match(page, "\n    clanker fly [^\n]+\n*$", op.id .. " has no example")
    for _, call in ipairs(calls) do
      t.ok(call:find("^%u+ /") or call:find("^GraphQL %u") or call:find("^flyctl %l"),
        op.id .. ": " .. call)
    end
  end
  for _, path in ipairs({ "list machines", "secrets set", "logs", "deploy", "scale count" }) do
    t.ok(text:find("\n### " .. path .. "\n", 1, true), path)
  end
  t.ok(text:find("- calls: `GET /v1/apps/{app}/machines/{id}`", 1, true))
  t.ok(text:find("- limits: 5 a second per machine and action, bursts of 10", 1, true))
  t.ok(text:find("[region --region={region}]", 1, true) == nil)
end)

t.test("of every operation it tells form, parameters, effect, calls, limits, examples", function()
  local text = reference.page({ limit = limits.describe })
  local sections, rest = {}, text:gsub("\n## [^\n]*", "")
  for _, part in ipairs(str.split(rest:gsub("\n### ", "\0"), "\0")) do
    sections[part:match("^[^\n]*")] = part
  end
  for _, op in ipairs(registry.all()) do
    local path = opkit.paths(op)[1]
    local body = t.ok(sections[path], path)
    t.ok(body:find("\n    clanker fly " .. path, 1, true), path)
    for _, param in ipairs(op.params) do
      local name = param.pos and "<" .. param.name or param.rest and "-- " or param.flag
      t.ok(param.hidden or body:find("\n| `" .. name, 1, true)
        or body:find("\n| `[" .. name, 1, true), path .. ": " .. name)
    end
    for _, line in ipairs({ "effect", "calls", "limits" }) do
      t.ok(body:find("\n- " .. line .. ": ", 1, true), path .. ": " .. line)
    end
    for _, example in ipairs(op.examples) do
      t.ok(body:find("\n    clanker fly " .. example .. "\n", 1, true), path .. ": " .. example)
    end
  end
end)

t.test("one resource's part is found by any of its nouns", function()
  for _, word in ipairs({ "machines", "machine" }) do
    local code, seen = world.run({ "docs", word })
    t.eq(code, 0)
    t.match(seen.out, "^## Machines\n")
    t.lacks(seen.out, "## Volumes")
  end
  local code, seen = world.run({ "docs", "machins" })
  t.eq(code, 2)
  t.match(seen.err, "did you mean machines%?")
end)
