-- scripts/layers and scripts/conventions on trees with mistakes: each is found.

local fs = require "sys.fs"
local process = require "sys.process"
local t = require "kit"

local HERE = assert(require("sys.os").cwd())
local LUA = "--- What it is for.\n--- Pure.\n\nlocal M = {}\n\n%s\nreturn M\n"
local C = "/* What it is for. */\n#include <a.h>\n\n%s\n"

-- What a script says of a tree that holds these files.
local function says(script, files)
  if not process.which("git") or not process.which("lua5.4") then
    t.skip("git or lua5.4 is not installed")
  end
  local dir = t.tmpdir()
  t.ok(process.run({ argv = { "git", "init", "-q", dir }, inherit = { "PATH" } }))
  for path, text in pairs(files) do
    t.ok(fs.write(dir .. "/" .. path, text, { parents = true }))
  end
  local result = t.ok(process.run({
    argv = { HERE .. "/scripts/" .. script }, cwd = dir, inherit = { "PATH" },
    env = { HOME = dir }, timeout = 60,
  }))
  return result.code, result.stdout, result.stderr
end

-- Holds one tree with a file of its own for each mistake against what is said;
-- `path` has a %d, `cases` are text -> complaint.
local function complains(script, path, cases)
  local files, wanted = {}, {}
  for text, complaint in pairs(cases) do
    wanted[#wanted + 1] = { path = path:format(#wanted + 1), complaint = complaint }
    files[wanted[#wanted].path] = text
  end
  local code, _, said = says(script, files)
  t.eq(code, 1)
  said = "\n" .. said
  for _, want in ipairs(wanted) do
    local start = said:find("\n" .. want.path .. ":", 1, true)
    t.has(start and said:sub(start):match("^\n[^\n]*\n") or said, want.complaint)
  end
end

t.test("a tree without mistakes passes", function()
  for _, script in ipairs { "layers", "conventions" } do
    local code, said = says(script, {
      ["lua/base/a.lua"] = LUA:format(
        "--- Adds.\n---@param a integer\nfunction M.add(a, _b, ...)\n  return a\nend"),
      ["lua/cli/a.lua"] = LUA:format 'local fly = require "fly.client"',
      ["src/core/a.c"] = C:format "static int add(int a)\n{\n    return a;\n}",
      ["src/core/a.h"] = "/* One sentence. */\nint clk_add(int a);\nint clk_sub(int a);\n",
    })
    t.eq({ code, said }, { 0, script .. ": ok\n" })
  end
end)

t.test("a require upwards or sideways is found", function()
  local files = { ["lua/other/a.lua"] = LUA:format "" }
  local wanted = { "lua/other/a.lua:1: no such room" }
  local function add(room, target)
    local path = ("lua/%s/%s.lua"):format(room, target:gsub("%.", "_"))
    files[path] = LUA:format(('require "%s"'):format(target))
    wanted[#wanted + 1] = ("%s:6: room %s may not require %s\n"):format(path, room, target)
  end
  for room, target in pairs {
    base = "sys.fs", sys = "opkit.op", opkit = "sys.fs", ops = "fly.client", plan = "sys.fs",
    fly = "ops.apps", llm = "ops.apps", cli = "sim.world", sim = "cli.out", script = "cli.out",
    mcp = "web.page", web = "script.run",
  } do
    add(room, target)
  end
  for _, room in ipairs { "base", "opkit", "ops", "plan", "fly", "llm", "cli" } do
    add(room, "host.fs")
  end
  local code, _, said = says("layers", files)
  t.eq(code, 1)
  for _, line in ipairs(wanted) do
    t.has(said, line)
  end
  t.eq(select(2, said:gsub("\n", "")), #wanted)
end)

t.test("core knows no Lua, and a callback does not touch it", function()
  complains("layers", "src/core/a%d.c", {
    [C:format "#include <lua.h>"] = "room core knows no Lua",
    [C:format '#include "lua.h"'] = "room core knows no Lua",
    [C:format "#include <lauxlib.h>"] = "room core knows no Lua",
    [C:format '#include "host/task.h"'] = "room core may not include host/",
    [C:format '#include "bind/l_secret.h"'] = "room core may not include bind/",
  })
  complains("layers", "src/bind/l_a%d.c", {
    [C:format "static void on_timer(uv_timer_t *t)\n{\n    lua_call(t->data, 0, 0);\n}\n"] =
      "on_timer is handed no lua_State and touches Lua: lua_call",
    [C:format "static void on_timer(uv_timer_t *t)\n{\n    resume(box->L);\n}\n"] =
      "on_timer is handed no lua_State and touches Lua",
  })
end)

t.test("what the conventions ask of Lua is looked at", function()
  complains("conventions", "lua/base/a%d.lua", {
    ["return {}\n"] = "two header lines",
    ["--- One line.\n\nreturn {}\n"] = "two header lines",
    [LUA:format "function M.add()\nend"] = "an exported function without a comment",
    [LUA:format "--- Adds.\n---@param ab integer\nfunction M.add(ab, a)\nend"] =
      "a parameter without @param: a\n",
    [LUA:format "\tlocal a = 1"] = "a tab",
    [LUA:format(("-- x\n"):rep(600))] = "a file of 600 lines",
  })
end)

t.test("what the conventions ask of C is looked at", function()
  local long = ("    add();\n"):rep(61)
  complains("conventions", "src/core/a%d.c", {
    ["int clk_a;\n"] = "a header that says what the file is for",
    [C:format "int add(int a)\n{\n    return a;\n}"] = "external names begin with clk_: add",
    [C:format("static void add(void)\n{\n" .. long .. "}")] = "add is longer than a screen",
    [C:format 'static void a(void)\n{\n    printf("x");\n}'] = "prints or exits: printf",
    [C:format "static void a(void)\n{\n    exit(1);\n}"] = "prints or exits: exit",
    [C:format "static void a(void)\n{\n    abort();\n}"] = "prints or exits: abort",
  })
  complains("conventions", "src/core/a%d.h", {
    ["#include <a.h>\n\nint clk_add(int a);\n"] = "a declaration without a comment",
    ["#include <a.h>\n\nstruct clk_a {\n    int b;\n};\n"] = "a declaration without a comment",
  })
  complains("conventions", "src/bind/l_a%d.c", {
    [C:format "static int a_add(lua_State *L)\n{\n    return 0;\n}\n\n"
      .. 'static const luaL_Reg functions[] = {\n    {"add", a_add},\n    {NULL, NULL},\n};\n'] =
      "a_add is registered without a comment",
  })
end)
