-- The Makefile as the one door: its targets are there, listed, and install goes
-- where it is told to.

local process = require "sys.process"
local t = require "kit"

local function make(...)
  if not process.which("make") then
    t.skip("make is not installed")
  end
  local result = t.ok(process.run({
    argv = { "make", "--no-print-directory", ... }, inherit = { "PATH" }, timeout = 60,
    env = { HOME = "/nonexistent" },
  }))
  t.eq(result.code, 0, result.stderr)
  return result.stdout
end

t.test("make help lists every target with what it does", function()
  local help = make "help"
  for _, target in ipairs {
    "all", "dev", "asan", "check", "test", "lint", "bench", "demo", "install", "uninstall",
    "clean", "help", "fuzz", "torture", "valgrind",
  } do
    t.match(help, "\n?  " .. target .. " +%w[^\n]+\n")
  end
  local phony = t.read_file("Makefile"):gsub("\\\n", " "):match("\n%.PHONY: ([^\n]+)")
  for target in phony:gmatch("%S+") do
    if not target:find("%-build$") then
      t.match(help, "  " .. target:gsub("-", "%%-") .. " +%w", "every target is listed")
    end
  end
end)

t.test("make alone makes a release, and installs under DESTDIR and PREFIX", function()
  t.match(t.read_file("Makefile"), "\n%.DEFAULT_GOAL := all\n")
  local steps = make("--dry-run", "--old-file=all", "install", "DESTDIR=/stage", "PREFIX=/usr")
  t.has(steps, "install -d /stage/usr/bin\n")
  t.has(steps, "install -m 755 build/release/clanker /stage/usr/bin/clanker\n")
  t.has(make("--dry-run", "uninstall", "DESTDIR=/stage"), "rm -f /stage/usr/local/bin/clanker\n")
end)
