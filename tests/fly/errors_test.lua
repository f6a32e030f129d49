--- Whatever Fly answers, the error is typed, clean and says what to do next.

local err = require "base.err"
local errors = require "fly.errors"
local json = require "base.json"
local t = require "kit"

local ABOUT = {
  op = "machines.get", action = "GET /v1/apps/{app}/machines/{id}", app = "web", id = "m1",
}

local function reply(status, body, headers)
  return { status = status, body = body, headers = headers or {} }
end

local function of(status, body, about, headers)
  return errors.from_reply(reply(status, body, headers), about or ABOUT)
end

t.test("each status has its kind and exit code", function()
  local want = {
    [400] = { "invalid", 6 }, [401] = { "auth", 3 }, [402] = { "quota", 1 },
    [403] = { "forbidden", 3 }, [404] = { "not_found", 4 }, [405] = { "invalid", 6 },
    [408] = { "timeout", 7 }, [409] = { "conflict", 5 }, [410] = { "not_found", 4 },
    [412] = { "conflict", 5 }, [418] = { "invalid", 6 }, [422] = { "invalid", 6 },
    [429] = { "rate_limited", 8 }, [500] = { "server", 1 }, [502] = { "server", 1 },
    [503] = { "server", 1 }, [504] = { "server", 1 }, [599] = { "server", 1 },
    [301] = { "protocol", 1 }, [304] = { "protocol", 1 },
  }
  for status, row in pairs(want) do
    local e = of(status, "{}")
    t.eq(e.kind, row[1], "kind of " .. status)
    t.eq(err.exit_code(e), row[2], "exit code of " .. status)
    t.eq(e.status, status)
    t.ok(#e.message > 0)
  end
end)

t.test("Fly's message is kept: `message` before `error`", function()
  t.eq(of(404, '{"error":"machine not found"}').message, "machine not found")
  t.eq(of(404, '{"error":"generic","message":"the real one"}').message, "the real one")
  t.eq(of(400, '{"message":"","error":"second"}').message, "second")
end)

t.test("the errors forms of the web API are read", function()
  t.eq(of(422, '{"errors":{"detail":"Not possible"}}').message, "Not possible")
  t.eq(of(422, '{"errors":["first","second"]}').message, "first")
  t.eq(of(422, '{"errors":[{"message":"deep"}]}').message, "deep")
  t.eq(of(422, '{"errors":"plain"}').message, "plain")
end)

t.test("the request id is kept and clean", function()
  local e = of(500, "{}", nil, { ["fly-request-id"] = "01ABC-iad" })
  t.eq(e.request_id, "01ABC-iad")
  e = of(500, "{}", nil, { ["fly-request-id"] = "x\27[2J" })
  t.eq(e.request_id, "x")
  t.eq(of(500, "{}", nil, { ["fly-request-id"] = "" }).request_id, nil)
end)

t.test("the status word decides before the HTTP status", function()
  t.eq(of(422, '{"error":"taken","status":"name_taken"}').kind, "conflict")
  t.match(of(422, '{"error":"taken","status":"name_taken"}').hint, "choose another")
  t.eq(of(500, '{"error":"no room","status":"insufficient_capacity"}').kind, "capacity")
  t.eq(of(412, '{"error":"no room","status":"volume_placement_capacity"}').kind, "capacity")
  t.eq(of(500, '{"error":"x","status":"unknown"}').kind, "server")
end)

t.test("a held lease says who holds it and until when", function()
  local e = of(409, json.encode {
    error = "machine ID m1 lease currently held by abc@tokens.fly.io,"
      .. " expires at 2026-01-02T03:04:05Z",
  })
  t.eq(e.kind, "conflict")
  t.eq(e.detail.lease, { owner = "abc@tokens.fly.io", expires_at = "2026-01-02T03:04:05Z" })
  t.has(e.hint, "abc@tokens.fly.io")
  t.has(e.hint, "2026-01-02T03:04:05Z")
end)

t.test("a stale version is a conflict that says to look again", function()
  t.match(of(409, '{"error":"current_version is stale"}').hint, "look at it again")
  t.eq(of(412, '{"error":"machine_version does not match"}').kind, "conflict")
end)

t.test("what only the message tells is understood", function()
  t.eq(of(400, '{"error":"failed_precondition: unable to start machine from current state: '
    .. "'created'\"}").kind, "conflict")
  t.eq(of(422, '{"error":"You have reached your quota of 10 machines"}').kind, "quota")
  t.eq(of(412, '{"error":"could not reserve resource for your machine: insufficient memory '
    .. 'available to fulfill request"}').kind, "capacity")
  t.eq(of(422, '{"error":"Your organization has reached its machine limit."}').kind, "quota")
  t.eq(of(404, '{"error":"quota not found"}').kind, "not_found", "404 stays what it is")
end)

t.test("an app of someone else and a missing app are told apart", function()
  local about = { op = "apps.get", app = "web" }
  t.match(of(403, "{}", about).hint, "organization that this token cannot see")
  t.match(of(404, "{}", about).hint, "list apps")
end)

t.test("a write that failed on Fly's side warns that it may have happened", function()
  t.match(of(500, "{}", { can_write = true }).hint, "may or may not")
  t.lacks(of(500, "{}", {}).hint, "may or may not")
end)

t.test("empty, blank and missing bodies give the status's own words", function()
  for _, body in ipairs { "", "  \n", false } do
    local e = of(404, body or nil)
    t.eq(e.message, "not found")
    t.eq(e.kind, "not_found")
  end
  t.eq(of(599, "").message, "the server answered with status 599")
end)

t.test("a web page is named, not printed", function()
  local e = of(502, "<!DOCTYPE html><html><head><title>502 Bad\n Gateway</title></head><body>"
    .. ("x"):rep(100000))
  t.eq(e.message, 'the server answered with a web page titled "502 Bad Gateway"')
  t.eq(of(502, "<html><body>oops").message, "the server answered with a web page")
end)

t.test("plain text is shown as one short clean line", function()
  t.eq(of(400, "bad request:\n\27[31mno\27[0m region\n").message, "bad request: no region")
  t.eq(utf8.len(of(400, ("word "):rep(1000000)).message), 300)
end)

t.test("terminal escapes and invalid UTF-8 in a JSON message are removed", function()
  t.eq(of(400, '{"error":"a\\u001b[2Jb\\u202ec"}').message, "abc")
  t.eq(of(400, '{"error":"a\xFFb"}').message, "a\u{FFFD}b")
end)

t.test("wrong types and nulls in an error body are survived", function()
  for _, body in ipairs {
    "null", "true", "3", '"text"', "[]", '["a"]', '{"error":null}', '{"error":3}',
    '{"error":{"a":1}}', '{"message":[]}', '{"errors":null}', '{"errors":[]}', '{"errors":[null]}',
    '{"errors":{"detail":{}}}', '{"status":5}', '{"error":', "{", '{"error":"\\u12"}',
  } do
    local e = of(422, body)
    t.ok(err.is(e), body)
    t.eq(e.kind, "invalid", body)
  end
end)

t.test("five megabytes of JSON still give their message, quickly and short", function()
  local body = '{"details":"' .. ("x"):rep(5 * 1024 * 1024) .. '","error":"too big to fail",'
    .. '"status":"insufficient_capacity"}'
  local e = of(422, body)
  t.eq(e.message, "too big to fail")
  t.eq(e.kind, "capacity")
  e = of(422, '{"error":"' .. ("y"):rep(5 * 1024 * 1024) .. '"}')
  t.ok(#e.message < 1000)
end)

t.test("odd reply tables do not raise", function()
  t.ok(err.is(errors.from_reply({ status = "500" }, nil)))
  t.ok(err.is(errors.from_reply({ status = 500.0, headers = "none", body = {} }, {})))
  t.ok(err.is(errors.from_reply({}, ABOUT)))
end)

t.test("a success that cannot be read is a protocol error", function()
  local e = errors.bad_reply(reply(200, "<html><title>Login</title>"), ABOUT, "is not JSON")
  t.eq(e.kind, "protocol")
  t.eq(e.message, 'the server answered with a web page titled "Login" instead of JSON')
  t.eq(errors.bad_reply(reply(200, ""), ABOUT, "is empty").message, "the reply is empty")
  t.match(e.hint, "proxy")
end)

t.test("no reply at all keeps its record and gains a hint", function()
  local e = errors.from_transport(err.new {
    kind = "network", code = "ECONNREFUSED", message = "refused", sent = false,
  }, ABOUT)
  t.eq(e.kind, "network")
  t.match(e.hint, "host setting")
  e = errors.from_transport(err.new {
    kind = "network", code = "ECONNRESET", message = "reset", sent = true,
  }, { can_write = true })
  t.match(e.hint, "may or may not")
end)

t.test("there is always a next step, whatever is known of the request", function()
  local abouts = { {}, { app = "a" }, { org = "o" }, { app = "a", id = "i" }, { can_write = true } }
  for status = 300, 599 do
    for _, about in ipairs(abouts) do
      t.match(of(status, "{}", about).hint, "%w+ %w+", "status " .. status)
      t.match(of(status, '{"status":"new_word"}', about).hint, "%w+ %w+", "status " .. status)
    end
  end
  for _, code in ipairs {
    "EAI_NONAME", "EAI_AGAIN", "ECONNREFUSED", "ECONNRESET", "EHOSTUNREACH", "ETIMEDOUT", "ETLS",
    "E2BIG", "EPROTO", "EPERM", "EINVAL", "ENOSYS", "ENOMEM", "EAGAIN", "EPROTONOSUPPORT",
  } do
    for _, about in ipairs(abouts) do
      t.match(errors.from_transport(err.from_host("failed", code), about).hint, "%w+ %w+", code)
    end
  end
end)
