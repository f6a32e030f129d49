--- The simulated flyctl's `apps` and `status`.
--- Waits.

local flyctl = require "sim.flyctl"
local json = require "base.json"
local rollout = require "sim.flyctl.rollout"
local shapes = require "sim.flyctl.shapes"
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

local LIST = [[
  query($org: ID, $after: String) {
    apps(first: 200, after: $after, organizationId: $org) {
      pageInfo { hasNextPage endCursor } nodes { ]] .. shapes.APP_FIELDS .. [[ }
    }
  }]]

-- All apps, of one organization if told.
---@async
local function all_apps(run, slug)
  local data, e, org
  if slug then
    data, e = run.api:graphql("query($slug: String!) { organization(slug: $slug) { id } }",
      { slug = slug })
    if not data then
      return nil, e
    end
    org = data.organization.id
  end
  local list, after = {}, nil
  repeat
    data, e = run.api:graphql(LIST, { org = org, after = after })
    if not data then
      return nil, e
    end
    table.move(data.apps.nodes, 1, #data.apps.nodes, #list + 1, list)
    after = data.apps.pageInfo.endCursor
  until data.apps.pageInfo.hasNextPage ~= true
  return list
end

local function print_apps(run, list)
  local is_network = tbl.find(list, function(app)
    return app.Network ~= ""
  end) ~= nil
  local titles = { "NAME", "OWNER", "STATUS" }
  if is_network then
    titles[#titles + 1] = "NETWORK"
  end
  titles[#titles + 1] = "LATEST DEPLOY"
  run:table(titles, tbl.map(list, function(app)
    local row = { app.Name, app.Organization.Slug, app.Status }
    if is_network then
      row[#row + 1] = app.Network
    end
    row[#row + 1] = app.CurrentRelease ~= json.null and run:ago(app.CurrentRelease.CreatedAt)
      or ""
    return row
  end))
end

---@async
---@param run sim.flyctl.Run
---@return any done nil when it failed, an exit code when that is not 0
---@return err.Record?
function M.apps_list(run)
  local nodes, e = all_apps(run, run.flags.org)
  if not nodes then
    return nil, e
  end
  local list = tbl.map(nodes, shapes.app)
  if run.flags.json then
    run:json(json.array(list))
  elseif run.flags.quiet then
    for _, app in ipairs(list) do
      run:say("%s", app.Name)
    end
  elseif #list == 0 then
    run:say("No apps found")
  else
    print_apps(run, list)
  end
  return true
end

---@async
---@param run sim.flyctl.Run
---@return any done nil when it failed, an exit code when that is not 0
---@return err.Record?
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
---@param run sim.flyctl.Run
---@return any done nil when it failed, an exit code when that is not 0
---@return err.Record?
function M.apps_destroy(run)
  if #run.args == 0 then
    return flyctl.fail("no app names provided")
  elseif not run.flags.yes then
    run:tell("Destroying an app is not reversible.")
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
---@param run sim.flyctl.Run
---@return any done nil when it failed, an exit code when that is not 0
---@return err.Record?
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

local STATUS = "query($name: String!) { app(name: $name) { " .. shapes.APP_FIELDS .. " } }"

---@async
---@param run sim.flyctl.Run
---@return any done nil when it failed, an exit code when that is not 0
---@return err.Record?
function M.status(run)
  local name, e = run:app()
  local data, machines
  if name then
    data, e = run.api:graphql(STATUS, { name = name })
  end
  if not data then
    return nil, e
  end
  machines, e = rollout.machines(run, name)
  if not machines then
    return nil, e
  end
  local status = shapes.app_status(data.app, machines)
  if run.flags.json then
    run:json(status)
    return true
  end
  run:say("App\n  Name     = %s\n  Owner    = %s\n  Hostname = %s\n  Image    = %s\n",
    status.Name, status.Organization.Slug, status.Hostname,
    machines[1] and machines[1].config.image or "-")
  run:say("Machines")
  run:table({ "PROCESS", "ID", "VERSION", "REGION", "STATE", "ROLE", "CHECKS", "LAST UPDATED" },
    tbl.map(machines, function(machine)
      local metadata = rollout.metadata(machine)
      return {
        rollout.group(machine), machine.id, metadata.fly_release_version, machine.region,
        machine.state, metadata.role, rollout.checks(machine), machine.updated_at,
      }
    end))
  return true
end

return M
