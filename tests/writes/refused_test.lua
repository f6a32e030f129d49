-- Bad input about volumes, addresses, certificates, releases, sizes, regions and
-- organizations, as it is typed: kind, cause, next step, request id; no change.

local json = require "base.json"
local lines = require "writes.lines"
local t = require "kit"
local tbl = require "base.tbl"

-- What only the server can judge, and refuses.
local SENT = true

-- The words; exit code and kind; what is said; the next step; SENT.
local REFUSED = {
  -- volumes
  { "volumes create --app my-app --name data --region atl", 2, "usage",
    "atl is being closed", "list regions" },
  { "volumes create --app my-app --name data --region IAD", 2, "usage",
    "three%-letter code", "%-%-help" },
  { "volumes create --app my-app --name data --region iad --size-gb ten", 2, "usage",
    "must be a size", "%-%-help" },
  { "volumes create --app my-app --name data --region iad --size-gb 1.5", 2, "usage",
    "whole number of GB", "%-%-help" },
  { "volumes create --app my-app --name data --region iad --snapshot vs_1", 2, "usage",
    "how large", "%-%-size%-gb" },
  { "volumes create --app my-app --name data --region iad --snapshot vs_1 --size-gb 3", 4,
    "not_found", "snapshot not found: vs_1", "volumes snapshots VOLUME", SENT },
  { "volumes create --app my-app --name data --region gru", 1, "capacity", "no capacity",
    "there is room in .*iad", SENT },
  { "volumes fork FREE --app my-app --region gru", 1, "capacity", "no capacity",
    "there is room in .*iad", SENT },
  { "volumes create --app nope --name data --region iad", 4, "not_found", "nope",
    "list apps" },
  { "volumes extend FREE --app my-app --size-gb 2", 6, "invalid", "cannot shrink",
    "more than 3 GB" },
  { "volumes extend FREE --app my-app --size-gb 501", 2, "usage", "between 1 and 500",
    "%-%-help" },
  { "volumes extend FREE --app acme-api --size-gb 20", 4, "not_found", "volume not found",
    "list volumes %-%-app acme%-api" },
  { "volumes snapshots nope --app my-app", 4, "not_found", "volume not found: nope",
    "list volumes" },
  { "volumes snapshots nope create --app my-app", 4, "not_found", "volume not found: nope",
    "list volumes" },
  { "destroy volume nope --app my-app --yes", 4, "not_found", "volume not found: nope",
    "list volumes" },
  { "destroy volume FREE --app my-app", 9, "declined", "Destroy volume",
    "%-%-yes to go ahead, %-%-snapshot to take a snapshot first\n" },
  { "destroy volume FREE --app acme-api --yes", 4, "not_found", "volume not found",
    "list volumes" },
  { "get volume nope --app my-app", 4, "not_found", "volume not found: nope",
    "list volumes" },
  -- addresses
  { "ips allocate --app my-app --type v6 --region xyz", 2, "usage", "no region xyz",
    "list regions" },
  { "ips allocate --app my-app --type v6 --region atl", 2, "usage", "atl is being closed",
    "list regions" },
  { "ips allocate --app my-app --type v4", 9, "declined", "billed by the month", "%-%-yes" },
  { "ips allocate --app my-app", 2, "usage", "missing %-%-type", "%-%-help" },
  { "ips allocate --app my-app --type v7", 2, "usage", "one of v4, v6, shared or private",
    "%-%-help" },
  { "ips allocate --app my-app --type v6 --network blue", 2, "usage",
    "only a private address", "%-%-type private" },
  { "ips release THEIRS --app my-app --yes", 4, "not_found",
    "app my%-app has no address .*: nothing was released", "list ips %-%-app my%-app" },
  { "ips release 192.0.2.300 --app my-app --yes", 2, "usage", "IPv4 or IPv6 address",
    "%-%-help" },
  { "ips release 198.18.0.1 --app my-app", 9, "declined", "Release 198.18.0.1", "%-%-yes" },
  -- certificates
  { "certs add https://www.example.com --app my-app", 2, "usage",
    "without scheme.*did you mean www.example.com", "%-%-help" },
  { "certs add www.example.com:443 --app my-app", 2, "usage", "without scheme, port",
    "%-%-help" },
  { "certs add nodots --app my-app", 2, "usage", "must be a host name", "%-%-help" },
  { "certs add www.example.com --app my-app", 5, "conflict", "already exists on app my%-app",
    "get cert www.example.com %-%-app my%-app", SENT },
  { "certs add www.example.com --app acme-api", 5, "conflict", "already exists on app my%-app",
    "remove it there first", SENT },
  { "certs add new.example.com --app my-app --cert /nowhere/x.pem --key /nowhere/y.pem", 4,
    "not_found", "no such file", "PEM file" },
  { "certs add new.example.com --app my-app --key /nowhere/y.pem", 2, "usage",
    "%-%-cert is missing", "Fly gets" },
  { "certs check http://www.example.com --app my-app", 2, "usage", "without scheme",
    "%-%-help" },
  { "certs check nope.example.com --app my-app", 4, "not_found", "nope.example.com",
    "list certs" },
  { "certs remove nope.example.com --app my-app --yes", 4, "not_found", "nope.example.com",
    "list certs", SENT },
  { "certs remove www.example.com --app my-app", 9, "declined", "HTTPS for that name",
    "%-%-yes" },
  -- releases
  { "get release 99 --app my-app", 4, "not_found", "no release 99", "list releases" },
  { "get release -1 --app my-app", 2, "usage", "number of a release", "%-%-help" },
  { "rollback 99 --app my-app", 4, "not_found", "no release 99", "list releases" },
  { "rollback first --app my-app", 2, "usage", "number of a release", "%-%-help" },
  { "rollback --app acme-staging", 4, "not_found", "no earlier release", "list releases" },
  { "redeploy --app PENDING", 5, "conflict", "is pending", "deploy it" },
  { "rollback --app PENDING", 5, "conflict", "is pending", "deploy it" },
  { "get release --app PENDING", 4, "not_found", "was never released", "deploy it" },
  -- sizes and counts
  { "scale count -3 --app my-app", 2, "usage", "between 0 and 1000", "%-%-help" },
  { "scale count some --app my-app", 2, "usage", "whole number", "%-%-help" },
  { "scale count 1.5 --app my-app", 2, "usage", "whole number", "%-%-help" },
  { "scale count 1 --app my-app", 9, "declined", "down to 1", "%-%-yes" },
  { "scale count 0 --app my-app", 9, "declined", "every machine", "%-%-yes" },
  { "scale count 2 --app PENDING", 5, "conflict", "is pending", "deploy it" },
  { "scale count 2 --app my-app --region xyz", 2, "usage", "no region xyz",
    "list regions" },
  { "scale memory 300 --app my-app", 6, "invalid", "300 MB of memory does not go with",
    "steps of 256 MB" },
  { "scale memory -512 --app my-app", 2, "usage", "must be a size", "%-%-help" },
  { "scale memory 512 --app PENDING", 5, "conflict", "is pending", "deploy it" },
  { "scale memory 512 --app my-app --group nope", 4, "not_found",
    "no machines in group nope", "scale show" },
  { "scale cpu 3 --app my-app", 6, "invalid", "does not have 3 shared CPUs",
    "1, 2, 4, 6 or 8" },
  { "scale cpu -1 --app my-app", 2, "usage", "between 1 and 16", "%-%-help" },
  { "scale vm huge --app my-app", 2, "usage", "must be one of shared%-cpu%-1x", "%-%-help" },
  { "scale vm performance-2x --memory 300 --app my-app", 6, "invalid",
    "does not go with 2 performance CPUs", "steps of 1 GB" },
  { "scale vm shared-cpu-2x --app nope", 4, "not_found", "nope", "list apps" },
  -- organizations
  { "get org nope", 4, "not_found", "nope", "list orgs" },
  { "orgs members nope", 4, "not_found", "nope", "list orgs" },
}

