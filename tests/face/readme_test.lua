-- The README tells the truth: its command lines parse, its exit codes are those
-- of the errors, its targets exist.

local args = require "cli.args"
local commands = require "cli.commands"
local err = require "base.err"
local globals = require "cli.globals"
local t = require "kit"

local README = t.read_file("README.md")

-- The words of a command line up to a pipe, a redirection or a comment; what is
-- quoted is one word, whichever.
local function words_of(line)
  local words = {}
  line = line:gsub("'.-'", "quoted"):gsub('".-"', "quoted"):gsub("%s+[|#<>].*$", "")
  for word in line:gmatch("%S+") do
    words[#words + 1] = word
  end
  return words
end

-- The command lines of a page: of its blocks, whatever stands before them.
local function command_lines(text)
  local lines, in_block = {}, false
  for line in text:gmatch("[^\n]*") do
    if line:find("^```") then
      in_block = not in_block
    elseif in_block or line:find("^    ") then
      lines[#lines + 1] = line:match("^%s*clanker (.*)") or line:match("| clanker (.*)")
        or line:match("<%(clanker ([^)]*)%)")
    end
  end
  return lines
end

t.test("every command line of the README and the docs is one", function()
  for path, least in pairs({
    ["README.md"] = 5, ["docs/ask.md"] = 1, ["docs/output.md"] = 11, ["docs/secrets.md"] = 11,
    ["docs/simulator.md"] = 1, ["docs/scripts.md"] = 1, ["docs/reference.md"] = 100,
  }) do
    local count = 0
    for _, line in ipairs(command_lines(t.read_file(path))) do
      local is_form = line:find("%[[%a-]") or line:find(" <%a")
      if not is_form and not line:find("^sim flyctl ") then -- whose words are flyctl's
        local parsed, e = args.parse(words_of(line), commands.resolve, globals.FLAGS)
        t.ok(parsed, e and path .. ": " .. line .. ": " .. e.message)
        t.ok(parsed.command.row, line)
        local bound, why = args.bind(parsed)
        t.ok(bound, why and path .. ": " .. line .. ": " .. why.message)
        count = count + 1
      end
    end
    t.ok(count >= least, path .. ": " .. count)
  end
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
