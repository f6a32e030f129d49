--- flyctl gets what it needs and nothing else, and its failures are typed.

local auth = require "fly.auth"
local client = require "fly.client"
local err = require "base.err"
local flyctl = require "fly.flyctl"
local fs = require "sys.fs"
local opkit = require "opkit"
local os = require "sys.os"
local process = require "sys.process"
local secret = require "sys.secret"
local t = require "kit"
local task = require "sys.task"
local tbl = require "base.tbl"

local EXECUTABLE = tonumber("700", 8)

local SETTINGS = {
  token = secret.new("FlyV1 fm2_a,fo1_b"),
  bases = { machines = "https://m.example.com", api = "https://a.example.com" },
}

--- Dependencies with a shell script in the place of flyctl.
local function with_script(body)
  local path = t.tmpdir() .. "/flyctl"
  t.ok(fs.write(path, "#!/bin/sh\n" .. body, { mode = EXECUTABLE }))
  return {
    process = tbl.merge(process, { which = function(name)
      return name == "flyctl" and path or nil
    end }),
    fs = fs, os = os, settings = SETTINGS, auth = assert(auth.new(SETTINGS.token)),
  }
end

--- The environment a child sees, as a table.
local function environment_of(deps, opts)
  local seen = {}
  local result = assert(flyctl.run(deps, {}, opts))
  for name, value in result.stdout:gmatch("([^\n=]+)=([^\n]*)") do
    seen[name] = value
  end
  return seen
end

t.test("words reach it as they are, and what it writes comes back", function()
  local result = assert(flyctl.run(with_script 'for w; do echo "<$w>"; done; echo e >&2',
    { "apps", "list", "a b", "$HOME", "--x=*" }))
  t.eq(result.stdout, "<apps>\n<list>\n<a b>\n<$HOME>\n<--x=*>\n")
  t.eq(result.stderr, "e\n")
end)

t.test("it gets one token under both names, and the hosts of the settings", function()
  local seen = environment_of(with_script "env")
  t.eq(seen.FLY_API_TOKEN, "fm2_a,fo1_b")
  t.eq(seen.FLY_ACCESS_TOKEN, "fm2_a,fo1_b")
  t.eq(seen.FLY_FLAPS_BASE_URL, "https://m.example.com")
  t.eq(seen.FLY_API_BASE_URL, "https://a.example.com")
  t.eq(seen.FLY_NO_UPDATE_CHECK, "1")
  t.eq(seen.FLY_SEND_METRICS, "0")
  t.eq(seen.NO_COLOR, "1")
  t.eq(environment_of(with_script "env", { color = true }).NO_COLOR, nil)
end)

t.test("nothing else of FLY_ and no log level reaches it", function()
  local seen = environment_of(with_script "env")
  for name in pairs(seen) do
    if name:find("^FLY_") then
      t.ok(tbl.contains({
        "FLY_API_TOKEN", "FLY_ACCESS_TOKEN", "FLY_CONFIG_DIR", "FLY_NO_UPDATE_CHECK",
        "FLY_SEND_METRICS", "FLY_FLAPS_BASE_URL", "FLY_API_BASE_URL", "FLY_UIEX_BASE_URL",
      }, name), name)
    end
  end
  t.eq(seen.LOG_LEVEL, nil)
  t.eq(seen.CLANKER_LUA, nil)
  t.ok(seen.PATH)
end)

t.test("its directory is private and gone afterwards, log files too", function()
  local deps = with_script [[
    mkdir -p "$FLY_CONFIG_DIR/logs"; cat > "$FLY_CONFIG_DIR/logs/flyctl.log"
    stat -c %a "$FLY_CONFIG_DIR"; echo "$FLY_CONFIG_DIR"]]
  local result = assert(flyctl.run(deps, {}, { stdin = secret.new("hunter2") }))
  local mode, dir = result.stdout:match("^(%d+)\n(.-)\n$")
  t.eq(mode, "700")
  t.eq(fs.exists(dir), false)
end)

