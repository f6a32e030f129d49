-- Goldens: what people see, to the byte. Each *.golden file beside this one is
-- a list of cases:
--
--   @ width 20              the world of the case (see apply): optional lines
--   $ clanker fly list apps the command line, quotes as in a shell
--   | NAME                  stdout, a line each ("|\ " before a missing line end)
--   ! no apps               stderr
--   = 2                     the exit code, when it is not 0
--
-- The home is always "HOME" and a request id "ID": it tells the time.
-- Lines with # and empty ones are kept. `make golden` rewrites what follows the
-- command lines; the diff is the review.

local fs = require "sys.fs"
local str = require "base.str"
local t = require "kit"
local world = require "face.world"

local DIRECTORY = "tests/face"

-- The words of a command line: '…' and "…" as a shell reads them.
local function shell_words(line)
  local words, at = {}, 1
  while true do
    at = line:find("%S", at)
    if not at then
      return words
    end
    local word = {}
    while at <= #line and not line:sub(at, at):find("%s") do
      local quoted, after = line:match("^'([^']*)'()", at)
      if not quoted then
        quoted, after = line:match('^"([^"]*)"()', at)
      end
      if not quoted then
        quoted, after = line:match("^([^%s'\"]+)()", at)
      end
      word[#word + 1], at = quoted, after
    end
    words[#words + 1] = table.concat(word)
  end
end

-- One "@" line of a case.
local function apply(options, line)
  local key, value = line:match("^(%S+)%s*(.*)$")
  if key == "width" then
    options.width = math.tointeger(tonumber(value))
  elseif key == "colors" then
    options.colors = true
  elseif key == "env" then
    local name, content = value:match("^(.-)=(.*)$")
    options.env[name] = content
  elseif key == "file" then
    local name, content = value:match("^(%S+) ?(.*)$")
    options.files[name] = content:gsub("\\n", "\n"):gsub("\\t", "\t")
  elseif key == "answer" then -- a terminal, and what is typed there
    options.tty, options.answer = { [0] = true, [2] = true }, value
    options.env.TERM = "dumb" -- which has no progress line
  elseif key == "clock" then -- moves: for what waits on the other side, which hurries
    options.moves, options.hurried = value == "moves", value == "moves"
  elseif key == "broken" then
    options.broken = value
  else
    error("golden: no such setting: " .. line)
  end
end

local function marked(mark, text)
  local lines = str.split(text, "\n")
  local last = table.remove(lines)
  local out = {}
  for _, line in ipairs(lines) do
    out[#out + 1] = line == "" and mark or mark .. " " .. line
  end
  if last ~= "" then
    out[#out + 1] = mark .. "\\ " .. last
  end
  return out
end

-- The case's home: a directory with the files its "@ file" lines give.
local function make_home(files)
  local home = t.tmpdir()
  for name, content in pairs(files) do
    assert(fs.write(home .. "/" .. name, content, { mode = 384 }))
  end
  return home
end

-- What a case prints, as lines of a golden file.
local function run_case(case)
  local options = case.options
  local home = make_home(options.files)
  options.home, options.cwd = home, home
  local words = shell_words(case.command)
  assert(table.remove(words, 1) == "clanker", case.command)
  for i, word in ipairs(words) do
    words[i] = word:gsub("HOME", home)
  end
  local code, seen = world.run(words, options)
  local function plain(text)
    text = text:gsub(home:gsub("%p", "%%%0"), "HOME")
    return (text:gsub("(request id: )%w+%-%l+", "%1ID")
      :gsub('("request_id": ?")%w+%-%l+', "%1ID"))
  end
  local lines = marked("|", plain(seen.out))
  local talk = marked("!", plain(seen.err))
  table.move(talk, 1, #talk, #lines + 1, lines)
  if code ~= 0 then
    lines[#lines + 1] = "= " .. code
  end
  return lines
end

-- A file as its parts: lines to keep, and cases with what they expect.
local function parse(text)
  local parts, options = {}, nil
  local case
  for _, line in ipairs(str.split(text:gsub("\n$", ""), "\n")) do
    local mark, rest = line:sub(1, 1), line:sub(3)
    if mark == "@" then
      options = options or { env = {}, files = {} }
      apply(options, rest)
      case = nil
      parts[#parts + 1] = line
    elseif mark == "$" then
      case = {
        command = rest, expected = {},
        options = options or { env = {}, files = {} },
      }
      options = nil
      parts[#parts + 1] = line
      parts[#parts + 1] = case
    elseif case and (mark == "|" or mark == "!" or mark == "=") then
      table.insert(case.expected, line)
    else
      case = nil
      parts[#parts + 1] = line
    end
  end
  return parts
end

local function rewrite(path, parts)
  local lines = {}
  for _, part in ipairs(parts) do
    if type(part) == "string" then
      lines[#lines + 1] = part
    else
      local got = run_case(part)
      table.move(got, 1, #got, #lines + 1, lines)
      -- Secrets that a case leaves behind would be masked in the next one's files.
      collectgarbage()
      collectgarbage()
    end
  end
  assert(fs.write(path, table.concat(lines, "\n") .. "\n", { mode = 420 }))
end

local is_writing = os.getenv("GOLDEN") == "write"

for _, name in ipairs(assert(fs.list(DIRECTORY))) do
  if name:find("%.golden$") then
    local path = DIRECTORY .. "/" .. name
    local parts = parse(t.read_file(path))
    if is_writing then
      t.test("rewrites " .. name, function()
        rewrite(path, parts)
      end)
    end
    for _, part in ipairs(parts) do
      if type(part) == "table" and not is_writing then
        t.test(("%s: %s"):format(name, part.command), function()
          t.eq(table.concat(run_case(part), "\n"),
            table.concat(part.expected, "\n"))
        end)
      end
    end
  end
end
