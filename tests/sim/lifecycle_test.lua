--- Machines that start, stop, suspend, restart, wait, and run commands.

local support = require "sim.support"
local t = require "kit"

local APP = "/v1/apps/my-app/machines/"

local function setup(state)
  local sim = support.account()
  local machine = sim:machine("my-app", state or "started")
  return sim, APP .. machine.id, machine
end

local function state_of(sim, path)
  return sim:get(path).state
end

t.test("stop goes through stopping, with an exit event", function()
  local sim, path = setup()
  t.eq(sim:expect(200, "POST", path .. "/stop"), { ok = true })
  t.eq(state_of(sim, path), "stopping")
  sim:advance(1)
  local machine = sim:get(path)
  t.eq(machine.state, "stopped")
  t.eq(machine.events[1].type, "exit")
  t.eq(machine.events[1].request.exit_event.requested_stop, true)
  t.eq(machine.checks[1].status, "critical")
  t.eq(sim:expect(200, "POST", path .. "/stop"), { ok = true })
end)

t.test("stop takes a signal and a timeout, well formed", function()
  local sim, path = setup()
  t.match(sim:refused(400, "POST", path .. "/stop", { signal = "SIGFOO" }),
    "SIGFOO")
  t.match(sim:refused(400, "POST", path .. "/stop", { timeout = "soon" }),
    "duration")
  t.match(sim:refused(400, "POST", path .. "/stop", { timeout = 10 }),
    "cannot unmarshal")
  sim:expect(200, "POST", path .. "/stop",
    { signal = "SIGKILL", timeout = "10s" })
  sim:advance(0.2)
  t.eq(state_of(sim, path), "stopped")
end)

t.test("start tells the state before", function()
  local sim, path = setup("stopped")
  t.eq(sim:expect(200, "POST", path .. "/start").previous_state, "stopped")
  t.eq(state_of(sim, path), "starting")
  t.eq(sim:expect(200, "POST", path .. "/start").previous_state, "starting")
  sim:advance(1)
  t.eq(sim:expect(200, "POST", path .. "/start").previous_state, "started")
  t.eq(state_of(sim, path), "started")
end)

t.test("a stopping machine does not start", function()
  local sim, path = setup()
  sim:expect(200, "POST", path .. "/stop")
  t.match(sim:refused(400, "POST", path .. "/start"), "failed_precondition")
end)

t.test("suspend and resume", function()
  local sim, path = setup()
  sim:expect(200, "POST", path .. "/suspend")
  t.eq(state_of(sim, path), "suspending")
  sim:advance(1)
  t.eq(state_of(sim, path), "suspended")
  t.eq(sim:expect(200, "POST", path .. "/start").previous_state, "suspended")
  sim:advance(1)
  t.eq(state_of(sim, path), "started")
  sim:expect(200, "POST", path .. "/stop")
  sim:advance(1)
  t.match(sim:refused(400, "POST", path .. "/suspend"),
    "unable to suspend machine from current state: 'stopped'")
end)

t.test("restart needs a running machine", function()
  local sim, path = setup()
  sim:expect(200, "POST", path .. "/restart?timeout=5s&signal=SIGTERM")
  t.eq(state_of(sim, path), "restarting")
  sim:advance(2)
  t.eq(state_of(sim, path), "started")
  sim:refused(400, "POST", path .. "/restart?signal=SIGNOPE")
  sim:refused(400, "POST", path .. "/restart?timeout=x")
  sim:refused(400, "POST", path .. "/restart?force_stop=maybe")
  sim:expect(200, "POST", path .. "/stop")
  sim:advance(1)
  t.match(sim:refused(400, "POST", path .. "/restart"),
    "not currently in started state")
end)

t.test("cordon and uncordon mark the machine", function()
  local sim, path = setup()
  sim:expect(200, "POST", path .. "/cordon")
  t.eq(sim:get(path).cordoned, true)
  sim:expect(200, "POST", path .. "/uncordon")
  t.eq(sim:get(path).cordoned, false)
end)

t.test("a signal can end the main process", function()
  local sim, path = setup()
  sim:expect(200, "POST", path .. "/signal", { signal = "SIGUSR1" })
  sim:advance(1)
  t.eq(state_of(sim, path), "started")
  sim:expect(200, "POST", path .. "/signal", { signal = 9 })
  sim:advance(1)
  t.eq(state_of(sim, path), "stopped")
  sim:refused(400, "POST", path .. "/signal", { signal = "SIGTERM" })
  sim:refused(400, "POST", path .. "/signal", { signal = "SIGNOPE" })
end)

