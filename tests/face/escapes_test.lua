-- What the server says never acts on the terminal: names full of escapes, in
-- every format, in tables, answers, completions and errors.

local t = require "kit"
local world = require "face.world"

-- ESC, CSI as C1, BEL, CR, a right-to-left override, a zero-width space, DEL.
local NASTY = "a\27[31mred\27]0;title\7\r\u{9b}2J\u{202e}evil\u{200b}\127b"

local SEED = {
  users = {
    { id = "user_sim", email = NASTY .. "@example.com", name = NASTY },
  },
  orgs = {
    {
      slug = "personal", name = NASTY, type = "PERSONAL",
      members = { { user = "user_sim" } },
    },
  },
  apps = {
    {
      name = "my-app", org = "personal", age = 86400,
      machines = {
        {
          name = NASTY, region = "iad", age = 86400,
          config = {
            image = NASTY, guest = { cpu_kind = "shared", cpus = 1, memory_mb = 256 },
          },
        },
      },
    },
  },
}

local FACES = {
  sim = function()
    local simulator = require "sim"
    return {
      start = function(options)
        options.seed = SEED
        return simulator.start(options)
      end,
    }
  end,
}

local function run(words, options)
  local seen = world.new(options)
  local line = { "--sim", table.unpack(words) }
  local code = require("cli").run(line, FACES, seen)
  return code, seen
end

-- Nothing a terminal would obey; the escapes of our own colours aside.
local function is_harmless(text)
  text = text:gsub("\27%[%d*m", ""):gsub("\r\27%[K", "")
  for _, bad in ipairs({ "\27", "\7", "\r", "\127", "\u{9b}", "\u{202e}" }) do
    t.lacks(text, bad)
  end
end

-- In a pipe these give programs the value unchanged, whatever eyes make of it.
local FOR_PROGRAMS = { ["--raw"] = true, yaml = true }

local COMMANDS = {
  { "fly", "list", "machines" },
  { "fly", "list", "machines", "-o", "wide" },
  { "fly", "list", "machines", "-o", "csv" },
  { "fly", "list", "machines", "-o", "yaml" },
  { "fly", "list", "machines", "-o", "json" },
  { "fly", "list", "machines", "--raw" },
  { "fly", "list", "orgs" },
  { "fly", "auth", "whoami" },
  { "ask", "--flyio", "list machines" },
  { "ask", "--flyio", "list machines", "--json" },
  { "ask", "--flyio", "who am I?" },
}

t.test("nothing of a name acts on a terminal, in no format", function()
  for _, words in ipairs(COMMANDS) do
    for _, options in ipairs({ {}, { width = 200 }, { width = 20, colors = true } }) do
      local code, seen = run(words, options)
      t.eq(code, 0, table.concat(words, " ") .. ": " .. seen.err)
      t.ok(#seen.out > 0)
      is_harmless(seen.err)
      if options.width or not FOR_PROGRAMS[words[#words]] then
        is_harmless(seen.out)
      end
      t.lacks((seen.out:gsub("\27%[%d*m", "")), "\27")
    end
  end
end)

t.test("a table says what stood there instead of doing it", function()
  local _, seen = run({ "fly", "list", "machines" })
  t.has(seen.out, "\\x1b[31mred")
end)

t.test("columns stand where they would without the escapes", function()
  local _, seen = run({ "fly", "list", "machines" })
  local lines = {}
  for line in seen.out:gmatch("[^\n]+") do
    lines[#lines + 1] = line
  end
  t.eq(#lines, 2)
  local term = require "sys.term"
  local heading = term.display_width(lines[1]:match("^(.-)APP"))
  t.eq(term.display_width(lines[2]:match("^(.-)my%-app")), heading)
end)

t.test("JSON keeps the value, escaped", function()
  local _, seen = run({ "fly", "list", "machines", "--json" })
  local json = require "base.json"
  t.eq(json.decode(seen.out)[1].name, NASTY)
end)

t.test("an argument that comes back in an error is harmless too", function()
  for _, words in ipairs({
    { "fly", "get", "app", NASTY }, { "fly", NASTY }, { NASTY },
    { "fly", "list", "apps", "--" .. NASTY }, { "ask", "--flyio", NASTY },
    { "fly", "list", "machines", "--app", NASTY },
    { "fly", "list", "machines", "--app", NASTY, "--json" },
  }) do
    local code, seen = run(words)
    t.ok(code ~= 0, table.concat(words, " "))
    is_harmless(seen.err)
    is_harmless(seen.out)
  end
end)

t.test("completion offers no such name", function()
  local code, seen = run({ "__complete", "--", "--sim", "fly", "get", "org", "" })
  t.eq(code, 0)
  is_harmless(seen.out)
end)
