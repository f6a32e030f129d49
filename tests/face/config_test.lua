-- Configuration files that are not right, before the real binary: each ends it
-- with an error that names the file, never with the file passed over.

local fs = require "sys.fs"
local process = require "sys.process"
local t = require "kit"

-- Root reads what it may not, unless these are taken away.
local AS_USER = { "setpriv", "--bounding-set=-dac_override,-dac_read_search" }

-- Runs the binary, in a home of its own, with words before it if need be.
local function run(home, words, before)
  local argv = table.move(before or {}, 1, #(before or {}), 1, {})
  argv[#argv + 1] = t.binary()
  return assert(process.run({
    argv = table.move(words, 1, #words, #argv + 1, argv), env = { HOME = home },
    inherit = { "PATH", "CLANKER_LUA", "ASAN_OPTIONS" }, timeout = 60,
  }))
end

local function home_with(text, mode)
  local home = t.tmpdir()
  t.ok(fs.write(home .. "/.clanker.yaml", text, { mode = mode or 384 })) -- 0600
  return home
end

-- The commands that must not go on without their settings.
local COMMANDS = { { "fly", "list", "apps" }, { "config", "show" } }

local function refused(home, reason, before)
  for _, words in ipairs(COMMANDS) do
    local result = run(home, words, before)
    t.eq({ result.code, result.stdout }, { 1, "" }, words[1])
    t.has(result.stderr, "error (config): " .. home .. "/.clanker.yaml: " .. reason)
    t.has(result.stderr, "\nhint: correct the file, or name another one with --config\n")
    t.lacks(result.stderr, "fo1_")
  end
end

t.test("a file with tabs is refused with line and column", function()
  refused(home_with "flyio:\n\tapi_token: fo1_x\n", "line 2, column 1: a tab is not allowed here")
  refused(home_with "flyio:\n  org_slug: a\n \tapi_token: fo1_x\n", "line 3, column 2: a tab")
  refused(home_with "\tflyio: {}\n", "line 1, column 1: a tab")
end)

t.test("a file with a duplicate key is refused with line and column", function()
  refused(home_with "flyio:\n  api_token: fo1_a\n  api_token: fo1_b\n",
    'line 3, column 3: the key "api_token" is already on line 2, column 3')
  refused(home_with "flyio: {}\nai: {}\nflyio: {}\n",
    'line 3, column 1: the key "flyio" is already on line 1, column 1')
end)

t.test("a file that nobody may read is refused", function()
  local home = home_with("flyio:\n  api_token: fo1_x\n", 0)
  local before = require("sys.os").uid() == 0 and AS_USER or nil
  if before and run(home, { "version" }, before).code ~= 0 then
    t.skip("this root may not give up its rights")
  end
  refused(home, "permission denied", before)
end)

t.test("a directory and a circle of links are refused", function()
  local home = t.tmpdir()
  t.ok(fs.mkdir(home .. "/.clanker.yaml", 448)) -- 0700
  refused(home, "is a directory, not a file")
  home = t.tmpdir()
  t.ok(fs.symlink(".clanker.yaml", home .. "/.clanker.yaml"))
  refused(home, "cannot be read: too many symbolic links")
end)

t.test("a token that others can read is warned of with the command that ends it", function()
  local home = home_with("flyio:\n  api_token: fo1_x\n", 420) -- 0644
  local warning = ("warning: %s/.clanker.yaml holds a secret and other users can read it: "
    .. "chmod 600 %s/.clanker.yaml\n"):format(home, home)
  local result = run(home, { "config", "show" })
  t.eq(result.code, 0)
  t.has(result.stderr, warning)
  t.lacks(result.stdout .. result.stderr, "fo1_x")
  local told = result.stderr:match("chmod [^\n]+")
  assert(process.run({ argv = { "/bin/sh", "-c", told } }))
  result = run(home, { "config", "show" })
  t.lacks(result.stderr, "warning")
end)

t.test("an empty HOME is none", function()
  local result = run("", { "config", "path" })
  t.eq(result.code, 0)
  t.match(result.stdout, "^/[^/]+.*/%.clanker%.yaml\n$")
end)

t.test("what is under ai is left to who needs it, its keys are secrets", function()
  local home = home_with("ai:\n  provider: any\n  api_key: fo1_x\n  providers:\n    one:\n"
    .. "      api_key: fo1_y\n")
  local result = run(home, { "config", "show", "-o", "json" })
  t.eq(result.code, 0, result.stderr)
  t.eq(result.stderr, "")
  t.lacks(result.stdout, "fo1_")
  refused(home_with "ai:\n  api_key: [fo1_x]\n", "line 2, column 12: a single value")
end)

t.test("what a server says cannot be shown of settings", function()
  local result = run(home_with "flyio: {}\n", { "config", "show", "--raw" })
  t.eq({ result.code, result.stdout }, { 2, "" })
  t.has(result.stderr, "error (usage): config show asks no server: leave out --raw")
end)
