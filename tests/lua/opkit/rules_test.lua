--- The rules a declaration must keep: each broken once, each refused by name.

local row = require "opkit.row"
local t = require "kit"
local tbl = require "base.tbl"

-- A row that keeps every rule, with the given fields changed; `NONE` removes.
local NONE = {}

local function declaration(changes)
  local fields = tbl.merge({
    id = "ips.release",
    title = "Release an IP address",
    effect = "destroy",
    confirm = "Release {ip} from {app}? DNS records that name it will break.",
    http = { "DELETE", "/v1/apps/{app}/ip_assignments/{ip}" },
    limit = "app",
    params = {
      { "app", "app", "name of the app", required = true },
      { "ip", "ip", "address to release", required = true, pos = 1 },
    },
  }, changes)
  for key, value in pairs(fields) do
    if value == NONE then
      fields[key] = nil
    end
  end
  return fields
end

local function with_params(...)
  return { params = { { "app", "app", "name of the app", required = true },
    { "ip", "ip", "address to release", required = true, pos = 1 }, ... } }
end

t.test("a row that keeps every rule is read", function()
  local read = row.read(declaration({}))
  t.eq(read.resource, "ips")
  t.eq(read.verb, "release")
  t.eq(read.param.ip.flag, "--ip")
  t.eq(read.positional[1].name, "ip")
end)

local HTTP_READ = {
  effect = "read", confirm = NONE, returns = "any",
  http = { "GET", "/v1/apps/{app}" },
}

local function gql(text, more)
  return tbl.merge({
    effect = "read", confirm = NONE, returns = "any", http = NONE, limit = NONE,
    gql = text, params = {},
  }, more or {})
end

local function flyctl(words, more)
  return tbl.merge({ http = NONE, limit = NONE, flyctl = words }, more or {})
end

