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
    t.eq(flag.alias_of, found.alias_of, label)
    t.eq(flag.is_required, found.required == true, label)
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
    if not ours.is_opaque then
      t.eq(not ours.is_group, real.runnable and name ~= "", name)
      compare_flags(name, ours, real)
    end
    if not ours.is_opaque and not ours.is_group then
      t.eq(ours.least, real.args.min, name)
      t.eq(ours.most or json.null, real.args.max, name)
    end
  end
end)

-- The commands of flyctl of which more than the name is known here.
local function each_known(fn)
  local ours = {}
  for _, command in ipairs(commands.LIST) do
    ours[table.concat(command.path, " ")] = command
  end
  local count = 0
  for name, real in pairs(read_commands()) do
    local root = t.ok(ours[real.path[1] or ""], "nothing is known of " .. name)
    if not root.is_opaque then
      fn(name, real, t.ok(ours[name], name .. " is not known here"))
      count = count + 1
    end
  end
  return count
end

local NOT_DONE = "is not emulated by the simulated flyctl$"

-- Whether words that flyctl takes are taken, or refused as what is not done.
local function check_taken(words, is_done)
  local line, why = parse.parse(words)
  local label = table.concat(words, " ")
  if is_done then
    t.ok(line, label .. ": " .. tostring(why))
  else
    t.eq(line, nil, label)
    t.match(why, NOT_DONE)
  end
end

local VALUES = { int = "3", float64 = "0.5", duration = "1m30s", bool = "false" }

