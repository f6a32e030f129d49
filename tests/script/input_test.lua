-- What a script reads from standard input, and what it does where it cannot wait.

local process = require "sys.process"
local support = require "script.support"
local t = require "kit"
local task = require "sys.task"

local run = support.run

--- A running script, its standard input a FIFO that this test writes to.
local function talk(text, words)
  local fifo = t.tmpdir() .. "/fifo"
  assert(process.run({ argv = { "mkfifo", fifo } }))
  local options = support.command(support.write(text), words)
  options.argv = { "/bin/sh", "-c", 'exec "$0" "$@" < ' .. fifo, table.unpack(options.argv) }
  local child = assert(process.spawn(options))
  local writer = assert(io.open(fifo, "r+"))
  t.cleanup(function()
    child:close()
    writer:close()
  end)
  return child, writer
end

local function expect(child, want)
  local got = ""
  while got ~= want do
    local stream, chunk = child:read()
    t.eq(stream, "stdout", got .. tostring(chunk))
    got = got .. chunk
    t.eq(got, want:sub(1, #got))
  end
end

t.test("every format reads what Lua's own would", function()
  local text = [[
    print(io.read(), io.read("L"), io.read("n"), io.read("*n", "n"), io.read(3), io.read(0))
    print(io.stdin:read("l"), io.input() == io.stdin)
    for line in io.lines() do
      if line == "end" then break end
      print("[" .. line .. "]")
    end
    for a, b in io.lines(nil, 1, "L") do
      print(a, b)
      break
    end
    print(io.read("n", "l"), #io.read("a"), io.read("a"), io.read("l"), io.read(0))
    print(select(2, pcall(io.read, "x")))
  ]]
  local result = run(text, {}, {
    stdin = "one\ntwo\n 12 0x1F\t-3.5e2abc rest\nl1\n\nl3\nend\nxyz\nno number\n"
      .. ("t"):rep(50000),
  })
  t.eq(result.stdout, "one\ttwo\n\t12\t31\tabc\t\n rest\ttrue\n[l1]\n[]\n[l3]\nx\tyz\n\n"
    .. "nil\t50010\t\tnil\tnil\nbad argument #1 to 'read' (invalid format)\n", result.stderr)
end)

t.test("a file can take its place, and long lines are whole", function()
  local path = t.tmpdir() .. "/in"
  local file = assert(io.open(path, "w"))
  file:write("from a file\n")
  file:close()
  local result = run([[
    print(#io.read(), #io.read(100000), io.read("L") == ("z"):rep(5) .. "\n", io.read(1))
    io.input(...)
    print(io.read(), io.read())
    for line in io.lines(...) do print(line) end
  ]], { path }, { stdin = ("x"):rep(200000) .. "\n" .. ("y"):rep(100000) .. "zzzzz\n" })
  t.eq(result.stdout, "200000\t100000\ttrue\tnil\nfrom a file\tnil\nfrom a file\n", result.stderr)
end)

t.test("other tasks go on while a script reads", function()
  local child, writer = talk([[
    local task = require "clanker.task"
    task.spawn(function()
      print "meanwhile"
      io.stdout:flush()
    end)
    print(io.read())
  ]])
  expect(child, "meanwhile\n")
  writer:write("an answer\n")
  writer:flush()
  expect(child, "an answer\n")
  t.eq(child:wait().code, 0)
end)

t.test("an interrupt ends a script that reads, in a task or in a coroutine", function()
  for _, text in ipairs { "io.read()", "coroutine.wrap(function() io.read() end)()" } do
    local child = talk('io.stdout:write("here\\n") io.stdout:flush()' .. text)
    expect(child, "here\n")
    assert(child:kill("SIGINT"))
    t.eq(child:wait(), { code = 130, timed_out = false }, text)
  end
end)

t.test("an interrupt that ended a program ends the script that waits for it", function()
  local result = run('print "here" os.execute("kill -INT $$") print "after"')
  t.eq({ result.code, result.stdout, result.stderr }, { 130, "here\n", "" })
  result = run('print(os.execute("kill -TERM $$")) print(os.execute()) print(os.execute("exit 3"))')
  t.eq(result.stdout, "nil\tsignal\t15\ntrue\nnil\texit\t3\n")
end)

t.test("a coroutine and a comparison may read and write more than a pipe takes", function()
  local result = run([[
    coroutine.wrap(function()
      for line in io.lines() do
        print(line)
      end
    end)()
    local words = { 3, 1, 2 }
    table.sort(words, function(a, b)
      print(("c"):rep(100000))
      return a < b
    end)
    print(table.concat(words, " "))
  ]], {}, {
    stdin = ("line of input\n"):rep(20000),
    on_stdout = function(chunk)
      task.sleep(0)
      t.ok(not chunk:find("error", 1, true), chunk)
    end,
  })
  t.eq({ result.code, result.stderr }, { 0, "" })
end)

t.test("no input, closed input and a directory end or fail, and do not hang", function()
  local function from(redirection, text)
    return assert(process.run {
      argv = { "/bin/sh", "-c", 'exec "$0" run "$1" ' .. redirection, t.binary(),
        support.write(text) },
      env = { HOME = t.tmpdir() }, inherit = { "PATH", "CLANKER_LUA", "ASAN_OPTIONS" },
      timeout = 60,
    })
  end
  local text = 'print(io.read(), io.read("a"), io.read("n"))'
  t.eq(from("</dev/null", text).stdout, "nil\t\tnil\n")
  t.eq(from("<&-", text).stdout, "nil\t\tnil\n")
  t.match(from("</tmp", text).stdout, "^nil\tnil\tnil\tstandard input: [^\n]*\tEISDIR\n")
  t.match(from("</dev/null", 'io.read("x")').stderr, "invalid format")
  t.eq(from("</dev/zero", "io.stdin:close() print(io.read())").stdout, "nil\n")
end)

-- The script answers a line only after it was asked: its question must be out
-- before it waits, and its other task must go on meanwhile.
t.test("what was printed is out before input is waited for, and tasks go on", function()
  local result = assert(process.run {
    argv = { "/bin/sh", "-c", [[
      mkfifo "$2/in" "$2/out"
      "$0" run "$1" < "$2/in" > "$2/out" &
      exec 4> "$2/in" 5< "$2/out"
      read -r question <&5; echo "asked: $question"
      read -r tick <&5; echo "meanwhile: $tick"
      echo yes >&4
      cat <&5]], t.binary(), support.write [[
        local task = require "clanker.task"
        local ticker = task.spawn(function()
          task.sleep(0.05)
          io.write("tick\n")
          io.stdout:flush()
        end)
        print "go on?"
        print("got", io.read())
        ticker:join()
      ]], t.tmpdir() },
    env = { HOME = t.tmpdir() }, inherit = { "PATH", "CLANKER_LUA", "ASAN_OPTIONS" },
    timeout = 60,
  })
  t.eq(result.stdout, "asked: go on?\nmeanwhile: tick\ngot\tyes\n")
end)

t.test("a script can come from standard input", function()
  local path = support.write "unused"
  local function piped(text, words)
    return support.run_file("-", words, { stdin = text, cwd = path:match("^(.*)/") })
  end
  local result = piped("#!/usr/bin/env clanker\nprint(arg[0], ...)\nerror 'x'", { "a b", "-" })
  t.eq({ result.code, result.stdout }, { 1, "-\ta b\t-\n" })
  t.match(result.stderr, "^error: stdin:3: x\n")
  t.match(piped("\xEF\xBB\xBFprint 'mark'").stdout, "^mark\n")
  t.eq(piped("").code, 0)
  t.match(piped("x = = 1").stderr, "^error: stdin:1: ")
end)