-- what breaks → the message it must give
local BROKEN = {
  { { efect = "read" }, 'op ips.release: unknown field "efect"' },
  { { title = 7 }, 'field "title" must be a string, not a number' },
  { { title = "release it" }, "title must be one line" },
  { { title = "Release it." }, "title must be one line" },
  { { title = NONE }, "title must be one line" },
  { { effect = "delete" }, 'field "effect" must be one of .* not "delete"' },
  { { effect = NONE }, 'field "effect" must be one of' },
  { { confirm = NONE }, "what destroys needs a confirm text" },
  { { confirm = "Release {address}?" }, "{address} in confirm is no parameter" },
  { { http = NONE }, "needs exactly one of http, gql, flyctl or run" },
  { { run = function() end, calls = {} }, "needs exactly one of" },
  { { http = { "FETCH", "/v1/x" } }, 'must be one of GET, POST' },
  { { http = { "DELETE", "v1/apps/{app}/{ip}" } }, 'must be { METHOD, "/path" }' },
  { { http = { "GET", "/v1/apps/{app}/{ip}" } }, "a GET only reads" },
  { { effect = "read", confirm = NONE, returns = "any" },
    "a DELETE never only reads" },
  { { http = { "DELETE", "/v1/apps/{app}/{address}" } },
    "{address} in http is no parameter" },
  { { params = {
      { "app", "app", "name of the app" },
      { "ip", "ip", "address", required = true, pos = 1 },
    } }, "{app} is part of the path, so it is required" },
  { { limit = NONE }, 'field "limit" must be one of' },
  { { limit = "often" }, 'field "limit" must be one of' },
  { { lease = "maybe" }, 'field "lease" must be one of' },
  { { api = "flaps" }, 'field "api" must be one of' },
  { { stability = "beta" }, 'field "stability" must be one of' },
  { { undo = { args = {} } }, "undo needs op" },
  { tbl.merge(HTTP_READ, { returns = NONE }), "what reads declares what it returns" },
  { tbl.merge(HTTP_READ, { page = "next" }), 'field "page" must be one of' },
  { tbl.merge(HTTP_READ, { page = "graphql", items = "x" }),
    "graphql paging needs gql and items" },
  { tbl.merge(HTTP_READ, { items = "x", item = "y" }), "not both" },

  { gql("{ viewer { name } }"), "one named query or mutation" },
  { gql("query { viewer { name } }"), "one named query or mutation" },
  { gql("subscription S { x }"), "one named query or mutation" },
  { gql("mutation M { x }"), "a mutation does not go with effect read" },
  { gql("query Q { x }", { effect = "write" }),
    "a query does not go with effect write" },
  { gql("query Q($slug: String!) { x }"), "$slug in gql is no parameter" },
  { gql("query Q { x }", { params = { { "org", "org", "slug" } } }),
    "parameter org is no variable" },
  { gql("query Q($first: Int) { x }", { page = "graphql", items = "x" }),
    "needs $first and $after" },

  { flyctl({}), "flyctl must be a list of words" },
  { flyctl({ "ips", "release", "{address}" }), "{address} in flyctl is no parameter" },
  { flyctl({ "ips", { "{ip}" } }), "needs when = one of the parameters" },
  { flyctl({ "ips", "" }), "flyctl must be a list of words" },
  { flyctl({ "secrets", "set", "{value}" },
      { params = { { "value", "secret", "value to set" } },
        confirm = "Set it?" }),
    "{value} is sensitive and must not be on a command line" },
  { flyctl({ "ips" }, { stdin = "value" }), 'stdin names "value"' },
  { { stdin = "ip" }, 'field "stdin" goes with flyctl, not with http' },
  { { calls = { "x.y" } }, 'field "calls" goes with run, not with http' },
  { { http = NONE, limit = NONE, run = function() end }, "a run needs calls" },
  { flyctl({ "ips" }, { lease = "optional" }), 'field "lease" goes with http' },
  { flyctl({ "ips" }, { limit = "app" }), 'field "limit" goes with http' },
  { flyctl({ "ips" }, { page = "body" }), "only http and gql replies come in pages" },
  { flyctl({ "secrets", { when = "app", "--set={value}" } },
      { params = { { "app", "app", "name of the app" }, { "value", "secret", "value to set" } },
        confirm = "Set it?" }),
    "{value} is sensitive and must not be on a command line" },

  { { escalate = { { when = { count = 0 }, effect = "destroy", why = "x" } } },
    'escalate%[1%]: when names "count"' },
  { { escalate = { { when = { ip = "x" }, effect = "ruin", why = "x" } } },
    'escalate%[1%]: field "effect" must be one of' },
  { { escalate = { { when = { ip = "x" }, effect = "destroy" } } },
    "escalate%[1%]: needs a description" },
  { { escalate = { { effect = "destroy", why = "x" } } },
    "needs when = arguments" },
  { { escalate = { { when = {}, effect = "exec", why = "x", reason = "y" } } },
    'escalate%[1%]: unknown field "reason"' },
  { { escalate = { { when = { ip = "x" }, seeing = "ips.list", effect = "destroy",
      why = "x" } } }, "what is seen is judged by a function" },
  { { effect = "write", confirm = NONE, http = { "POST", "/v1/apps/{app}" },
      escalate = { { when = {}, effect = "destroy", why = "breaks it" } } },
    "what destroys needs a confirm text" },

  { { escalate = { { when = {}, effect = "write", why = "costs", confirm = "Pay {sum}?" } } },
    "escalate%[1%]: {sum} in confirm is no parameter" },
  { { effect = "write", confirm = NONE, http = { "POST", "/v1/apps/{app}" }, escalate = {
      { when = {}, effect = "destroy", why = "breaks it", confirm = "Break {app}?" },
      { when = { ip = "x" }, effect = "destroy", why = "breaks it" },
    } }, "what destroys needs a confirm text" },
  { { kept = "the secret {name}" }, "{name} in kept is no parameter" },
  { { offer = { "force", "Even so?" } }, "an offer names a parameter" },
  { { cli = { "ips release {address}" } }, "{address} in cli is no parameter" },
  { { cli = { " release" } }, 'field "cli" must be command paths' },
  { { cli = { 7 } }, 'field "cli" must be command paths' },
  { { body = "maybe" }, 'field "body" must be one of optional' },
  { { refuse = function() end }, "what is refused is seen in a preview" },
  { tbl.merge(HTTP_READ, { preview = "ips.list" }), "a preview shows what a destroy" },

  { { columns = { { "Ip", "ip" } } }, "columns%[1%]: field \"1\" must be" },
  { { columns = { { "IP" } } }, "columns%[1%]: needs a path" },
  { { columns = { { "IP", "ip", format = "pretty" } } },
    'columns%[1%]: unknown format "pretty"' },
  { { columns = { { "IP", "ip", width = 3 } } }, 'unknown field "width"' },

  { with_params("x"), "params%[3%] %(no table%): must be" },
  { with_params({ "x" }), "params%[3%] %(x%): needs a type" },
  { with_params({ "x", "string" }), "needs a description" },
  { with_params({ "x", "string", "Ends with a period." }), "no period at its end" },
  { with_params({ "x", "strin", "text" }),
    'unknown type "strin" %(did you mean "string"%?%)' },
  { with_params({ "X", "string", "text" }), "lower case words joined by _" },
  { with_params({ "app_name", "app", "text" }), 'is called "app" everywhere' },
  { with_params({ "machine_id", "machine", "text" }), 'is called "id" everywhere' },
  { with_params({ "x", "enum", "text" }), "an enum has values" },
  { with_params({ "x", "string", "text", values = { "a" } }), "an enum has values" },
  { with_params({ "x", "string", "text", required = true, default = "a" }),
    "is required, so a default is never used" },
  { with_params({ "x", "integer", "text", default = "a lot" }),
    "default a lot: it must be a whole number" },
  { with_params({ "x", "integer", "text", min = 1, default = 0 }),
    "default 0: it must be at least 1" },
  { with_params({ "x", "string", "text", pos = 1 }), "two parameters at position 1" },
  { with_params({ "x", "string", "text", pos = 3 }),
    "positions are not contiguous: 2 is missing" },
  { with_params({ "x", "string", "text", pos = 2 },
      { "y", "string", "text", pos = 3, required = true }),
    "required y stands after optional x" },
  { with_params({ "x", "string", "text", pos = 2, many = true },
      { "y", "string", "text", pos = 3 }), "only the last position may take many" },
  { with_params({ "x", "string", "text", short = "xy" }), "short must be one letter" },
  { with_params({ "x", "string", "text", short = "x" },
      { "y", "string", "text", short = "x" }), 'short "x" is taken by x' },
  { with_params({ "app", "app", "text" }), "%(app%): stands twice" },
  { with_params({ "x", "string", "text", at = "cookie.x" }), "is no place" },
  { with_params({ "x", "string", "text", at = "query" }), "is no place" },
  { with_params({ "x", "string", "text", at = "none.x" }), "is no place" },
  { with_params({ "x", "string", "text", requird = true }),
    'params%[3%] %(x%): unknown field "requird"' },
}

for i, case in ipairs(BROKEN) do
  t.test(("rule %d is kept: %s"):format(i, case[2]), function()
    local ok, e = pcall(row.read, declaration(case[1]))
    t.ok(not ok, "the row was accepted")
    t.match(tostring(e), "^op ips%.release: ?")
    t.match(tostring(e), case[2])
  end)
end
