--- Stand-ins in C for tests: compiled once per build, beside the binary.

local fs = require "sys.fs"
local process = require "sys.process"
local t = require "kit"

local M = {}

local FIXTURES = "tests/kit/fixtures/"

-- Replaced at once: other test files may be making it too.
---@async
local function compile(source, made, flags)
  local dir = t.tmpdir()
  local argv = { "cc", "-std=gnu11", "-O1", "-o", dir .. "/made", source }
  table.move(flags, 1, #flags, #argv + 1, argv)
  local result = assert(process.run({
    argv = argv, inherit = { "PATH", "HOME", "TMPDIR" }, timeout = 60,
  }))
  t.eq(result.code, 0, result.stderr)
  assert(fs.write(made, t.read_file(dir .. "/made"), { mode = 448, parents = true })) -- 0700
end

--- The bytes of a fixture, compiled.
---@async
---@param name string "flyctl.c"
---@param flags string[]?
---@return string
function M.fixture(name, flags)
  local source = FIXTURES .. name
  local made = t.binary():match("^(.*)/") .. "/tests/fixtures/" .. name .. ".made"
  local stat = fs.stat(made)
  if not stat or stat.mtime <= fs.stat(source).mtime then
    compile(source, made, flags or {})
  end
  return t.read_file(made)
end

return M
