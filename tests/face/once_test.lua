-- Credentials that operations make: at a terminal or in a file, once, and in no
-- other output of the real binary.

local fs = require "sys.fs"
local process = require "sys.process"
local sim = require "sim"
local str = require "base.str"
local t = require "kit"

-- An account that stays, so that what was made can be looked for.
local function open()
  local account = assert(sim.start({ seed = "demo", limits = false }))
  t.cleanup(account.stop)
  return account
end

-- The simulated flyctl is the only one on the way.
local function run(account, script, home)
  local directory = account.flyctl():match("^(.*)/")
  return assert(process.run({
    argv = { "/bin/sh", "-c", script, t.binary() },
    env = {
      HOME = home, FLY_API_HOSTNAME = account.url, FLY_API_BASE_URL = account.url,
      FLY_API_TOKEN = account.token, PATH = directory .. ":/usr/bin:/bin",
      XDG_RUNTIME_DIR = os.getenv("XDG_RUNTIME_DIR"),
    },
    inherit = { "CLANKER_LUA", "ASAN_OPTIONS" }, timeout = 60,
  }))
end

-- The secret texts in a file of lines: what follows "=", or the line.
local function secrets_in(path)
  local list = {}
  for _, line in ipairs(str.split(assert(fs.read(path)), "\n")) do
    local value = line:match("^[%w_]+=(.+)$") or line:match("^PrivateKey = (.+)$") or line
    if #value > 20 and not value:find("^https://") then
      list[#list + 1] = value
    end
  end
  t.ok(#list > 0, path)
  return list
end

-- Every file below a directory but that one.
local function files_but(directory, kept)
  local texts = {}
  for _, entry in ipairs(assert(fs.walk(directory))) do
    local path = directory .. "/" .. entry.path
    if entry.type == "file" and path ~= kept then
      texts[#texts + 1] = assert(fs.read(path))
    end
  end
  return table.concat(texts, "\n")
end

local MAKERS = {
  "tokens create --type deploy --app my-app",
  "tokens create --type org --org acme",
  "tokens create --type readonly --org acme",
  "redis create --name canary --region iad --org acme --no-wait",
  "wireguard create --name canary --region iad --org acme",
  "tigris create-bucket --name canary --org acme --agree-terms --no-wait",
  "postgres create --name canary --region iad --org acme --no-wait",
}

for _, command in ipairs(MAKERS) do
  t.test("nothing but the file has it: " .. command, function()
    local account = open()
    for _, format in ipairs({ "", " -o json", " -o yaml", " -o csv", " --raw" }) do
      local home = t.tmpdir()
      local line = command:gsub("canary", "canary" .. format:gsub("%W", ""))
      local result = run(account, ('"$0" --debug fly %s%s --out "$HOME/it"'):format(
        line, format), home)
      t.eq(result.code, 0, result.stderr)
      t.eq(fs.stat(home .. "/it").mode, 384) -- 0600
      local elsewhere = result.stdout .. result.stderr .. files_but(home, home .. "/it")
      for _, value in ipairs(secrets_in(home .. "/it")) do
        t.ok(not elsewhere:find(value, 1, true), line .. format)
      end
    end
  end)
end

t.test("refused without a terminal and a file, and nothing is made", function()
  local account = open()
  local home = t.tmpdir()
  local before = run(account, '"$0" fly list tokens --org acme -o csv', home).stdout
  local result = run(account, '"$0" fly tokens create --type org --org acme', home)
  t.eq(result.code, 2)
  t.match(result.stderr, "give %-%-out FILE")
  t.eq(run(account, '"$0" fly list tokens --org acme -o csv', home).stdout, before)
end)

t.test("a file that is not written is not left behind", function()
  local account = open()
  local home = t.tmpdir()
  local result = run(account,
    '"$0" fly tokens create --type deploy --app nope --out "$HOME/it"', home)
  t.eq(result.code, 4)
  t.ok(not fs.exists(home .. "/it"))
end)

t.test("what is kept elsewhere is shown at a terminal or in a file, and not else", function()
  local account = open()
  local home = t.tmpdir()
  local result = run(account, '"$0" fly postgres create --name pg1 --region iad --org acme'
    .. ' --no-wait --out "$HOME/pg"', home)
  t.eq(result.code, 0, result.stderr)
  local seen = ""
  for i, format in ipairs({ "", "-o json" }) do
    result = run(account, ('"$0" --debug fly postgres attach pg1 --app acme-api --variable'
      .. ' URL%d --database db%d %s'):format(i, i, format), home)
    t.eq(result.code, 0, result.stderr)
    t.match(result.stderr, "not shown here: it is in the secret URL%d of app acme%-api")
    seen = seen .. result.stdout .. result.stderr
  end
  t.ok(not seen:find("postgres://", 1, true), seen)
  result = run(account, '"$0" fly postgres attach pg1 --app acme-api --variable MORE'
    .. ' --database more --out "$HOME/it"', home)
  t.eq(result.code, 0, result.stderr)
  local value = secrets_in(home .. "/it")[1]
  t.match(value, "^postgres://")
  t.ok(not (result.stdout .. result.stderr .. files_but(home, home .. "/it")):find(value, 1, true))
  result = run(account, [[export CLI="$0"; script -qec '"$CLI" fly postgres attach pg1]]
    .. [[ --app acme-api --variable LAST --database last' /dev/null]], home)
  t.eq(result.code, 0, result.stdout)
  t.match(result.stdout, "\nLAST=postgres://%w+")
  local _, times = result.stdout:gsub("postgres://", "")
  t.eq(times, 1)
end)

t.test("the only organization there is is named as the target", function()
  local account = assert(sim.start({ seed = "empty", limits = false }))
  t.cleanup(account.stop)
  local result = run(account, '"$0" fly tokens create --type org --out "$HOME/it"', t.tmpdir())
  t.eq(result.code, 0, result.stderr)
  t.match(result.stderr, "^org personal %(from the token: its only one%)\n")
end)

t.test("a terminal shows it, harmless, and once", function()
  local account = open()
  local home = t.tmpdir()
  local result = run(account,
    [[export CLI="$0"; script -qec '"$CLI" fly tokens create --type org --org acme' /dev/null]],
    home)
  t.eq(result.code, 0, result.stdout)
  t.match(result.stdout, "\nFlyV1 fm2_%w+")
  t.ok(not result.stdout:find("[secret]", 1, true))
  t.match(result.stdout, "shown once: keep it")
end)

t.test("a readonly token reads and does not write", function()
  local account = open()
  local home = t.tmpdir()
  local result = run(account,
    '"$0" fly tokens create --type readonly --org acme --name watcher --out "$HOME/it" -o csv',
    home)
  t.eq(result.code, 0, result.stderr)
  t.match(result.stdout, "^id\n%w+\n$")
  local as = 'export FLY_API_TOKEN=; "$0" --api-token-file "$HOME/it" '
  t.eq(run(account, as .. "fly list machines --app acme-api", home).code, 0)
  result = run(account, as .. "fly ips allocate --app acme-api --type v6", home)
  t.eq(result.code, 3, result.stderr)
end)

t.test("without flyctl a readonly token is refused with how to get it", function()
  local account = open()
  local home = t.tmpdir()
  local result = run(account, [[PATH=/nowhere
    "$0" fly tokens create --type readonly --org acme --out "$HOME/it"]], home)
  t.eq(result.code, 1)
  t.match(result.stderr, "install")
  t.ok(not fs.exists(home .. "/it"))
end)

local KEY = "c2ltdWxhdGVkLWNhbmFyeS1rZXktb2YtYS1jZXJ0aWZpY2F0ZQ=="

t.test("a certificate's private key is in no output", function()
  local account = open()
  local home = t.tmpdir()
  local function pem(label, body)
    return ("-----BEGIN %s-----\n%s\n-----END %s-----\n"):format(label, body, label)
  end
  assert(fs.write(home .. "/cert.pem", pem("CERTIFICATE", "MA==")))
  assert(fs.write(home .. "/key.pem", pem("PRIVATE KEY", KEY)))
  for i, case in ipairs({
    { "my-app", "", 0 }, { "my-app", "-o json", 0 }, { "my-app", "--raw", 0 },
    { "nope", "", 4 },
  }) do
    local result = run(account, ('"$0" --debug fly certs add own%d.example.com --app %s'
      .. ' --cert "$HOME/cert.pem" --key "$HOME/key.pem" %s'):format(i, case[1], case[2]), home)
    t.eq(result.code, case[3], result.stderr)
    local seen = result.stdout .. result.stderr .. files_but(home, home .. "/key.pem")
    t.ok(not seen:find(KEY, 1, true), case[2])
  end
  local result = run(account, '"$0" --debug fly certs add own.example.com --app my-app'
    .. ' --cert "$HOME/key.pem" --key "$HOME/cert.pem"', home)
  t.eq(result.code, 2)
  t.ok(not (result.stdout .. result.stderr):find(KEY, 1, true))
end)
