--- The test kit: tests are sentences that must hold, each in a task of its own.
--- After each test no task, handle or new global may be left.

local dev = require "host.dev"
local task = require "host.task"

local M = {}

local TEST_TIMEOUT = 120
local MAX_TORTURE = 20000

local state = { count = 0, failed = 0, cleanups = {} }

local function write(...)
  io.stdout:write(...)
  io.stdout:flush()
end

--- Values as a person reads them in a failure: tables sorted, strings quoted.
local function show(v, depth)
  depth = depth or 0
  if type(v) == "string" then
    return #v > 600 and ("%q…(%d bytes)"):format(v:sub(1, 600), #v) or ("%q"):format(v)
  elseif type(v) ~= "table" or depth > 6 then
    return tostring(v)
  end
  local keys, parts = {}, {}
  for k in pairs(v) do
    keys[#keys + 1] = k
  end
  table.sort(keys, function(a, b)
    if math.type(a) and math.type(b) then
      return a < b
    end
    return tostring(a) < tostring(b)
  end)
  for i, k in ipairs(keys) do
    if i > 60 then
      parts[#parts + 1] = "…"
      break
    end
    parts[#parts + 1] = ("[%s]=%s"):format(show(k, depth + 1), show(v[k], depth + 1))
  end
  return "{" .. table.concat(parts, ", ") .. "}"
end
M.show = show

local function same(a, b, seen)
  if rawequal(a, b) then
    return true
  end
  if type(a) ~= "table" or type(b) ~= "table" then
    return a == b and math.type(a) == math.type(b)
  end
  seen = seen or {}
  if seen[a] == b then
    return true
  end
  seen[a] = b
  for k, v in pairs(a) do
    if not same(v, b[k], seen) then
      return false
    end
  end
  for k in pairs(b) do
    if a[k] == nil then
      return false
    end
  end
  return true
end

--- Deep equality; integers and floats differ.
function M.eq(got, want, message)
  if not same(got, want) then
    error(("%sgot  %s\n     want %s"):format(
      message and message .. ": " or "", show(got), show(want)), 2)
  end
end

--- A true value; on failure says `message`, or the error record given after it.
function M.ok(value, message)
  if not value then
    error(("not true: %s"):format(message ~= nil and show(message) .. " " .. tostring(message)
      or show(value)), 2)
  end
  return value
end

--- A failure `nil, e`: `want` is the kind or code of an error record, or a Lua
--- pattern of its message.
function M.err(value, e, want)
  if value ~= nil and value ~= false then
    error("expected an error, got " .. show(value), 2)
  end
  if e == nil then
    error("expected an error value, got nil", 2)
  end
  if want then
    local fields = type(e) == "table" and { e.kind, e.code, e.message } or { e }
    for i = 1, 3 do
      local text = fields[i]
      if text == want or (type(text) == "string" and text:find(want)) then
        return e
      end
    end
    error(("expected error %q, got %s"):format(want, show(e)), 2)
  end
  return e
end

--- A raised error whose text matches the Lua pattern.
function M.raises(fn, pattern)
  local ok, e = pcall(fn)
  if ok then
    error("expected a raised error", 2)
  end
  local text = type(e) == "table" and (e.message or tostring(e)) or tostring(e)
  if pattern and not text:find(pattern) then
    error(("expected an error that matches %q, got %s"):format(pattern, text), 2)
  end
  return e
end

--- A string in which the Lua pattern is found.
function M.match(text, pattern)
  if type(text) ~= "string" or not text:find(pattern) then
    error(("expected a match of %q in %s"):format(pattern, show(text)), 2)
  end
end

--- A string in which the plain text is found.
function M.has(text, plain)
  if type(text) ~= "string" or not text:find(plain, 1, true) then
    error(("expected %q in %s"):format(plain, show(text)), 2)
  end
end

--- A string in which the plain text is not found.
function M.lacks(text, plain)
  if type(text) == "string" and text:find(plain, 1, true) then
    error(("did not expect %q in %s"):format(plain, show(text)), 2)
  end
end

local SKIP = {}

--- Ends this test as skipped; only for what cannot run here.
function M.skip(reason)
  error({ SKIP, reason }, 0)
end

--- Runs `fn` when this test ends, last registered first.
function M.cleanup(fn)
  table.insert(state.cleanups, fn)
end

--- A private directory that goes when the test ends.
function M.tmpdir()
  local fs = require "sys.fs"
  local path = assert(fs.tmpdir("clanker-test-"))
  M.cleanup(function()
    fs.remove(path, true)
  end)
  return path
end

--- A private directory in memory that goes when the test ends; skips the test
--- where there is no such place.
function M.memory_dir()
  local fs, host = require "sys.fs", require "sys.os"
  if not fs.in_memory("/dev/shm") then
    return M.skip("/dev/shm is not in memory")
  end
  local path = ("/dev/shm/clanker-test-%d-%d-%d"):format(host.pid(), state.count,
    #state.cleanups)
  assert(fs.mkdir(path, 448)) -- 0700
  M.cleanup(function()
    fs.remove(path, true)
  end)
  return path
end

--- Waits until `fn()` is true; fails after `seconds` (5).
function M.eventually(fn, seconds)
  local deadline = task.now() + (seconds or 5)
  while true do
    local value = fn()
    if value then
      return value
    end
    if task.now() > deadline then
      error("this did not come true in time", 2)
    end
    task.sleep(0.005)
  end
end

--- The path of a file in ../shared/fly, or nil when it is not there (a plain
--- clone): tests that need it then skip.
function M.shared(name)
  local path = "../shared/fly/" .. name
  local file = io.open(path, "r")
  if file then
    file:close()
    return path
  end
  return nil
end

--- The whole text of a file.
function M.read_file(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("a")
  file:close()
  return text
end

--- The binary under test.
function M.binary()
  return assert(os.getenv("CLANKER_BINARY"), "CLANKER_BINARY is not set")
end

local function globals()
  local set = {}
  for k in pairs(_G) do
    set[k] = true
  end
  return set
end

local function leaks(before, tasks_before)
  collectgarbage()
  collectgarbage()
  task.sleep(0)
  local found = {}
  for k in pairs(_G) do
    if not before[k] then
      found[#found + 1] = "global " .. tostring(k)
      _G[k] = nil
    end
  end
  -- Handles close on a later turn of the loop; give them a bounded number.
  local handles
  for _ = 1, 50 do
    handles = dev.handles()
    if #handles <= state.base_handles and dev.tasks() <= tasks_before then
      break
    end
    task.sleep(0.002)
  end
  -- The sleep just made is gone by now; anything else is a leak.
  if #handles > state.base_handles then
    found[#found + 1] = "handles: " .. table.concat(handles, " ")
  end
  if dev.tasks() > tasks_before then
    found[#found + 1] = ("%d tasks"):format(dev.tasks() - tasks_before)
  end
  return found
end

--- More handles that stay open on purpose between tests (a connection pool).
function M.allow_handles(count)
  state.base_handles = count
end

local function report(ok, name, detail)
  state.count = state.count + 1
  write(ok and "ok " or "not ok ", tostring(state.count), " - ", name)
  if not ok then
    state.failed = state.failed + 1
  end
  write("\n")
  if not ok and detail then
    write("  ", (tostring(detail):gsub("\n", "\n  ")), "\n")
  end
end

local function run_cleanups()
  while #state.cleanups > 0 do
    local fn = table.remove(state.cleanups)
    local ok, e = pcall(fn)
    if not ok then
      write("# cleanup failed: ", tostring(e), "\n")
    end
  end
end

--- One test. The name is a sentence that must hold.
function M.test(name, fn)
  if state.filter and not name:find(state.filter) then
    return
  end
  local before, tasks_before = globals(), dev.tasks()
  local t = task.spawn(fn)
  local ok, e, trace = t:join(TEST_TIMEOUT)
  if ok == nil then
    t:cancel()
    t:join(5)
    ok, e, trace = false, "the test did not end in time", nil
  end
  run_cleanups()
  if not ok and type(e) == "table" and e[1] == SKIP then
    state.count = state.count + 1
    write("ok ", tostring(state.count), " - ", name, " # SKIP ", e[2], "\n")
    return
  end
  if not ok then
    report(false, name, (type(e) == "table" and show(e) or tostring(e)) .. "\n"
      .. tostring(trace or ""))
    return
  end
  t, e, trace = nil, nil, nil
  local found = leaks(before, tasks_before)
  report(#found == 0, name, "left behind: " .. table.concat(found, ", "))
end

--- Runs `fn` with its 1st, 2nd, 3rd… allocation failing, once alone and once
--- with all that follow, until it passes. It may fail while one does; it must
--- not crash, hang or leak. A test of its own. Returns the number of rounds.
function M.torture(name, fn)
  M.test(name, function()
    for _, sticky in ipairs { false, true } do
      local passed
      for n = 1, MAX_TORTURE do
        collectgarbage()
        local t = task.spawn(function()
          dev.fail_at(n, sticky)
          fn()
        end)
        local ended, failures = dev.join(t, 30)
        if not ended then
          t:cancel()
        end
        local ok, e = t:join(10)
        M.ok(ended and ok ~= nil, "the scenario hangs when allocation " .. n .. " fails")
        if failures == 0 then
          M.ok(ok, e)
          passed = n
          break
        end
      end
      M.ok(passed, "still failing after the last round")
      M.ok(passed > 1, "the scenario allocates nothing")
      write(("# %s: %d allocations, %s\n"):format(name, passed - 1,
        sticky and "all later ones failing" or "one failing"))
    end
  end)
end

function M.start(path)
  state.path = path
  state.filter = os.getenv("TEST_NAME")
  state.base_handles = 0
end

function M.finish(ok, message)
  if not ok then
    report(false, state.path, message)
  end
  write("1..", tostring(state.count), "\n")
  return (state.failed == 0 and state.count > 0) and 0 or 1
end

return M
