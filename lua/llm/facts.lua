--- What the built-in answerer knows of each noun: where its records come from,
--- their fields, and what may be asked of them. Waits only through ctx.

local columns = require "opkit.columns"
local fmt = require "base.fmt"
local registry = require "opkit.registry"
local tbl = require "base.tbl"

local M = {}

local MB = 1024 * 1024

---@class llm.Field a column of the answer's table
---@field [1] string key in the record
---@field [2] string title
---@field right boolean?
---@field show (fun(value: any, ctx: llm.Context): string)?

---@class llm.Noun
---@field singular string
---@field plural string
---@field sets string[] data its records are made of
---@field records fun(data: table<string, table[]>): table[]
---@field names string[] fields a word of the question may name, in this order
---@field beside table<string, true>? further nouns that its table shows
---@field has_regions boolean? its records are where their machines are: lists
--- `regions` and `running_regions`
---@field is_region boolean? its records are the regions themselves
---@field states table<string, fun(record: table): boolean>
---@field measures table<string, llm.Measure>
---@field columns llm.Field[]

---@class llm.Measure
---@field key string numeric field; sums of it make sense when `words` says so
---@field words string "memory": "has the most memory"
---@field show fun(value: number): string
---@field amount string? "%s of memory"; the default is that form
---@field is_allotted boolean? what is given, not what is used
---@field unit table<string, number>? what "mb" and "gb" are in this field

local function megabytes(value)
  return value and fmt.bytes(value * MB) or "-"
end

local function gigabytes(value)
  return value and fmt.bytes(value * 1024 * MB) or "-"
end

local function age(value, ctx)
  return type(value) == "string" and fmt.ago(ctx.now(), value) or "-"
end

local function text(value)
  return type(value) == "string" and value ~= "" and value or nil
end

local function number(value)
  return type(value) == "number" and value or nil
end

-- What an operation's own table shows of an item, so that answers and lists say
-- the same.
local function column_of(op, key)
  local row = registry.get(op)
  local view = tbl.find(row and columns.columns(row) or {}, function(view)
    return view.key == key
  end)
  return view and view.value or function() end
end

local function app_of(item)
  return text(item.app) or text(item.app_name)
end

local MEMORY = {
  key = "memory", words = "memory", show = megabytes,
  unit = { mb = 1, gb = 1024 }, is_allotted = true,
}

local CPU = {
  key = "cpus", words = "CPUs", show = tostring, amount = "%s CPUs",
  is_allotted = true,
}

local SIZE = {
  key = "size", words = "storage", show = gigabytes,
  unit = { mb = 1 / 1024, gb = 1 },
}

-- The operations behind the data; per_app ones are asked of every app.
---@type table<string, {op: string, per_app: boolean?}>
M.SETS = {
  apps = { op = "apps.list" },
  machines = { op = "machines.list" },
  volumes = { op = "volumes.list" },
  orgs = { op = "orgs.list" },
  regions = { op = "regions.list" },
  user = { op = "auth.whoami" },
  secrets = { op = "secrets.list", per_app = true },
  ips = { op = "ips.list", per_app = true },
  certs = { op = "certs.list", per_app = true },
  releases = { op = "releases.list", per_app = true },
}

local function machine_records(data)
  local size = column_of("machines.list", "size")
  local image = column_of("machines.list", "image")
  return tbl.map(data.machines, function(item)
    local guest = tbl.get(item, "config.guest")
    guest = type(guest) == "table" and guest or {}
    return {
      name = text(item.name) or text(item.id) or "?",
      id = text(item.id), app = app_of(item), region = text(item.region),
      state = text(item.state), memory = number(guest.memory_mb),
      cpus = number(guest.cpus), kind = text(size(item)),
      image = text(image(item)), created = text(item.created_at),
    }
  end)
end

local function in_state(wanted)
  return function(record)
    return record.state == wanted
  end
end

local function distinct(list, key)
  local set = {}
  for _, record in ipairs(list) do
    if record[key] then
      set[record[key]] = true
    end
  end
  return tbl.keys(set)
end

