local fs = require "sys.fs"
local host = require "host.fs"
local process = require "sys.process"
local secret = require "host.secret"
local t = require "kit"
local task = require "sys.task"

--- A test with a directory of its own.
local function test(name, fn)
  t.test(name, function()
    fn(t.tmpdir())
  end)
end

-- ---- reading and writing ----

test("what is written is read back, byte for byte", function(dir)
  local path = dir .. "/deep/er/file"
  local data = "\0\255\r\n" .. ("é"):rep(100000)
  t.ok(fs.write(path, data, { parents = true }))
  t.eq(fs.read(path), data)
  t.eq(fs.stat(path).mode, tonumber("600", 8))
  t.eq(fs.stat(dir .. "/deep").mode, tonumber("700", 8))
  t.eq(fs.list(dir .. "/deep/er"), { "file" })
  t.ok(fs.write(path, "", { mode = tonumber("644", 8) }))
  t.eq(fs.read(path), "")
  t.eq(fs.stat(path).mode, tonumber("644", 8))
end)

test("a secret is written without becoming a string", function(dir)
  local s = secret.new("hunter2-hunter2")
  t.ok(fs.write(dir .. "/s", s))
  t.ok(fs.append(dir .. "/s", s, { sync = true }))
  t.eq(fs.read(dir .. "/s"), "hunter2-hunter2hunter2-hunter2")
  s:close()
  t.raises(function()
    fs.write(dir .. "/s", s)
  end, "closed")
end)

test("a secret in a text is masked in files too", function(dir)
  local s <close> = secret.new("hunter2/hunter2")
  t.eq(s:len(), 15)
  t.ok(fs.write(dir .. "/log", "token hunter2/hunter2\n"))
  t.ok(fs.append(dir .. "/log", '{"t":"hunter2\\/hunter2"} hunter2%2Fhunter2\n'))
  t.eq(fs.read(dir .. "/log"), 'token [secret]\n{"t":"[secret]"} [secret]\n')
end)

test("reading is bounded and says by what", function(dir)
  t.ok(fs.write(dir .. "/f", "12345"))
  t.eq(fs.read(dir .. "/f", 5), "12345")
  local _, e = fs.read(dir .. "/f", 4)
  t.eq({ e.code, e.message }, { "E2BIG", dir .. "/f: larger than 4 bytes" })
end)

test("errors name the path and have stable codes", function(dir)
  local _, e = fs.read(dir .. "/none")
  t.eq({ e.kind, e.code }, { "not_found", "ENOENT" })
  t.match(e.message, "/none: no such file or directory$")
  t.err(nil, select(2, fs.read(dir)), "EISDIR")
  t.err(nil, select(2, fs.write(dir, "x")), "EISDIR")
  t.err(nil, select(2, fs.write(dir .. "/a/b", "x")), "ENOENT")
  t.ok(fs.write(dir .. "/f", "x"))
  t.err(nil, select(2, fs.write(dir .. "/f", "y", { exclusive = true })), "EEXIST")
  t.err(nil, select(2, fs.write(dir .. "/f/g", "y", { parents = true })), "ENOTDIR")
  t.err(nil, select(2, fs.list(dir .. "/f")), "ENOTDIR")
  t.err(nil, select(2, fs.stat(dir .. "/none")), "ENOENT")
  t.err(nil, select(2, fs.remove(dir .. "/none")), "ENOENT")
  t.err(nil, select(2, fs.rename(dir .. "/none", dir .. "/x")), "ENOENT")
  t.err(nil, select(2, fs.realpath(dir .. "/none")), "ENOENT")
  t.err(nil, select(2, fs.mkdir(dir)), "EEXIST")
  t.err(nil, select(2, fs.append(dir, "x")), "EISDIR")
  t.err(nil, select(2, fs.lock(dir .. "/none/lock")), "ENOENT")
  t.err(nil, select(2, fs.write(dir .. "/" .. ("x"):rep(300), "")), "ENAMETOOLONG")
end)

test("misuse raises", function(dir)
  t.raises(function()
    fs.read("")
  end, "an empty path")
  t.raises(function()
    fs.read(dir .. "/a\0b")
  end, "NUL")
  t.raises(function()
    fs.write(dir .. "/f", {})
  end, "string expected")
  t.raises(function()
    fs.write(dir .. "/f", "", { mode = 512 })
  end, "mode must be")
  t.raises(function()
    fs.read(dir, -1)
  end, "0 to 2147483647 bytes")
  t.raises(function()
    fs.tmpdir("a/b")
  end, "a name, not a path")
  t.raises(function()
    fs.lock(dir .. "/l", { timeout = -1 })
  end, "0 seconds or more")
end)

-- ---- directories ----

