--- Operations that change things, on the demo account: what they say is so
--- afterwards, and leases are given back.

local accounts = require "ops.account"
local t = require "kit"

-- Machines of an app in a state, by id.
local function machines(account, app, state)
  return account.expect("machines.list", { app = app, state = state })
end

local function state_of(account, id)
  return account.expect("machines.get", { app = "my-app", id = id }).state
end

t.test("a machine stops, starts, restarts, suspends and resumes", function()
  local account = accounts.open()
  local id = machines(account, "my-app", "started")[1].id
  for _, step in ipairs({
    { "machines.stop", "stopped" }, { "machines.start", "started" },
    { "machines.restart", "started" }, { "machines.suspend", "suspended" },
    { "machines.start", "started" },
  }) do
    local rows = account.expect(step[1], { app = "my-app", id = { id } })
    t.eq(rows[1].state, step[2])
    t.eq(state_of(account, id), step[2])
  end
  local lease, e = account.call("leases.get", { app = "my-app", id = id })
  t.err(lease, e, "not_found")
end)

t.test("all machines of an app stop together, and are gone one by one", function()
  local account = accounts.open()
  local before = #machines(account, "my-app", "started")
  local rows = account.expect("machines.stop", { app = "my-app", all = true })
  t.eq(#rows, before)
  t.eq(#machines(account, "my-app", "started"), 0)
  local id = rows[1].id
  t.eq(account.expect("machines.destroy", { app = "my-app", id = { id } })[1].state,
    "destroyed")
  local left = machines(account, "my-app")
  for _, machine in ipairs(left) do
    t.ok(machine.id ~= id or machine.state == "destroyed")
  end
end)

t.test("a machine somebody else holds is left alone, and who holds it is told", function()
  local account = accounts.open()
  local id = machines(account, "my-app", "started")[1].id
  local lease = account.expect("leases.take", { app = "my-app", id = id, ttl = 60 })
  t.ok(lease.nonce)
  local rows, e = account.call("machines.stop", { app = "my-app", id = { id } })
  t.err(rows, e, "conflict")
  t.match(e.message, "lease")
  t.eq(state_of(account, id), "started")
end)

t.test("a command runs in a machine, and its exit code comes back", function()
  local account = accounts.open()
  local id = machines(account, "my-app", "started")[1].id
  local done = account.expect("machines.exec",
    { app = "my-app", id = id, command = { "echo", "hello" } })
  t.eq(done.exit_code, 0)
  t.match(done.stdout, "hello")
end)

t.test("a cordoned machine is uncordoned", function()
  local account = accounts.open()
  local id = machines(account, "my-app", "started")[1].id
  t.eq(account.expect("machines.cordon", { app = "my-app", id = { id } })[1].outcome, "done")
  t.eq(account.expect("machines.uncordon", { app = "my-app", id = { id } })[1].outcome, "done")
end)
