-- .ci/run with a make that says what it is told to: what it adds up, how it ends.

local fs = require "sys.fs"
local process = require "sys.process"
local t = require "kit"

local DPKG = "#!/bin/sh\nprintf 'install ok installed'\n"

-- Runs it; `answers` are the lines of a shell's `case` on make's words.
local function ci(answers)
  local dir = t.tmpdir()
  local make = ('#!/bin/sh\necho "$*" >> "$LOG"\ncase "$*" in\n%sesac\n'):format(answers)
  t.ok(fs.write(dir .. "/make", make, { mode = 448 })) -- 0700
  t.ok(fs.write(dir .. "/dpkg-query", DPKG, { mode = 448 }))
  local result = assert(process.run({
    argv = { ".ci/run" }, timeout = 60,
    env = { PATH = dir .. ":" .. os.getenv "PATH", LOG = dir .. "/log" },
  }))
  return result.code, result.stdout:match("([^\n]*)\n$"), t.read_file(dir .. "/log"), result.stdout
end

t.test("it adds up the tests of both builds and its own steps", function()
  local code, last, log, out = ci [[
    "test") echo "100 passed, 0 failed, 2 skipped" ;;
    "test MODE=asan") echo "90 passed, 0 failed" ;;
  ]]
  t.eq({ code, last }, { 0, "196 passed, 0 failed" })
  t.match(out, "^== setup\n.*== tests\n", "what is needed is installed before anything is made")
  t.match(log, "^test\n")
  t.has(log, "\nlint\ntest MODE=asan\n")
end)

t.test("a test that fails is counted, and the end is not 0", function()
  local code, last, log = ci [[
    "test") echo "99 passed, 1 failed"; exit 2 ;;
    "test MODE=asan") echo "90 passed, 0 failed" ;;
  ]]
  t.eq({ code, last }, { 1, "195 passed, 1 failed" })
  t.has(log, "MODE=asan", "what comes after it is run all the same")
end)

t.test("a build or a check that fails counts as one, named", function()
  local code, last, _, out = ci [[
    "test") echo "100 passed, 0 failed" ;;
    "test MODE=asan") echo "cc: error"; exit 2 ;;
    "lint") exit 1 ;;
  ]]
  t.eq({ code, last }, { 1, "105 passed, 2 failed" })
  t.has(out, "FAILED: lint\n")
  t.has(out, "FAILED: tests under the sanitizers (exit 2)\n")
end)
