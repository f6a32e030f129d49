--- Types of machines and volumes, as far as GraphQL still has them.
--- Declarations.

local json = require "base.json"
local regions = require "sim.regions"
local types = require "sim.graphql.types"
local volumes = require "sim.volumes"

local member, paged = types.member, types.paged

local function app_of(ctx, record)
  return ctx.world:get("app", record.owner)
end

local function declare_machine(schema)
  schema:object("MachineIP", {
    id = "ID!", ip = "String!", family = "String!", kind = "String!",
    maskSize = "Int!",
  })
  schema:connection("MachineIP")
  schema:object("Machine", {
    id = "ID!", name = "String!", state = "String!", region = "String!",
    instanceId = { "String!", get = member("version") },
    app = { "App!", get = app_of },
    config = {
      "JSON!",
      get = function(_, machine)
        return json.raw(machine.config)
      end,
    },
    createdAt = { "ISO8601DateTime!", get = member("created_at") },
    updatedAt = { "ISO8601DateTime!", get = member("updated_at") },
    ips = paged("MachineIPConnection!", function(_, machine)
      return {
        {
          id = machine.id .. "/private", ip = machine.private_ip,
          family = "v6", kind = "privatenet", maskSize = 112,
        },
      }
    end),
  })
  schema:connection("Machine")
end

local function declare_volume(schema)
  schema:object("VolumeSnapshot", {
    id = "ID!", digest = "String!", size = "BigInt!",
    createdAt = { "ISO8601DateTime!", get = member("created_at") },
    retentionDays = { "Int", get = member("retention") },
  })
  schema:connection("VolumeSnapshot")
  schema:object("Volume", {
    id = "ID!", name = "String!", region = "String!", state = "String!",
    encrypted = "Boolean!",
    internalId = { "String!", get = member("id") },
    app = { "App!", get = app_of },
    attachedMachine = {
      "Machine",
      get = function(ctx, volume)
        local id = volume.attached_machine_id
        return id and ctx.world:get("machine", id) or nil
      end,
    },
    createdAt = { "ISO8601DateTime!", get = member("created_at") },
    sizeGb = { "Int!", get = member("size_gb") },
    snapshotRetentionDays = { "Int", get = member("snapshot_retention") },
    status = { "String!", get = member("state") },
    usedBytes = { "BigInt!", get = member("used_bytes") },
    snapshots = paged("VolumeSnapshotConnection!", function(ctx, volume)
      return volumes.snapshots(ctx.world, volume)
    end),
  })
  schema:connection("Volume")
end

---@param schema graphql.Schema
return function(schema)
  schema:object("Region", {
    code = "String!", name = "String!", deprecated = "Boolean!",
    latitude = "Float", longitude = "Float",
    gatewayAvailable = { "Boolean!", get = member("gateway") },
    requiresPaidPlan = {
      "Boolean!",
      get = function()
        return false
      end,
    },
  })
  schema:object("FlyPlatform", {
    regions = {
      "[Region!]!",
      get = function()
        return regions.ALL
      end,
    },
    requestRegion = {
      "String",
      get = function()
        return regions.NEAREST
      end,
    },
  })
  declare_machine(schema)
  declare_volume(schema)
end
