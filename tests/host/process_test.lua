--- host.process and sys.process: children, their streams and their end.

local host = require "host.process"
local process = require "sys.process"
local secret = require "sys.secret"
local sysos = require "sys.os"
local t = require "kit"
local task = require "sys.task"

-- Sanitizers and valgrind do not give freed memory back for a while.
local KEEPS_FREED_MEMORY = t.binary():find("/asan/", 1, true) or os.getenv("VALGRIND")

local function run(opts)
  local result, e = process.run(opts)
  return t.ok(result, e)
end

local function sh(script, opts)
  opts = opts or {}
  opts.argv = { "sh", "-c", script }
  return run(opts)
end

--- The first character of a process's state, nil when there is none.
local function state(pid)
  local f = io.open("/proc/" .. pid .. "/stat")
  local text = f and f:read("a")
  if f then
    f:close()
  end
  return text and text:match("%) (%a)")
end

--- Gone, or a zombie that is init's to collect.
local function is_dead(pid)
  local s = state(pid)
  return s == nil or s == "Z" or s == "X"
end

--- Our children, zombies included.
local function children()
  local f = assert(io.open("/proc/self/task/" .. sysos.pid() .. "/children"))
  local text = f:read("a")
  f:close()
  return text
end

local function no_children()
  t.eventually(function()
    return children() == ""
  end)
end

--- Reads lines from the child's stdout until one matches; gives its capture.
local function expect(p, pattern)
  local text = ""
  while true do
    local stream, chunk = p:read()
    t.ok(stream, "the child ended before it said " .. pattern)
    text = text .. chunk
    local found = text:match(pattern)
    if found then
      return found
    end
  end
end

t.test("a child ends with its exit code and its output, streams apart", function()
  t.eq(sh("echo out; echo err >&2; exit 3"), { code = 3, stdout = "out\n", stderr = "err\n" })
  t.eq(run { argv = { "true" } }, { code = 0, stdout = "", stderr = "" })
  no_children()
end)

t.test("a child that was killed ends with the signal's name", function()
  t.eq(sh("kill -KILL $$"), { signal = "SIGKILL", stdout = "", stderr = "" })
  t.eq(sh("kill -USR1 $$").signal, "SIGUSR1")
  t.match(sh("kill -40 $$").signal, "^signal %d+$")
end)

t.test("arguments arrive as they are, since there is no shell", function()
  local words = { "printf", "%s|", "$HOME", "a b", "*", ";", "`x`", "", "\"'", "\n", "é" }
  t.eq(run { argv = words }.stdout, "$HOME|a b|*|;|`x`||\"'|\n|é|")
end)

t.test("standard input is a string, a secret, or nothing", function()
  t.eq(run { argv = { "cat" }, stdin = "a\0b" }.stdout, "a\0b")
  t.eq(run { argv = { "cat" }, stdin = "" }.stdout, "")
  t.eq(run { argv = { "cat" } }.stdout, "")
  t.eq(run { argv = { "readlink", "/proc/self/fd/0" } }.stdout, "/dev/null\n")
  local s <close> = secret.new("from a secret")
  t.eq(run { argv = { "cat" }, stdin = s }.stdout, "from a secret")
end)

t.test("a secret may be closed while it is being written", function()
  local s = secret.new(("0123456789abcdef"):rep(1 << 16))
  local p = t.ok(process.spawn {
    argv = { "sh", "-c", "read x < /dev/null; cat | cksum" }, stdin = s,
  })
  s:close()
  local want = run { argv = { "cksum" }, stdin = ("0123456789abcdef"):rep(1 << 16) }.stdout
  t.eq(expect(p, "^(.*\n)$"), want)
  t.eq(p:wait().code, 0)
  p:close()
end)

t.test("large input and output go both ways at once", function()
  local data = ("0123456789abcde\n"):rep(1 << 19)
  t.ok(run { argv = { "cat" }, stdin = data }.stdout == data, "8 MiB through cat")
end)

