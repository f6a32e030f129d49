-- What docs/scripts.md shows: its examples print what it says, and what it lists
-- is what there is.

local err = require "base.err"
local process = require "sys.process"
local support = require "script.support"
local t = require "kit"
local tbl = require "base.tbl"

local PAGE = t.read_file("docs/scripts.md")

--- The page's Lua: its indented blocks that are no commands.
---@return string[]
local function examples()
  local found, lines = {}, {}
  for line in (PAGE .. "\nend\n"):gmatch("([^\n]*)\n") do
    local code = line:match("^    (.*)$") or line == "" and ""
    if code and not code:find("^clanker ") then
      lines[#lines + 1] = code
    elseif not code then
      local text = table.concat(lines, "\n")
      found[#found + 1] = text:find("%S") and text or nil
      lines = {}
    end
  end
  return found
end

--- What the comments of an example say that it prints.
local function said(text)
  local lines = {}
  for line in text:gmatch("%-%->%s([^\n]*)") do
    lines[#lines + 1] = line .. "\n"
  end
  return table.concat(lines)
end

t.test("every example prints what it says, on the simulated account", function()
  local list = examples()
  t.eq(#list, 4)
  for _, text in ipairs(list) do
    local result = assert(process.run {
      argv = { t.binary(), "--sim", "run", support.write(text) }, env = { HOME = t.tmpdir() },
      inherit = { "PATH", "CLANKER_LUA", "ASAN_OPTIONS" }, timeout = 60,
    })
    t.eq({ result.code, result.stderr }, { 0, "" }, text)
    t.ok(#said(text) > 0, text)
    t.eq(result.stdout, said(text), text)
  end
end)

t.test("the kinds of errors it lists are all there are", function()
  local listed = {}
  for kind in PAGE:match("\n`kind` is one of (.-)%."):gmatch("`([%w_]+)`") do
    listed[kind] = true
  end
  t.eq(tbl.keys(listed), tbl.keys(err.EXIT))
end)

t.test("every function of a script's modules is on the page", function()
  local result = support.run [[
    for _, name in ipairs { "http", "json", "process", "task" } do
      for key in pairs(require("clanker." .. name)) do
        print(key)
      end
    end
  ]]
  for name in result.stdout:gmatch("%S+") do
    t.ok(PAGE:find("%f[%w_]" .. name .. "[{(`]"), name)
  end
  t.ok(#result.stdout > 100)
end)

t.test("every option of a call is on the page, and no other is taken", function()
  local env = support.account()
  local listed = PAGE:match("| option | means |\n|[-|]+\n(.-)\n\n")
  for name in listed:gmatch("`([%w_]+)`[,|%s]") do
    if name ~= "true" then
      local result = support.run(
        ("require('clanker.fly').apps.list({}, { %s = io })"):format(name), {}, { env = env })
      t.match(result.stderr, "apps.list: option " .. name .. " must be a ")
    end
  end
end)