t.test("the directory goes on failure and on cancellation too", function()
  local result
  local deps = with_script 'echo "$FLY_CONFIG_DIR"; exit 3'
  local _, e = flyctl.run(deps, {}, { on_stdout = function(chunk) result = chunk end })
  t.eq(e.detail.exit_code, 3)
  t.eq(fs.exists((result:gsub("\n", ""))), false)
  local started = task.event()
  local running = task.spawn(function()
    flyctl.run(with_script 'echo "$FLY_CONFIG_DIR"; exec sleep 60', {}, {
      on_stdout = function(chunk)
        result = chunk
        started:set()
      end,
    })
  end)
  t.ok(started:wait(10))
  running:cancel()
  running:join()
  t.eq(fs.exists((result:gsub("\n", ""))), false)
end)

t.test("output is handed on as it comes, and both streams are kept apart", function()
  local out, errors = {}, {}
  assert(flyctl.run(with_script "echo a; echo b >&2; echo c", {}, {
    on_stdout = function(chunk) out[#out + 1] = chunk end,
    on_stderr = function(chunk) errors[#errors + 1] = chunk end,
  }))
  t.eq(table.concat(out), "a\nc\n")
  t.eq(table.concat(errors), "b\n")
end)

t.test("a failure has its exit code, its words and a kind", function()
  local deps = with_script [[
    echo progress
    printf "\033[31mError: Could not find App x\033[0m\n" >&2
    exit 1]]
  for _, opts in ipairs { {}, { on_stderr = function() end } } do
    local _, e = flyctl.run(deps, { "status" }, opts)
    t.eq(e.kind, "not_found")
    t.eq(e.message, "flyctl status failed with exit code 1: Could not find App x")
    t.eq(e.detail.exit_code, 1)
  end
  local _, e = flyctl.run(with_script "kill -9 $$", { "deploy" })
  t.match(e.message, "was ended by SIGKILL")
end)

t.test("it leaves no core file, nor one for a program that takes them", function()
  local limits = flyctl.run(with_script "cat /proc/self/limits", {})
  if not limits then
    return t.skip("no /proc/self/limits")
  end
  local soft, hard = limits.stdout:match("Max core file size%s+(%w+)%s+(%w+)")
  t.eq(soft, hard == "0" and "0" or "1", "1 is too little for both")
end)

t.test("a time limit ends it", function()
  local _, e = flyctl.run(with_script "exec sleep 60", {}, { timeout = 0.05 })
  t.eq(e.kind, "timeout")
end)

t.test("without flyctl the way to install it is told", function()
  local deps = with_script ""
  deps.process = tbl.merge(process, { which = function() end })
  local _, e = flyctl.run(deps, { "deploy" })
  t.eq(e.code, "ENOENT")
  t.match(e.hint, "install")
  for sysname, command in pairs({ Darwin = "brew install flyctl",
    Linux = "curl %-L https://fly.io/install.sh | sh" }) do
    deps.os = tbl.merge(os, { platform = function()
      return { sysname = sysname }
    end })
    _, e = flyctl.run(deps, { "deploy" })
    t.match(e.hint, "^install it with `" .. command .. "`, or put it on PATH$")
  end
end)

t.test("what flyctl says is wrong brings its own next step", function()
  local deps = with_script [[
    echo "Error: the config for your app is missing an app name" >&2; exit 1]]
  local _, e = flyctl.run(deps, { "deploy" })
  t.eq(e.kind, "usage")
  t.match(e.hint, "^name the app with %-%-app")
end)

t.test("`fly` is taken where `flyctl` is not there", function()
  local deps = with_script "echo here"
  local path = deps.process.which("flyctl")
  deps.process = tbl.merge(process, { which = function(name)
    return name == "fly" and path or nil
  end })
  t.eq(flyctl.run(deps, {}).stdout, "here\n")
end)

t.test("its version is read and judged", function()
  t.eq(flyctl.version(with_script 'echo "fly v0.3.45 linux/amd64 Commit: abc"'), { 0, 3, 45 })
  t.err(nil, select(2, flyctl.version(with_script "echo nothing")), "protocol")
  t.eq(flyctl.too_old { 0, 3, 0 }, nil)
  t.eq(flyctl.too_old { 1, 0, 0 }, nil)
  t.match(flyctl.too_old({ 0, 2, 99 }).message, "0.2.99 is too old")
end)

t.test("a row of the operation table is carried out with its words", function()
  opkit.resource { id = "flyctltest", title = "Rows for tests" }
  opkit.op {
    id = "flyctltest.set", title = "Set something", effect = "write",
    flyctl = { "secrets", "import", "--app", "{app}" }, stdin = "values",
    params = {
      { "app", "app", "name of the app", required = true },
      { "values", "secret", "what to set", required = true },
    },
  }
  local lines = {}
  local c = client.new {
    settings = SETTINGS, process = with_script('echo "$@"; cat').process,
    log = function(line) lines[#lines + 1] = line end,
  }
  local result = assert(c:call("flyctltest.set", { app = "web", values = secret.new("A=hunter2") }))
  t.eq(result.stdout, "secrets import --app web\nA=hunter2")
  t.eq(lines, { "flyctl version", "flyctl secrets import --app web" })
  c:close()
end)

t.test("its version is asked for once, and one that is too old does nothing", function()
  local function call(body, memo)
    local lines = {}
    local deps = with_script(body)
    local c = client.new {
      settings = SETTINGS, process = deps.process, memo = memo,
      log = function(line) lines[#lines + 1] = line end,
    }
    local result, e = c:call("flyctltest.set", { app = "web", values = secret.new("x") })
    c:close()
    return result, e, #lines
  end
  local memo, body = {}, [[
    if [ "$1" = version ]; then echo "flyctl v$V linux/amd64"; else echo ran; fi]]
  local result, _, runs = call("V=0.3.1;" .. body, memo)
  t.eq({ result.stdout, runs }, { "ran\n", 2 })
  local key = tbl.keys(memo)[1]
  t.match(key, "^flyctl /")
  local deps = with_script("V=0.3.1;" .. body)
  local lines = 0
  local c = client.new {
    settings = SETTINGS, process = deps.process, memo = memo,
    log = function() lines = lines + 1 end,
  }
  for _ = 1, 2 do
    t.ok(c:call("flyctltest.set", { app = "web", values = secret.new("x") }))
  end
  t.eq(lines, 3, "another program, then known")
  c:close()
  local none, e = call("V=0.2.9;" .. body, {})
  t.eq(none, nil)
  t.match(e.message, "flyctl 0.2.9 is too old")
  t.match(e.hint, "upgrade")
  t.eq(call("V=0.0.0;" .. body, {}).stdout, "ran\n", "somebody's own build")
  t.eq(call("echo ran", {}).stdout, "ran\n", "one that does not tell")
end)

t.test("it runs in an empty directory, unless it shall see the user's", function()
  opkit.op {
    id = "flyctltest.here", title = "Look around", effect = "write", here = true,
    flyctl = { "here" }, params = {},
  }
  opkit.op {
    id = "flyctltest.away", title = "Look around", effect = "write", flyctl = { "away" },
    params = {},
  }
  local c = client.new { settings = SETTINGS, process = with_script("pwd; ls -a").process }
  local away = assert(c:call("flyctltest.away", {})).stdout
  t.match(away, "/clanker%-%d+/fly%-%x+/empty\n%.\n%.%.\n$")
  t.match(assert(c:call("flyctltest.here", {})).stdout, os.cwd():gsub("%p", "%%%0"))
  c:close()
end)

t.test("an exit code other than 0 is a failure of the call", function()
  local c = client.new { settings = SETTINGS, process = with_script("exit 7").process }
  local _, e = c:call("flyctltest.set", { app = "web", values = secret.new("x") })
  t.ok(err.is(e))
  t.eq(e.detail.exit_code, 7)
  c:close()
end)

t.test("a password that flyctl wrote is in no word of its failure, nor passed on", function()
  local deps = with_script([[
[ "$1" = version ] && echo "flyctl v0.4.0 linux/amd64" && exit 0
echo "  Password:    simulated-pw-77"
echo "Error: lost postgres://postgres:simulated-pw-77@pg1.flycast:5432" >&2
exit 3]])
  local passed = {}
  local function keep(chunk)
    passed[#passed + 1] = chunk
  end
  local op = require("ops").get("postgres.create_cluster")
  local result, e = flyctl.call(deps, {
    op = op, opts = { on_stdout = keep, on_stderr = keep },
    args = assert(opkit.check(op, { name = "pg1", org = "acme", region = "iad" })),
  })
  t.eq(result, nil)
  t.eq(e.detail.exit_code, 3)
  local said = table.concat(passed) .. e.message .. tostring(e.hint)
  t.match(said, "Password:    %[secret%]")
  t.lacks(said, "simulated-pw")
end)
