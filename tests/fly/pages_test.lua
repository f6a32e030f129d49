--- Listings are followed to their end in each style, and never for ever.

local collect = require "fly.collect"
local err = require "base.err"
local json = require "base.json"
local pages = require "fly.pages"
local t = require "kit"

local ABOUT = { action = "GET /v1/things" }

--- Serves the given replies one after the other, noting the cursors asked for.
local function server(replies)
  local asked = {}
  return function(cursor)
    asked[#asked + 1] = cursor or "-"
    local reply = replies[#asked]
    if not reply then
      error("asked beyond the last page")
    end
    if err.is(reply) then
      return nil, reply
    end
    return { status = 200, headers = reply.headers or {}, body = reply.body or reply }
  end, asked
end

local function run(style, items, replies, opts)
  local fetch, asked = server(replies)
  local collector = collect.new(opts or {})
  local ok, e = pages.run({ style = style, items = items, about = ABOUT }, collector, fetch)
  return ok and collector:result(), e, asked, collector
end

local function ids(list)
  local out = {}
  for i, item in ipairs(list) do
    out[i] = item.id
  end
  return table.concat(out, " ")
end

t.test("a single page needs no cursor", function()
  t.eq(ids(run(nil, nil, { '[{"id":"a"},{"id":"b"}]' })), "a b")
  t.eq(ids(run("body", "apps", { '{"apps":[{"id":"a"}],"next_cursor":""}' })), "a")
  t.eq(ids(run("header", nil, { '[{"id":"a"}]' })), "a")
end)

t.test("body cursors are followed", function()
  local list, _, asked = run("body", "apps", {
    '{"apps":[{"id":"a"}],"next_cursor":"c1"}',
    '{"next_cursor":"c2","apps":[{"id":"b"},{"id":"c"}]}',
    '{"apps":[{"id":"d"}],"next_cursor":null}',
  })
  t.eq(ids(list), "a b c d")
  t.eq(asked, { "-", "c1", "c2" })
end)

t.test("header cursors are followed through short and empty pages", function()
  local list, _, asked = run("header", nil, {
    { body = "[]", headers = { ["fly-next-cursor"] = "x" } },
    { body = "null", headers = { ["fly-next-cursor"] = "y" } },
    { body = '[{"id":"a"}]', headers = { ["fly-next-cursor"] = "" } },
  })
  t.eq(ids(list), "a")
  t.eq(asked, { "-", "x", "y" })
end)

t.test("GraphQL connections are followed by pageInfo", function()
  local function page(id, cursor)
    return json.encode { data = { app = { ips = {
      nodes = json.array { { id = id } },
      pageInfo = { hasNextPage = cursor ~= nil, endCursor = cursor or "last" },
    } } } }
  end
  local list, _, asked = run("graphql", "data.app.ips.nodes", { page("a", "k"), page("b") })
  t.eq(ids(list), "a b")
  t.eq(asked, { "-", "k" })
end)

t.test("a next page without a cursor is an error, not the end", function()
  for _, cursor in ipairs { '"endCursor":null', '"endCursor":""', '"start":1' } do
    local list, e = run("graphql", "data.orgs.nodes", {
      '{"data":{"orgs":{"nodes":[{"id":"a"}],"pageInfo":{"hasNextPage":true,' .. cursor .. "}}}}",
    })
    t.ok(not list, cursor)
    t.eq(e.kind, "protocol", cursor)
    t.has(e.message, "next page")
  end
end)

t.test("a cursor that comes twice ends in an error, not in a loop", function()
  local _, e = run("body", "apps", {
    '{"apps":[],"next_cursor":"a"}', '{"apps":[],"next_cursor":"b"}',
    '{"apps":[],"next_cursor":"a"}',
  })
  t.eq(e.kind, "protocol")
  t.match(e.message, "already read")
end)

t.test("a listing without end is given up", function()
  local n = 0
  local spec = { style = "body", items = "apps", about = ABOUT }
  local ok, e = pages.run(spec, collect.new {}, function()
    n = n + 1
    return { status = 200, headers = {}, body = ('{"apps":[],"next_cursor":"c%d"}'):format(n) }
  end)
  t.eq(ok, nil)
  t.eq(e.kind, "protocol")
  t.eq(n, pages.MAX_PAGES)
end)

t.test("a page that fails ends it with that error", function()
  local bad = err.new { kind = "server", message = "boom" }
  local _, e = run("body", "apps", { '{"apps":[{"id":"a"}],"next_cursor":"c"}', bad })
  t.eq(e, bad)
end)

t.test("cursors of odd types are survived", function()
  for _, cursor in ipairs { "true", "{}", "[]", "1.5" } do
    local _, e = run("body", "apps", { '{"apps":[],"next_cursor":' .. cursor .. "}" })
    t.eq(e and e.kind, "protocol", cursor)
  end
  local _, _, asked = run("body", "apps", { '{"apps":[],"next_cursor":17}', '{"apps":[]}' })
  t.eq(asked, { "-", "17" })
end)

t.test("missing and null lists are empty arrays", function()
  for _, body in ipairs { "{}", '{"apps":null}', '{"apps":[]}', "null" } do
    local list = run("body", "apps", { body })
    t.eq(#list, 0, body)
    t.ok(json.is_array(list), body)
  end
  t.ok(json.is_array((run(nil, nil, { "null" }))))
end)

t.test("what is no list is a protocol error", function()
  for _, body in ipairs {
    "", "   ", "<html></html>", "plain", '{"apps":3}', '{"apps":{}}', '{"apps":"x"}', '{"apps":[',
    '{"apps":[{"id":]}', '{"apps":[1,]}',
  } do
    local list, e = run("body", "apps", { body })
    t.ok(not list, body)
    t.eq(e.kind, "protocol", body)
  end
  t.eq(select(2, run(nil, nil, { "{}" })).kind, "protocol")
end)

t.test("entries that are not objects are left out and told", function()
  local list, _, _, collector = run(nil, nil, { '[{"id":"a"},null,3,"x",[],{"id":"b"}]' })
  t.eq(ids(list), "a b")
  t.match(collector.warnings[1], "^4 entries")
end)

t.test("nulls inside items are absent, at any depth", function()
  local list = run(nil, nil, {
    '[{"id":"a","x":null,"y":{"z":null,"l":[1,null,2]},"e":[],"n":[null]}]',
  })
  t.eq(list[1].x, nil)
  t.eq(next(list[1].y), "l")
  t.eq(#list[1].y.l, 2)
  t.ok(json.is_array(list[1].e))
  t.eq(#list[1].n, 0)
  t.eq(json.encode(list), '[{"e":[],"id":"a","n":[],"y":{"l":[1,2]}}]')
end)

t.test("raw is the server's text for one reply", function()
  local body = '{ "apps" : [ {"id": "a", "x": 1.50} ] }\n'
  t.eq(run("body", "apps", { body }, { raw = true }), body)
  t.eq(run("header", nil, { "[ ]" }, { raw = true }), "[ ]")
end)

t.test("raw of several replies merges the items' own texts", function()
  local text = run("body", "apps", {
    '{"apps":[ {"id": "a", "n": 1.50}, {"id":"b\\u00e9"} ],"next_cursor":"c"}',
    '{"apps":[ {"id":"c","big":12345678901234567890} ]}',
  }, { raw = true })
  t.eq(text, '[{"id": "a", "n": 1.50},{"id":"b\\u00e9"},{"id":"c","big":12345678901234567890}]')
end)

t.test("each gives every item away and keeps nothing", function()
  local got = {}
  local count = run("body", "apps", {
    '{"apps":[{"id":"a"},{"id":"b"}],"next_cursor":"c"}', '{"apps":[{"id":"c"}]}',
  }, { each = function(item) got[#got + 1] = item.id end })
  t.eq(count, 3)
  t.eq(table.concat(got), "abc")
end)

t.test("each may end the listing, and no further page is asked for", function()
  local got = {}
  local count, _, asked = run("body", "apps", {
    '{"apps":[{"id":"a"},{"id":"b"}],"next_cursor":"c"}', '{"apps":[{"id":"c"}]}',
  }, { each = function(item)
    got[#got + 1] = item.id
    return false
  end })
  t.eq(count, 1)
  t.eq(#asked, 1)
end)

t.test("regions that did not answer are told", function()
  local _, _, _, collector = run("body", "machines", {
    '{"machines":[],"error_regions":["iad","\\u001b[31mx",5,"ams"]}',
  })
  t.eq(#collector.warnings, 1)
  t.match(collector.warnings[1], "iad, ams$")
end)

--- Lists read one after the other in a call that keeps their texts.
local function origins_of(...)
  local origins = collect.origins()
  local lists = {}
  for i, replies in ipairs { ... } do
    lists[i] = run("body", "x", replies, { origins = origins })
  end
  return origins, lists
end

t.test("a list that one reply gave whole is that reply's text", function()
  local origins, lists = origins_of({ '{"x": [{"id": "a"},{"id": "b"}]}' })
  t.eq(collect.text_of(lists[1], origins), '{"x": [{"id": "a"},{"id": "b"}]}')
  t.eq(collect.text_of({ lists[1][2], lists[1][1] }, origins), '{"x": [{"id": "a"},{"id": "b"}]}')
  t.eq(collect.text_of({ lists[1][2] }, origins), '[{"id": "b"}]', "a part of it is not")
  origins, lists = origins_of({ '{"x": [ ]}' })
  t.eq(collect.text_of(lists[1], origins), '{"x": [ ]}')
end)

t.test("a result put together from several replies keeps the server's texts", function()
  local origins, lists = origins_of(
    { '{"x":[{"id": "a"},{"id": "b"}]}' },
    { '{"x":[{"id": "c"}],"next_cursor":"n"}', '{"x":[{"id": "d"}]}' })
  local a, b = lists[1], lists[2]
  t.eq(collect.text_of(b, origins), '[{"id": "c"},{"id": "d"}]')
  t.eq(collect.text_of({ b[1], a[2], { made = "here" } }, origins),
    '[{"id": "c"},{"id": "b"},{"made":"here"}]')
  t.eq(collect.text_of({ made = "here" }, origins), '{"made":"here"}')
  t.eq(collect.text_of(json.array {}, origins), "[]")
  t.eq(collect.text_of(3, origins), "3")
end)
