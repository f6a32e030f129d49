--- Arguments become a request, and nothing in them can become anything else.

local json = require "base.json"
local opkit = require "opkit"
local registry = require "opkit.registry"
local rest = require "fly.rest"
local t = require "kit"
local tbl = require "base.tbl"

local BASES = { machines = "https://m.example.com", api = "https://a.example.com" }

opkit.resource { id = "resttest", title = "Rows for tests" }

local declared = 0

--- A row of the operation table with only what a request needs.
local function row(method, path, params, more)
  declared = declared + 1
  for _, param in ipairs(params) do
    param[2], param[3] = param[2] or "name", "a value"
    param.required = path:find("{" .. param[1] .. "}", 1, true) and true or nil
  end
  local id = "resttest.op" .. declared
  opkit.op(tbl.merge({
    id = id,
    title = "A row for a test",
    effect = method == "GET" and "read" or method == "DELETE" and "destroy" or "write",
    confirm = method == "DELETE" and "Sure?" or nil,
    http = { method, path },
    params = params,
    limit = "none",
    returns = "any",
  }, more or {}))
  return registry.get(id)
end

local APP = row("GET", "/v1/apps/{app}", { { "app" } })

local function url(name)
  local request, e = rest.request(APP, { app = name }, BASES)
  return request and request.url, e
end

t.test("names of every kind stay one path segment", function()
  t.eq(url("my-app"), "https://m.example.com/v1/apps/my-app")
  t.eq(url("a/b"), "https://m.example.com/v1/apps/a%2Fb")
  t.eq(url("../orgs"), "https://m.example.com/v1/apps/..%2Forgs")
  t.eq(url("a b"), "https://m.example.com/v1/apps/a%20b")
  t.eq(url("\u{1F600}"), "https://m.example.com/v1/apps/%F0%9F%98%80")
  t.eq(url("a?x=1#y&z;%2e+"), "https://m.example.com/v1/apps/a%3Fx%3D1%23y%26z%3B%252e%2B")
  t.eq(url("a\r\nHost: x"), "https://m.example.com/v1/apps/a%0D%0AHost%3A%20x")
  t.eq(url("..."), "https://m.example.com/v1/apps/...")
  t.eq(url("{app}"), "https://m.example.com/v1/apps/%7Bapp%7D")
end)

t.test("names that would name another path are refused", function()
  for _, name in ipairs { ".", "..", "" } do
    local _, e = url(name)
    t.eq(e.kind, "usage", name)
  end
  local _, e = rest.request(APP, {}, BASES)
  t.eq(e.kind, "usage", "a missing one")
end)

t.test("every byte in every slot leaves the same number of segments", function()
  local two = row("GET", "/v1/apps/{app}/machines/{id}", { { "app" }, { "id" } })
  for byte = 0, 255 do
    local name = "x" .. string.char(byte) .. "y"
    local request = rest.request(two, { app = name, id = name }, BASES)
    local _, slashes = request.url:gsub("/", "")
    t.eq(slashes, 7, "byte " .. byte)
    t.ok(not request.url:find("[?#\\%c ]"), "byte " .. byte)
  end
end)

t.test("a GET puts its arguments into the query, in the row's order", function()
  local list = row("GET", "/v1/apps", {
    { "org", at = "query.org_slug" }, { "limit" }, { "deleted" }, { "state", many = true },
  })
  local request = rest.request(list, {
    org = "a&b=c", limit = 5, deleted = false, state = { "started", "stopped" },
  }, BASES)
  t.eq(request.url, "https://m.example.com/v1/apps?org_slug=a%26b%3Dc&limit=5&deleted=false"
    .. "&state=started&state=stopped")
  t.eq(request.body, nil)
end)

t.test("a cursor is passed on, escaped", function()
  t.eq(rest.request(row("GET", "/v1/apps", {}), {}, BASES, { cursor = "a=&b" }).url,
    "https://m.example.com/v1/apps?cursor=a%3D%26b")
end)

t.test("a POST puts its arguments into the body, nested where the row says so", function()
  local create = row("POST", "/v1/apps/{app}/machines", {
    { "app" }, { "name" }, { "image", at = "body.config.image" },
    { "memory_mb", at = "body.config.guest.memory_mb" }, { "no_wait", at = "query.wait" },
    { "local_only", at = "none" },
  })
  local request = rest.request(create, {
    app = "web", name = "m", image = "nginx", memory_mb = 512, no_wait = true, local_only = 1,
  }, BASES)
  t.eq(request.url, "https://m.example.com/v1/apps/web/machines?wait=true")
  t.eq(json.decode(request.body), {
    name = "m", config = { image = "nginx", guest = { memory_mb = 512 } },
  })
end)

t.test("a body that may be absent is absent, one that must be there is empty", function()
  local params = { { "app" }, { "signal" } }
  local function body(list, more)
    return rest.request(row("POST", "/v1/{app}", list, more), { app = "a" }, BASES).body
  end
  t.eq(body(params), "{}")
  t.eq(body(params, { body = "optional" }), nil)
  t.eq(body { { "app" } }, nil)
end)

t.test("header arguments cannot start another header", function()
  local signed = row("GET", "/v1/x", { { "region", at = "header.Fly-Force-Region" } })
  t.eq(rest.request(signed, { region = "iad" }, BASES).headers["Fly-Force-Region"], "iad")
  local _, e = rest.request(signed, { region = "iad\r\nX: y" }, BASES)
  t.eq(e.kind, "usage")
end)

t.test("a lease's nonce travels in its header", function()
  local request = rest.request(row("POST", "/v1/x", {}), {}, BASES, { nonce = "n1" })
  t.eq(request.headers["fly-machine-lease-nonce"], "n1")
end)

t.test("each path has its service and base", function()
  local function service(path, api)
    local made = row("GET", path, { { "app" } }, { api = api })
    local request = rest.request(made, { app = "a" }, BASES)
    return request.service .. " " .. request.url
  end
  t.eq(service("/v1/apps/{app}"), "machines https://m.example.com/v1/apps/a")
  t.eq(service("/api/v1/apps/{app}/logs", "web"), "logs https://a.example.com/api/v1/apps/a/logs")
  t.eq(service("/api/v1/apps/{app}/releases", "web"),
    "uiex https://a.example.com/api/v1/apps/a/releases")
end)

t.test("the action is the path's form, not the path", function()
  t.eq(rest.request(APP, { app = "web" }, BASES).action, "GET /v1/apps/{app}")
end)
