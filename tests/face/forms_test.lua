-- Every form a command can be written in, with every flag: it is read, it runs,
-- and what each flag says stands in what is sent.

local http = require "sys.http"
local ops = require "ops"
local opkit = require "opkit"
local process = require "sys.process"
local str = require "base.str"
local t = require "kit"
local task = require "sys.task"
local tbl = require "base.tbl"
local world = require "face.world"

-- At a time: most of what a command takes is waiting.
local ABREAST = 40

-- What was sent, by the port of the simulator it went to.
local sent = setmetatable({}, { __index = function(self, port)
  self[port] = {}
  return self[port]
end })

local function text_of(body)
  if type(body) ~= "table" then
    return type(body) == "string" and body or ""
  end
  return table.concat(tbl.map(body, text_of))
end

local function record(url, line)
  table.insert(sent[tonumber(url:match(":(%d+)"))], line)
end

local request, spawn = http.request, process.spawn

http.request = function(options)
  record(options.url, ("%s %s %s"):format(options.method,
    options.url:gsub("^%a+://[^/]+", ""), text_of(options.body)))
  return request(options)
end

process.spawn = function(options)
  local url = (options.env or {}).FLY_API_BASE_URL
  if url then
    record(url, "flyctl " .. table.concat(options.argv, " ", 2))
  end
  return spawn(options)
end

-- Runs a command line on an account of its own; what it sent, a line each.
local function send(line, more)
  local options = {
    hurried = true, moves = true, answer = "a-value",
    tty = { [0] = true, [1] = true, [2] = true },
    env = { PATH = "/bin:/usr/bin", TERM = "dumb" },
  }
  local code, seen = world.run(tbl.flatten({
    { "--sim", "--yes", "fly" }, str.words(line), more or {},
  }), options)
  local lines = options.account and sent[options.account.port] or {}
  return code, seen, table.concat(lines, "\n")
end

-- An account has these, and machine, volume and certificate of the demo.
local STOPPED, OUT = "2e4a9576d0d61c", t.tmpdir()

