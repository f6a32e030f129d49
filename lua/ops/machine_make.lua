--- Making machines: new ones, changed ones, copies.
--- Rows; what they run waits, and reaches others through its context only.

local cells = require "ops.cells"
local checks = require "ops.flow_checks"
local config = require "ops.flow_config"
local err = require "base.err"
local flow_machine = require "ops.flow_machine"
local guests = require "ops.guest"
local json = require "base.json"
local mounts = require "ops.flow_mounts"
local op = require "opkit.op"
local place = require "ops.flow_place"
local spec = require "ops.machine_spec"
local tbl = require "base.tbl"

local APP = { "app", "app", "app the machine belongs to", required = true }

local NO_WAIT = { "no_wait", "boolean", "do not wait until it runs" }

-- How a machine's size is asked for.
local SIZE = {
  { "size", "enum", "preset of CPUs and memory", values = guests.PRESETS },
  { "memory", "megabytes", "memory", min = 256 },
  { "cpus", "integer", "number of CPUs", min = 1, max = 16 },
  { "cpu_kind", "enum", "kind of CPUs", values = { "shared", "performance" } },
}

-- What a config may be given beside size and image.
local MORE = {
  { "env", "pairs", "environment variables", many = true },
  { "port", "string", "public port and the one inside, such as 443:8080",
    many = true, metavar = "PORT:PORT" },
  { "metadata", "pairs", "metadata", many = true },
  { "restart", "enum", "when to restart it",
    values = { "no", "always", "on-failure" } },
  { "schedule", "enum", "run it every so often",
    values = { "hourly", "daily", "weekly", "monthly" } },
  { "auto_destroy", "boolean", "destroy it when its command ends" },
}

local COLUMNS = {
  { "ID", "id" },
  { "NAME", "name" },
  { "STATE", "state", format = "state" },
  { "REGION", "region" },
  { "SIZE", cells.size },
  { "MEMORY", "config.guest.memory_mb", format = "megabytes" },
  { "IMAGE", cells.image },
  { "PRIVATE IP", "private_ip" },
}

-- A failure after the machine came about names it.
local function unfinished(e, machine)
  e = err.wrap(e, ("machine %s was created, but"):format(machine.id))
  e.created = machine.id
  return e
end

---@class ops.Launch
---@field app string
---@field config any a table, or json.raw
---@field guest table? the size in it
---@field region string?
---@field name string?
---@field no_start boolean?
---@field no_wait boolean?

-- Asks for the machine and waits until it is started and healthy.
local function launch(ctx, asked)
  local machine, e = ctx.call("machines.create_once", {
    app = asked.app, config = asked.config, name = asked.name,
    region = asked.region, skip_launch = asked.no_start or nil,
  })
  if not machine then
    if e.kind == "timeout" or e.kind == "network" then
      e.hint = "the machine may exist: clanker fly list machines --app " .. asked.app
    end
    return nil, place.suggest(ctx, e, asked)
  elseif asked.no_wait or asked.no_start then
    return machine
  end
  local at = { app = asked.app, id = machine.id }
  local reached, why = ctx.wait({
    app = at.app, id = at.id, state = "started", version = machine.instance_id,
    launched = true,
  })
  if reached then
    reached, why = checks.wait(ctx, at, machine)
  end
  if not reached then
    return nil, unfinished(why, machine)
  end
  machine.state = "started"
  return machine
end

op {
  id = "machines.create",
  title = "Create a machine",
  cli = { "machines create", "machines run", "machine run" },
  doc = [[
    A volume is named by its id or its name; the machine is made in its region.
    Ports 80 and 443 get Fly's HTTP and TLS handlers unless others are named,
    as in 5432:5432/tcp:pg_tls.
  ]],
  effect = "write",
  cost = "a running machine is billed by the second.",
  calls = tbl.flatten({
    { "volumes.list_app", "machines.create_once", "machines.get" }, place.CALLS,
  }),
  run = function(ctx, args)
    local made, e = spec.config(args)
    if not made then
      return nil, e
    end
    local ok, unknown = place.check(ctx, args.region)
    if not ok then
      return nil, unknown
    end
    local list, region, why = mounts.of_new(ctx, args)
    if why then
      return nil, why
    end
    made.mounts = list
    return launch(ctx, {
      app = args.app, config = made, guest = made.guest, region = region,
      name = args.name, no_start = args.no_start, no_wait = args.no_wait,
    })
  end,
  params = tbl.flatten({
    {
      APP,
      { "image", "name", "container image", required = true },
      { "name", "name", "name of the machine" },
      { "region", "region", "region; the nearest unless told" },
    },
    SIZE, MORE,
    {
      { "volume", "string", "volume to mount, and where", many = true,
        metavar = "VOLUME:/PATH" },
      { "command", "string", "command instead of the image's own", rest = true,
        many = true, metavar = "CMD" },
      { "no_start", "boolean", "create it without starting it" },
      NO_WAIT,
    },
  }),
  returns = "machine",
  columns = COLUMNS,
  produces = { id = "id" },
  undo = { op = "machines.destroy", args = { app = "{app}", id = "{id}" } },
  examples = {
    "machines create --app my-app --image nginx --region iad --size shared-cpu-1x"
      .. " --memory 512 --port 80:80",
  },
}

-- A machine stays where it is.
local function check_region(args, machine)
  if not args.region or args.region == machine.region then
    return true
  end
  return nil, err.new({
    kind = "invalid",
    message = ("machine %s is in %s, and a machine does not move"):format(
      machine.id, machine.region),
    hint = ("make a copy there: clanker fly clone %s --region %s --app %s"):format(
      machine.id, args.region, args.app),
  })
end

