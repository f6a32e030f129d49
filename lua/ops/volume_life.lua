--- The life of volumes: create, extend, fork, snapshot, destroy.
--- Rows; what they run waits, and reaches others through its context only.

local err = require "base.err"
local flow = require "ops.flow"
local op = require "opkit.op"
local place = require "ops.flow_place"
local states = require "ops.volume_state"
local tbl = require "base.tbl"

local TARGET = {
  { "app", "app", "app the volume belongs to", required = true },
  { "id", "volume", "id of the volume", required = true, pos = 1 },
}

-- Sizes there are, in GB.
local SMALLEST, LARGEST = 1, 500

local COST = "volumes are billed by the gigabyte provided, used or not."

local COLUMNS = {
  { "ID", "id" },
  { "NAME", "name" },
  { "STATE", "state", format = "state" },
  { "REGION", "region" },
  { "SIZE", "size_gb", format = "gigabytes" },
  { "ENCRYPTED", "encrypted", format = "boolean" },
}

op {
  id = "volumes.create_once",
  hidden = true,
  title = "Ask for a volume",
  effect = "write",
  http = { "POST", "/v1/apps/{app}/volumes" },
  limit = "app",
  params = {
    TARGET[1],
    { "name", "volume_name", "name of the volume", required = true },
    { "region", "region", "region of the volume", required = true },
    { "size_gb", "gigabytes", "size of the volume" },
    { "encrypted", "boolean", "encrypt it" },
    { "snapshot_retention", "integer", "days to keep snapshots" },
    { "require_unique_zone", "boolean", "apart from the app's other volumes" },
    { "snapshot", "name", "snapshot to restore", at = "body.snapshot_id" },
    { "source", "volume", "volume to copy", at = "body.source_volume_id" },
    { "guest", "json", "size of the machine that is to mount it",
      at = "body.compute" },
  },
  returns = "volume",
}

op {
  id = "volumes.extend_once",
  hidden = true,
  title = "Ask for a larger volume",
  effect = "write",
  http = { "PUT", "/v1/apps/{app}/volumes/{id}/extend" },
  limit = "app",
  params = {
    TARGET[1], { "id", "volume", "id of the volume", required = true },
    { "size_gb", "gigabytes", "its new size", required = true },
  },
  returns = {
    object = { volume = "volume", needs_restart = "boolean?" },
  },
}

op {
  id = "volumes.destroy_once",
  hidden = true,
  title = "Ask to destroy a volume",
  effect = "destroy",
  confirm = "Destroy volume {id} of app {app}?",
  http = { "DELETE", "/v1/apps/{app}/volumes/{id}" },
  limit = "app",
  params = { TARGET[1], { "id", "volume", "id of the volume", required = true } },
}

-- Seconds a volume is given to become usable.
local SECONDS = 300

-- Waits until a volume can be used, and is so as it was asked to be. A copy
-- whose data takes longer than that is usable all the same.
local function until_ready(ctx, app, volume, is_so)
  local last = volume
  local function look(now)
    last = now
    if states.is_leaving(now) then
      return nil, err.new({
        kind = "conflict",
        message = ("volume %s is %s: it was destroyed meanwhile"):format(
          now.id, now.state),
        hint = "those that are left: clanker fly list volumes --app " .. app,
      })
    end
    local is_ready = not states.is_coming(now) and not states.is_copying(now)
      and (not is_so or is_so(now))
    return is_ready and now or nil
  end
  local ready, e = look(volume)
  if not ready and not e then
    ready, e = flow.poll(ctx, {
      seconds = SECONDS, pause = 2,
      what = ("volume %s was not ready"):format(volume.id),
    }, function()
      local now, why = ctx.call("volumes.get", { app = app, id = volume.id })
      if not now then
        return nil, err.wrap(why, ("waiting for volume %s"):format(volume.id))
      end
      return look(now)
    end)
  end
  if e and e.kind == "timeout" and states.is_copying(last) then
    ctx.notice(("volume %s can be mounted while its data is still copied: keep the"
      .. " source until its state is created"):format(last.id))
    return last
  end
  return ready, e
