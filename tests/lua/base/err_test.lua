--- base.err: kinds, exit codes, wrapping.

local err = require "base.err"
local t = require "kit"

t.test("an error prints as its message", function()
  local e = err.new({ kind = "not_found", message = "no such app" })
  t.eq(tostring(e), "no such app")
  t.ok(err.is(e))
  t.ok(not err.is("no such app"))
  t.ok(not err.is({ kind = "not_found", message = "no such app" }))
end)

t.test("before a printed message stands its kind, if it has one of its own", function()
  t.eq(err.label(err.new({ kind = "not_found", message = "x" })), "error (not found)")
  t.eq(err.label(err.new({ kind = "error", message = "x" })), "error")
  t.eq(err.label("a foreign error"), "error")
  t.eq(err.label(nil), "error")
end)

t.test("an unknown kind or a missing message is a bug", function()
  t.raises(function()
    err.new({ kind = "oops", message = "x" })
  end, "unknown kind of error: oops")
  t.raises(function()
    err.new({ kind = "error" })
  end, "an error needs a message")
end)

t.test("every kind has the documented exit code", function()
  local wanted = {
    error = 1, usage = 2, auth = 3, forbidden = 3, not_found = 4, conflict = 5,
    rejected = 6, invalid = 6, timeout = 7, rate_limited = 8, declined = 9, partial = 10,
    canceled = 130, network = 1, bug = 1,
  }
  for kind, code in pairs(wanted) do
    t.eq(err.exit_code(err.new({ kind = kind, message = "x" })), code)
  end
  t.eq(err.exit_code("a foreign error"), 1)
  t.eq(err.exit_code(nil), 1)
end)

t.test("the host's triplet keeps its code and gains a kind", function()
  local e = err.from_host("timed out after 5 s", "ETIMEDOUT", "https://example.com")
  t.eq(e.kind, "timeout")
  t.eq(e.code, "ETIMEDOUT")
  t.eq(e.message, "https://example.com: timed out after 5 s")
  t.eq(err.from_host("refused", "ECONNREFUSED").kind, "network")
  t.eq(err.from_host("disk full", "ENOSPC").kind, "error")
  t.eq(err.from_host(nil, "EIO").message, "EIO")
end)

t.test("wrapping keeps all fields and leaves the inner error alone", function()
  local inner = err.new({ kind = "conflict", message = "lease held", status = 409 })
  local outer = err.wrap(inner, "machine 1")
  t.eq(outer.message, "machine 1: lease held")
  t.eq(outer.status, 409)
  t.eq(outer.kind, "conflict")
  t.eq(inner.message, "lease held")
  t.eq(err.wrap("boom", "here").message, "here: boom")
end)
