--- The life of volumes: create, extend, fork, snapshot, destroy.

local err = require "base.err"
local flow = require "ops.flow"
local op = require "opkit.op"
local place = require "ops.flow_place"
local tbl = require "base.tbl"

local TARGET = {
  { "app", "app", "app the volume belongs to", required = true },
  { "id", "volume", "id of the volume", required = true, pos = 1 },
}

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

-- States on the way to a usable volume.
local COMING = {
  creating = true, hydrating = true, pending_create = true, forking = true,
  restoring = true, extending = true,
}

-- Waits until a new volume can be used.
local function until_ready(ctx, app, volume)
  if not COMING[volume.state] then
    return volume
  end
  return flow.poll(ctx, {
    seconds = 300, pause = 2,
    what = ("volume %s was not ready"):format(volume.id),
  }, function()
    local now, e = ctx.call("volumes.get", { app = app, id = volume.id })
    if not now then
      return nil, e
    end
    return not COMING[now.state] and now or nil
  end)
end

local function create(ctx, args, no_wait)
  local volume, e = ctx.call("volumes.create_once", args)
  if not volume then
    return nil, place.suggest(ctx, e, { app = args.app, region = args.region })
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
    local ok, unknown = place.check(ctx, args.region)
    if not ok then
      return nil, unknown
    end
    return create(ctx, {
      app = args.app, name = args.name, region = args.region,
      size_gb = args.size_gb, encrypted = args.encrypted,
      snapshot_retention = args.snapshot_retention,
      require_unique_zone = args.require_unique_zone, snapshot = args.snapshot,
    }, args.no_wait)
  end,
  params = {
    TARGET[1],
    { "name", "volume_name", "name of the volume", required = true },
    { "region", "region", "region of the volume", required = true },
    { "size_gb", "gigabytes", "size of the volume", default = 1, min = 1,
      max = 500 },
    { "encrypted", "boolean", "encrypt it", default = true },
    { "snapshot_retention", "integer", "days to keep snapshots", min = 1,
      max = 60 },
    { "require_unique_zone", "boolean",
      "on other hardware than the app's other volumes", default = true },
    { "snapshot", "name", "id of a snapshot to start from" },
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
    if reply.needs_restart and volume.attached_machine_id then
      ctx.notice(("machine %s sees the new size after a restart"):format(
        volume.attached_machine_id))
    end
    return args.no_wait and reply.volume
      or until_ready(ctx, args.app, reply.volume)
  end,
  params = {
    TARGET[1], TARGET[2],
    { "size_gb", "gigabytes", "its new size", required = true, min = 1,
      max = 500 },
    { "no_wait", "boolean", "do not wait until it can be used" },
  },
  returns = "volume",
  columns = COLUMNS,
  examples = { "volumes extend vol_1234 --size-gb 20 --app my-app" },
}

op {
  id = "volumes.fork",
  title = "Copy a volume",
  doc = "The copy has the data of this moment, on other hardware.",
  effect = "write",
  cost = COST,
  calls = tbl.flatten({ { "volumes.get", "volumes.create_once" }, place.CALLS }),
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
        hint = "restore a snapshot instead: volumes create --snapshot ID",
      })
    end
    return create(ctx, {
      app = args.app, name = args.name or source.name,
      region = args.region or source.region, source = args.id,
      require_unique_zone = true,
    }, args.no_wait)
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

-- Takes a snapshot and waits until one is complete that was not before.
local function save(ctx, at)
  local function finished(known)
    return flow.collect(ctx, "volumes.snapshots", at, function(snapshot)
      return snapshot.status == "created" and not known[snapshot.id]
        and snapshot or nil
    end)
  end
  local before, e = finished({})
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
    local fresh, why = finished(known)
    return fresh and fresh[1], why
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

-- States of a volume that is on its way out.
local GOING = {
  scheduling_destroy = true, fork_cleanup = true, waiting_for_detach = true,
  pending_destroy = true, destroying = true, destroyed = true,
}

-- The volume is gone, or nothing can keep it from going.
local function until_gone(ctx, at)
  return flow.poll(ctx, {
    seconds = 120, pause = 2, what = ("volume %s was not gone"):format(at.id),
  }, function()
    local now, e = ctx.call("volumes.get", at)
    if now then
      return GOING[now.state]
    elseif e.kind == "not_found" then
      return true
    end
    return nil, e
  end)
end

op {
  id = "volumes.destroy",
  title = "Destroy a volume",
  effect = "destroy",
  confirm = "Destroy volume {id} of app {app}? Its data is lost but for"
    .. " snapshots.",
  preview = "volumes.get",
  calls = {
    "volumes.get", "volumes.snapshots", "volumes.snapshot_once",
    "volumes.destroy_once",
  },
  run = function(ctx, args)
    local at = { app = args.app, id = args.id }
    local volume, e = ctx.call("volumes.get", at)
    if not volume then
      return nil, e
    elseif (volume.attached_machine_id or "") ~= "" then
      return nil, err.new({
        kind = "conflict",
        message = ("volume %s is mounted by machine %s"):format(
          args.id, volume.attached_machine_id),
        hint = "destroy that machine first",
      })
    end
    if args.snapshot then
      local saved
      saved, e = save(ctx, at)
      if not saved then
        return nil, e
      end
    end
    local done
    done, e = ctx.call("volumes.destroy_once", at)
    if done and not args.no_wait then
      done, e = until_gone(ctx, at)
    end
    return done and volume, e
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
