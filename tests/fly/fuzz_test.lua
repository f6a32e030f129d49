--- A thousand damaged replies: each gives a value or an error record, never a crash.

local client = require "fly.client"
local err = require "base.err"
local json = require "base.json"
local opkit = require "opkit"
local script = require "fly.script"
local secret = require "sys.secret"
local t = require "kit"
local tbl = require "base.tbl"

local ROUNDS = 1000
local SEED = 20240501

opkit.resource { id = "fuzztest", title = "Rows for tests" }

local function row(verb, fields)
  opkit.op(tbl.merge({
    id = "fuzztest." .. verb, title = "A row for a test", effect = "read", returns = "any",
    limit = fields.http and "none" or nil,
  }, fields))
end

row("detail", { http = { "GET", "/v1/x" } })
row("wrapped", { http = { "POST", "/v1/x" }, effect = "write", item = "data" })
row("header", { http = { "GET", "/v1/l" }, page = "header", returns = { list = "any" } })
row("body", {
  http = { "GET", "/v1/b" }, page = "body", items = "machines", returns = { list = "any" },
})
row("query", {
  gql = "query Q($first: Int, $after: String) { app { ips(first: $first, after: $after) { a } } }",
  page = "graphql", items = "app.ips.nodes", returns = { list = "any" },
})
row("viewer", { gql = "query V { viewer { email } }", item = "viewer" })
row("joined", {
  calls = { "fuzztest.body", "fuzztest.header" }, returns = { list = "any" },
  run = function(ctx)
    local a, e = ctx.call("fuzztest.body")
    if not a then
      return nil, e
    end
    local b, why = ctx.call("fuzztest.header")
    return b and json.array(tbl.flatten { a, b }), why
  end,
})

local OPS = {
  "fuzztest.detail", "fuzztest.wrapped", "fuzztest.header", "fuzztest.body", "fuzztest.query",
  "fuzztest.viewer", "fuzztest.joined",
}

local BODIES = {
  '{"id":"m1","config":{"guest":{"cpus":1,"memory_mb":256},"env":{},"mounts":[]},"checks":null}',
  '[{"id":"m1","state":"started","region":"iad"},{"id":"m2","state":"stopped","x":[[],{}]}]',
  '{"machines":[{"id":"m1"},{"id":"m2"}],"next_cursor":"c1","error_regions":["fra"]}',
  '{"data":{"app":{"ips":{"nodes":[{"id":"1"}],"pageInfo":{"hasNextPage":true,"endCursor":"e"}}},'
    .. '"viewer":{"email":"a@example.com"}}}',
  '{"data":null,"errors":[{"message":"Could not find App","extensions":{"code":"NOT_FOUND"}}]}',
  '{"status":"success","data":{"nonce":"abc","expires_at":1700000000,"owner":"a@example.com"}}',
  '{"error":"machine ID m1 lease currently held by a@example.com, expires at 2026-01-01T00:00:00Z",'
    .. '"status":"unknown"}',
  "<html><head><title>Bad Gateway</title></head></html>", "", "plain text", "null",
}

local STATUSES = { 200, 200, 200, 200, 201, 202, 204, 302, 400, 401, 404, 409, 422, 429, 500, 503 }

local GARBAGE = {
  "\0", "\27[2J", "\xFF\xFE", "null", "[]", "{}", "[[[[[[[[", '"', "\\", "\\u12", "1e999", "-",
  "true", "\u{202E}", "12345678901234567890123", "[null]", ',"a":', "}", "]",
}

local MUTATIONS = {
  function(body) -- truncated
    return body:sub(1, math.random(0, #body))
  end,
  function(body) -- one byte changed
    local at = math.random(1, #body + 1)
    return body:sub(1, at - 1) .. string.char(math.random(0, 255)) .. body:sub(at + 1)
  end,
  function(body) -- something put in
    local at = math.random(1, #body + 1)
    return body:sub(1, at - 1) .. GARBAGE[math.random(#GARBAGE)] .. body:sub(at)
  end,
  function(body) -- a part cut out
    local from = math.random(1, #body + 1)
    return body:sub(1, from - 1) .. body:sub(from + math.random(0, 20))
  end,
  function(body) -- a part repeated
    local from = math.random(1, #body + 1)
    return body .. body:sub(from)
  end,
  function(body) -- a value of another type
    local values = { "null", "3", '"x"', "[]", "{}", "false", "[1,2]" }
    return (body:gsub(':("[^"]*")', ":" .. values[math.random(#values)], math.random(1, 3)))
  end,
}

-- Which of the bodies is a good answer to which operation.
local GOOD = {
  ["fuzztest.detail"] = 1, ["fuzztest.wrapped"] = 6, ["fuzztest.header"] = 2,
  ["fuzztest.body"] = 3, ["fuzztest.query"] = 4, ["fuzztest.viewer"] = 4, ["fuzztest.joined"] = 3,
}

---@param id string? prefer what it would answer
local function mutated(id)
  local body = BODIES[math.random(3) > 1 and GOOD[id] or math.random(#BODIES)]
  for _ = 1, math.random(0, 2) do
    body = MUTATIONS[math.random(#MUTATIONS)](body)
  end
  return body
end

--- A reply that is damaged in status, headers or body.
local function damaged(id)
  local headers = {}
  if math.random(4) == 1 then
    headers["fly-next-cursor"] = mutated():sub(1, 40)
  end
  if math.random(4) == 1 then
    headers["retry-after"] = GARBAGE[math.random(#GARBAGE)]
  end
  if math.random(4) == 1 then
    headers["fly-request-id"] = mutated():sub(1, 40)
  end
  return { status = STATUSES[math.random(#STATUSES)], headers = headers, body = mutated(id) }
end

local function check_error(e, told)
  t.ok(err.is(e), told)
  for _, line in ipairs { e.message, e.hint or "", e.request_id or "" } do
    t.ok(utf8.len(line), told)
    t.ok(not line:find("%c"), told)
  end
end

t.test("a damaged reply gives a value or an error record", function()
  math.randomseed(SEED)
  local sent, id = 0, nil
  local deps = script.deps(function()
    sent = sent + 1
    return damaged(id)
  end)
  deps.settings.token = secret.new("fo1_test")
  local c = client.new {
    settings = deps.settings, http = deps.http, limiter = deps.limiter, now = deps.now,
    wall = deps.wall, random = deps.random, sleep = deps.sleep,
  }
  local values, errors = 0, 0
  for i = 1, ROUNDS do
    id = OPS[math.random(#OPS)]
    local opts = ({ {}, { raw = true }, { each = function() end } })[math.random(3)]
    local ok, value, e = pcall(c.call, c, id, {}, opts)
    local told = ("round %d, %s: %s"):format(i, id, tostring(value))
    t.ok(ok, told)
    if value == nil then
      check_error(e, told)
      errors = errors + 1
    else
      values = values + 1
    end
  end
  c:close()
  t.ok(values > ROUNDS / 20 and errors > ROUNDS / 20, "both happen")
  t.ok(sent >= ROUNDS)
end)