-- A command, and what it must send.
local FORMS = {
  { "list machines", "/v1/orgs/personal/machines?", "/v1/orgs/acme/machines?" },
  { "list machines --app my-app", "GET /v1/apps/my-app/machines" },
  { "list wireguard", '"slug":"personal"', '"slug":"acme"' },
  { "list tokens --org acme", "OrgTokens", '"slug":"acme"' },
  { "list tokens --app my-app", "AppTokens", '"app":"my-app"' },
  { "list mysql", '"type":"fly_mysql"' },
  { "list extensions --type sentry", '"type":"sentry"' },
  { "get app my-app", "GET /v1/apps/my-app " },
  { "get machine 1234abcd --app my-app", "GET /v1/apps/my-app/machines/1234abcd " },
  { "get volume vol_1234 --app my-app", "GET /v1/apps/my-app/volumes/vol_1234 " },
  { "get cert www.example.com --app my-app", "/certificates/www.example.com" },
  { "get release 2 --app my-app", "Releases", '"name":"my-app"' },
  { "get org acme", '"slug":"acme"' },
  { "get postgres acme-db", "/v1/postgres" },
  { "apps create new-app --org acme", '"name":"new-app"', '"org_slug":"acme"',
    '"idempotency_key":"' },
  { "restart app my-app", "POST /v1/apps/my-app/machines/1234abcd/restart" },
  { "restart machine 1234abcd --app my-app", "POST /v1/apps/my-app/machines/1234abcd/restart" },
  { ("start %s --app my-app"):format(STOPPED),
    ("POST /v1/apps/my-app/machines/%s/start"):format(STOPPED) },
  { "stop 1234abcd --app my-app --signal SIGINT --timeout 7s",
    'machines/1234abcd/stop {"signal":"SIGINT","timeout":"7s"}' },
  { "suspend 1234abcd --app my-app", "POST /v1/apps/my-app/machines/1234abcd/suspend" },
  { "cordon 1234abcd --app my-app", "POST /v1/apps/my-app/machines/1234abcd/cordon" },
  -- It is not cordoned: there is nothing to send.
  { "uncordon 1234abcd --app my-app", "GET /v1/apps/my-app/machines/1234abcd" },
  { "clone 1234abcd --app my-app --region fra --name twin", "POST /v1/apps/my-app/machines {",
    '"region":"fra"', '"name":"twin"' },
  { "exec 1234abcd --app my-app -- echo -l --app x", '"command":["echo","-l","--app","x"]' },
  { "machines create --app my-app --image nginx:1 --region fra --size shared-cpu-2x"
    .. " --memory 1024 --cpus 4 --name web-one --env A=1 --env B=x=y --port 80:8080"
    .. " --volume vol_1234:/data", '"image":"nginx:1"', '"region":"fra"',
    '"guest":{"cpu_kind":"shared","cpus":4,"memory_mb":1024}', '"name":"web-one"',
    '"env":{"A":"1","B":"x=y"}', '"internal_port":8080', '"port":80',
    '"mounts":[{"path":"/data","volume":"vol_1234"}]' },
  { ("machines update %s --app my-app --image nginx:1 --region fra --size shared-cpu-2x"
    .. " --memory 1024 --cpus 4 --name web-one --env A=1 --port 80:8080"
    .. " --volume vol_1234:/data"):format(STOPPED), '"image":"nginx:1"',
    '"guest":{"cpu_kind":"shared","cpus":4,"memory_mb":1024}', '"name":"web-one"',
    '"A":"1"', '"internal_port":8080', '"mounts":[{"path":"/data","volume":"vol_1234"}]' },
  { "machines update 585189504ea5e3 --app my-app --volume data:/elsewhere",
    '"mounts":[{"encrypted":true,"name":"data","path":"/elsewhere"' },
  { "machines events 1234abcd --app my-app", "/machines/1234abcd/events" },
  { "machines ps 1234abcd --app my-app", "/machines/1234abcd/ps" },
  { "machines metadata 1234abcd --app my-app", "/machines/1234abcd/metadata" },
  { "machines wait 1234abcd --app my-app", "/machines/1234abcd/wait?state=started" },
  { "volumes create --app my-app --name data --region iad --size-gb 4 --encrypted=false",
    '"encrypted":false,"name":"data","region":"iad"', '"size_gb":4' },
  { "volumes extend vol_1234 --size-gb 20 --app my-app", 'vol_1234/extend {"size_gb":20}' },
  { "volumes fork vol_1234 --region iad --app my-app", '"region":"iad"',
    '"source_volume_id":"vol_1234"' },
  { "volumes fork vol_1234 --app my-app", '"region":"fra"' },
  { "volumes snapshots vol_1234 --app my-app", "GET /v1/apps/my-app/volumes/vol_1234/snapshots" },
  { "volumes snapshots vol_1234 create --app my-app",
    "POST /v1/apps/my-app/volumes/vol_1234/snapshots" },
  { "secrets set A=1 --app my-app", "flyctl secrets import --app=my-app" },
  { "secrets unset OLD_KEY --app my-app", 'secrets {"values":{"OLD_KEY":null}}' },
  { "secrets deploy --app my-app", "POST /v1/apps/my-app/machines/1234abcd {" },
  { "ips allocate --type v4 --app my-app", '{"type":"v4"}' },
  { "ips allocate --type v6 --region fra --app my-app", '{"region":"fra","type":"v6"}' },
  { "ips allocate --type shared --app my-app", '{"type":"shared_v4"}' },
  { "ips allocate --type private --app my-app", '{"type":"private_v6"}' },
  { "ips release 2001:db8:1::1:1 --app my-app",
    "DELETE /v1/apps/my-app/ip_assignments/2001%3Adb8%3A1%3A%3A1%3A1" },
  { "certs check www.example.com --app my-app", "certificates/www.example.com/check" },
  { "certs add shop.example.com --app my-app", 'acme {"hostname":"shop.example.com"}' },
  { "certs remove www.example.com --app my-app",
    "DELETE /v1/apps/my-app/certificates/www.example.com" },
  { "rollback 1 --app my-app", "flyctl deploy --image=registry.fly.io/my-app:deployment-01" },
  { "rollback --app my-app", "flyctl deploy --image=registry.fly.io/my-app:deployment-01" },
  { "redeploy --app my-app", "flyctl deploy --image=registry.fly.io/my-app:deployment-03" },
  { "scale show --app my-app", "GET /v1/apps/my-app/machines" },
  { "scale count 3 --app my-app", "flyctl scale count 3 --app=my-app --yes" },
  { "scale vm performance-2x --app my-app", '"cpu_kind":"performance","cpus":2' },
  { "scale memory 2048 --app my-app", '"memory_mb":2048' },
  { "scale cpu 2 --memory 512 --app my-app", '"cpus":2,"memory_mb":512' },
  { "deploy . --app my-app --region iad --strategy rolling --image nginx:1 --remote-only",
    "flyctl deploy . --app=my-app --yes --primary-region=iad --strategy=rolling"
    .. " --image=nginx:1 --remote-only" },
  { "postgres create --name pg --region iad --vm-size shared-cpu-2x --volume-size 5"
    .. " --org personal", "flyctl postgres create --name=pg --org=personal --region=iad"
    .. " --vm-size=shared-cpu-2x --volume-size=5" },
  { "mpg create --name pg --region iad --plan starter --disk-gb 20 --org personal",
    '"disk_size_gb":20,"name":"pg","org_slug":"personal","plan":"starter","region":"iad"' },
  { "redis create --name cache --region iad --plan pay-as-you-go --eviction --org personal",
    '"name":"cache"', '"eviction":true', '"planId":"', '"primaryRegion":"iad"' },
  { "redis destroy acme-cache", '{"name":"acme-cache","provider":"upstash_redis"}' },
  { "tigris create-bucket --name files --public --org personal --agree-terms",
    '"name":"files"', '"public":true' },
  { "tigris destroy acme-assets", '{"name":"acme-assets","provider":"tigris"}' },
  { "orgs members acme", "OrgMembers", '"slug":"acme"' },
  { "tokens create --type deploy --app my-app", '"profile":"deploy"', '"app_id":"my-app"' },
  { "tokens create --type org --org acme", '"profile":"deploy_organization"' },
  { "tokens create --type readonly --org acme", "flyctl tokens create readonly --org=acme" },
  { "wireguard create --name phone --region iad --org personal --out " .. OUT .. "/wg.conf",
    '"name":"phone"', '"region":"iad"', '"pubkey":"' },
  { "wireguard remove laptop --org personal", "RemoveWireGuardPeer", '"name":"laptop"' },
  { "logs --app my-app,acme-api --since 2h --until 1m --grep GET --region iad",
    "/my-app/logs?next_token=1735725600000000000&region=iad",
    "/acme-api/logs?next_token=1735725600000000000&region=iad" },
  { "logs --app my-app --machine 1234abcd", "/my-app/logs?instance=1234abcd" },
}