t.test("a child that never reads its input, or closes it, is no error", function()
  local s <close> = secret.new(("x"):rep(1 << 20))
  t.eq(run { argv = { "true" }, stdin = s }.code, 0)
  t.eq(sh("exec <&-; echo closed; exit 5", { stdin = s }),
    { code = 5, stdout = "closed\n", stderr = "" })
  t.eq(run { argv = { "head", "-c", "3" }, stdin = ("y"):rep(1 << 22) }.stdout, "yyy")
  t.eq(run { argv = { "sleep", "0.05" }, stdin = s }.code, 0)
end)

t.test("a child that writes 100 MB does not make us grow", function()
  local before, total = sysos.peak_memory(), 0
  local r = run {
    argv = { "head", "-c", "100000000", "/dev/zero" },
    on_stdout = function(chunk)
      t.ok(#chunk <= 65536)
      total = total + #chunk
      if total % (1 << 22) < #chunk then
        collectgarbage()
      end
    end,
  }
  t.eq({ r.code, total, r.stdout }, { 0, 100000000, "" })
  if not KEEPS_FREED_MEMORY then
    local grown = sysos.peak_memory() - before
    t.ok(grown < 8 << 20, ("grown by %d bytes"):format(grown))
  end
end)

t.test("a child whose output nobody reads has to wait", function()
  local p <close> = t.ok(process.spawn { argv = { "yes" } })
  local function written()
    local f = assert(io.open("/proc/" .. p:pid() .. "/io"))
    local count = tonumber(f:read("a"):match("wchar: (%d+)"))
    f:close()
    return count
  end
  local stream, chunk = p:read()
  t.eq(stream, "stdout")
  t.eq(chunk:sub(1, 4), "y\ny\n")
  t.eventually(function()
    return state(p:pid()) == "S"
  end)
  local count = written()
  t.ok(count < 1 << 20, count)
  for _ = 1, 10 do
    task.sleep(0)
  end
  t.eq(written(), count)
end)

t.test("a flood on one stream does not starve the other", function()
  local p <close> = t.ok(process.spawn {
    argv = { "sh", "-c", "yes & echo here >&2; wait" },
  })
  for _ = 1, 200 do
    local stream, chunk = p:read()
    if stream == "stderr" then
      t.eq(chunk, "here\n")
      return
    end
  end
  error("nothing on stderr in 200 chunks")
end)

t.test("a child may close its streams long before it ends", function()
  t.eq(sh("exec >&- 2>&-; sleep 0.05; exit 7").code, 7)
end)

t.test("the environment is what was given and nothing else", function()
  t.eq(run { argv = { "env" } }.stdout, "")
  t.eq(run { argv = { "env" }, env = { B = "2", A = "1\n", C = "" } }.stdout, "A=1\n\nB=2\nC=\n")
  local s <close> = secret.new("in the environment")
  t.eq(run { argv = { "env" }, env = { TOKEN = s } }.stdout, "TOKEN=in the environment\n")
  t.eq(run { argv = { "env" }, inherit = { "HOME", "NOT_SET_HERE" } }.stdout,
    "HOME=" .. os.getenv("HOME") .. "\n")
  t.eq(run { argv = { "env" }, inherit = { "HOME" }, env = { HOME = "/x" } }.stdout, "HOME=/x\n")
end)

t.test("the child runs in the given directory", function()
  t.eq(run { argv = { "pwd" }, cwd = "/" }.stdout, "/\n")
  local dir = t.tmpdir()
  t.eq(run { argv = { "pwd", "-P" }, cwd = dir }.stdout,
    run { argv = { "realpath", dir } }.stdout)
end)

t.test("no descriptor of ours is visible in the child", function()
  -- Lua opens files without close-on-exec: just what must not get through.
  local files = {}
  for i = 1, 20 do
    files[i] = assert(io.open("/dev/zero"))
  end
  local other <close> = t.ok(process.spawn { argv = { "cat" }, stdin = ("x"):rep(1 << 20) })
  t.eq(other:kill("SIGCONT"), true)
  local listing = run { argv = { "ls", "-l", "/proc/self/fd" } }.stdout
  local seen = {}
  for fd, target in listing:gmatch(" (%d+) %-> (%S+)") do
    seen[tonumber(fd)] = target:match("^%a+:") or target:match("^/%a+")
  end
  t.eq(seen, { [0] = "/dev", "pipe:", "pipe:", "/proc" }) -- 3 is the listing itself
  for _, file in ipairs(files) do
    file:close()
  end
end)

t.test("the child blocks, ignores and handles no signal", function()
  local status = run { argv = { "cat", "/proc/self/status" } }.stdout
  for _, name in ipairs { "SigBlk", "SigIgn", "SigCgt" } do
    t.match(status, name .. ":\t0+\n")
  end
end)

t.test("the child leads a session of its own, without a terminal", function()
  local stat = run { argv = { "cat", "/proc/self/stat" } }.stdout
  local pid, group, session, tty = stat:match("^(%d+) %(cat%) %a %d+ (%d+) (%d+) (%-?%d+)")
  t.eq({ group, session, tty }, { pid, pid, "0" })
end)

t.test("a program that cannot be run says why", function()
  if os.getenv("VALGRIND") then
    t.skip("valgrind makes posix_spawn a fork, which loses the child's error")
  end
  local dir = t.tmpdir()
  local function fails(code, opts)
    local e = t.err(nil, select(2, process.run(opts)), code)
    t.eq(e.code, code)
    return e.message
  end
  t.has(fails("ENOENT", { argv = { "no-such-program" } }), "no-such-program: ")
  t.has(fails("ENOENT", { argv = { dir .. "/none" } }), dir .. "/none: ")
  t.has(fails("ENOENT", { argv = { "" } }), "no such file")
  local f = assert(io.open(dir .. "/plain", "w"))
  f:write("#!/bin/sh\n")
  f:close()
  t.has(fails("EACCES", { argv = { dir .. "/plain" } }), "/plain: permission denied")
  t.has(fails("EACCES", { argv = { "plain" }, env = { PATH = dir } }), "permission denied")
  fails("EACCES", { argv = { dir } })
  t.has(fails("ENOENT", { argv = { "true" }, cwd = dir .. "/none" }), dir .. "/none: ")
  t.has(fails("ENOTDIR", { argv = { "true" }, cwd = dir .. "/plain" }), "/plain: ")
  local long = {}
  for i = 1, 60 do
    long[i] = ("x"):rep(100000)
  end
  fails("E2BIG", { argv = { "true", table.unpack(long) } })
  no_children()
end)

t.test("misuse raises before anything is started", function()
  local s <close> = secret.new("hunter2!")
  for _, case in ipairs {
    { { argv = {} }, "1 to" },
    { {}, "option 'argv'" },
    { { argv = "ls -l" }, "option 'argv' must be a table" },
    { { argv = { "ls", 1 } }, "argv word 2 is a number" },
    { { argv = { "ls", "a\0b" } }, "argv word 2 contains NUL" },
    { { argv = { "echo", s } }, "argv word 2 is a secret" },
    { { argv = { s } }, "argv word 1 is a secret" },
    { { argv = { "true" }, stdin = 5 }, "option 'stdin'" },
    { { argv = { "true" }, stdin = {} }, "option 'stdin'" },
    { { argv = { "true" }, env = { ["A=B"] = "" } }, "cannot be an environment name" },
    { { argv = { "true" }, env = { [""] = "" } }, "cannot be an environment name" },
    { { argv = { "true" }, env = { ["A\0"] = "" } }, "cannot be an environment name" },
    { { argv = { "true" }, env = { "x" } }, "name is a number" },
    { { argv = { "true" }, env = { A = 1 } }, "value of A is a number" },
    { { argv = { "true" }, env = { A = "a\0b" } }, "value of A contains NUL" },
    { { argv = { "true" }, env = { A = secret.new("a\0secret") } }, "value of A contains NUL" },
    { { argv = { "true" }, cwd = "" }, "option 'cwd'" },
    { { argv = { "true" }, cwd = "/\0" }, "option 'cwd'" },
    { { argv = { "true" }, timeout = -1 }, "option 'timeout'" },
    { { argv = { "true" }, timeout = 0 / 0 }, "option 'timeout'" },
    { { argv = { "true" }, kill_after = "1" }, "option 'kill_after'" },
    { { argv = { "true" }, shell = true }, "unknown option 'shell'" },
  } do
    local e = t.raises(function()
      host.spawn(case[1])
    end, case[2])
    t.lacks(tostring(e), "hunter2!")
  end
  local closed = secret.new("x")
  closed:close()
  t.raises(function()
    host.spawn { argv = { "cat" }, stdin = closed }
  end, "closed")
  no_children()
end)

t.test("a child that takes too long is terminated", function()
  local r, e = process.run { argv = { "sh", "-c", "echo so far; sleep 1000" }, timeout = 0.05 }
  t.err(r, e, "timeout")
  t.eq(e.message, "sh: still ran after 0.05 seconds")
  t.eq(e.detail, { signal = "SIGTERM", stdout = "so far\n", stderr = "" })
  no_children()
end)

t.test("a child that handles SIGTERM may clean up", function()
  local script = "trap 'echo bye; exit 4' TERM; echo on; while :; do sleep 0.01; done"
  local p <close> = t.ok(process.spawn { argv = { "sh", "-c", script }, kill_after = 60 })
  expect(p, "on")
  t.eq(p:kill(), true)
  expect(p, "bye")
  t.eq(p:wait(), { code = 4, timed_out = false })
end)

t.test("a child that ignores SIGTERM is killed after kill_after", function()
  local start = task.now()
  local r, e = process.run {
    argv = { "sh", "-c", "trap '' TERM; while :; do sleep 0.05; done" },
    timeout = 0.05, kill_after = 0.2,
  }
  t.err(r, e, "timeout")
  t.eq(e.detail.signal, "SIGKILL")
  t.ok(task.now() - start >= 0.25)
  no_children()
end)

t.test("a stopped child is terminated too", function()
  local p <close> = t.ok(process.spawn { argv = { "sleep", "1000" }, kill_after = 60 })
  p:kill("SIGSTOP")
  t.eventually(function()
    return state(p:pid()) == "T"
  end)
  p:kill("SIGTERM")
  t.eq(p:wait().signal, "SIGTERM")
end)

local FAMILY = "trap '' TERM; (trap '' TERM; sleep 1000 & echo $!; wait) & wait"

t.test("grandchildren die with the group", function()
  local p <close> = t.ok(process.spawn { argv = { "sh", "-c", FAMILY }, kill_after = 0.05 })
  local pid = expect(p, "(%d+)\n")
  t.ok(not is_dead(pid))
  p:kill("SIGTERM")
  t.eq(p:wait().signal, "SIGKILL")
  t.eventually(function()
    return is_dead(pid)
  end)
end)

t.test("a grandchild that ignores SIGTERM dies though the child obeyed", function()
  local script = "(trap '' TERM; exec sleep 1000 >/dev/null 2>&1) & echo $!; sleep 1000"
  local p <close> = t.ok(process.spawn { argv = { "sh", "-c", script }, kill_after = 60 })
  local pid = expect(p, "(%d+)\n")
  p:kill("SIGTERM")
  t.eq(p:wait().signal, "SIGTERM")
  t.eventually(function()
    return is_dead(pid)
  end)
end)

t.test("cancelling the task that waits kills the group", function()
  for _, how in ipairs { "read", "wait", "run" } do
    local pid
    local runner = task.spawn(function()
      if how == "run" then
        process.run {
          argv = { "sh", "-c", FAMILY }, kill_after = 0.05,
          on_stdout = function(chunk)
            pid = chunk:match("%d+")
          end,
        }
      else
        local p <close> = process.spawn { argv = { "sh", "-c", FAMILY } }
        pid = expect(p, "(%d+)\n")
        p[how](p)
      end
    end)
    t.eventually(function()
      return pid
    end)
    runner:cancel()
    local ok, e = runner:join(10)
    t.eq(ok, false)
    t.ok(task.is_canceled(e), e)
    t.eventually(function()
      return is_dead(pid)
    end)
    no_children()
  end
end)

t.test("a child whose handle is collected is killed and reaped", function()
  local pid
  do
    local p = process.spawn { argv = { "sh", "-c", FAMILY }, stdin = ("x"):rep(1 << 20) }
    pid = expect(p, "(%d+)\n")
  end
  collectgarbage()
  collectgarbage()
  t.eventually(function()
    return is_dead(pid)
  end)
  no_children()
end)

t.test("a child whose waiting task is collected is killed and reaped", function()
  local runner = task.spawn(function()
    process.run { argv = { "sleep", "1000" } }
  end)
  task.sleep(0)
  t.ok(children() ~= "")
  runner:cancel()
  runner = nil
  collectgarbage()
  no_children()
end)

t.test("no child outlives us, whether we end or are told to", function()
  local argv = { t.binary(), "-l", "tests/host/fixtures/leave_child.lua" }
  local env = { CLANKER_LUA = os.getenv("CLANKER_LUA") }
  local pid = run { argv = argv, env = env, inherit = { "PATH" } }.stdout:match("^%d+")
  t.eventually(function()
    return is_dead(pid)
  end)
  argv[4] = "wait"
  local p <close> = t.ok(process.spawn { argv = argv, env = env, inherit = { "PATH" } })
  pid = expect(p, "(%d+)\n")
  t.ok(not is_dead(pid))
  p:kill("SIGTERM")
  p:wait()
  t.eventually(function()
    return is_dead(pid)
  end)
end)

t.test("close kills at once, and closing twice is allowed", function()
  local p = process.spawn { argv = { "sh", "-c", FAMILY } }
  local pid = expect(p, "(%d+)\n")
  p:close()
  p:close()
  for _, name in ipairs { "read", "wait", "kill", "pid" } do
    t.raises(function()
      p[name](p)
    end, "closed")
  end
  t.eventually(function()
    return is_dead(pid)
  end)
  no_children()
end)

t.test("a task that waits while another closes the child is told", function()
  local p = process.spawn { argv = { "sleep", "1000" } }
  local waiter = task.spawn(function()
    p:wait()
  end)
  task.sleep(0)
  t.raises(function()
    p:read()
  end, "another task waits")
  p:close()
  local ok, e = waiter:join(5)
  t.eq(ok, false)
  t.has(e, "the process is closed")
end)

t.test("an ended child is reaped before anybody closes it", function()
  local p <close> = process.spawn { argv = { "sh", "-c", "echo x; exit 2" } }
  t.eq(p:wait(), { code = 2, timed_out = false })
  t.eq(p:wait(), { code = 2, timed_out = false })
  t.eq(p:read(), nil)
  t.eq(children(), "")
  t.err(p:kill(), select(2, p:kill()), "has ended")
end)

t.test("kill sends the named signal", function()
  local script = "trap 'echo got' USR1; echo on; while :; do sleep 0.01; done"
  local p <close> = process.spawn { argv = { "sh", "-c", script } }
  expect(p, "on")
  p:kill("SIGUSR1")
  expect(p, "got")
  t.raises(function()
    p:kill("KILL")
  end, "not the name of a signal")
  p:kill("SIGKILL")
  t.eq(p:wait().signal, "SIGKILL")
end)

t.test("a daemon that keeps the streams open is left behind", function()
  local start = task.now()
  local r = sh("sleep 1000 & echo $!; exit 6", { kill_after = 0.1 })
  t.eq(r.code, 6)
  t.ok(task.now() - start < 60)
  local pid = r.stdout:match("%d+")
  t.ok(not is_dead(pid))
  sh("kill -KILL " .. pid)
end)

t.test("a slow taker loses nothing of a child that has exited", function()
  local got = {}
  local r = sh("head -c 150000 /dev/zero; sleep 0.3 & exit 0", {
    kill_after = 0.05,
    on_stdout = function(chunk)
      got[#got + 1] = chunk
      task.sleep(0.15)
    end,
  })
  t.eq({ r.code, #table.concat(got) }, { 0, 150000 })
end)

t.test("a process that left the group cannot hold us", function()
  local p <close> = t.ok(process.spawn {
    argv = { "sh", "-c", "setsid sleep 1000 & echo $!; sleep 1000" }, kill_after = 0.05,
  })
  local pid = expect(p, "(%d+)\n")
  p:kill("SIGTERM")
  t.eq(p:wait().signal, "SIGTERM")
  sh("kill -KILL " .. pid)
end)

t.test("output beyond max_output ends the child with an error", function()
  local r, e = process.run { argv = { "yes" }, max_output = 1000 }
  t.err(r, e, "E2BIG")
  t.eq(e.message, "yes: wrote more than 1000 bytes to stdout")
  t.eq(#e.detail.stdout, 1000)
  t.eq(run { argv = { "head", "-c", "1000", "/dev/zero" }, max_output = 1000 }.code, 0)
  no_children()
end)

t.test("an error in a callback ends the child and is raised", function()
  local e = t.raises(function()
    process.run {
      argv = { "yes" },
      on_stdout = function()
        error("the callback failed")
      end,
    }
  end, "the callback failed")
  t.ok(e)
  t.eq(children(), "")
end)

t.test("a callback may wait", function()
  local lines = {}
  run {
    argv = { "sh", "-c", "echo a; echo b >&2; echo c" },
    on_stdout = function(chunk)
      task.sleep(0.001)
      lines[#lines + 1] = chunk
    end,
    on_stderr = function(chunk)
      lines[#lines + 1] = chunk
    end,
  }
  t.eq(#table.concat(lines), 6)
end)

t.test("many children run at once", function()
  local list = {}
  for i = 1, 60 do
    list[i] = i
  end
  local codes = task.map(list, 20, function(i)
    return sh("cat; exit " .. i, { stdin = "x" }).code
  end)
  t.eq(codes, list)
  no_children()
end)

t.test("which searches absolute directories only", function()
  local dir = t.tmpdir()
  for _, name in ipairs { "tool", "plain" } do
    local f = assert(io.open(dir .. "/" .. name, "w"))
    f:write("#!/bin/sh\necho found\n")
    f:close()
  end
  sh("chmod +x " .. dir .. "/tool")
  t.eq(process.which("tool", "/nonexistent:" .. dir), dir .. "/tool")
  t.eq(process.which("tool", ":" .. dir .. ":"), dir .. "/tool")
  t.eq(process.which("/some/path", ""), "/some/path")
  t.match(process.which("sh"), "^/.*/sh$")
  t.eq(run { argv = { "tool" }, env = { PATH = dir } }.stdout, "found\n")
  local function fails(code, ...)
    local found, e = process.which(...)
    t.err(found, e, code)
  end
  fails("ENOENT", "tool", "/nonexistent")
  fails("ENOENT", "tool", "")
  fails("EACCES", "plain", dir)
  fails("ENOENT", "tool", ".")
  sysos.chdir(dir)
  local found, e = process.which("tool", ".::")
  sysos.chdir("/")
  sysos.chdir(os.getenv("PWD"))
  t.err(found, e, "ENOENT")
end)
