-- The grammar of command lines: flags in every form, places, and refusals.

local args = require "cli.args"
local commands = require "cli.commands"
local t = require "kit"

local function parse(...)
  return args.parse({ ... }, commands.resolve, require("cli.globals").FLAGS)
end

local function bound(...)
  local parsed, e = parse(...)
  t.ok(parsed, e)
  return t.ok(args.bind(parsed))
end

t.test("a flag's value follows it or stands behind =", function()
  for _, words in ipairs({
    { "fly", "list", "machines", "--region", "ams" },
    { "fly", "list", "machines", "--region=ams" },
    { "fly", "machines", "list", "--region", "ams" },
    { "fly", "machine", "list", "--region=ams" },
  }) do
    t.eq(bound(table.unpack(words)), { region = "ams" })
  end
end)

t.test("short flags take their value in three forms", function()
  for _, words in ipairs({ { "-o", "json" }, { "-ojson" }, { "-o=json" } }) do
    local parsed = t.ok(parse("fly", "list", "apps", table.unpack(words)))
    t.eq(parsed.globals.output, "json")
  end
end)

t.test("global flags stand anywhere", function()
  local parsed = t.ok(parse("--raw", "fly", "--org", "acme", "list", "apps",
    "--debug"))
  t.eq(parsed.words, { "fly", "list", "apps" })
  t.eq(parsed.globals.raw, true)
  t.eq(parsed.globals.debug, true)
  t.eq(parsed.values.org or parsed.globals.org, "acme")
end)

t.test("switches stand alone or say true or false", function()
  t.eq(bound("fly", "list", "volumes", "--unattached"), { unattached = true })
  t.eq(bound("fly", "list", "volumes", "--unattached=false"),
    { unattached = "false" })
  t.eq(bound("fly", "list", "volumes", "--unattached", "--region", "ams"),
    { unattached = true, region = "ams" })
end)

t.test("words are placed by position, unless a flag already gave it", function()
  t.eq(bound("fly", "get", "machine", "1234abcd", "--app", "web"),
    { id = "1234abcd", app = "web" })
  t.eq(bound("fly", "get", "app", "--app", "web"), { app = "web" })
  t.eq(bound("fly", "get", "app", "--", "-odd-"), { app = "-odd-" })
end)

t.test("one word too many is refused", function()
  local parsed = t.ok(parse("fly", "get", "app", "web", "worker"))
  local values, e = args.bind(parsed)
  t.err(values, e, 'unexpected argument "worker"')
end)

t.test("a forgotten value is not taken from the next flag", function()
  for _, words in ipairs({
    { "fly", "list", "machines", "--app", "--raw" },
    { "fly", "list", "machines", "--region", "-o", "json" },
    { "fly", "list", "machines", "--region" },
  }) do
    local parsed, e = parse(table.unpack(words))
    t.err(parsed, e, "needs a value")
    t.eq(e.kind, "usage")
  end
  t.eq(bound("fly", "list", "machines", "--region=--raw"), { region = "--raw" })
end)

t.test("a flag given twice must agree with itself", function()
  local parsed, e = parse("fly", "list", "machines", "--region", "ams",
    "--region", "fra")
  t.err(parsed, e, "given twice")
  t.ok(parse("fly", "list", "machines", "--region", "ams", "--region=ams"))
end)

t.test("an unknown flag is refused, and the likely one named", function()
  local parsed, e = parse("fly", "list", "machines", "--regoin", "ams")
  t.err(parsed, e, "unknown flag %-%-regoin")
  t.eq(e.hint, "did you mean --region?")
  parsed, e = parse("fly", "list", "--unattached", "volumes")
  t.err(parsed, e, "unknown flag")
  t.has(e.hint, "after the command")
end)

t.test("no flag is abbreviated", function()
  local parsed, e = parse("fly", "list", "volumes", "--unatt")
  t.err(parsed, e, "unknown flag")
end)

t.test("a script's arguments are its own", function()
  t.eq(bound("run", "x.lua", "--app", "-o", "--", "y"),
    { file = "x.lua", argument = { "--app", "-o", "--", "y" } })
end)

t.test("a lone dash is a word", function()
  t.eq(bound("fly", "get", "app", "-"), { app = "-" })
  local parsed = t.ok(parse("--api-token-file", "-", "fly", "list", "apps"))
  t.eq(parsed.globals.api_token_file, "-")
end)

t.test("what was understood before an error tells how to show it", function()
  local parsed, e, so_far = parse("fly", "list", "apps", "--json", "--bogus")
  t.err(parsed, e, "usage")
  t.eq(so_far.globals.json, true)
end)

t.test("thousands of words and flags end in an error or a result, not a hang", function()
  local words = { "fly", "list", "machines" }
  for i = 1, 5000 do
    words[#words + 1] = i % 2 == 0 and "word" or "--app=web"
  end
  t.ok(parse(table.unpack(words)))
end)
