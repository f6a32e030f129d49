--- A stranger's client: curl, as Fly's own pages use it, over the wire.

local json = require "base.json"
local process = require "sys.process"
local sim = require "sim"
local t = require "kit"

-- Runs curl with words in which $NAME stands for what the pages export:
-- FLY_API_HOSTNAME and FLY_API_TOKEN. Status, and the decoded body.
local function curl(running, ...)
  local argv = { "curl", "-sS", "-w", "\n%{http_code}" }
  for _, word in ipairs { ... } do
    argv[#argv + 1] = word:gsub("%$(%u[%u_]+)", {
      FLY_API_HOSTNAME = running.url, FLY_API_TOKEN = running.token,
    })
  end
  local done = t.ok(process.run({
    argv = argv, inherit = { "PATH" }, timeout = 30,
  }))
  t.eq(done.code, 0, done.stderr)
  local body, status = done.stdout:match("^(.*)\n(%d+)$")
  return tonumber(status), body ~= "" and json.decode(body) or nil
end

local AUTH = "Authorization: Bearer $FLY_API_TOKEN"
local JSON = "Content-Type: application/json"
local APPS = "$FLY_API_HOSTNAME/v1/apps"

local function with(fn)
  local running = t.ok(sim.start({ seed = "empty" }))
  local _ <close> = setmetatable({}, { __close = running.stop })
  fn(function(...)
    return curl(running, ...)
  end)
end

t.test("an app, a machine and a volume are made, used and destroyed", function()
  with(function(run)
    local status, got = run("-X", "POST", "-H", AUTH, "-H", JSON, APPS, "-d",
      '{"app_name": "my-app-name", "org_slug": "personal"}')
    t.eq(status, 201)
    t.ok(got.id)
    status, got = run("-X", "POST", "-H", AUTH, "-H", JSON,
      APPS .. "/my-app-name/volumes", "-d",
      '{"name": "my_app_vol", "region": "ord", "size_gb": 1}')
    t.eq(status, 200)
    local volume = got.id
    status, got = run("-X", "POST", "-H", AUTH, "-H", JSON,
      APPS .. "/my-app-name/machines", "-d", ([[{
        "name": "my-machine", "region": "ord",
        "config": {
          "image": "registry.example.com/web:latest",
          "env": { "APP_ENV": "production" },
          "services": [ { "ports": [
            { "port": 443, "handlers": [ "tls", "http" ] },
            { "port": 80, "handlers": [ "http" ] } ],
            "protocol": "tcp", "internal_port": 8080 } ],
          "checks": { "httpget": { "type": "http", "port": 8080,
            "method": "GET", "path": "/", "interval": "15s",
            "timeout": "10s" } },
          "mounts": [ { "volume": "%s", "path": "/data" } ]
        } }]]):format(volume))
    t.eq(status, 200)
    t.eq(got.state, "created")
    local machine = APPS .. "/my-app-name/machines/" .. got.id
    local version = got.instance_id
    status, got = run("-H", AUTH,
      machine .. "/wait?state=started&instance_id=" .. version)
    t.eq({ status, got.ok }, { 200, true })
    status, got = run("-X", "POST", "-H", AUTH, "-H", JSON,
      machine .. "/lease", "-d", '{"ttl": 500, "description": "a lease"}')
    t.eq(status, 201)
    local nonce = "fly-machine-lease-nonce: " .. got.data.nonce
    status = run("-X", "POST", "-H", AUTH, machine .. "/stop")
    t.eq(status, 409)
    status = run("-X", "POST", "-H", AUTH, "-H", nonce, machine .. "/stop")
    t.eq(status, 200)
    status = run("-X", "DELETE", "-H", AUTH, "-H", nonce, machine .. "/lease")
    t.eq(status, 200)
    status, got = run("-X", "DELETE", "-H", AUTH, machine .. "?force=true")
    t.eq({ status, got.ok }, { 200, true })
    t.eq(run("-X", "DELETE", "-H", AUTH, APPS .. "/my-app-name"), 202)
  end)
end)

t.test("the answers of a client that does it wrong", function()
  with(function(run)
    t.eq(run(APPS .. "?org_slug=personal"), 401)
    t.eq(run("-H", AUTH, APPS), 400)
    t.eq(run("-H", AUTH, APPS .. "/none"), 404)
    t.eq(run("-X", "POST", "-H", AUTH, APPS, "-d", "org_slug=personal"), 400)
  end)
end)

t.test("GraphQL takes what its clients post", function()
  with(function(run)
    local status, got = run("-H", AUTH, "-H", JSON, "$FLY_API_HOSTNAME/graphql",
      "-d", '{"query":"query { viewer { email } }","variables":{}}')
    t.eq(status, 200)
    t.eq(got.data.viewer.email, "sim@example.com")
  end)
end)