-- The ways to write a flag.
local function spellings(flag)
  local value = VALUES[flag.type] or "x"
  local list = { { "--" .. flag.name .. "=" .. value } }
  if not flag.takes_value or flag.no_opt_default then
    list[#list + 1] = { "--" .. flag.name }
  else
    list[#list + 1] = { "--" .. flag.name, value }
  end
  if flag.shorthand and flag.takes_value then
    list[#list + 1] = { "-" .. flag.shorthand, value }
    list[#list + 1] = { "-" .. flag.shorthand .. value }
    list[#list + 1] = { "-" .. flag.shorthand .. "=" .. value }
  elseif flag.shorthand then
    list[#list + 1] = { "-" .. flag.shorthand }
  end
  return list
end

-- The command's words with as many arguments, and the flags it must have.
local function plain(real, count)
  local words = tbl.copy(real.path)
  for i = 1, count do
    words[#words + 1] = "arg" .. i
  end
  for _, flag in ipairs(real.flags) do
    if flag.required then
      words[#words + 1] = "--" .. flag.name .. "=x"
    end
  end
  return words
end

local function is_help(name)
  return name == "help" or name == "version"
end

t.test("every command and flag of flyctl is done or said not to be", function()
  if not FILE then
    return t.skip("no flyctl-grammar.json beside the repository")
  end
  local real_grammar, tried = grammar.read(t.read_file(FILE)), 0
  each_known(function(name, real, ours)
    if ours.is_group then
      return
    end
    check_taken(plain(real, real.args.min), ours.run ~= nil)
    for _, flag in ipairs(real.flags) do
      for _, spelling in ipairs(is_help(flag.name) and {} or spellings(flag)) do
        local words = tbl.flatten({ plain(real, real.args.min), spelling })
        t.eq(grammar.refuse(real_grammar, words), nil)
        local found = tbl.find(ours.flags, function(one)
          return one.name == flag.name
        end)
        t.ok(found, ("%s --%s is not known here"):format(name, flag.name))
        check_taken(words, ours.run ~= nil and not found.is_foreign)
        tried = tried + 1
      end
    end
  end)
  t.ok(tried > 2000, "flags were tried: " .. tried)
end)

local COUNTS = {
  NoArgs = 'unknown command "arg1" for ', ExactArgs = "accepts %d arg%(s%), received ",
  MaximumNArgs = "accepts at most %d arg%(s%), received ",
  RangeArgs = "accepts between %d and %d arg%(s%), received ",
  MinimumNArgs = "requires at least %d arg%(s%), only received ",
}

local function check_count(real, count)
  local line, why = parse.parse(plain(real, count))
  t.eq(line, nil, table.concat(real.path, " "))
  local args = real.args
  local want = COUNTS[args.kind]
  t.match(why, "^" .. want:gsub("%%d", function()
    local n = args.kind == "MaximumNArgs" and args.max or args.min
    return n
  end, 1):gsub("%%d", tostring(args.max)))
end

t.test("a wrong number of arguments is refused in flyctl's words", function()
  if not FILE then
    return t.skip("no flyctl-grammar.json beside the repository")
  end
  each_known(function(_, real, ours)
    if not ours.is_group and real.args.max ~= json.null then
      check_count(real, real.args.max + 1)
    end
    if not ours.is_group and real.args.min > 0 then
      check_count(real, real.args.min - 1)
    end
  end)
end)

t.test("an unknown flag, one without its value and a wrong value are refused", function()
  if not FILE then
    return t.skip("no flyctl-grammar.json beside the repository")
  end
  local count = each_known(function(name, real, ours)
    if ours.is_group then
      local line, why = parse.parse(tbl.flatten({ real.path, { "bogus" } }))
      t.eq({ line, why }, { nil, ('unknown command "bogus" for "%s"'):format(
        table.concat({ "fly", table.unpack(real.path) }, " ")) })
    end
    local words = plain(real, real.args.min)
    local function refused(more, want)
      local line, why = parse.parse(tbl.flatten({ words, more }))
      t.eq({ line, why }, { nil, want }, name)
    end
    refused({ "--bogus" }, "unknown flag: --bogus")
    refused({ "--bogus=1", "--help" }, "unknown flag: --bogus")
    refused({ "-Z" }, "unknown shorthand flag: 'Z' in -Z")
    for _, flag in ipairs(real.flags) do
      if flag.takes_value and not flag.no_opt_default then
        refused({ "--" .. flag.name }, "flag needs an argument: --" .. flag.name)
      end
      if flag.takes_value and VALUES[flag.type] then
        local line, why = parse.parse(tbl.flatten({ words, { "--" .. flag.name .. "=x1" } }))
        t.eq(line, nil)
        t.match(why, '^invalid argument "x1" for "[^"]*%-%-' .. flag.name:gsub("%-", "%%-"))
      end
    end
  end)
  t.ok(count > 150, "commands were tried: " .. count)
end)

t.test("a command whose insides are not known is said not to be done", function()
  for _, line in ipairs({ "launch --now", "redis list --bogus", "mpg", "ext sentry create",
    "wg list", "help deploy" }) do
    local parsed, why = parse.parse(words_of(line))
    t.eq(parsed, nil, line)
    t.match(why, '^"fly %l+" ' .. NOT_DONE)
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
  ["machine status a b"] = "accepts between 0 and 1 arg(s), received 2",
  ["volumes show a b"] = "accepts at most 1 arg(s), received 2",
  ["certs import www.example.com"] = 'required flag(s) "fullchain", "private-key" not set',
  ["apps create x --yes=maybe"] = 'invalid argument "maybe" for "-y, --yes" flag: '
    .. 'strconv.ParseBool: parsing "maybe": invalid syntax',
  ["machine stop 1 -w 5"] = 'invalid argument "5" for "-w, --wait-timeout" flag: '
    .. 'time: missing unit in duration "5"',
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
  for line, why in tbl.sorted(REFUSED) do
    local parsed, refused = parse.parse(words_of(line))
    t.eq(parsed, nil, line)
    t.eq(refused, why)
    if real then
      t.ok(grammar.refuse(real, words_of(line)), line .. " is taken by flyctl")
    end
  end
end)

t.test("a line is taken if and only if flyctl takes it and it is done", function()
  if not FILE then
    return t.skip("no flyctl-grammar.json beside the repository")
  end
  local real = grammar.read(t.read_file(FILE))
  local words = tbl.flatten({
    { "--", "-a", "x", "--app=x", "--app", "3", "-y", "--yes", "-j", "--json", "--stage", "-",
      "--force", "--region", "iad", "--bogus", "-q", "--vm-cpus=x", "--detach=maybe",
      "--vm-cpus=0x10", "-yj", "-ax", "--expiry=1h", "-s=", "--depot" },
    tbl.flatten(tbl.map(commands.LIST, function(command)
      return command.path
    end)),
  })
  math.randomseed(7)
  local counts = { taken = 0, refused = 0, undone = 0 }
  for _ = 1, 10000 do
    local command = commands.LIST[math.random(#commands.LIST)]
    local line = tbl.copy(command.path)
    for _ = 1, math.random(0, 5) do
      table.insert(line, math.random(#line + 1), words[math.random(#words)])
    end
    local parsed, refused = parse.parse(line)
    local why = grammar.refuse(real, line)
    local text = table.concat(line, " ")
    if parsed and parsed.flags.help then
      counts.help = 0
    elseif parsed then
      t.ok(not why, ("%s: %s"):format(text, tostring(why)))
      counts.taken = counts.taken + 1
    elseif refused:find(NOT_DONE) then
      counts.undone = counts.undone + 1
    else
      t.ok(why, ("%s: flyctl takes it, refused as %s"):format(text, refused))
      counts.refused = counts.refused + 1
    end
  end
  for what, count in pairs(counts) do
    t.ok(count > 500 or what == "help", ("%s: hardly a line (%d)"):format(what, count))
  end
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
