-- scripts/setup on machines made of stubs: what it installs, and how.

local fs = require "sys.fs"
local process = require "sys.process"
local t = require "kit"

-- Programs that stand for a machine's; what they are asked to install is in log.
local STUBS = {
  uname = 'echo "${SYSTEM:-Linux}"',
  id = 'echo "${USER_ID:-1000}"',
  ["dpkg-query"] = [[
for last; do :; done
case " $MISSING " in *" $last "*) exit 1 ;; esac
printf 'install ok installed']],
  ["apt-get"] = 'echo "apt-get $*" >> "$LOG"',
  sudo = 'echo sudo >> "$LOG"; exec "$@"',
  brew = [[
case "$1" in
list) case " $MISSING " in *" $3 "*) exit 1 ;; esac ;;
*) echo "brew $*" >> "$LOG" ;;
esac]],
}
local TOOLS = { "sh", "awk", "dirname", "tr" }

-- A directory with these stubs and nothing else but what any system has.
local function machine(...)
  local dir = t.tmpdir()
  for _, name in ipairs { "uname", "id", ... } do
    t.ok(fs.write(dir .. "/" .. name, "#!/bin/sh\n" .. STUBS[name] .. "\n", { mode = 448 })) -- 0700
  end
  for _, name in ipairs(TOOLS) do
    t.ok(fs.symlink(t.ok(process.which(name)), dir .. "/" .. name))
  end
  return dir
end

local function setup(dir, env, ...)
  env.PATH, env.LOG = dir, dir .. "/log"
  local result = assert(process.run({ argv = { "scripts/setup", ... }, env = env, timeout = 60 }))
  return result, fs.exists(env.LOG) and t.read_file(env.LOG) or ""
end

t.test("where nothing is missing it does nothing, without root or sudo", function()
  local result, log = setup(machine("dpkg-query", "apt-get"), {})
  t.eq({ result.code, result.stdout, result.stderr, log }, { 0, "", "", "" })
end)

t.test("root installs what is missing and nothing else, and is told", function()
  local result, log = setup(machine("dpkg-query", "apt-get"), { USER_ID = "0", MISSING = "jq git" })
  t.eq(result.code, 0, result.stderr)
  t.eq(result.stdout, "setup: apt-get install git jq\nsetup: done\n")
  t.match(log, "^apt%-get update [^\n]*\napt%-get install [^\n]* git jq\n$")
end)

t.test("anyone else installs through sudo", function()
  local result, log = setup(machine("dpkg-query", "apt-get", "sudo"), { MISSING = "jq" })
  t.eq(result.code, 0, result.stderr)
  t.match(log, "^sudo\napt%-get update [^\n]*\nsudo\napt%-get install [^\n]* jq\n$")
end)

t.test("without root and sudo it says what it would have done", function()
  local result, log = setup(machine("dpkg-query", "apt-get"), { MISSING = "jq" })
  t.eq({ result.code, log }, { 1, "" })
  t.has(result.stdout, "setup: apt-get install jq\n")
  t.has(result.stderr, "setup: needs root or sudo to run: apt-get")
end)

t.test("building asks for less than testing", function()
  local result, log = setup(machine("dpkg-query", "apt-get"),
    { USER_ID = "0", MISSING = "jq libuv1-dev" }, "build")
  t.eq(result.code, 0, result.stderr)
  t.match(log, "install [^\n]* libuv1%-dev\n$")
  t.lacks(log, "jq")
  t.eq(setup(machine("dpkg-query"), {}, "biuld").code, 2)
end)

t.test("on macOS the names are Homebrew's", function()
  local result, log = setup(machine "brew", { SYSTEM = "Darwin", MISSING = "libuv sqlite gcc" })
  t.eq(result.code, 0, result.stderr)
  t.eq(log, "brew install libuv sqlite\n")
  t.eq(result.stdout, "setup: brew install libuv sqlite\n")
  result, log = setup(machine "brew", { SYSTEM = "Darwin" })
  t.eq({ result.code, result.stdout, log }, { 0, "", "" })
  result = setup(machine(), { SYSTEM = "Darwin" })
  t.eq(result.code, 1)
  t.has(result.stderr, "Homebrew is not here")
end)

t.test("elsewhere it says what is needed and leaves the rest to the build", function()
  local result = setup(machine(), {})
  t.eq(result.code, 0)
  t.match(result.stderr, "needed, by their names on Debian: gcc libc6%-dev make ")
end)

t.test("every package has a name, a version, a reason and a way to replace it", function()
  local count = 0
  for line in io.lines "vendor/packages" do
    if not line:find "^#" then
      t.match(line, "^%l+ +[%w.+-]+ +[%w.+@-]+ +[%d.]+ +[^|]+ | .+$")
      t.ok(line:find "^build " or line:find "^test " or line:find "^fuzz ", line)
      count = count + 1
    end
  end
  t.ok(count > 20)
end)