test("a walk tells everything in a fixed order and is bounded", function(dir)
  for _, path in ipairs { "b/2", "b/1", "a", "c/d/e" } do
    t.ok(fs.write(dir .. "/" .. path, path, { parents = true }))
  end
  local function show(options)
    local found, e = fs.walk(dir, options)
    if not found then
      return e.code
    end
    local lines = {}
    for i, entry in ipairs(found) do
      lines[i] = entry.path .. ":" .. entry.type:sub(1, 1)
    end
    return table.concat(lines, " ")
  end
  t.eq(show(), "a:f b:d b/1:f b/2:f c:d c/d:d c/d/e:f")
  t.eq(show { max = 7 }, "a:f b:d b/1:f b/2:f c:d c/d:d c/d/e:f")
  t.eq(show { max = 6 }, "E2BIG")
  t.eq(show { depth = 3 }, "a:f b:d b/1:f b/2:f c:d c/d:d c/d/e:f")
  t.eq(show { depth = 2 }, "E2BIG")
  t.err(nil, select(2, fs.walk(dir .. "/none")), "ENOENT")
end)

test("lists are bounded and tell types", function(dir)
  t.ok(fs.write(dir .. "/f", ""))
  t.ok(fs.mkdir(dir .. "/d"))
  local names, types = fs.list(dir)
  t.eq({ names, types }, { { "d", "f" }, { "directory", "file" } })
  local _, e = fs.list(dir, 1)
  t.eq({ e.code, e.message }, { "E2BIG", dir .. ": more than 1 names" })
end)

test("making and removing directories", function(dir)
  t.ok(fs.mkdir(dir .. "/a/b", nil, true))
  t.ok(fs.mkdir(dir .. "/a/b", nil, true))
  t.err(nil, select(2, fs.remove(dir .. "/a")), "ENOTEMPTY")
  t.ok(fs.remove(dir .. "/a", true))
  t.eq(fs.exists(dir .. "/a"), false)
  t.eq(fs.exists(dir), true)
end)

test("rename replaces a file", function(dir)
  t.ok(fs.write(dir .. "/a", "1"))
  t.ok(fs.write(dir .. "/b", "2"))
  t.ok(fs.rename(dir .. "/a", dir .. "/b"))
  t.eq({ fs.list(dir) }, { { "b" }, { "file" } })
  t.eq(fs.read(dir .. "/b"), "1")
end)

test("a temporary directory is new and private", function(dir)
  local one, two = t.ok(fs.tmpdir()), t.ok(fs.tmpdir("x-"))
  t.ok(one ~= two)
  t.match(two, "/x%-%w%w%w%w%w%w$")
  t.eq(fs.stat(one).mode, tonumber("700", 8))
  t.ok(fs.remove(one))
  t.ok(fs.remove(two))
  t.eq(fs.realpath(dir .. "/./../" .. dir:match("[^/]+$")), fs.realpath(dir))
end)

test("the home directory is $HOME", function()
  t.eq(fs.home(), require("sys.os").env("HOME"))
end)

-- ---- locks ----

