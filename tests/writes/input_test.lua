-- Bad input, as it is typed: kind, cause, next step; and nothing is changed.

local sim = require "sim"
local t = require "kit"
local tbl = require "base.tbl"
local world = require "face.world"

local ID = "585189504ea5e3" -- started, iad, with a volume
local STOPPED = "late-wave-9034"

-- An account, and a command line that uses it.
local function open(opts)
  local running = assert(sim.start(tbl.merge({
    limits = false, seed = tbl.merge(require "sim.seeds.demo", { pace = 0.02 }),
  }, opts or {})))
  local changed = {}
  local account = running.account
  local handle = account.handle
  function account:handle(req)
    if req.method ~= "GET" and not req.target:find("/graphql", 1, true)
      and not req.target:find("/platform/", 1, true) then
      changed[#changed + 1] = req.method .. " " .. req.target
    end
    return handle(self, req)
  end
  t.cleanup(function()
    require("sys.http").close()
    running.stop()
  end)
  local env = { FLY_API_HOSTNAME = running.url, FLY_API_BASE_URL = running.url,
    FLY_API_TOKEN = running.token }
  return function(...)
    local home = t.tmpdir()
    return world.run({ "fly", ... }, { env = env, home = home })
  end, changed, running
end

local CREATE = "machines create --app my-app --image nginx"

-- Command lines that are refused before anything is changed: the words, exit
-- code, what is said.
local REFUSED = {
  -- machines create
  { "CREATE --region xyz", 2, "no region xyz", "list regions" },
  { "CREATE --region iadd", 2, "three%-letter code", "" },
  { "CREATE --region atl", 2, "atl is being closed", "list regions" },
  { "CREATE --size shared-cpu-3x", 2, "must be one of shared%-cpu%-1x.*did you mean", "" },
  { "CREATE --memory 300", 6, "300 MB of memory does not go with", "in steps of 256 MB" },
  { "CREATE --memory 100", 2, "at least 256", "" },
  { "CREATE --memory -512", 2, "must be a size", "" },
  { "CREATE --memory lots", 2, "must be a size", "" },
  { "CREATE --cpus 3", 6, "does not have 3 shared CPUs", "1, 2, 4, 6 or 8" },
  { "CREATE --cpus -1", 2, "between 1 and 16", "" },
  { "CREATE --cpus two", 2, "whole number", "" },
  { "CREATE --port 80", 2, '"80" is no port', "PUBLIC:INTERNAL" },
  { "CREATE --port 80:99999", 2, "port", "1 to 65535" },
  { "CREATE --env =x", 2, "NAME=VALUE", "" },
  { "CREATE --volume data", 2, "is no mount", "VOLUME:/PATH" },
  { "CREATE --volume nope:/data", 4, "app my%-app has no volume nope", "list volumes" },
  { "CREATE --volume data:/data --region ams", 6,
    "is in %l+, the machine would be in ams", "give %-%-region %l+" },
  { "machines create --app my-app", 2, "missing %-%-image", "" },
  -- update
  { "machines update " .. ID .. " --app my-app --memory 300", 6, "300 MB", "steps of 256 MB" },
  { "machines update " .. ID .. " --app my-app --size tiny", 2, "must be one of", "" },
  { "machines update nope --app my-app --image x", 4, "machine not found: nope", "list machines" },
  -- life
  { "stop " .. ID .. " --app my-app --signal SIGFOO", 2, "must be one of SIGHUP", "" },
  { "stop " .. ID .. " --app my-app --timeout soon", 2, "duration", "" },
  { "stop --all --app my-app --parallel 0", 2, "between 1 and 50", "" },
  { "stop --app my-app", 2, "name the machines", "%-%-all" },
  { "stop " .. ID .. " --all --app my-app", 2, "one of the two", "" },
  { "stop nope --app my-app", 4, "machine not found: nope", "list machines" },
  { "exec " .. ID .. " --app my-app", 2, "missing <command>", "" },
  { "destroy machine " .. ID .. " --app my-app --yes", 5, "is started", "%-%-force" },
  { "destroy machine " .. ID .. " --app my-app", 9, "Destroy machine", "%-%-yes" },
  { "restart app nope", 4, "nope", "list apps" },
  { "restart app acme-staging", 5, "no machine of app acme%-staging is started", "start %-%-all" },
  -- volumes
  { "volumes create --app my-app --name data --region xyz", 2, "no region xyz", "list regions" },
  { "volumes create --app my-app --name Data! --region iad", 2, "lower%-case", "" },
  { "volumes create --app my-app --name data --region iad --size-gb 0", 2,
    "between 1 and 500", "" },
  { "volumes create --app my-app --name data --region iad --size-gb -3", 2, "must be a size", "" },
  { "volumes extend VOLUME --app my-app --size-gb 1", 6, "cannot shrink", "more than %d+ GB" },
  { "volumes extend nope --app my-app --size-gb 20", 4, "nope", "list volumes" },
  { "volumes fork VOLUME --app my-app --region xyz", 2, "no region xyz", "" },
  { "destroy volume MOUNTED --app my-app --yes", 5, "mounted by machine", "destroy that machine" },
  { "destroy volume VOLUME --app my-app", 9, "Destroy volume", "%-%-snapshot" },
  -- apps
  { "apps create Bad_Name --org acme", 2, "lower%-case", "" },
  { "apps create fresh", 2, "which organization", "%-%-org" },
  { "scale count -3 --app my-app", 2, "", "" },
  { "scale count three --app my-app", 2, "", "" },
  { "clone nope --app my-app", 4, "machine not found: nope", "" },
  { "clone " .. ID .. " --app my-app --region xyz", 2, "no region xyz", "" },
}

t.test("what cannot be is refused with cause and next step, and changes nothing", function()
  local run, changed, running = open()
  local volumes = {}
  for _, volume in ipairs(running.account.world:list("volume", "my-app")) do
    volumes[volume.attached_machine_id and "MOUNTED" or "VOLUME"] = volume.id
  end
  for _, case in ipairs(REFUSED) do
    local words = {}
    for word in case[1]:gsub("^CREATE", CREATE):gmatch("%S+") do
      words[#words + 1] = volumes[word] or word
    end
    local code, seen = run(table.unpack(words))
    local said = case[1] .. "\n" .. seen.err .. seen.out
    t.eq(code, case[2], said)
    t.match(seen.err, "error[^\n]*: [^\n]*" .. case[3], said)
    t.match(seen.err, "hint: [^\n]*" .. case[4], said)
    local only = tbl.filter(changed, function(line)
      return not line:find("/lease", 1, true)
    end)
    t.eq(only, {}, said)
  end
end)

t.test("what only the account knows comes with the request's id", function()
  local run = open()
  for _, line in ipairs({
    "stop nope --app my-app", "volumes extend nope --app my-app --size-gb 20",
    CREATE .. " --volume nope:/data",
    "destroy machine " .. ID .. " --app my-app --yes",
    "restart app acme-staging", "clone " .. ID .. " --app my-app --region xyz",
  }) do
    local words = {}
    for word in line:gmatch("%S+") do
      words[#words + 1] = word
    end
    local code, seen = run(table.unpack(words))
    t.ok(code ~= 0)
    t.match(seen.err, "request id: %w+%-%l+", line .. "\n" .. seen.err)
  end
end)

t.test("an app that is pending has nothing to restart, and it is said why", function()
  local run = open()
  t.eq(run("apps", "create", "brand-new", "--org", "acme"), 0)
  local code, seen = run("restart", "app", "brand-new")
  t.eq(code, 5)
  t.match(seen.err, "app brand%-new is pending")
  t.match(seen.err, "hint: deploy it")
  for _, words in ipairs({ { "start" }, { "stop" }, { "cordon" }, { "machines", "update" } }) do
    local line = tbl.flatten({ words, { "--all", "--app", "brand-new", "--yes" } })
    code, seen = run(table.unpack(line))
    t.eq(code, 5, seen.err)
    t.match(seen.err, "app brand%-new is pending.*hint: deploy it.*request id: ")
  end
end)

t.test("a change names its target first", function()
  local run = open()
  local _, seen = run("exec", ID, "--app", "my-app", "--", "echo", "hi")
  t.eq({ seen.err, seen.out }, { "app my-app in org personal (from --app)\n", "hi\n" })
  _, seen = run("stop", ID, "--app", "my-app")
  t.match(seen.err, "^app my%-app in org personal %(from %-%-app%)\n")
  _, seen = run("restart", "app", "my-app")
  t.match(seen.err, "^app my%-app in org personal %(from the argument%)\n")
  _, seen = run("list", "machines", "--app", "my-app")
  t.eq(seen.err, "")
end)

t.test("a machine's state is what is reported, by its id alone", function()
  local run = open()
  local code, seen = run("stop", STOPPED, "--app", "my-app")
  t.eq(code, 4, "a name is no id: " .. seen.err)
end)

t.test("every flag of create arrives", function()
  local run, _, running = open()
  t.eq(run("volumes", "create", "--app", "my-app", "--name", "fresh", "--region", "fra"), 0)
  local code, seen = run("machines", "create", "--app", "my-app", "--image", "nginx:1",
    "--region", "fra", "--size", "performance-1x", "--memory", "4096", "--cpus", "2",
    "--name", "made-here", "--env", "A=1", "--env", "B=x=y", "--port", "80:8080",
    "--port", "443:8080", "--volume", "fresh:/data")
  t.eq(code, 0, seen.err)
  local machine = tbl.find(running.account.world:list("machine", "my-app"), function(one)
    return one.name == "made-here"
  end)
  local config = require("base.json").decode(machine.config)
  t.eq({ machine.region, machine.state, config.image, config.env },
    { "fra", "started", "nginx:1", { A = "1", B = "x=y" } })
  t.eq(config.guest, { cpu_kind = "performance", cpus = 2, memory_mb = 4096 })
  t.eq(#config.services, 1)
  t.eq({ config.services[1].internal_port, #config.services[1].ports }, { 8080, 2 })
  t.eq(config.mounts[1].path, "/data")
  t.eq(run("exec", machine.id, "--app", "my-app", "--", "sh", "-c", "exit 7"), 7)
  for _, verb in ipairs({ "events", "ps", "metadata", "wait" }) do
    code, seen = run("machines", verb, machine.id, "--app", "my-app")
    t.eq(code, 0, verb .. seen.err)
  end
  t.eq(run("cordon", machine.id, "--app", "my-app"), 0)
  t.eq(machine.cordoned, true)
  t.eq(run("uncordon", machine.id, "--app", "my-app"), 0)
  t.ok(not machine.cordoned)
  t.eq(run("clone", machine.id, "--app", "my-app", "--name", "copied-here"), 0)
  t.eq(run("stop", machine.id, "--app", "my-app", "--signal", "SIGINT", "--timeout", "10s"), 0)
  t.eq(machine.state, "stopped")
end)