end

local function create(ctx, args, no_wait, gigabytes)
  local volume, e = ctx.call("volumes.create_once", args)
  if not volume then
    if e.kind == "not_found" and args.snapshot then
      e.hint = "see which there are: clanker fly volumes snapshots VOLUME --app " .. args.app
    end
    return nil, place.suggest(ctx, flow.may_exist(e, "list volumes --app " .. args.app), {
      app = args.app, region = args.region, gigabytes = gigabytes,
      volume = args.name,
    })
  elseif no_wait then
    return volume
  end
  return until_ready(ctx, args.app, volume)
end

op {
  id = "volumes.create",
  title = "Create a volume",
  effect = "write",
  cost = COST,
  calls = tbl.flatten({ { "volumes.create_once", "volumes.get" }, place.CALLS }),
  run = function(ctx, args)
    if args.snapshot and not args.size_gb then
      return nil, err.new({
        kind = "usage",
        message = "how large shall it be? as large as the volume of the snapshot, or"
          .. " larger",
        hint = "give --size-gb N",
      })
    end
    local ok, unknown = place.check(ctx, args.region)
    if not ok then
      return nil, unknown
    end
    return create(ctx, {
      app = args.app, name = args.name, region = args.region,
      size_gb = args.size_gb or SMALLEST, encrypted = args.encrypted,
      snapshot_retention = args.snapshot_retention,
      require_unique_zone = args.require_unique_zone, snapshot = args.snapshot,
    }, args.no_wait, args.size_gb)
  end,
  params = {
    TARGET[1],
    { "name", "volume_name", "name of the volume", required = true },
    { "region", "region", "region of the volume", required = true },
    { "size_gb", "gigabytes", "size of the volume; 1 GB unless told", min = SMALLEST,
      max = LARGEST },
    { "encrypted", "boolean", "encrypt it", default = true },
    { "snapshot_retention", "integer", "days to keep snapshots", min = 1,
      max = 60 },
    { "require_unique_zone", "boolean",
      "on other hardware than the app's other volumes", default = true },
    { "snapshot", "name", "id of a snapshot to start from; then the size is needed" },
    { "no_wait", "boolean", "do not wait until it can be used" },
  },
  returns = "volume",
  columns = COLUMNS,
  produces = { id = "id" },
  undo = { op = "volumes.destroy", args = { app = "{app}", id = "{id}" } },
  examples = { "volumes create --app my-app --name data --region iad --size-gb 10" },
}

op {
  id = "volumes.extend",
  title = "Make a volume larger",
  doc = "A volume never shrinks: create a smaller one and copy the data.",
  effect = "write",
  cost = COST,
  calls = { "volumes.get", "volumes.extend_once" },
  run = function(ctx, args)
    local at = { app = args.app, id = args.id }
    local volume, e = ctx.call("volumes.get", at)
    if not volume then
      return nil, e
    elseif volume.size_gb and args.size_gb <= volume.size_gb then
      return nil, err.new({
        kind = "invalid",
        message = ("volume %s has %d GB already; it cannot shrink"):format(
          args.id, volume.size_gb),
        hint = ("ask for more than %d GB"):format(volume.size_gb),
      })
    end
    local reply
    reply, e = ctx.call("volumes.extend_once",
      { app = args.app, id = args.id, size_gb = args.size_gb })
    if not reply then
      return nil, e
    end
    local machine = states.machine_of(volume)
    if reply.needs_restart and machine then
      ctx.notice(("machine %s sees the new size after a restart: clanker fly restart"
        .. " machine %s --app %s"):format(machine, machine, args.app))
    end
    if args.no_wait then
      return reply.volume
    end
    if type(reply.volume) ~= "table" then
      return nil, err.new({
        kind = "protocol", message = "the answer does not hold the volume",
        hint = "look at it: clanker fly get volume " .. args.id .. " --app " .. args.app,
      })
    end
    return until_ready(ctx, args.app, reply.volume, function(now)
      return (now.size_gb or args.size_gb) >= args.size_gb
    end)
  end,
  params = {
    TARGET[1], TARGET[2],
    { "size_gb", "gigabytes", "its new size", required = true, min = SMALLEST,
      max = LARGEST },
    { "no_wait", "boolean", "do not wait until it can be used" },
  },
  returns = "volume",
  columns = COLUMNS,
  examples = { "volumes extend vol_1234 --size-gb 20 --app my-app" },
}

