--- The simulated flyctl's `apps` and `status`.
--- Waits.

local flyctl = require "sim.flyctl"
local json = require "base.json"
local rollout = require "sim.flyctl.rollout"
local tbl = require "base.tbl"

local M = {}

---@async
local function orgs(run)
  local data, e = run.api:graphql("query { organizations { nodes { slug } } }")
  if not data then
    return nil, e
  end
  return tbl.map(data.organizations.nodes, function(org)
    return org.slug
  end)
end

---@async
function M.apps_list(run)
  local slugs, e = run.flags.org and { run.flags.org } or nil, nil
  if not slugs then
    slugs, e = orgs(run)
  end
  local apps = json.array({})
  for _, slug in ipairs(slugs or {}) do
    local reply
    reply, e = run.api:rest("GET", "/apps?org_slug=%s", slug)
    if not reply then
      return nil, e
    end
    table.move(reply.apps, 1, #reply.apps, #apps + 1, apps)
  end
  if not slugs then
    return nil, e
  elseif run.flags.json then
    run:json(apps)
  elseif run.flags.quiet then
    for _, app in ipairs(apps) do
      run:say("%s", app.name)
    end
  else
    run:table({ "NAME", "OWNER", "STATUS" }, tbl.map(apps, function(app)
      return { app.name, app.organization.slug, app.status }
    end))
  end
  return true
end

---@async
function M.apps_create(run)
  local name, org = run.flags.name or run.args[1], run.flags.org
  if not org then
    local slugs, e = orgs(run)
    if not slugs then
      return nil, e
    elseif #slugs ~= 1 then
      return flyctl.fail("org slug must be specified when not running interactively")
    end
    org = slugs[1]
  end
  if not name then
    return flyctl.fail("name argument or flag must be specified when not running interactively")
  end
  local made, e = run.api:rest("POST", "/apps",
    { app_name = name, org_slug = org, network = run.flags.network })
  if not made then
    return nil, e
  end
  run:say("New app created: %s", name)
  return true
end

---@async
function M.apps_destroy(run)
  if #run.args == 0 then
    return run:cannot_ask()
  end
  local agreed, e = run:confirmed()
  if not agreed then
    return nil, e
  end
  for _, name in ipairs(run.args) do
    local ok
    ok, e = run.api:rest("DELETE", "/apps/%s?force=true", name)
    if not ok then
      return nil, e
    end
    run:say("Destroyed app %s", name)
  end
  return true
end

---@async
function M.apps_restart(run)
  local app, e = run.args[1], nil
  if not app then
    app, e = run:app()
  end
  local machines
  if app then
    machines, e = rollout.machines(run, app)
  end
  if not machines then
    return nil, e
  end
  for _, machine in ipairs(machines) do
    if machine.state == "started" then
      run:say("Restarting machine %s", machine.id)
      local ok, why = run.api:leased(app, machine.id, function()
        return run.api:rest("POST", "/apps/%s/machines/%s/restart", app, machine.id)
      end)
      if ok then
        ok, why = rollout.wait(run, app, machine.id, "started", machine.instance_id)
      end
      if not ok then
        return nil, why
      end
      run:say("  Machine %s restarted successfully!", machine.id)
    end
  end
  return true
end

---@async
function M.status(run)
  local name, e = run:app()
  local app, machines
  if name then
    app, e = run.api:rest("GET", "/apps/%s", name)
  end
  if app then
    machines, e = rollout.machines(run, name)
  end
  if not machines then
    return nil, e
  elseif run.flags.json then
    run:json({
      Name = app.name, Status = app.status, Organization = { Slug = app.organization.slug },
      Machines = json.array(machines),
    })
    return true
  end
  run:say("App\n  Name     = %s\n  Owner    = %s\n  Hostname = %s.fly.dev\n", app.name,
    app.organization.slug, app.name)
  run:say("Machines")
  run:table({ "PROCESS", "ID", "REGION", "STATE" }, tbl.map(machines, function(machine)
    return { rollout.group(machine), machine.id, machine.region, machine.state }
  end))
  return true
end

return M
