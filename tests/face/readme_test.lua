-- The README tells the truth: its command lines parse, its exit codes are those
-- of the errors, its targets exist.

local args = require "cli.args"
local commands = require "cli.commands"
local err = require "base.err"
local globals = require "cli.globals"
local t = require "kit"

local README = t.read_file("README.md")

-- The words of a command line up to a pipe or a comment; what is quoted is one
-- word, whichever.
local function words_of(line)
  local words = {}
  line = line:gsub("%s+[|#].*$", ""):gsub('".-"', "quoted")
  for word in line:gmatch("%S+") do
    words[#words + 1] = word
  end
  return words
end

t.test("every command line of the README is one", function()
  local count = 0
  for line in README:gmatch("\n    clanker ([^\n]+)") do
    local parsed, e = args.parse(words_of(line), commands.resolve, globals.FLAGS)
    t.ok(parsed, e and line .. ": " .. e.message)
    t.ok(parsed.command.row, line)
    t.ok(args.bind(parsed))
    count = count + 1
  end
  t.ok(count >= 5)
end)

t.test("the exit codes of the README are those of the errors", function()
  local section = README:match("### Exit codes(.-)\n##")
  local told = {}
  for code in section:gmatch("|%s*(%d+)%s*|") do
    told[math.tointeger(tonumber(code))] = true
  end
  local known = { [0] = true }
  for _, code in pairs(err.EXIT) do
    known[code] = true
  end
  t.eq(told, known)
end)

t.test("every make target and room of the README exists", function()
  local makefile = t.read_file("Makefile")
  for target in README:gmatch("make ([a-z-]+)") do
    t.match(makefile, "\n" .. target:gsub("-", "%%-") .. ":")
  end
  local fs = require "sys.fs"
  for path in README:gmatch("`([a-z]+/[a-z]+)`") do
    t.ok(fs.exists(path), path)
  end
end)

t.test("the flags of the README are flags", function()
  local section = README:match("| flag of every command(.-)\n\n")
  for flag in section:gmatch("`(%-%-[a-z][a-z-]+)") do
    local found = false
    for _, param in ipairs(globals.FLAGS) do
      found = found or param.flag == flag
    end
    t.ok(found or flag == "--help", flag)
  end
end)
