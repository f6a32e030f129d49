--- The web API of api.fly.io: logs, releases, organizations.

local support = require "sim.support"
local t = require "kit"
local tbl = require "base.tbl"

local LOGS = "/api/v1/apps/my-app/logs"

local function messages(got)
  return tbl.map(got.data, function(line)
    return line.attributes.message
  end)
end

t.test("logs come oldest first, of the last day", function()
  local sim = support.account()
  local got = sim:get(LOGS)
  t.eq(messages(got), {
    "GET / 200 in 12ms", "GET /healthz 200 in 1ms",
    "POST /orders 500 in 48ms", "GET /orders 200 in 20ms",
  })
  t.match(got.meta.next_token, "^%d+$")
  t.eq(#got.meta.next_token, 19)
  local line = got.data[3]
  t.eq(line.attributes.level, "error")
  t.match(line.attributes.timestamp, "^2026%-02%-11T%d%d:%d%d:%d%d%.%d+Z$")
end)

t.test("a next token asks for what came after", function()
  local sim = support.account()
  local got = sim:get(LOGS .. "?next_token=")
  local path = LOGS .. "?next_token=" .. got.meta.next_token
  local none = sim:get(path)
  t.eq(none.data, {})
  t.eq(none.meta.next_token, got.meta.next_token)
  local machine = sim:machine("my-app", "started")
  sim:expect(200, "POST", "/v1/apps/my-app/machines/" .. machine.id .. "/stop")
  sim:advance(1)
  local new = sim:get(path)
  t.eq(messages(new), {
    "Sending signal SIGINT to main child process",
    "INFO Main child exited normally with code: 0",
  })
  t.eq(sim:get(LOGS .. "?next_token=" .. new.meta.next_token).data, {})
end)

t.test("a token can be any time; pages hold a hundred lines", function()
  local logs = {}
  for i = 1, 250 do
    logs[i] = { message = "line " .. i, age = 1000 - i }
  end
  local sim = support.account({
    orgs = { { slug = "personal", type = "PERSONAL",
      members = { { user = "user_sim" } } } },
    apps = { { name = "my-app", org = "personal", logs = logs, machines = {
      { region = "iad", config = { image = "example.com/a" } },
    } } },
  })
  t.eq(messages(sim:get(LOGS))[1], "line 151")
  local seen, token = 0, "1"
  repeat
    local got = sim:get(LOGS .. "?next_token=" .. token)
    for _, message in ipairs(messages(got)) do
      seen = seen + 1
      t.eq(message, "line " .. seen)
    end
    token = got.meta.next_token
  until #got.data == 0
  t.eq(seen, 250)
  sim:expect(400, "GET", LOGS .. "?next_token=abc")
end)

t.test("logs are narrowed by machine and region", function()
  local sim = support.account()
  local machine = sim:get("/v1/apps/my-app/machines")[2]
  t.eq(#sim:get(LOGS .. "?instance=" .. machine.id).data, 2)
  t.eq(#sim:get(LOGS .. "?region=fra").data, 0)
end)

t.test("running machines can be made to talk", function()
  local logs = require "sim.logs"
  local sim = support.account()
  logs.start_chatter(sim.world, 5)
  local before = #sim:get(LOGS).data
  sim:advance(16)
  t.eq(#sim:get(LOGS).data - before, 6)
  sim:advance(86400 * 30)
  t.eq(#sim:get(LOGS).data, 0)
  sim:advance(5)
  t.eq(#sim:get(LOGS).data, 2)
end)

t.test("the logs of others do not exist; macaroons need their scheme", function()
  local sim = support.account()
  t.eq(sim:expect(404, "GET", "/api/v1/apps/taken/logs").errors,
    { detail = "Not Found" })
  local token = sim:expect(200, "POST", "/v1/apps/my-app/deploy_token").token
  sim:get(LOGS, { authorization = token })
  t.eq(sim:expect(401, "GET", LOGS, nil,
    { authorization = token:gsub("^FlyV1", "Bearer") }).errors,
    { detail = "Unauthorized" })
end)

t.test("releases are the newest first", function()
  local sim = support.account()
  local path = "/api/v1/apps/my-app/releases"
  local list = sim:get(path).releases
  t.eq(tbl.map(list, function(release)
    return release.version
  end), { 3, 2, 1 })
  t.eq(list[2].status, "failed")
  t.eq(list[1].user, "sim@example.com")
  t.eq(#sim:get(path .. "?limit=1").releases, 1)
  t.eq(sim:get(path .. "/current").version, 3)
  t.ok(sim:get("/api/v1/releases/all_current")["acme-api"])
  sim:expect(201, "POST", "/v1/apps", { name = "new", org_slug = "personal" })
  sim:expect(404, "GET", "/api/v1/apps/new/releases/current")
end)

t.test("a deploy makes a release and then completes it", function()
  local sim = support.account()
  local made = sim:expect(201, "POST", "/api/v1/releases", {
    app_name = "my-app", build_id = 1, definition = {},
    image = "registry.fly.io/my-app:deployment-02", strategy = "ROLLING",
  }).release
  t.eq(made.version, 4)
  t.eq(made.in_progress, true)
  local done = sim:expect(200, "PATCH", "/api/v1/releases/" .. made.id,
    { status = "complete" })
  t.eq(done.in_progress, false)
  t.eq(done.stable, true)
  sim:expect(404, "PATCH", "/api/v1/releases/none", { status = "complete" })
end)

t.test("builds are counted", function()
  local sim = support.account()
  local build = sim:expect(200, "POST", "/api/v1/builds",
    { app_name = "my-app", builder_type = "remote" })
  t.eq(build.id, 1)
  t.ok(sim:expect(200, "POST", "/api/v1/builds/depot_builder",
    { app_name = "my-app" }).build_id)
  local text = "text"
  sim:expect(200, "POST", "/api/v1/builds/finish", {
    build_id = 1, app_name = "my-app", machine_id = text, status = "completed",
    logs = text, strategies_attempted = {
      { error = "", note = "", result = "success", strategy = "dockerfile" },
    },
    builder_meta = {
      builder_type = text, buildkit_enabled = true, docker_version = text,
      platform = text, remote_app_name = text, remote_machine_id = text,
    },
    final_image = { id = text, size_bytes = 1, tag = text },
    timings = {
      build_and_push_ms = 1, build_ms = 1, builder_init_ms = 1,
      context_build_ms = 1, image_build_ms = 1, push_ms = 1,
    },
  })
end)

t.test("organizations are those the caller sees", function()
  local sim = support.account()
  local list = sim:get("/api/v1/organizations").organizations
  t.eq(tbl.map(list, function(org)
    return org.slug
  end), { "personal", "acme" })
  t.eq(list[1].raw_slug, "sim-user")
  t.eq(list[1].personal, true)
  t.eq(sim:get("/api/v1/organizations/acme").organization.name, "Acme Example")
  sim:expect(404, "GET", "/api/v1/organizations/nobody")
end)
