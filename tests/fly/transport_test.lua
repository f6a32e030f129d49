--- One request: headers, limits, retries, log lines and typed errors.

local err = require "base.err"
local script = require "fly.script"
local t = require "kit"
local transport = require "fly.transport"

local BUCKET = { key = "k", rate = 1, burst = 3 }

local function request(fields)
  local r = {
    method = "GET", url = "https://machines.example.com/v1/apps/web", service = "machines",
    action = "GET /v1/apps/{app}", safe = true, bucket = BUCKET, about = { app = "web" },
  }
  for key, value in pairs(fields or {}) do
    r[key] = value
  end
  return r
end

local function send(list, fields, deadline)
  local deps = script.deps(script.sequence(list))
  local tally = { requests = 0, warnings = {} }
  local reply, e = transport.new(deps):send(request(fields), deadline, tally)
  deps.tally = tally
  return reply, e, deps
end

local function refused()
  return err.new { kind = "network", code = "ECONNREFUSED", message = "refused", sent = false }
end

t.test("a request carries the service's header, the agent and safe options", function()
  local reply, _, deps = send({ { body = "{}" } })
  t.eq(reply.body, "{}")
  local sent = deps.requests[1]
  t.eq(sent.headers["Authorization"], "header for machines")
  t.eq(sent.headers["User-Agent"], "clanker/test")
  t.eq(sent.headers["Content-Type"], nil)
  t.eq(sent.follow, nil)
  t.eq(sent.repeatable, true)
  t.eq(sent.allow_http, false)
  t.eq(sent.http_hosts, { "_api.internal" })
  t.ok(sent.timeout > 0 and sent.connect_timeout > 0 and sent.max_body > 0)
end)

t.test("a body is announced as JSON, and more headers go along", function()
  local _, _, deps = send({ { body = "{}" } }, {
    method = "POST", body = "{}", headers = { ["fly-machine-lease-nonce"] = "n" },
  })
  t.eq(deps.requests[1].headers["Content-Type"], "application/json")
  t.eq(deps.requests[1].headers["fly-machine-lease-nonce"], "n")
end)

t.test("leave is asked before every attempt", function()
  local _, _, deps = send({ { status = 503 }, { body = "{}" } })
  t.eq(deps.limited, { { "acquire", "k", 1, 3 }, { "acquire", "k", 1, 3 } })
end)

t.test("a call without a limit asks for no leave", function()
  local _, _, deps = send({ { body = "{}" } }, { bucket = false })
  t.eq(deps.limited, {})
end)

t.test("429 closes the bucket for as long as the server asks", function()
  local reply, _, deps = send({
    { status = 429, headers = { ["retry-after"] = "3" } }, { status = 429 }, { body = "{}" },
  }, { safe = false, method = "POST" })
  t.eq(reply.status, 200)
  t.eq(deps.limited[2], { "penalize", "k", 3 })
  t.eq(deps.limited[4], { "penalize", "k", 1 })
  t.eq(deps.slept, { 3.125, 1.5 })
end)

t.test("a write is not repeated after a failure on the server's side", function()
  local reply, e, deps = send({ { status = 503, body = '{"error":"away"}' } }, {
    safe = false, method = "POST",
  })
  t.eq(reply, nil)
  t.eq(e.kind, "server")
  t.eq(#deps.requests, 1)
end)

t.test("a write that provably never left is repeated", function()
  local reply, _, deps = send({ refused(), { body = "{}" } }, { safe = false, method = "POST" })
  t.eq(reply.status, 200)
  t.eq(#deps.requests, 2)
end)

t.test("a failing status becomes a typed error with the request's id", function()
  local _, e = send({ {
    status = 404, body = '{"error":"app not found"}', headers = { ["fly-request-id"] = "r-1" },
  } })
  t.eq({ e.kind, e.status, e.message, e.request_id }, { "not_found", 404, "app not found", "r-1" })
  t.match(e.hint, "list apps")
end)

t.test("a redirect is never followed and is an error", function()
  local _, e = send({ { status = 302, headers = { location = "https://example.com/" } } })
  t.eq(e.kind, "protocol")
end)

t.test("a connection that keeps failing ends in its error with a hint", function()
  local _, e, deps = send({ refused(), refused(), refused() })
  t.eq(e.code, "ECONNREFUSED")
  t.match(e.hint, "host setting")
  t.eq(#deps.requests, 3)
end)

t.test("the deadline shortens each attempt and ends the retries", function()
  local reply, e, deps = send({ { status = 503, took = 4 } }, nil, 1004)
  t.eq(reply, nil)
  t.eq(e.status, 503)
  t.eq(deps.requests[1].timeout, 4)
end)

t.test("log lines name request, status, time, id and the reason of a retry", function()
  local _, _, deps = send({
    { status = 503, took = 0.25, headers = { ["fly-request-id"] = "r-1" } }, refused(),
    { body = '{"api_token":"hunter2"}', took = 0.1 },
  })
  t.eq(deps.lines, {
    "GET https://machines.example.com/v1/apps/web: 503 in 250 ms request r-1",
    "GET https://machines.example.com/v1/apps/web: again in 0.12 s (status 503)",
    "GET https://machines.example.com/v1/apps/web (attempt 2): ECONNREFUSED in 0 ms",
    "GET https://machines.example.com/v1/apps/web: again in 0.25 s (ECONNREFUSED)",
    "GET https://machines.example.com/v1/apps/web (attempt 3): 200 in 100 ms",
  })
end)

t.test("log lines hold neither bodies nor headers", function()
  local _, _, deps = send({ { body = "reply-body" } }, { method = "POST", body = "request-body" })
  for _, line in ipairs(deps.lines) do
    t.lacks(line, "request-body")
    t.lacks(line, "reply-body")
    t.lacks(line, "header for")
  end
end)

t.test("a wait for the rate limit is told", function()
  local deps = script.deps(script.sequence { { body = "{}" } })
  deps.delay = 1.25
  t.ok(transport.new(deps):send(request(), nil, { requests = 0, warnings = {} }))
  t.match(deps.lines[1], "waits 1.25 s for the rate limit$")
end)

t.test("where the server closed the bucket for long, that is told, not waited for", function()
  local _, e, deps = send({ { status = 429, headers = { ["retry-after"] = "4000" } } })
  t.eq({ e.kind, e.status }, { "rate_limited", 429 })
  t.has(e.hint, "wait 1h6m")
  deps.delay = 3599.5
  _, e = transport.new(deps):send(request(), nil, { requests = 0, warnings = {} })
  t.eq(e.kind, "rate_limited")
  t.has(e.hint, "wait 59m59s")
  t.eq(err.exit_code(e), 8)
  t.eq(#deps.requests, 1, "nothing more was sent")
  t.eq(deps.limited[3], nil, "nor was leave to send waited for")
end)

t.test("how long a service is away is told when it says so", function()
  local _, e = send({ { status = 503, headers = { ["retry-after"] = "90" } } }, {
    safe = false, method = "POST", about = { can_write = true },
  })
  t.match(e.hint, "may or may not .*1m30s")
  local _, soon = send({
    { status = 503, headers = { ["retry-after"] = "Fri, 31 Dec 2099 23:59:59 GMT" } },
  })
  t.match(soon.hint, "try again in %d+d")
end)

t.test("requests are counted, repeated ones too, and the last id is kept", function()
  local _, _, deps = send({
    { status = 503, headers = { ["fly-request-id"] = "r-1" } }, refused(),
    { body = "{}", headers = { ["fly-request-id"] = "r-2" } },
  })
  t.eq(deps.tally.requests, 3)
  t.eq(deps.tally.request_id, "r-2")
end)