-- What stands for what only the account knows.
local function names_of(world)
  local names = { PENDING = "brand-new" }
  for _, volume in ipairs(world:list("volume", "my-app")) do
    names.FREE = not volume.attached_machine_id and volume.id or names.FREE
  end
  for _, ip in ipairs(world:list("ip", "acme-api")) do
    names.THEIRS = ip.address ~= "198.18.0.1" and ip.address or names.THEIRS
  end
  return names
end

local function last_line(text)
  return text:match("([^\n]*)\n$")
end

t.test("what cannot be is told with its next step, and changes nothing", function()
  local run, account = lines.open()
  t.eq(run("apps create brand-new --org acme"), 0)
  local names = names_of(account.world)
  for _, case in ipairs(REFUSED) do
    local line = case[1]:gsub("%u%u%u%u+", names)
    account.forget()
    local before = account.count()
    local code, seen = run(line)
    local said = line .. "\n" .. seen.err .. seen.out
    t.eq(code, case[2], said)
    t.eq({ account.count(), case[6] or #account.changes() }, { before, case[6] or 0 }, said)
    t.match(seen.err, ("error %%(%s%%): [^\n]*"):format(case[3]:gsub("_", " ")) .. case[4], said)
    t.match(seen.err, "hint: [^\n]*" .. case[5], said)
    local is_told = #account.requests == 0 or case[3] == "declined"
      or seen.err:find("request id: %w+%-%l+\n$") ~= nil
    t.ok(is_told, "no request id: " .. said)
    if case[3] ~= "usage" then
      local _, as_json = run(line .. " --json")
      local e = json.decode(last_line(as_json.err)).error
      t.eq({ e.kind, type(e.message), type(e.hint) }, { case[3], "string", "string" }, said)
    end
  end
end)

-- Changes that the account refuses or cannot make room for; nothing is left.
t.test("a quota, and want of room, are told as such for whatever is new", function()
  local run, account = lines.open({
    fault = "POST /v1/apps/my-app/*:403=organization personal is over the allowed quota",
  })
  local names = names_of(account.world)
  for _, line in ipairs({
    "volumes create --app my-app --name data --region iad",
    "volumes fork FREE --app my-app", "volumes snapshots FREE create --app my-app",
    "ips allocate --app my-app --type v6", "ips allocate --app my-app --type v4 --yes",
    "certs add new.example.com --app my-app",
  }) do
    local before = account.count()
    local code, seen = run((line:gsub("%u%u%u%u+", names)))
    t.eq(code, 1, seen.err)
    t.match(seen.err, "error %(quota%): .*allowed quota", line)
    t.match(seen.err, "hint: .*billing", line)
    t.match(seen.err, "request id: %w+%-%l+\n$", line)
    t.eq(account.count(), before, line)
    local _, as_json = run((line:gsub("%u%u%u%u+", names)) .. " --json")
    t.eq(json.decode(last_line(as_json.err)).error.kind, "quota")
  end
end)

t.test("an address is released of the app named only, however it is written", function()
  local run, account = lines.open()
  t.eq(run("ips release 2001:DB8:1:0:0:0:1:1 --app my-app --yes"), 0)
  t.eq(account.changes(), { "DELETE /v1/apps/my-app/ip_assignments/2001%3Adb8%3A1%3A%3A1%3A1" })
end)

t.test("a change of these names its app first", function()
  local run = lines.open()
  for _, line in ipairs({
    "volumes create --app my-app --name data --region iad --no-wait",
    "ips allocate --app my-app --type v6", "certs add new.example.com --app my-app",
    "certs remove www.example.com --app my-app --yes",
    "scale memory 512 --app my-app --group app --no-wait",
    "ips release 198.18.0.1 --app my-app --yes",
  }) do
    local code, seen = run(line)
    t.eq(code, 0, line .. "\n" .. seen.err)
    t.match(seen.err, "^app my%-app in org personal %(from %-%-app%)\n", line)
  end
end)

t.test("an empty list says what there is none of", function()
  local run, account = lines.open()
  t.eq(run("apps create brand-new --org acme"), 0)
  local free = names_of(account.world).FREE
  for line, said in pairs({
    ["volumes snapshots " .. free .. " --app my-app"] = "no snapshots",
    ["scale show --app brand-new"] = "no machines",
    ["list ips --app brand-new"] = "no IP addresses",
    ["list certs --app brand-new"] = "no certificates",
    ["list releases --app brand-new"] = "no releases",
    ["list volumes --app brand-new"] = "no volumes",
  }) do
    local code, seen = run(line)
    t.eq({ code, seen.out }, { 0, "" }, line)
    t.match(seen.err, "^" .. said .. " %(", line)
  end
end)

t.test("--force agrees to what destroys, and to nothing else", function()
  local run, account = lines.open()
  local names = names_of(account.world)
  for _, line in ipairs({
    "destroy volume FREE --no-wait", "ips release 198.18.0.1", "certs remove www.example.com",
  }) do
    line = line:gsub("%u%u%u%u+", names) .. " --app my-app"
    t.eq((run(line .. " --force=false")), 9, line)
    local code, seen = run(line .. " --force")
    t.eq(code, 0, line .. "\n" .. seen.err)
  end
  local code, seen = run("ips allocate --type v4 --app my-app --force")
  t.eq(code, 2)
  t.match(seen.err, "unknown flag %-%-force")
  t.eq(run("list volumes --force"), 2)
end)

t.test("a change that takes too long says that it may have been made", function()
  local run = lines.open()
  local code, seen = run("volumes create --app my-app --name slow --region iad --timeout 0.3s")
  t.eq(code, 7, seen.err)
  t.match(seen.err, "error %(timeout%): no answer within 0.3 s\n"
    .. "hint: [^\n]*may have been done.*%-%-no%-wait")
  t.match(seen.err, "request id: ")
end)

t.test("a volume that cannot go is not asked about", function()
  local run, account = lines.open()
  local mounted = tbl.find(account.world:list("volume", "my-app"), function(volume)
    return volume.attached_machine_id
  end)
  local code, seen = run("destroy volume " .. mounted.id .. " --app my-app",
    { tty = { [0] = true, [2] = true }, answer = "y" })
  t.eq(code, 5, seen.err)
  t.lacks(seen.err, "snapshot first")
  t.match(seen.err, "mounted by machine " .. mounted.attached_machine_id)
  t.match(seen.err, "request id: ")
end)

t.test("an address that goes is shown first; one that is not there is not asked about", function()
  local run, account = lines.open()
  local at_terminal = { tty = { [0] = true, [2] = true }, answer = "198.18.0.1" }
  local code, seen = run("ips release " .. names_of(account.world).THEIRS .. " --app my-app",
    at_terminal)
  t.eq(code, 4, seen.err)
  t.lacks(seen.err, "Type ")
  code, seen = run("ips release 198.18.0.1 --app my-app", at_terminal)
  t.eq(code, 0, seen.err)
  t.match(seen.err, "TYPE +shared\n.*Release 198.18.0.1 from app my%-app%?")
end)

t.test("a certificate that is not there is not asked about", function()
  local run = lines.open()
  local code, seen = run("certs remove nope.example.com --app my-app",
    { tty = { [0] = true, [2] = true }, answer = "nope.example.com" })
  t.eq(code, 4, seen.err)
  t.lacks(seen.err, "Remove the certificate")
  code, seen = run("certs remove www.example.com --app my-app",
    { tty = { [0] = true, [2] = true }, answer = "www.example.com" })
  t.eq(code, 0, seen.err)
  t.match(seen.err, "HOSTNAME +www.example.com\n", "what goes is shown")
end)

t.test("every one of these lists can be taken raw", function()
  local run = lines.open()
  for _, line in ipairs({
    "list volumes", "list volumes --unattached", "list ips --app my-app",
    "list certs --app my-app", "list releases --app my-app", "scale show --app my-app",
    "list regions", "list orgs", "orgs members acme",
  }) do
    local code, seen = run(line .. " --raw")
    t.eq({ code, type(json.decode(seen.out)) }, { 0, "table" }, line)
  end
  local code, seen = run("certs remove www.example.com --app my-app --yes --raw")
  t.eq({ code, seen.out }, { 0, "" }, "an answer without a body")
end)