-- The size of the machine that mounts the source: the copy goes where another
-- such machine has room. Only a wish, so what fails is left out.
local function guest_of(ctx, app, source)
  local id = states.machine_of(source)
  local machine = id and ctx.call("machines.get", { app = app, id = id })
  return machine and tbl.get(machine, "config.guest")
end

op {
  id = "volumes.fork",
  title = "Copy a volume",
  doc = [[
    The copy has the data of this moment, on other hardware. It can be mounted
    before all of its data has arrived; this waits for the data, five minutes
    at most.
  ]],
  effect = "write",
  cost = COST,
  calls = tbl.flatten({
    { "volumes.get", "volumes.create_once", "machines.get" }, place.CALLS,
  }),
  run = function(ctx, args)
    local ok, unknown = place.check(ctx, args.region)
    if not ok then
      return nil, unknown
    end
    local source, e = ctx.call("volumes.get", { app = args.app, id = args.id })
    if not source then
      return nil, e
    elseif source.host_status and source.host_status ~= "ok" then
      return nil, err.new({
        kind = "conflict",
        message = ("the host of volume %s is %s"):format(args.id,
          source.host_status),
        hint = ("restore a snapshot instead: clanker fly volumes create --snapshot ID"
          .. " --app %s --name %s --region %s --size-gb %d"):format(args.app,
          source.name or "NAME", source.region or "REGION", source.size_gb or SMALLEST),
      })
    end
    return create(ctx, {
      app = args.app, name = args.name or source.name,
      region = args.region or source.region, source = args.id,
      require_unique_zone = true, guest = guest_of(ctx, args.app, source),
    }, args.no_wait, source.size_gb)
  end,
  params = {
    TARGET[1], TARGET[2],
    { "region", "region", "region of the copy; the same unless told" },
    { "name", "volume_name", "name of the copy; the same unless told" },
    { "no_wait", "boolean", "do not wait until it can be used" },
  },
  returns = "volume",
  columns = COLUMNS,
  produces = { id = "id" },
  undo = { op = "volumes.destroy", args = { app = "{app}", id = "{id}" } },
  examples = { "volumes fork vol_1234 --region fra --app my-app" },
}

op {
  id = "volumes.snapshot_once",
  hidden = true,
  title = "Ask for a snapshot of a volume",
  effect = "write",
  http = { "POST", "/v1/apps/{app}/volumes/{id}/snapshots" },
  limit = "app",
  params = { TARGET[1], { "id", "volume", "id of the volume", required = true } },
}

-- Takes a snapshot and waits until it is complete. The request does not name
-- it: it is the one that was not there before.
local function save(ctx, at)
  local before, e = ctx.call("volumes.snapshots", at)
  if not before then
    return nil, e
  end
  local known = tbl.set(tbl.map(before, function(snapshot)
    return snapshot.id
  end))
  local done
  done, e = ctx.call("volumes.snapshot_once", at)
  if not done then
    return nil, e
  end
  return flow.poll(ctx, {
    seconds = 900, pause = 5,
    what = ("the snapshot of volume %s was not complete"):format(at.id),
  }, function()
    local list, why = ctx.call("volumes.snapshots", at)
    local fresh = list and tbl.find(list, function(snapshot)
      return not known[snapshot.id]
    end)
    if fresh and (fresh.status == "failed" or fresh.status == "error") then
      return nil, err.new({
        kind = "server",
        message = ("snapshot %s of volume %s failed"):format(fresh.id, at.id),
        hint = ("try again: clanker fly volumes snapshots create %s --app %s"):format(
          at.id, at.app),
      })
    end
    return fresh and fresh.status == "created" and fresh or nil, why
  end)
