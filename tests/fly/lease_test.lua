--- Leases are kept alive while work goes on and given back on every way out.

local err = require "base.err"
local lease = require "fly.lease"
local t = require "kit"
local task = require "sys.task"

--- An API with one lease; every call is noted.
local function open(answers)
  local calls, notices = {}, {}
  answers = answers or {}
  local deps = {
    task = task,
    notice = function(text)
      notices[#notices + 1] = text
    end,
    call = function(id, args, opts)
      local nonce = opts and opts.nonce
      calls[#calls + 1] = id:match("%w+$") .. (nonce and (":" .. nonce) or "")
      local answer = answers[#calls]
      if type(answer) == "function" then
        answer = answer(args)
      end
      if err.is(answer) then
        return nil, answer
      end
      return answer or { nonce = "n1" }
    end,
  }
  return deps, calls, notices
end

local function held()
  return err.new {
    kind = "conflict", status = 409, message = "lease currently held by somebody, expires at later",
  }
end

local TARGET = { app = "web", id = "m1", ttl = 30 }

t.test("the work gets the nonce, and the lease is given back after it", function()
  local deps, calls = open()
  local value = lease.with(deps, TARGET, function(held_lease)
    t.eq(held_lease.nonce, "n1")
    return "done"
  end)
  t.eq(value, "done")
  t.eq(calls, { "take", "release:n1" })
end)

t.test("an error of the work is its result, and the lease is given back", function()
  local deps, calls = open()
  local bad = err.new { kind = "server", message = "boom" }
  local value, e = lease.with(deps, TARGET, function()
    return nil, bad
  end)
  t.eq(value, nil)
  t.eq(e, bad)
  t.eq(calls, { "take", "release:n1" })
end)

t.test("a bug in the work gives the lease back too", function()
  local deps, calls = open()
  t.raises(function()
    lease.with(deps, TARGET, function()
      error("oops")
    end)
  end, "oops")
  t.eq(calls, { "take", "release:n1" })
end)

t.test("cancelling the work gives the lease back", function()
  local deps, calls = open()
  local working = task.event()
  local running = task.spawn(function()
    lease.with(deps, TARGET, function()
      working:set()
      task.sleep(60)
    end)
  end)
  working:wait()
  running:cancel()
  local ok, e = running:join()
  t.eq(ok, false)
  t.ok(task.is_canceled(e))
  t.eq(calls, { "take", "release:n1" })
end)

t.test("cancelling while it is being taken gives it back as well", function()
  local asked, deps, calls = task.event(), nil, nil
  deps, calls = open { function()
    asked:set()
    task.sleep(0.02)
    return { nonce = "n7" }
  end }
  local running = task.spawn(function()
    lease.with(deps, TARGET, function()
      task.sleep(60)
    end)
  end)
  asked:wait()
  running:cancel()
  running:join()
  t.eq(calls, { "take", "release:n7" })
end)

t.test("a lease is renewed with its nonce for as long as the work takes", function()
  local deps, calls = open()
  lease.with(deps, { app = "web", id = "m1", ttl = 0.03 }, function()
    t.eventually(function()
      return #calls >= 4
    end)
    return true
  end)
  t.eq(calls[2], "take:n1")
  t.eq(calls[3], "take:n1")
  t.eq(calls[#calls], "release:n1")
end)

t.test("a renewal that fails in passing is tried again", function()
  local server = err.new { kind = "server", message = "away" }
  local deps, calls, notices = open { nil, server }
  lease.with(deps, { app = "web", id = "m1", ttl = 0.06 }, function()
    t.eventually(function()
      return #calls >= 3
    end)
    return true
  end)
  t.eq(calls[#calls], "release:n1")
  t.eq(notices, {})
end)

t.test("a lease lost to somebody else is told and not given back", function()
  local deps, calls, notices = open { nil, held() }
  lease.with(deps, { app = "web", id = "m1", ttl = 0.03 }, function(mine)
    t.eventually(function()
      return mine.lost
    end)
    return true
  end)
  t.eq(calls, { "take", "take:n1" })
  t.match(notices[1], "lost meanwhile")
end)

t.test("somebody else's lease is an error at once, or waited for", function()
  local deps, calls = open { held() }
  local _, e = lease.with(deps, TARGET, function() end)
  t.eq(e.kind, "conflict")
  t.eq(calls, { "take" })
  deps, calls = open { held() }
  t.ok(lease.with(deps, { app = "web", id = "m1", wait = 5 }, function()
    return true
  end))
  t.eq(calls, { "take", "take", "release:n1" })
end)

t.test("a lease without a nonce is refused", function()
  local deps = open { {} }
  local _, e = lease.with(deps, TARGET, function() end)
  t.eq(e.kind, "protocol")
end)

t.test("a failure to give it back is told, that it ended already is not", function()
  local deps, _, notices = open { nil, err.new { kind = "server", message = "away" } }
  t.ok(lease.with(deps, TARGET, function() return true end))
  t.match(notices[1], "ends by itself within 30 s")
  deps, _, notices = open { nil, err.new { kind = "not_found", message = "no lease" } }
  t.ok(lease.with(deps, TARGET, function() return true end))
  t.eq(notices, {})
end)

-- Runs fn in a task that is interrupted at its n-th instruction, or where a
-- shield ends that holds it then: what the host does to one that computes for
-- long. Returns whether it came to that.
local function interrupted_at(n, fn)
  local shields = { [task.shield] = true, [getmetatable(task.defer(fn)).__close] = true }
  local function is_shielded()
    for level = 3, math.huge do
      local frame = debug.getinfo(level, "f")
      if not frame then
        return false
      elseif shields[frame.func] then
        return true
      end
    end
  end
  local self, was_hit
  self = task.spawn(function()
    debug.sethook(function()
      if is_shielded() then
        debug.sethook(debug.gethook(), "", 1)
        return
      end
      debug.sethook()
      was_hit = true
      self:cancel()
      task.raise_canceled()
    end, "", n)
    fn()
    debug.sethook()
  end)
  local ok, e = self:join()
  t.ok(ok or task.is_canceled(e), tostring(e))
  return was_hit
end

t.test("interrupted at any instruction, no lease is left", function()
  local n, leases, most = 0, 0, 0
  local deps = {
    task = task,
    notice = error,
    call = function(id, _, opts)
      task.sleep(0)
      if id == "leases.take" and not opts then
        leases = leases + 1
      elseif id == "leases.release" then
        leases = leases - 1
      end
      most = math.max(most, leases)
      task.sleep(0)
      return { nonce = "n1" }
    end,
  }
  local was_hit
  repeat
    n = n + 1
    was_hit = interrupted_at(n, function()
      lease.with(deps, TARGET, function()
        task.sleep(0)
        return true
      end)
    end)
    t.eq(leases, 0, "interrupted at instruction " .. n)
  until not was_hit
  t.ok(n > 50 and most == 1, "it was interrupted " .. n .. " times")
end)

t.test("a renewal under way ends before the lease is given back", function()
  local renewing, deps, calls = task.event(), nil, nil
  deps, calls = open { nil, function()
    renewing:set()
    task.sleep(0.02)
    calls[#calls + 1] = "renewed"
    return { nonce = "n2" }
  end }
  lease.with(deps, { app = "web", id = "m1", ttl = 0.03 }, function()
    renewing:wait()
    return true
  end)
  t.eq(calls, { "take", "take:n1", "renewed", "release:n2" })
end)

t.test("an answer that got lost is told with when to try again", function()
  for _, kind in ipairs({ "network", "timeout", "server" }) do
    local deps, calls = open { err.new { kind = kind, message = "gone" } }
    local _, e = lease.with(deps, TARGET, function() end)
    t.match(e.hint, "ends by itself within 30 s, try again then")
    t.eq(calls, { "take" })
  end
end)
