-- Where the user's own code is found: by path, in ./.clanker, in ~/.clanker/lua.

local fs = require "sys.fs"
local process = require "sys.process"
local support = require "script.support"
local t = require "kit"

--- A user with these files: path below a fresh directory -> text. Its parts:
--- here/ (where commands are run) and home/.
local function user(files)
  local dir = t.tmpdir()
  assert(fs.mkdir(dir .. "/here"))
  assert(fs.mkdir(dir .. "/home"))
  for path, text in pairs(files) do
    assert(fs.write(dir .. "/" .. path, text, { parents = true }))
  end
  return function(word, ...)
    local options = support.command(word, { ... }, {
      env = { HOME = dir .. "/home", LUA_PATH = dir .. "/?.lua" }, cwd = dir .. "/here",
    })
    -- Paths that are relative to where the tests run mean nothing there.
    options.env.CLANKER_LUA, options.inherit = fs.realpath("lua"), { "PATH", "ASAN_OPTIONS" }
    return assert(process.run(options))
  end
end

t.test("a module is found beside the script, then here, then at home", function()
  local files = {
    ["here/a/main.lua"] = "print(require 'm', require 'x.y')",
  }
  local places = { "home/.clanker/lua", "here/.clanker", "here/a" }
  for _, place in ipairs(places) do
    files[place .. "/m.lua"] = ("return %q"):format(place)
    files[place .. "/x/y/init.lua"] = ("return %q"):format(place)
    local result = user(files)("a/main.lua")
    t.match(result.stdout, ("^%s\t%s\t[^\n]*x/y/init%%.lua\n$"):format(
      place:gsub("%p", "%%%0"), place:gsub("%p", "%%%0")), result.stderr)
  end
  files["here/a/x/y.lua"] = "return 'the file first'"
  t.match(user(files)("a/main.lua").stdout, "^here/a\tthe file first\t")
end)

t.test("a script is found by path, then here, then at home, with or without .lua", function()
  local files = { ["home/.clanker/lua/report.lua"] = "print('at home', ...)" }
  t.eq(user(files)("report", "x").stdout, "at home\tx\n")
  files["here/.clanker/report.lua"] = "print('here', arg[0])"
  t.eq(user(files)("report").stdout, "here\t.clanker/report.lua\n")
  t.eq(user(files)("report.lua").stdout, "here\t.clanker/report.lua\n")
  files["here/.clanker/report"] = "print 'exactly'"
  t.eq(user(files)("report").stdout, "exactly\n")
  files["here/report"] = "print 'the path'"
  t.eq(user(files)("report").stdout, "the path\n")
  files["here/report"], files["here/report/x"] = nil, ""
  t.eq(user(files)("report").stdout, "exactly\n", "a directory is no script")
end)

t.test("a word with a slash is a path and nothing else", function()
  local result = user({ ["here/.clanker/a/b.lua"] = "print 'found'" })("a/b.lua")
  t.eq(result.code, 4)
  t.match(result.stderr, "cannot read the script: a/b%.lua: no such file")
  t.has(result.stderr, "hint: give the path of a Lua 5.4 source file, - for standard input, or")
end)

t.test("the program's own modules cannot be replaced", function()
  local result = user({
    ["here/main.lua"] = "print(require('base.str').trim ' x ', require('clanker.task').all ~= nil)",
    ["here/base/str.lua"] = "error 'not this one'",
    ["here/clanker/task.lua"] = "error 'not this one'",
  })("main.lua")
  t.eq(result.stdout, "x\ttrue\n", result.stderr)
end)

t.test("a module that is nowhere is told with every place", function()
  local result = user({ ["here/main.lua"] = "require 'no.such%d'" })("main.lua")
  t.eq(result.code, 1)
  local at = 1
  for _, file in ipairs {
    "./no/such%d.lua", "./no/such%d/init.lua", ".clanker/no/such%d.lua",
    "home/.clanker/lua/no/such%d/init.lua",
  } do
    at = t.ok(result.stderr:find(file, at, true), file .. " in " .. result.stderr)
  end
  t.lacks(result.stderr, "LUA_PATH")
end)

t.test("only source text is loaded, and a module that does not parse says where", function()
  local result = user({
    ["here/main.lua"] = "require 'm'", ["here/m.lua"] = string.dump(function() end),
  })("main.lua")
  t.eq(result.code, 1)
  t.match(result.stderr, "cannot load module 'm':[^\n]*\n[^\n]*attempt to load a binary chunk")
  result = user({ ["here/main.lua"] = "require 'm'", ["here/m.lua"] = "local = 1" })("main.lua")
  t.match(result.stderr, "cannot load module 'm':[^\n]*\n[^\n]*%./m%.lua:1: ")
  result = user({ ["here/main.lua"] = string.dump(function() end) })("main.lua")
  t.eq(result.code, 1)
  t.match(result.stderr, "attempt to load a binary chunk")
end)
