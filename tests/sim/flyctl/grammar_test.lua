--- The simulated flyctl's command lines against flyctl's own.

local commands = require "sim.flyctl.commands"
local grammar = require "kit.flyctl_grammar"
local json = require "base.json"
local parse = require "sim.flyctl.parse"
local t = require "kit"
local tbl = require "base.tbl"

local FILE = t.shared("flyctl-grammar.json")

local function read_commands()
  local known = {}
  for _, command in ipairs(assert(json.decode(t.read_file(FILE))).commands) do
    known[table.concat(command.path, " ")] = command
  end
  return known
end

local function words_of(line)
  local words = {}
  for word in line:gmatch("%S+") do
    words[#words + 1] = word
  end
  return words
end

-- Our types are flyctl's, but that all repeatable ones are lists.
local LISTS = tbl.set({ "stringArray", "stringSlice" })

local function compare_flags(name, ours, real)
  for _, flag in ipairs(ours.flags) do
    local label = ("%s --%s"):format(name, flag.name)
    local found = tbl.find(real.flags, function(one)
      return one.name == flag.name
    end)
    t.ok(found, label .. " is no flag of flyctl")
    t.eq(flag.short, found.shorthand, label)
    t.eq(flag.type, LISTS[found.type] and "list" or found.type, label)
    t.eq(flag.is_optional, found.no_opt_default ~= nil and found.no_opt_default ~= json.null, label)
  end
end

t.test("every command, alias, flag and limit is flyctl's", function()
  if not FILE then
    return t.skip("no flyctl-grammar.json beside the repository")
  end
  local known = read_commands()
  for _, ours in ipairs(commands.LIST) do
    local name = table.concat(ours.path, " ")
    local real = t.ok(known[name], name .. " is no command of flyctl")
    t.eq(table.concat(tbl.copy(ours.aliases), " "), table.concat(real.aliases, " "), name)
    t.eq(ours.run ~= nil, real.runnable and name ~= "", name)
    if ours.run then
      t.eq(ours.least, real.args.min, name)
      t.eq(ours.most or json.null, real.args.max, name)
    end
    compare_flags(name, ours, real)
  end
end)

-- Lines that flyctl refuses, in its words.
local REFUSED = {
  ["apps restart --app my-app"] = "unknown flag: --app",
  ["restart my-app"] = 'unknown command "restart" for "fly"',
  ["scale cpu 2 --app my-app"] = 'unknown command "cpu" for "fly scale"',
  ["releases rollback --app x"] = 'unknown command "rollback" for "fly releases"',
  ["rollback --app my-app"] = 'unknown command "rollback" for "fly"',
  ["redeploy"] = 'unknown command "redeploy" for "fly"',
  ["deploy --region iad"] = "unknown flag: --region",
  ["scale count 3 --app"] = "flag needs an argument: --app",
  ["scale count -a"] = "flag needs an argument: 'a' in -a",
  ["scale vm"] = "accepts 1 arg(s), received 0",
  ["scale memory 1 2"] = "accepts 1 arg(s), received 2",
  ["secrets set --app x"] = "requires at least 1 arg(s), only received 0",
  ["machine exec"] = "accepts between 1 and 2 arg(s), received 0",
  ["machine status a b"] = "accepts at most 1 arg(s), received 2",
  ["volumes destroy vol_1 --force"] = "unknown flag: --force",
  ["ips release 1.2.3.4 --yes"] = "unknown flag: --yes",
  ["apps list -z"] = "unknown shorthand flag: 'z' in -z",
  ["machine update 1 --vm-cpus two"] = 'invalid argument "two" for "--vm-cpus" flag: '
    .. 'strconv.ParseInt: parsing "two": invalid syntax',
  ["volumes create data -s x"] = 'invalid argument "x" for "-s, --size" flag: '
    .. 'strconv.ParseInt: parsing "x": invalid syntax',
  ["apps list ---x"] = "bad flag syntax: ---x",
}

t.test("what flyctl refuses is refused, in its words", function()
  local real = FILE and grammar.read(t.read_file(FILE))
  for line, why in pairs(REFUSED) do
    local parsed, refused = parse.parse(words_of(line))
    t.eq(parsed, nil, line)
    t.eq(refused, why)
    -- Of the root the reader of the tests knows no wrong commands.
    if real and not why:find('for "fly"', 1, true) then
      t.ok(grammar.refuse(real, words_of(line)), line .. " is taken by flyctl")
    end
  end
end)

t.test("no line is taken that flyctl would refuse", function()
  if not FILE then
    return t.skip("no flyctl-grammar.json beside the repository")
  end
  local real = grammar.read(t.read_file(FILE))
  local words = tbl.flatten({
    { "--", "-a", "x", "--app=x", "--app", "3", "-y", "--yes", "-j", "--json", "--stage", "-",
      "--force", "--region", "iad", "--bogus", "-q", "--vm-cpus=x", "--detach=maybe" },
    tbl.flatten(tbl.map(commands.LIST, function(command)
      return command.path
    end)),
  })
  math.randomseed(7)
  local taken = 0
  for _ = 1, 20000 do
    local line = tbl.copy(commands.LIST[math.random(#commands.LIST)].path)
    for _ = 1, math.random(0, 5) do
      table.insert(line, math.random(#line + 1), words[math.random(#words)])
    end
    local parsed = parse.parse(line)
    if parsed and not parsed.flags.help then
      taken = taken + 1
      local why = grammar.refuse(real, line)
      t.ok(not why, ("%s: %s"):format(table.concat(line, " "), tostring(why)))
    end
  end
  t.ok(taken > 500, "hardly a line was taken: " .. taken)
end)

t.test("flags come as their types, in any place", function()
  local line = t.ok(parse.parse(words_of(
    "-a my-app scale count web=2 --region=iad -y --max-per-region 2 -e A=1 --env=B=2 -- -1")))
  t.eq(table.concat(line.command.path, " "), "scale count")
  t.eq(line.args, { "web=2", "-1" })
  t.eq(line.flags, {
    app = "my-app", region = "iad", yes = true, ["max-per-region"] = 2,
    env = { "A=1", "B=2" },
  })
  t.eq(parse.parse({ "deploy", "--ha=false", "--depot" }).flags, { ha = false, depot = "true" })
  t.eq(parse.parse({ "v", "ls" }).command.run, "volumes_list")
end)
