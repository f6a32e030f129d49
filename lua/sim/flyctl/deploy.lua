--- The simulated flyctl's `deploy`: as if an image was built, then the machines
--- get it.
--- Waits.

local flyctl = require "sim.flyctl"
local fs = require "sys.fs"
local os = require "sys.os"
local rollout = require "sim.flyctl.rollout"
local sizes = require "sim.flyctl.sizes"
local tbl = require "base.tbl"

local M = {}

-- The registry of images that deploys build.
local REGISTRY = "registry.fly.io/"

local function random_tag()
  local bytes = assert(os.random(8))
  return "deployment-01" .. bytes:gsub(".", function(c)
    return ("%02X"):format(c:byte())
  end)
end

-- Says what a build says, and names its image.
---@async
local function build(run, app, directory)
  local reply, e = run.api:web_call("POST", "/builds",
    { app_name = app, builder_type = "depot" })
  if not reply then
    return nil, e
  end
  local image = REGISTRY .. app .. ":" .. (run.flags["image-label"] or random_tag())
  run:say("==> Building image")
  run:tell("#1 [internal] load build definition from %s/%s", directory,
    run.flags.dockerfile or "Dockerfile")
  run:tell("#1 DONE 0.1s")
  run:tell("#2 exporting to image")
  run:tell("#2 pushing manifest for %s", image)
  run:tell("#2 DONE 0.4s")
  run:say("--> Building image done")
  run:say("image: %s\nimage size: 42 MB", image)
  return image, nil, reply.id
end

-- The image to deploy: the one asked for, or a new one.
---@async
local function find_image(run, app, directory)
  local asked = run.flags.image
  if not asked then
    return build(run, app, directory)
  end
  run:say("Searching for image '%s' remotely...", asked)
  if asked:find(":missing$") then
    return flyctl.fail("failed to fetch an image or build from source:"
      .. " Could not find image %q", asked)
  end
  run:say("image found: %s", asked)
  return asked
end

-- The machines that the flags leave over.
local function chosen(run, machines)
  local regions = tbl.set(flyctl.words(run.flags.regions))
  local without = tbl.set(flyctl.words(run.flags["exclude-regions"]))
  local spared = tbl.set(flyctl.words(run.flags["exclude-machines"]))
  local only = tbl.set(flyctl.words(run.flags["only-machines"]))
  local groups = tbl.set(flyctl.words(run.flags["process-groups"]))
  return tbl.filter(machines, function(machine)
    return (next(regions) == nil or regions[machine.region])
      and (next(only) == nil or only[machine.id])
      and (next(groups) == nil or groups[rollout.group(machine)])
      and not without[machine.region] and not spared[machine.id]
  end)
end

-- The first machines of an app: two, for one alone may fail.
---@async
local function first_machines(run, app, image, release)
  local region = run.flags["primary-region"]
    or run:config("primary_region", run.args[1]) or "iad"
  local guest, e = sizes.resolve(run.flags, nil)
  if not guest then
    return nil, e
  end
  run:say("\nThis deployment will:\n * create 2 \"app\" machines\n")
  for _ = 1, run.flags.ha == false and 1 or 2 do
    local machine
    machine, e = rollout.create(run, app, {
      image = image, guest = guest,
      env = { FLY_PROCESS_GROUP = "app", PRIMARY_REGION = region },
      metadata = {
        fly_platform_version = "v2", fly_process_group = "app",
        fly_release_version = tostring(release.version),
      },
    }, region, run.flags.detach)
    if not machine then
      return nil, e
    end
    run:say("✔ Machine %s [app] was created", machine.id)
  end
  return true
end

-- What the flags change in every machine's config.
local function changes(run)
  local region = run.flags["primary-region"]
  return function(config)
    config.env = type(config.env) == "table" and config.env or {}
    config.env.PRIMARY_REGION = region or config.env.PRIMARY_REGION
    for name, value in pairs(flyctl.pairs(run.flags.env)) do
      config.env[name] = value
    end
    if sizes.is_asked(run.flags) then
      config.guest = sizes.resolve(run.flags, config.guest)
    end
  end
end

-- Flags that cannot be right, before anything is done.
---@async
local function check(run)
  local strategy = run.flags.strategy
  if strategy and not rollout.is_strategy(strategy) then
    return flyctl.fail("error parsing app config: unsupported deployment"
      .. " strategy %q", strategy)
  elseif sizes.is_asked(run.flags) then
    local guest, e = sizes.resolve(run.flags, nil)
    if not guest then
      return nil, e
    end
  end
  local region = run.flags["primary-region"]
  if not region then
    return true
  end
  return flyctl.check_region(run, region)
end

---@async
---@param run sim.flyctl.Run
---@return any done nil when it failed, an exit code when that is not 0
---@return err.Record?
function M.deploy(run)
  local directory = run.args[1] or "."
  local stat = fs.stat(directory)
  if not stat or stat.type ~= "directory" then
    return flyctl.fail("stat %s: no such file or directory", directory)
  end
  local app, e = run:app(directory)
  local ok = app ~= nil
  if ok then
    ok, e = check(run)
  end
  local machines
  if ok then
    run:say("==> Verifying app config\n--> Verified app config")
    machines, e = rollout.machines(run, app)
  end
  if not machines then
    return nil, e
  end
  local image, why, build_id = find_image(run, app, directory)
  if not image then
    return nil, why
  elseif run.flags["build-only"] then
    return true
  end
  run:say("\nWatch your deployment at https://fly.io/apps/%s/monitoring", app)
  ok, e = rollout.release(run, {
    app = app, image = image, strategy = run.flags.strategy, build = build_id,
    detach = run.flags.detach, change = changes(run),
    title = "Updating existing machines in",
    first = function(release)
      return first_machines(run, app, image, release)
    end,
  }, #machines > 0 and chosen(run, machines) or {})
  if not ok then
    return nil, e
  end
  run:say("\nVisit your newly deployed app at https://%s.fly.dev/", app)
  return true
end

return M