end

op {
  id = "volumes.snapshots_create",
  title = "Take a snapshot of a volume",
  effect = "write",
  cost = "snapshots are billed by their size.",
  calls = { "volumes.snapshots", "volumes.snapshot_once" },
  run = function(ctx, args)
    local at = { app = args.app, id = args.id }
    if args.no_wait then
      return ctx.call("volumes.snapshot_once", at)
    end
    return save(ctx, at)
  end,
  params = {
    TARGET[1], TARGET[2],
    { "no_wait", "boolean", "do not wait until it is complete" },
  },
  returns = {
    object = {
      id = "string?", status = "string?", size = "integer?",
      created_at = "time?",
    },
  },
  columns = {
    { "ID", "id" },
    { "STATUS", "status", format = "state" },
    { "SIZE", "size", format = "bytes" },
    { "CREATED", "created_at", format = "ago" },
  },
  cli = { "volumes snapshots create", "volumes snapshots {id} create" },
  examples = { "volumes snapshots create vol_1234 --app my-app" },
}

-- The volume as it is when nothing but Fly can keep it from going; as gone when
-- it is not there any more.
local function until_gone(ctx, at, volume)
  return flow.poll(ctx, {
    seconds = 120, pause = 2, what = ("volume %s was not gone"):format(at.id),
  }, function()
    local now, e = ctx.call("volumes.get", at)
    if now then
      return states.is_leaving(now) and now or nil
    elseif e.kind == "not_found" then
      return tbl.merge(volume, { state = "destroyed" })
    end
    return nil, e
  end)
end

-- How what was saved comes back.
local function tell_saved(ctx, at, volume, snapshot)
  ctx.notice(("its data is in snapshot %s: clanker fly volumes create --snapshot %s"
    .. " --app %s --name %s --region %s --size-gb %d brings it back"):format(
    snapshot.id, snapshot.id, at.app, volume.name or "NAME", volume.region or "REGION",
    volume.size_gb or SMALLEST))
end

-- Why the volume cannot go.
local function mounted(args, volume)
  local machine = states.machine_of(volume)
  return machine and err.new({
    kind = "conflict",
    message = ("volume %s is mounted by machine %s"):format(volume.id, machine),
    hint = ("destroy that machine first: clanker fly destroy machine %s --app %s"):format(
      machine, args.app),
  }) or nil
end

op {
  id = "volumes.destroy",
  title = "Destroy a volume",
  doc = [[
    Its snapshots stay for as long as they are kept, so that a new volume can be
    made of one. Fly keeps the volume itself for a day, out of sight.
  ]],
  effect = "destroy",
  confirm = "Destroy volume {id} of app {app}? Its data is lost but for"
    .. " snapshots.",
  preview = "volumes.get",
  refuse = mounted,
  calls = {
    "volumes.get", "volumes.snapshots", "volumes.snapshot_once",
    "volumes.destroy_once",
  },
  run = function(ctx, args)
    local at = { app = args.app, id = args.id }
    local volume, e = ctx.call("volumes.get", at)
    if not volume then
      return nil, e
    elseif states.is_leaving(volume) then
      return volume
    end
    local refused = mounted(args, volume)
    if refused then
      return nil, refused
    elseif args.snapshot then
      local saved
      saved, e = save(ctx, at)
      if not saved then
        return nil, e
      end
      tell_saved(ctx, at, volume, saved)
    end
    local done
    done, e = ctx.call("volumes.destroy_once", at)
    if not done then
      return nil, e
    end
    return args.no_wait and tbl.merge(volume, done) or until_gone(ctx, at, volume)
  end,
  params = {
    TARGET[1], TARGET[2],
    { "snapshot", "boolean", "take a snapshot first" },
    { "no_wait", "boolean", "do not wait until it is gone" },
  },
  offer = { "snapshot", "Take a snapshot first?" },
  returns = "volume",
  columns = COLUMNS,
  examples = { "destroy volume vol_1234 --app my-app --snapshot" },
}