t.test("each form runs, and each of its flags reaches what is sent", function()
  world.flyctl()
  task.map(FORMS, ABREAST, function(form)
    local code, seen, lines = send(form[1])
    t.eq(code, 0, form[1] .. ": " .. seen.err)
    for i = 2, #form do
      t.ok(lines:find(form[i], 1, true), ("%s: not sent: %s\n%s"):format(form[1], form[i], lines))
    end
  end)
end)

-- The plural and every word that may stand for it.
local LISTED = {
  apps = "app", machines = "machine", volumes = "volume", secrets = "secret", ips = "ip",
  certs = "cert certificates certificate", releases = "release",
  orgs = "org organizations organization", regions = "region", postgres = "pg",
  mpg = "", redis = "", tigris = "", mysql = "", wireguard = "wg", tokens = "token",
  extensions = "extension",
}

local function op_of(...)
  local words = { ... }
  local op, used = ops.find(words)
  return op and used == #words and op.id or nil
end

t.test("every list is found by every word for it, in either order", function()
  for plural, others in pairs(LISTED) do
    for _, noun in ipairs(tbl.flatten({ { plural }, str.words(others) })) do
      t.eq(op_of("list", noun), plural .. ".list", noun)
      t.eq(op_of(noun, "list"), plural .. ".list", noun)
    end
  end
end)

t.test("of every operation: get X is X get, destroy X is X destroy, in all words for it", function()
  local count = 0
  for _, op in ipairs(ops.all()) do
    local resource = ops.resource(op.resource)
    if op.verb == "list" or op.verb == "get" or op.verb == "destroy" then
      for _, noun in ipairs(tbl.flatten({ { resource.id, resource.singular },
        resource.aliases or {} })) do
        t.eq(op_of(op.verb, noun), op.id)
        t.eq(op_of(noun, op.verb), op.id)
        count = count + 1
      end
    end
  end
  t.ok(count > 60, "too few: " .. count)
end)

for _, noun in ipairs({ "app", "machine", "volume", "cert", "release", "org", "postgres" }) do
  t.test("get " .. noun .. " is there", function()
    t.ok(op_of("get", noun))
  end)
end

t.test("every flag is long, in one spelling, and one word per thing", function()
  local kinds = {}
  for _, op in ipairs(ops.all()) do
    for _, param in ipairs(op.params) do
      t.match(param.flag, "^%-%-%l[%l%d-]*$", op.id)
      t.eq(param.flag, "--" .. param.name:gsub("_", "-"), op.id)
      t.eq(param.short, nil, op.id)
      kinds[param.type] = kinds[param.type] or {}
      kinds[param.type][param.name] = op.id
    end
  end
  -- What names a thing of the account is called the same everywhere.
  for kind, names in pairs({ app = "app cluster", region = "region replica", org = "org slug",
    machine = "id machine" }) do
    local allowed = tbl.set(str.words(names))
    for name, id in pairs(kinds[kind]) do
      t.ok(allowed[name], ("%s: a %s is called %s"):format(id, kind, name))
    end
  end
end)

t.test("a flag given reads the same before, between and after the words", function()
  for _, words in ipairs({
    { "--app", "my-app", "list", "machines" }, { "list", "--app", "my-app", "machines" },
    { "list", "machines", "--app=my-app" }, { "machines", "list", "--app", "my-app" },
  }) do
    local code, seen, lines = send(table.concat(words, " "))
    t.eq(code, 0, seen.err)
    t.match(lines, "^GET /v1/apps/my%-app/machines")
  end
end)

t.test("help knows every form it shows", function()
  for _, op in ipairs(ops.all()) do
    for _, path in ipairs(opkit.paths(op)) do
      if not path:find("{", 1, true) then
        t.eq(op_of(table.unpack(str.words(path))), op.id, path)
      end
    end
  end
end)