local function app_records(data)
  local machines = machine_records(data)
  return tbl.map(data.apps, function(item)
    local name = text(item.name) or "?"
    local own = tbl.filter(machines, function(machine)
      return machine.app == name
    end)
    local running = tbl.filter(own, in_state("started"))
    return {
      name = name, id = name, app = name,
      org = text(tbl.get(item, "organization.slug")) or text(item.org_slug),
      state = text(item.status), machines = #own, running = #running,
      running_of = ("%d of %d"):format(#running, #own),
      regions = distinct(own, "region"),
      running_regions = distinct(running, "region"),
    }
  end)
end

local function volume_records(data)
  return tbl.map(data.volumes, function(item)
    return {
      name = text(item.name) or text(item.id) or "?",
      id = text(item.id), app = app_of(item), region = text(item.region),
      size = number(item.size_gb), state = text(item.state),
      machine = text(item.attached_machine_id), created = text(item.created_at),
      is_encrypted = item.encrypted == true,
    }
  end)
end

local function plain_records(set, fields)
  return function(data)
    return tbl.map(data[set], function(item)
      local record = {}
      for key, path in pairs(fields) do
        local value = tbl.get(item, path)
        record[key] = type(value) ~= "table" and value or nil
      end
      record.name = text(record.name) or "?"
      record.app = app_of(item)
      return record
    end)
  end
end

local function release_records(data)
  return tbl.map(data.releases, function(item)
    local version = number(item.version)
    return {
      name = version and ("v%d"):format(version) or "?", app = app_of(item),
      version = version, state = text(item.status),
      created = text(item.created_at) or text(item.createdAt),
      user = text(tbl.get(item, "user.email")),
      image = text(item.image_ref) or text(item.imageRef) or text(item.image),
    }
  end)
end

local function ip_records(data)
  local kind = column_of("ips.list", "type")
  return tbl.map(data.ips, function(item)
    return {
      name = text(item.ip) or "?", app = app_of(item), type = text(kind(item)),
      region = text(item.region),
    }
  end)
end

local function is_ready(record)
  return record.is_configured == true or record.state == "ready"
    or record.state == "active" or record.state == "issued"
end

---@type table<string, llm.Noun>
M.NOUNS = {
  app = {
    singular = "app", plural = "apps", sets = { "apps", "machines" }, records = app_records,
    names = { "name", "org" }, has_regions = true,
    beside = { region = true, org = true, machine = true },
    states = {
      running = function(record)
        return record.running > 0
      end,
      stopped = function(record)
        return record.running == 0
      end,
      suspended = in_state("suspended"),
    },
    measures = {},
    columns = {
      { "name", "APP" }, { "regions", "REGIONS" },
      { "running_of", "MACHINES RUNNING" }, { "org", "ORG" },
    },
  },
  machine = {
    singular = "machine", plural = "machines", sets = { "machines" }, records = machine_records,
    names = { "id", "name", "app", "region", "state", "image" },
    beside = { app = true, region = true },
    states = {
      running = in_state("started"), stopped = in_state("stopped"),
      suspended = in_state("suspended"), failed = in_state("failed"),
      created = in_state("created"),
    },
    measures = { memory = MEMORY, cpu = CPU, size = MEMORY },
    columns = {
      { "name", "MACHINE" }, { "app", "APP" }, { "region", "REGION" },
      { "state", "STATE" }, { "memory", "MEMORY", right = true, show = megabytes },
      { "kind", "SIZE" }, { "id", "ID" },
    },
  },
  volume = {
    singular = "volume", plural = "volumes", sets = { "volumes" }, records = volume_records,
    names = { "id", "name", "app", "region", "machine" },
    beside = { app = true, region = true, machine = true },
    states = {
      unattached = function(record)
        return record.machine == nil
      end,
      attached = function(record)
        return record.machine ~= nil
      end,
      encrypted = function(record)
        return record.is_encrypted
      end,
    },
    measures = { size = SIZE, storage = SIZE },
    columns = {
      { "id", "VOLUME" }, { "name", "NAME" }, { "app", "APP" },
      { "region", "REGION" }, { "size", "SIZE", right = true, show = gigabytes },
      { "machine", "ATTACHED TO" }, { "state", "STATE" },
    },
  },
  region = {
    singular = "region", plural = "regions", sets = { "regions" }, is_region = true,
    records = plain_records("regions",
      { name = "code", title = "name", region = "code" }),
    names = { "name", "title", "region" }, states = {}, measures = {},
    columns = { { "name", "REGION" }, { "title", "NAME" } },
  },
  org = {
    singular = "organization", plural = "organizations",
    sets = { "orgs" },
    records = plain_records("orgs",
      { name = "slug", title = "name", type = "type" }),
    names = { "name", "title" }, states = {}, measures = {},
    columns = { { "name", "ORG" }, { "title", "NAME" }, { "type", "TYPE" } },
  },
  secret = {
    singular = "secret", plural = "secrets", sets = { "apps", "secrets" },
    records = plain_records("secrets",
      { name = "name", digest = "digest", created = "created_at" }),
    names = { "app", "name" }, beside = { app = true }, states = {}, measures = {},
    columns = { { "name", "SECRET" }, { "app", "APP" }, { "digest", "DIGEST" } },
  },
  ip = {
    singular = "IP address", plural = "IP addresses",
    sets = { "apps", "ips" },
    records = ip_records,
    names = { "app", "name", "type", "region" },
    beside = { app = true, region = true }, states = {}, measures = {},
    columns = {
      { "name", "ADDRESS" }, { "app", "APP" }, { "type", "TYPE" },
      { "region", "REGION" },
    },
  },
  cert = {
    singular = "certificate", plural = "certificates",
    sets = { "apps", "certs" },
    records = plain_records("certs", {
      name = "hostname", state = "status", is_configured = "configured",
      created = "created_at",
    }),
    names = { "app", "name" }, beside = { app = true },
    states = { ready = is_ready }, measures = {},
    columns = {
      { "name", "HOSTNAME" }, { "app", "APP" }, { "state", "STATUS" },
    },
  },
  release = {
    singular = "release", plural = "releases", sets = { "apps", "releases" },
    records = release_records, names = { "app", "name" },
    beside = { app = true }, states = { failed = in_state("failed") }, measures = {},
    columns = {
      { "name", "RELEASE" }, { "app", "APP" }, { "state", "STATUS" },
      { "created", "CREATED", show = age }, { "image", "IMAGE" },
    },
  },
  user = {
    singular = "user", plural = "users", sets = { "user" },
    records = function(data)
      local item = data.user[1] or {}
      return { {
        name = text(item.email) or text(item.name) or "?",
        title = text(item.name), type = text(item.type),
      } }
    end,
    names = {}, states = {}, measures = {},
    columns = { { "name", "EMAIL" }, { "title", "NAME" } },
  },
}

return M
