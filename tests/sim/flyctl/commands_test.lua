--- The simulated flyctl as a program, on an account in this process.

local commands = require "sim.flyctl.commands"
local err = require "base.err"
local flyctl_program = require "sim.flyctl"
local fs = require "sys.fs"
local json = require "base.json"
local process = require "sys.process"
local secret = require "sys.secret"
local sim = require "sim"
local t = require "kit"
local task = require "sys.task"
local tbl = require "base.tbl"

---@class test.Flyctl
local Flyctl = {}
Flyctl.__index = Flyctl

-- The demo, fifty times as fast.
local SEED = tbl.merge(require "sim.seeds.demo", { pace = 0.02 })

local function open()
  local account = assert(sim.start({
    seed = SEED, token = "fo1_simright", limits = false,
  }))
  t.cleanup(account.stop)
  local home = t.tmpdir()
  return setmetatable({
    account = account, path = assert(account.flyctl()), home = home,
    env = {
      HOME = home, FLY_FLAPS_BASE_URL = account.url, FLY_API_BASE_URL = account.url,
      FLY_API_TOKEN = account.token, FLY_CONFIG_DIR = home .. "/private",
    },
  }, Flyctl)
end

local function words_of(line)
  local words = {}
  for word in line:gmatch("%S+") do
    words[#words + 1] = word
  end
  return words
end

-- Everything it touches besides the account; what it writes is kept.
local function surroundings(env, stdin)
  local written = { "", "" }
  return {
    env = function(name)
      return env[name]
    end,
    secret_env = function(name)
      return secret.new(env[name])
    end,
    home = function()
      return env.HOME
    end,
    write = function(fd, text)
      written[fd] = written[fd] .. text
    end,
    stdin = function(max)
      if #(stdin or "") > max then
        return nil, err.new({ kind = "invalid", code = "E2BIG", message = "too much" })
      end
      return stdin or ""
    end,
    is_tty = function()
      return false
    end,
  }, written
end

--- Runs a line; quotes are not known here, a list is taken as it is. As a program
--- where it matters which process it is, else here, which is quicker.
function Flyctl:run(line, options)
  options = options or {}
  local words = type(line) == "table" and line or words_of(line)
  local env = tbl.merge(self.env, options.env or {})
  if options.cwd or options.as_program then
    return assert(process.run({
      argv = { self.path, table.unpack(words) }, stdin = options.stdin, timeout = 60,
      cwd = options.cwd, env = env, inherit = { "ASAN_OPTIONS" },
    }))
  end
  local world, written = surroundings(env, options.stdin)
  local code = flyctl_program.run(words, world)
  return { code = code, stdout = written[1], stderr = written[2] }
end

--- What a line that succeeds writes to stdout.
function Flyctl:ok(line, options)
  local result = self:run(line, options)
  t.eq(result.code, 0, ("%s: %s"):format(type(line) == "table" and line[1] or line,
    result.stderr))
  return result.stdout
end

--- What a line that fails says.
function Flyctl:fails(line, want, options)
  local result = self:run(line, options)
  t.eq(result.code, 1, result.stdout)
  t.match(result.stderr, "^Error: " .. want)
  return result
end

function Flyctl:json(line)
  return assert(json.decode(self:ok(line .. " --json")))
end

t.test("every command that is taken does something", function()
  local flyctl = open()
  for _, command in ipairs(commands.LIST) do
    if command.run then
      local name = table.concat(command.path, " ")
      local result = flyctl:run(name .. " --help")
      t.eq(result.code, 0, name)
      t.match(result.stdout, "Usage:\n  flyctl " .. name:gsub("%p", "%%%0"))
      local homes = tbl.filter(assert(fs.list("lua/sim/flyctl")), function(file)
        local module = "sim.flyctl." .. file:gsub("%.lua$", "")
        local loaded = require(module)
        return type(loaded) == "table" and type(loaded[command.run]) == "function"
      end)
      t.eq(#homes, 1, name .. " is in " .. table.concat(homes, ", "))
    end
  end
end)

t.test("the first token is FLY_ACCESS_TOKEN's, before it the flag's", function()
  local flyctl = open()
  local wrong = { FLY_ACCESS_TOKEN = "fo1_simwrong" }
  flyctl:fails("apps list", "", { env = wrong })
  t.eq(flyctl:ok("auth whoami -t fo1_simright", { env = wrong }), "sim@example.com\n")
  t.eq(flyctl:ok("auth whoami", { env = { FLY_ACCESS_TOKEN = "fo1_simright",
    FLY_API_TOKEN = "fo1_simwrong" } }), "sim@example.com\n")
  flyctl.env.FLY_API_TOKEN = nil
  flyctl:fails("apps list", "no access token available")
end)

t.test("it never leaves this computer", function()
  local flyctl = open()
  for _, url in ipairs({ "https://api.example.com", "http://127.0.0.1.example.com:80",
    "http://192.0.2.1:4280" }) do
    flyctl:fails("apps list", "this flyctl is a simulated one and never leaves",
      { env = { FLY_API_BASE_URL = url } })
    flyctl:fails("apps list", "this flyctl is a simulated one and never leaves",
      { env = { FLY_FLAPS_BASE_URL = url } })
  end
  flyctl.env.FLY_API_BASE_URL = nil
  flyctl:fails("apps list", "this flyctl is a simulated one and needs")
end)

t.test("what it sends is in its log file, values too", function()
  local flyctl = open()
  flyctl:ok("secrets set KEY=hunter2 -a my-app --stage")
  local directory = flyctl.home .. "/private/logs"
  local names = assert(fs.list(directory))
  t.eq(#names, 1)
  t.match(t.read_file(directory .. "/" .. names[1]), 'secrets {"values":{"KEY":"hunter2"}}')
  flyctl.env.FLY_CONFIG_DIR = nil
  flyctl:ok("apps list")
  t.eq(#assert(fs.list(flyctl.home .. "/.fly/logs")), 1)
end)

t.test("refusals have flyctl's words and its exit code", function()
  local flyctl = open()
  flyctl:fails("restart my-app", 'unknown command "restart" for "fly"\n$')
  flyctl:fails("restart my-app", 'unknown command "restart" for "fly"\n$', { as_program = true })
  local result = flyctl:fails("deploy --region iad", "unknown flag: %-%-region\n$")
  t.match(result.stdout, "^Usage:\n  flyctl deploy %[flags%]\n", "how it is used is shown")
  t.eq(flyctl:fails("redeploy", 'unknown command "redeploy"').stdout,
    "Run 'fly --help' for usage.\n\n")
  t.eq(flyctl:fails("scale show", "the config for your app").stdout, "")
  flyctl:fails("apps restart --app my-app", "unknown flag: %-%-app\n$")
  flyctl:fails("scale vm -a my-app", "accepts 1 arg%(s%), received 0\n$")
  flyctl:fails("scale show", "the config for your app is missing an app name")
  flyctl:fails("scale show -a nope", 'Could not find App "nope" %(Request ID: ')
end)

t.test("what flyctl has and this one has not is said to be so", function()
  local flyctl = open()
  flyctl:fails("machine clone 1 -a my-app",
    '"fly machine clone" is not emulated by the simulated flyctl\n$')
  flyctl:fails("deploy -a my-app --image nginx:2 --nixpacks",
    'the flag %-%-nixpacks of "fly deploy" is not emulated by the simulated flyctl\n$')
  flyctl:fails("launch", '"fly launch" is not emulated by the simulated flyctl\n$')
  flyctl:ok("apps destroy acme-staging --auto-confirm")
  flyctl:ok("scale count 1 -a my-app -y --group worker")
  t.match(flyctl:ok("--version"), "^fly version %d+%.%d+%.%d+\n$")
end)

t.test("what would be asked fails", function()
  local flyctl = open()
  local volume = flyctl:json("volumes list -a my-app")[1].id
  local machine = flyctl:json("machine list -a my-app")[1].id
  for _, line in ipairs({
    "volumes destroy " .. volume .. " -a my-app", "machine update -a my-app " .. machine,
    "ips allocate-v4 -a my-app", "volumes create data -r iad -a my-app",
  }) do
    flyctl:fails(line, "yes flag must be specified when not running interactively")
  end
  for _, line in ipairs({
    "ssh console -a my-app", "postgres detach pg1 -a my-app", "machine start -a my-app",
    "certs remove www.example.com -a my-app",
  }) do
    flyctl:fails(line, "prompt: non interactive")
  end
  flyctl:fails("scale count 9 -a my-app",
    "%-%-yes flag must be specified when not running interactively")
  flyctl:fails("volumes destroy -y -a my-app", "volume ID must be specified when not")
  flyctl:fails("apps destroy -y", "no app names provided")
  local result = flyctl:run("apps destroy my-app")
  t.eq({ result.code, result.stderr }, { 1, "Destroying an app is not reversible.\n"
    .. "Error: yes flag must be specified when not running interactively\n" })
  flyctl:fails("certs remove x.example.com -a my-app -y --acme --custom", "cannot specify both")
end)

t.test("the app comes from the flag, FLY_APP or fly.toml", function()
  local flyctl = open()
  local place = t.tmpdir()
  t.ok(fs.write(place .. "/fly.toml", "# a comment\napp = 'acme-api'\n[env]\napp = 'no'\n"))
  t.match(flyctl:ok("status", { cwd = place }), "Name     = acme%-api")
  local env = { FLY_APP = "acme-staging" }
  t.match(flyctl:ok("status", { cwd = place, env = env }), "Name     = acme%-staging")
  t.match(flyctl:ok("status -a my-app", { cwd = place, env = env }), "Name     = my%-app")
end)

local function images(flyctl, app)
  local set = {}
  for _, machine in ipairs(flyctl:json("machine list -a " .. app)) do
    set[machine.config.image] = true
  end
  return tbl.keys(set)
end

local function newest(flyctl, app)
  local release = flyctl:json("releases -a " .. app)[1]
  return release.Version, release.Status, release.ImageRef
end

t.test("deploy gives every machine the image and makes a release", function()
  local flyctl = open()
  for i, strategy in ipairs({ "rolling", "canary", "immediate" }) do
    flyctl:ok(("deploy -a my-app --image nginx:%d --strategy %s --yes"):format(i, strategy))
    t.eq(images(flyctl, "my-app"), { "nginx:" .. i })
    t.eq({ newest(flyctl, "my-app") }, { 3 + i, "complete", "nginx:" .. i })
  end
  flyctl:ok("deploy -a acme-staging --image nginx:1 --strategy bluegreen")
  t.eq(images(flyctl, "acme-staging"), { "nginx:1" })
  flyctl:fails("deploy -a my-app --image nginx:9 --strategy bluegreen",
    "bluegreen strategy does not work with volumes")
  t.eq(select(2, newest(flyctl, "my-app")), "failed")
end)

t.test("a build names a new image; a new app gets two machines", function()
  local flyctl = open()
  flyctl:ok("apps create fresh --org personal")
  local result = flyctl:run("deploy -a fresh --primary-region fra --vm-memory 512")
  t.eq(result.code, 0, result.stderr)
  t.match(result.stdout, "image: registry.fly.io/fresh:deployment%-01%x+")
  local machines = flyctl:json("machine list -a fresh")
  t.eq(#machines, 2)
  for _, machine in ipairs(machines) do
    t.eq({ machine.region, machine.config.guest.memory_mb, machine.state },
      { "fra", 512, "started" })
  end
end)

t.test("a machine that takes too long is a failure", function()
  local flyctl = open()
  flyctl.account.account.world.meta.pace = 100
  local result = flyctl:run("deploy -a my-app --image nginx:2 --wait-timeout 500ms")
  t.eq(result.code, 1, result.stdout)
  t.match(result.stderr, "Error: timeout reached waiting for machine's state to change\n"
    .. 'The machine %x+ took more than 0.5s to reach "%l+"\n$')
  t.eq(select(2, newest(flyctl, "my-app")), "failed")
end)

t.test("images of ill will fail as a deploy fails", function()
  local flyctl = open()
  flyctl:fails("deploy -a my-app --image nginx:missing", "failed to fetch an image or build")
  t.eq({ newest(flyctl, "my-app") },
    { 3, "complete", "registry.fly.io/my-app:deployment-03" })
  for i, tag in ipairs({ "unhealthy", "crash", "broken" }) do
    local result = flyctl:run("deploy -a my-app --image nginx:" .. tag)
    t.eq(result.code, 1, tag)
    t.eq({ newest(flyctl, "my-app") }, { 3 + i, "failed", "nginx:" .. tag })
  end
end)

t.test("secrets set reads one value from stdin, trimmed, and no more than 64 KiB", function()
  local flyctl = open()
  local function value(name)
    return flyctl:ok({ "ssh", "console", "-q", "-a", "my-app", "-C", "printenv " .. name })
  end
  flyctl:ok("secrets set A=- B=x=y -a my-app", { stdin = " \n two words \n\n",
    as_program = true })
  t.eq(value("A"), "two words\n")
  t.eq(value("B"), "x=y\n")
  flyctl:ok("secrets set C=- D=- -a my-app --stage", { stdin = "once" })
  t.eq(value("D"), "\n")
  flyctl:ok("secrets set E=- -a my-app --stage", { stdin = ("x"):rep(65536) })
  flyctl:fails("secrets set F=- -a my-app --stage", "", { stdin = ("x"):rep(65537),
    as_program = true })
  flyctl:fails("secrets set JUSTANAME -a my-app", "Secrets must be provided as NAME=VALUE pairs")
end)

t.test("secrets import, unset and deploy", function()
  local flyctl = open()
  flyctl:ok("secrets import -a my-app --stage", { stdin = 'A=1\nB="""two\nlines"""\n' })
  t.eq(select(1, newest(flyctl, "my-app")), 3, "staged only")
  flyctl:ok("secrets deploy -a my-app")
  t.eq(select(1, newest(flyctl, "my-app")), 4)
  t.eq(flyctl:ok({ "ssh", "console", "-q", "-a", "my-app", "-C", "printenv B" }), "two\nlines\n")
  flyctl:ok("secrets unset A NEVER_THERE -a my-app --stage")
  local names = tbl.map(flyctl:json("secrets list -a my-app"), function(one)
    return one.name
  end)
  t.eq(names, { "B", "DATABASE_URL", "OLD_KEY", "SECRET_KEY_BASE" })
  flyctl:fails("secrets import -a my-app", "requires at least one", { stdin = "# none\n" })
  flyctl:fails("secrets import -a my-app", "failed to parse secrets", { stdin = "NAME\n" })
end)

local function count(flyctl, group)
  local total = 0
  for _, row in ipairs(flyctl:json("scale show -a my-app")) do
    total = total + (row.Process == group and row.Count or 0)
  end
  return total
end

t.test("scale count makes and destroys machines of a group", function()
  local flyctl = open()
  flyctl:ok("scale count 3 -a my-app --yes")
  t.eq(count(flyctl, "app"), 3)
  flyctl:ok("scale count worker=2 app=1 -a my-app -y")
  t.eq({ count(flyctl, "app"), count(flyctl, "worker") }, { 1, 2 })
  flyctl:ok("scale count +1 -a my-app -y --region lhr --vm-size shared-cpu-2x")
  t.eq(count(flyctl, "app"), 2)
  flyctl:ok("scale count -y -a my-app -- -1")
  t.eq(count(flyctl, "app"), 1)
  t.match(flyctl:ok("scale count 1 -a my-app"), "No need for changes")
  flyctl:fails("scale count many -a my-app -y", "many is not a valid count")
  flyctl:fails("scale count 3 -a my-app -y --region zzz", "region zzz not found")
end)

t.test("scale vm and memory change every machine", function()
  local flyctl = open()
  flyctl:ok("scale vm shared-cpu-2x -a my-app --vm-memory 1024")
  flyctl:ok("scale memory 2gb -a my-app")
  for _, machine in ipairs(flyctl:json("machine list -a my-app")) do
    t.eq(machine.config.guest, { cpu_kind = "shared", cpus = 2, memory_mb = 2048 })
  end
  flyctl:fails("scale vm bogus -a my-app", 'machine size "bogus" is not valid')
  flyctl:fails("scale memory 100 -a my-app", "invalid_argument: .*minimum required 512 MiB")
  flyctl:fails("scale memory 512 -a my-app -g nope", "No active machines in process group 'nope'")
end)

t.test("a cluster is created, attached, failed over, backed up", function()
  local flyctl = open()
  flyctl:ok("postgres create --name pg1 --org personal --region iad --initial-cluster-size 2")
  t.eq(flyctl:json("postgres list")[1].Name, "pg1")
  flyctl:fails("postgres failover -a pg1",
    "Failed to run failover: Not enough machines to meet quorum")
  flyctl:ok("postgres create --name pg3 --org personal --region iad --initial-cluster-size 3")
  flyctl:ok("postgres attach pg1 -a acme-staging --yes")
  flyctl:fails("postgres attach pg1 -a acme-staging --yes",
    'consumer app "acme%-staging" already contains a secret named DATABASE_URL')
  local function leader()
    return tbl.find(flyctl:json("machine list -a pg3"), function(machine)
      return tbl.find(machine.checks, function(check)
        return check.name == "role" and check.output == "primary"
      end) ~= nil
    end).id
  end
  local before = leader()
  flyctl:ok("postgres failover -a pg3")
  t.ok(leader() ~= before)
  flyctl:fails("postgres backup list -a pg1", "backups are not enabled")
  flyctl:ok("postgres backup enable -a pg1")
  t.match(flyctl:ok("postgres backup list -a pg1"), "No backups found")
  flyctl:ok("postgres backup create -a pg1 --name nightly")
  t.match(flyctl:ok("pg backups list -a pg1"), "nightly")
  flyctl:fails("postgres failover -a my-app", "app my%-app is not a postgres app")
end)

t.test("a command in a machine: its output is ours, its exit code an error", function()
  local flyctl = open()
  local result = flyctl:run({ "ssh", "console", "-a", "acme-api", "-C", "sh -c 'exit 3'" })
  t.eq(result.code, 1)
  t.match(result.stderr, "Error: ssh shell: Process exited with status 3\n$")
  t.eq(flyctl:ok({ "ssh", "console", "-q", "-a", "acme-api", "-C", "echo hello" },
    { as_program = true }), "hello\n")
  flyctl:fails("ssh console -a acme-staging -C ls", "app acme%-staging has no started VMs")
end)

t.test("machines, volumes, addresses, certificates", function()
  local flyctl = open()
  local id = flyctl:json("machine list -a my-app")[2].id
  for verb, state in pairs({ stop = "stopped", start = "started", suspend = "suspended" }) do
    local line = ("machine %s %s -a my-app"):format(verb, id)
    if verb ~= "start" then
      flyctl:ok(("machine start %s -a my-app"):format(id))
    end
    flyctl:ok(line)
    t.match(flyctl:ok(("machine status %s -a my-app"):format(id)), "State: " .. state)
  end
  flyctl:ok(("machine start %s -a my-app"):format(id))
  flyctl:fails(("machine destroy %s -a my-app"):format(id),
    "machine %x+ currently started, either stop first or use %-%-force flag")
  flyctl:ok(("machine destroy %s --force -a my-app"):format(id))
  flyctl:ok("machine run nginx -a my-app --vm-size shared-cpu-2x --env A=B --name extra")
  t.match(flyctl:ok("machine list -a my-app"), "extra")
  flyctl:ok("volumes create cache -r fra -s 2 -a my-app -y")
  local volume = tbl.find(flyctl:json("volumes list -a my-app"), function(one)
    return one.name == "cache"
  end)
  flyctl:ok(("volumes extend %s -s +3 -a my-app"):format(volume.id))
  t.match(flyctl:ok(("volumes show %s -a my-app"):format(volume.id)), "Size GB: 5")
  flyctl:ok(("volumes destroy %s -a my-app --yes"):format(volume.id))
  flyctl:ok("ips allocate-v4 -a my-app --yes")
  local dedicated = tbl.find(flyctl:json("ips list -a my-app"), function(one)
    return one.Type == "v4"
  end)
  flyctl:ok(("ips release %s -a my-app"):format(dedicated.Address))
  flyctl:ok("certs add shop.example.com -a my-app")
  flyctl:ok("certs check shop.example.com -a my-app")
  flyctl:ok("certs remove shop.example.com -a my-app -y")
  t.eq(#flyctl:json("certs list -a my-app"), 1)
  flyctl:ok("apps restart acme-api")
end)

t.test("logs end with --no-tail, and only then", function()
  local flyctl = open()
  t.match(flyctl:ok("logs -a my-app --no-tail"), "GET / 200 in 12ms")
  local child <close> = assert(process.spawn({
    argv = { flyctl.path, "logs", "-a", "my-app" }, env = flyctl.env,
  }))
  local stream, chunk = child:read()
  t.eq(stream, "stdout")
  t.match(chunk, "app%[")
  t.ok(child:kill("SIGINT"))
  t.eq(child:wait().code, 127)
end)

-- The members that each command's JSON has, of flyctl's own structures.
local MEMBERS = {
  ["apps list"] = { "AppURL", "CurrentRelease", "Deployed", "Hostname", "ID",
    "InternalNumericID", "Name", "Network", "Organization", "PlatformVersion", "Release",
    "Secrets", "State", "Status", "Version" },
  ["releases -a my-app"] = { "CreatedAt", "DeploymentStrategy", "Description", "EvaluationID",
    "ID", "ImageRef", "InProgress", "Metadata", "Reason", "Stable", "Status", "User",
    "Version" },
  ["ips list -a my-app"] = { "Address", "CreatedAt", "ID", "Network", "Region",
    "ServiceName", "Type" },
  ["scale show -a my-app"] = { "CPUKind", "CPUs", "Count", "Memory", "Process", "Regions" },
  ["secrets list -a my-app"] = { "digest", "name", "status" },
}

t.test("JSON has flyctl's own names", function()
  local flyctl = open()
  for line, want in pairs(MEMBERS) do
    local list = flyctl:json(line)
    t.ok(#list > 0, line)
    for _, item in ipairs(list) do
      t.eq(tbl.keys(item), want, line)
    end
  end
  t.eq(tbl.keys(flyctl:json("status -a my-app")), { "AppURL", "Deployed", "Hostname", "ID",
    "Machines", "Name", "Network", "Organization", "PlatformVersion", "Status", "Version" })
  t.eq(tbl.keys(flyctl:json("version")), { "Architecture", "BranchName", "BuildDate", "Commit",
    "Environment", "Name", "OS", "Version" })
  t.eq(flyctl:json("auth whoami"), { email = "sim@example.com" })
  t.eq(flyctl:json("orgs list"), { acme = "Acme Example", personal = "Sim User" })
  local entry = assert(json.decode(flyctl:ok("logs -a my-app -n --json"):match("^{.-\n}\n")))
  t.eq(tbl.keys(entry), { "instance", "level", "message", "meta", "region", "timestamp" })
  t.eq(tbl.keys(entry.meta), { "Error", "Event", "HTTP", "Instance", "Region", "URL" })
  t.eq(flyctl:ok("postgres list --json"), "No postgres clusters found\n")
end)

t.test("a secret is staged until a release has it", function()
  local flyctl = open()
  local function status()
    return tbl.find(flyctl:json("secrets list -a my-app"), function(one)
      return one.name == "NEW"
    end).status
  end
  flyctl:ok("secrets set NEW=1 -a my-app --stage")
  t.eq(status(), "Staged")
  t.match(flyctl:ok("secrets list -a my-app"), "\n%* NEW +\t%x+ *\tStaged\n")
  flyctl:ok("secrets deploy -a my-app")
  t.eq(status(), "Deployed")
end)

t.test("version and help need no account", function()
  local flyctl = open()
  local env = { HOME = flyctl.home }
  local result = assert(process.run({ argv = { flyctl.path, "version" }, env = env }))
  t.match(result.stdout, "^flyctl v%d+%.%d+%.%d+ ")
  t.eq(assert(process.run({ argv = { flyctl.path, "scale" }, env = env })).code, 0)
  t.eq(fs.exists(flyctl.home .. "/.fly"), false)
  t.ok(task.now() > 0)
end)

t.test("clanker sim flyctl is the same program", function()
  local flyctl = open()
  local result = assert(process.run({
    argv = { t.binary(), "sim", "flyctl", "auth", "whoami", "--json" },
    env = flyctl.env, inherit = { "ASAN_OPTIONS" },
  }))
  t.eq({ result.code, json.decode(result.stdout).email }, { 0, "sim@example.com" })
end)