t.test("wait answers when the state is reached", function()
  local sim, path, machine = setup()
  sim:expect(200, "POST", path .. "/stop")
  local before = sim.time
  local got = sim:get(path .. "/wait?state=stopped&timeout=10&version="
    .. machine.version)
  t.eq(got.ok, true)
  t.eq(got.state, "stopped")
  t.eq(got.version, machine.version)
  t.eq(#got.event_id, 26)
  t.ok(sim.time - before < 1, "waited longer than needed")
  sim:expect(200, "POST", path .. "/start")
  t.eq(sim:get(path .. "/wait").state, "started")
end)

t.test("wait gives up with 408 and says what it is", function()
  local sim, path = setup("stopped")
  local before = sim.time
  t.eq(sim:refused(408, "GET", path .. "/wait?timeout=3"),
    "deadline_exceeded: machine failed to reach desired state, started, "
    .. "currently stopped")
  t.ok(sim.time - before >= 3, "gave up too soon")
end)

t.test("wait takes several states, repeated or with commas", function()
  local sim, path = setup("stopped")
  local version = sim:get(path).version
  t.eq(sim:get(path .. "/wait?state=started&state=stopped&version=" .. version)
    .state, "stopped")
  t.eq(sim:get(path .. "/wait?state=started,settled&version=" .. version).state,
    "stopped")
  t.match(sim:refused(400, "GET", path .. "/wait?state=flying"), "flying")
end)

t.test("waiting for stopped takes a version the machine had", function()
  local sim, path = setup()
  t.match(sim:refused(400, "GET", path .. "/wait?state=stopped"), "version")
  t.match(sim:refused(400, "GET", path .. "/wait?version=01NONE"), "unknown")
  sim:refused(400, "GET", path .. "/wait?timeout=0")
  sim:refused(400, "GET", path .. "/wait?timeout=61")
end)

t.test("a wait on an old version ends with replaced", function()
  local sim, path, machine = setup()
  sim:expect(200, "POST", path, { config = machine.config })
  t.match(sim:refused(408, "GET", path .. "/wait?version=" .. machine.version),
    "started, currently replaced$")
  local new = sim:get(path).version
  t.eq(sim:get(path .. "/wait?version=" .. new).state, "started")
end)

t.test("wait sees the end of a machine, and settles", function()
  local sim, path = setup()
  sim:expect(200, "DELETE", path .. "?force=true")
  t.eq(sim:get(path .. "/wait?state=destroyed").state, "destroyed")
  t.match(sim:refused(408, "GET", path .. "/wait?state=started"),
    "currently destroyed")
end)

t.test("wait from an event looks at what came later only", function()
  local sim, path, machine = setup()
  local last = machine.events[1].id
  local late = path .. "/wait?timeout=2&from_event_id=" .. last
  sim:refused(408, "GET", late)
  sim:expect(200, "POST", path .. "/restart")
  t.eq(sim:get(late).ok, true)
end)

t.test("events are the newest first, up to fifty", function()
  local sim, path = setup()
  for _ = 1, 20 do
    sim:expect(200, "POST", path .. "/restart")
    sim:advance(2)
  end
  t.eq(#sim:get(path .. "/events"), 20)
  t.eq(#sim:get(path .. "/events?limit=50"), 50)
  sim:refused(400, "GET", path .. "/events?limit=51")
  local events = sim:get(path .. "/events?limit=3")
  t.eq(events[1].status, "started")
  t.ok(events[1].timestamp >= events[2].timestamp)
  t.eq(#sim:get(path).events, 10)
end)

t.test("exec runs a command and waits as long as it does", function()
  local sim, path, machine = setup()
  local function run(body)
    return sim:expect(200, "POST", path .. "/exec", body)
  end
  t.eq(run({ command = { "echo", "a b", "c" } }).stdout, "a b c\n")
  t.eq(run({ cmd = 'echo "a b" c' }).stdout, "a b c\n")
  t.eq(run({ command = { "hostname" } }).stdout, machine.id .. "\n")
  t.eq(run({ command = { "false" } }).exit_code, 1)
  t.eq(run({ command = { "nope" } }).exit_code, 127)
  t.match(run({ command = { "nope" } }).stderr, "not found")
  t.eq(run({ command = { "cat" }, stdin = "in" }).stdout, "in")
  t.eq(run({ command = { "sh", "-c", "echo x; exit 3; echo y" } }),
    { exit_code = 3, exit_signal = 0, stdout = "x\n", stderr = "" })
  t.match(run({ command = { "env" } }).stdout,
    "SECRET_KEY_BASE=not%-a%-real%-key")
  local before = sim.time
  run({ command = { "sleep", "5" } })
  t.ok(sim.time - before >= 5, "sleep did not sleep")
  sim:refused(408, "POST", path .. "/exec",
    { command = { "sleep", "50" }, timeout = 2 })
  t.match(sim:refused(400, "POST", path .. "/exec", {}), "command")
end)

t.test("exec and ps need a running machine", function()
  local sim, path = setup("stopped")
  sim:refused(400, "POST", path .. "/exec", { command = { "ls" } })
  sim:refused(400, "GET", path .. "/ps")
  local up, running = setup()
  local list = up:get(running .. "/ps?sort_by=rss&order=desc")
  t.eq(list[1].command, "/app/server")
  up:refused(400, "GET", running .. "/ps?sort_by=colour")
end)
