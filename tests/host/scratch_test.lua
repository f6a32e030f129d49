--- Directories that go with their process: private, alone, swept after a crash.

local fs = require "sys.fs"
local os = require "sys.os"
local scratch = require "sys.scratch"
local t = require "kit"
local task = require "sys.task"

local function place_of(base)
  return ("%s/clanker-%d"):format(base, os.uid())
end

-- As a process leaves it that had no time to clean up.
local function crashed(base, name)
  local path = place_of(base) .. "/" .. name
  t.ok(fs.mkdir(path .. "/deep/er", nil, true))
  t.ok(fs.write(path .. "/deep/file", "hunter2"))
  t.ok(fs.write(path .. ".lock", ""))
  return path
end

t.test("a directory is private, and nothing is left of it", function()
  local base = t.tmpdir()
  local one = assert(scratch.make({ base }, "one-"))
  t.match(one.path, "/clanker%-%d+/one%-%x+$")
  t.eq({ fs.stat(one.path).mode, fs.stat(place_of(base)).mode }, { 448, 448 })
  t.ok(fs.write(one.path .. "/file", "x"))
  one.remove()
  t.eq(fs.list(base), {})
  one.remove()
end)

t.test("the first place that can be had is taken", function()
  local base = t.tmpdir()
  local one = assert(scratch.make({ "/nonexistent", base }, "one-"))
  t.match(one.path, "^" .. base:gsub("%p", "%%%0"))
  one.remove()
  local none, e = scratch.make({ "/nonexistent" }, "one-")
  t.eq({ none, e.code }, { nil, "EACCES" })
  t.match(e.message, "/nonexistent: no place")
end)

t.test("what a crash left is swept, what is in use is not", function()
  local base = t.tmpdir()
  local used = assert(scratch.make({ base }, "used-"))
  local left = crashed(base, "left-1")
  local one = assert(scratch.make({ base }, "one-"))
  t.eq({ fs.exists(left), fs.exists(left .. ".lock") }, { false, false })
  t.eq({ fs.exists(used.path), fs.exists(one.path) }, { true, true })
  used.remove()
  t.eq({ fs.exists(used.path), fs.exists(one.path) }, { false, true })
  one.remove()
  t.eq(fs.list(base), {})
end)

t.test("many processes at once do not either", function()
  local base = t.tmpdir()
  local process = require "sys.process"
  local results = task.map({ 1, 2, 3, 4 }, 4, function()
    return assert(process.run({
      argv = { t.binary(), "-l", "tests/host/fixtures/scratch_child.lua", base },
      inherit = { "HOME", "CLANKER_LUA", "CLANKER_BINARY", "ASAN_OPTIONS" }, timeout = 60,
    }))
  end)
  for _, result in ipairs(results) do
    t.eq(result.code, 0, result.stdout .. result.stderr)
  end
  t.eq(fs.list(base), {})
end)

t.test("what cannot be removed now is swept later", function()
  local base = t.tmpdir()
  local one = assert(scratch.make({ base }, "one-"))
  local deep = one.path .. ("/d"):rep(80)
  assert(fs.mkdir(deep, nil, true))
  one.remove()
  t.ok(fs.exists(one.path), "it is too deep")
  assert(fs.remove(one.path .. ("/d"):rep(40), true))
  assert(scratch.make({ base }, "two-")).remove()
  t.eq(fs.list(base), {})
end)

t.test("a place that others can write to, or made, is not entered", function()
  local base, elsewhere = t.tmpdir(), t.tmpdir()
  t.ok(fs.mkdir(place_of(base), tonumber("777", 8)))
  t.eq(scratch.make({ base }, "one-"), nil)
  t.ok(fs.remove(place_of(base)))
  t.ok(fs.symlink(elsewhere, place_of(base)))
  t.eq(scratch.make({ base }, "one-"), nil)
  t.eq(fs.list(elsewhere), {})
end)

t.test("many at once do not take each other's", function()
  local base = t.tmpdir()
  task.map({ 1, 2, 3, 4, 5, 6, 7, 8 }, 8, function()
    for _ = 1, 5 do
      local one = assert(scratch.make({ base }, "one-"))
      t.ok(fs.exists(one.path))
      task.sleep(0)
      t.ok(fs.exists(one.path))
      one.remove()
    end
  end)
  t.eq(fs.list(base), {})
end)

t.test("places in memory are in memory, whatever they are called", function()
  for _, place in ipairs(scratch.in_memory()) do
    t.ok(fs.in_memory(place), place)
  end
end)