test("a lock excludes other tasks, in turn", function(dir)
  local held, order = 0, {}
  task.map({ 1, 2, 3, 4 }, 4, function(i)
    local _ <close> = t.ok(fs.lock(dir .. "/lock"))
    held = held + 1
    t.eq(held, 1)
    task.sleep(0.01)
    held = held - 1
    order[#order + 1] = i
  end)
  t.eq(#order, 4)
end)

test("waiting for a lock ends in time", function(dir)
  local lock <close> = t.ok(fs.lock(dir .. "/lock"))
  local started = task.now()
  local none, e = fs.lock(dir .. "/lock", { timeout = 0.1 })
  t.eq({ none, e.code, e.kind }, { nil, "ETIMEDOUT", "timeout" })
  t.eq(e.message, dir .. "/lock: locked by another process")
  t.ok(task.now() - started >= 0.1)
  t.err(nil, select(2, fs.lock(dir .. "/lock", { timeout = 0 })), "ETIMEDOUT")
  lock:release()
  lock:release()
  local again <close> = t.ok(fs.lock(dir .. "/lock", { timeout = 0 }))
  t.ok(again)
end)

test("a released lock goes to a task that waits for it", function(dir)
  local lock = t.ok(fs.lock(dir .. "/lock"))
  local waiting = task.spawn(function()
    local mine <close> = fs.lock(dir .. "/lock", { timeout = 10 })
    return mine ~= nil
  end)
  task.sleep(0.01)
  t.eq(waiting:is_done(), false)
  lock:release()
  t.eq(waiting:await(), true)
end)

test("a cancelled wait for a lock does not take it", function(dir)
  local lock = t.ok(fs.lock(dir .. "/lock"))
  local waiting = task.spawn(function()
    fs.lock(dir .. "/lock", { timeout = 60 })
  end)
  task.sleep(0.01)
  waiting:cancel()
  local ok, e = waiting:join()
  t.eq({ ok, task.is_canceled(e) }, { false, true })
  lock:release()
  collectgarbage()
  local again <close> = t.ok(fs.lock(dir .. "/lock", { timeout = 0 }))
  t.ok(again)
end)

test("a lock that is forgotten is released when collected", function(dir)
  t.ok(fs.lock(dir .. "/lock"))
  collectgarbage()
  collectgarbage()
  local again <close> = t.ok(fs.lock(dir .. "/lock", { timeout = 0 }))
  t.ok(again)
end)

-- ---- pipes ----

t.test("reading what never ends is bounded, and /dev/null is empty", function()
  t.err(nil, select(2, fs.read("/dev/zero", 1000)), "E2BIG")
  t.eq(fs.read("/dev/null"), "")
end)

--- A task that reads a new FIFO, collected over and over while it waits.
local function reading_fifo()
  local path = t.tmpdir() .. "/pipe"
  t.eq(process.run({ argv = { "mkfifo", path } }).code, 0)
  local reading = task.spawn(function()
    return fs.read(path)
  end)
  for _ = 1, 3 do
    task.sleep(0.001)
    collectgarbage()
  end
  t.eq(reading:is_done(), false)
  return reading, path
end

t.test("reading a pipe waits for its writer, whatever is collected meanwhile", function()
  local reading, path = reading_fifo()
  t.ok(process.run { argv = { "tee", path }, stdin = "what came", on_stdout = function() end })
  t.eq(reading:await(), "what came")
end)

t.test("reading a pipe can be given up", function()
  local reading = reading_fifo()
  reading:cancel()
  local ok, e = reading:join()
  t.eq({ ok, task.is_canceled(e) }, { false, true })
  t.raises(function()
    coroutine.wrap(host.read)(select(2, reading_fifo()))
  end, "outside a task")
end)

test("a lock that is waited for survives collecting", function(dir)
  local lock = t.ok(fs.lock(dir .. "/lock"))
  local waiting = task.spawn(function()
    local mine <close> = fs.lock(dir .. "/lock", { timeout = 60 })
    return mine ~= nil
  end)
  for _ = 1, 3 do
    task.sleep(0.001)
    collectgarbage()
  end
  lock:release()
  t.eq(waiting:await(), true)
end)

test("each function says each thing that can be wrong with a path", function(dir)
  local file, loop, lnk = dir .. "/file", dir .. "/loop", dir .. "/link"
  t.ok(fs.write(file, "x"))
  t.ok(fs.symlink("loop", loop))
  t.ok(fs.symlink("file", lnk))
  local function fails(code, name, ...)
    local value, e = fs[name](...)
    t.eq({ value, e and e.code }, { nil, code }, name)
    t.has(e.message, (...))
  end
  for _, name in ipairs { "read", "stat", "list", "realpath" } do
    fails("ELOOP", name, loop)
    fails("ENOENT", name, dir .. "/none")
    fails("ENOTDIR", name, file .. "/below")
    fails("ENAMETOOLONG", name, dir .. "/" .. ("x"):rep(300))
  end
  for _, name in ipairs { "write", "append" } do
    fails("ELOOP", name, lnk, "x")
    fails("ENOTDIR", name, file .. "/below", "x")
    fails("ENOENT", name, dir .. "/none/f", "x")
    fails("EISDIR", name, dir, "x")
  end
  fails("EINVAL", "write", "/dev/null", "x")
  fails("EINVAL", "append", "/dev/null", "x")
  fails("ELOOP", "lock", lnk)
  fails("EISDIR", "lock", dir)
  fails("ENOENT", "wipe", dir .. "/none")
  fails("ENOENT", "mkdir", dir .. "/none/d")
  fails("ENOTDIR", "mkdir", file .. "/d", nil, true)
  fails("ENOTDIR", "remove", file .. "/below")
  t.err(nil, select(2, fs.symlink("x", dir .. "/none/link")), "ENOENT")
  fails("ENOENT", "rename", file, dir .. "/none/file")
  t.eq(fs.read(file), "x", "and nothing was changed")
end)

t.test("a symbolic link points where it is told, and is made once", function()
  local dir = t.tmpdir()
  t.ok(fs.symlink("nowhere", dir .. "/link"))
  t.eq(fs.stat(dir .. "/link", true).type, "link")
  t.eq(fs.stat(dir .. "/link"), nil)
  t.ok(fs.write(dir .. "/nowhere", "here"))
  t.eq(fs.read(dir .. "/link"), "here")
  local ok, e = fs.symlink("elsewhere", dir .. "/link")
  t.eq({ ok, e.code }, { nil, "EEXIST" })
end)