op {
  id = "machines.update",
  title = "Change the config of machines",
  doc = [[
    Only what is named changes. Ports given replace the machine's services;
    environment, metadata and mounts are added to. A machine that runs is
    replaced by one with the new config. Its region stays: a volume must be
    there too, and --region only makes sure that it is the one meant.
  ]],
  effect = "write",
  calls = tbl.flatten({ config.CALLS, { "machines.list_app", "volumes.list_app" } }),
  run = function(ctx, args)
    local targets, e = flow_machine.targets(ctx, args,
      { started = true, stopped = true, suspended = true })
    if not targets then
      return nil, e
    end
    local add_mounts, unfit = mounts.for_old(ctx, args, targets)
    if not add_mounts then
      return nil, unfit
    end
    return flow_machine.each(ctx, targets, args.parallel, function(target)
      return config.update(ctx, target, {
        args = { name = args.name }, always = args.name ~= nil,
        no_wait = args.no_wait,
        change = function(read)
          local fits, why = check_region(args, read.machine)
          if not fits then
            return nil, why
          end
          local changes
          changes, why = spec.changes(args, tbl.get(read.machine, "config.guest"))
          if changes then
            changes, why = add_mounts(read.machine, changes)
          end
          if not changes then
            return nil, why
          end
          return json.edit(read.text, changes)
        end,
      })
    end)
  end,
  params = tbl.flatten({
    {
      { "app", "app", "app the machines belong to", required = true },
      { "id", "machine", "ids of the machines", pos = 1, many = true },
      { "all", "boolean", "all machines of the app" },
      { "parallel", "integer", "how many at a time", default = 1, min = 1,
        max = 50 },
      { "image", "name", "container image" },
      { "name", "name", "name of the machine" },
      { "region", "region", "the region the machine is in" },
    },
    SIZE, MORE,
    {
      { "volume", "string", "volume to mount, and where", many = true,
        metavar = "VOLUME:/PATH" },
      { "command", "string", "command instead of the image's own", rest = true,
        many = true, metavar = "CMD" },
      NO_WAIT,
    },
  }),
  order = { "id" },
  returns = { list = "outcome" },
  columns = cells.OUTCOME,
  examples = { "machines update 1234abcd --memory 1GB --app my-app" },
}

-- A volume of the source; its copy is called as it is.
local function source_volume(ctx, at)
  local volume, e = ctx.call("volumes.get", at)
  if volume and not volume.name then
    return nil, err.new({
      kind = "protocol", message = ("volume %s came without its name"):format(at.id),
      hint = "try again in a moment",
    })
  end
  return volume, e
end

-- A new volume for each mount of the source, in the copy's region.
local function copy_volumes(ctx, args, read, region)
  local made, changes = {}, {}
  local source = tbl.get(read.machine, "config.mounts")
  for i, mount in ipairs(type(source) == "table" and source or {}) do
    local volume, e = source_volume(ctx, { app = args.app, id = mount.volume })
    local copy
    if volume then
      copy, e = ctx.call("volumes.create_once", {
        app = args.app, name = volume.name, region = region,
        size_gb = volume.size_gb, encrypted = volume.encrypted,
        require_unique_zone = true,
      })
    end
    if not copy then
      return made, nil, place.suggest(ctx, e, { app = args.app, region = region })
    end
    made[#made + 1] = copy.id
    changes[i] = { { "mounts", i, "volume" }, copy.id }
  end
  return made, changes
end

-- After these it is not known whether the machine came about.
local UNCLEAR = tbl.set({ "timeout", "network", "server" })

-- Volumes made for a copy that surely did not come about are nobody's.
local function discard(ctx, app, volumes, failure)
  for _, id in ipairs(failure.created and {} or volumes) do
    local done, e
    if UNCLEAR[failure.kind] then
      e = failure
    else
      done, e = ctx.call("volumes.destroy_once", { app = app, id = id })
    end
    if not done then
      ctx.notice(("volume %s was made for the copy and is still there: %s")
        :format(id, e.message))
    end
  end
end

op {
  id = "machines.clone",
  title = "Make a machine like another",
  doc = "The copy gets the same config and, for each volume, an empty one of"
    .. " the same size.",
  effect = "write",
  cost = "a running machine and its volumes are billed.",
  calls = tbl.flatten({
    {
      "machines.get", "volumes.get", "volumes.create_once",
      "volumes.destroy_once", "machines.create_once",
    },
    place.CALLS,
  }),
  run = function(ctx, args)
    local ok, unknown = place.check(ctx, args.region)
    if not ok then
      return nil, unknown
    end
    local read, e = config.read(ctx, args)
    if not read then
      return nil, e
    end
    local region = args.region or read.machine.region
    local made, changes, why = copy_volumes(ctx, args, read, region)
    local text
    if changes then
      text, why = json.edit(read.text, changes)
    end
    local machine
    if text then
      machine, why = launch(ctx, {
        app = args.app, config = json.raw(text), region = region,
        guest = tbl.get(read.machine, "config.guest"), name = args.name,
        no_start = args.no_start, no_wait = args.no_wait,
      })
    end
    if not machine then
      discard(ctx, args.app, made, why)
      return nil, why
    end
    return machine
  end,
  params = {
    APP,
    { "id", "machine", "id of the machine to copy", required = true, pos = 1 },
    { "region", "region", "region of the copy; the same unless told" },
    { "name", "name", "name of the copy" },
    { "no_start", "boolean", "create it without starting it" },
    NO_WAIT,
  },
  returns = "machine",
  columns = COLUMNS,
  produces = { id = "id" },
  undo = { op = "machines.destroy", args = { app = "{app}", id = "{id}" } },
  cli = { "clone" },
  examples = { "clone 1234abcd --region fra --app my-app" },
}
