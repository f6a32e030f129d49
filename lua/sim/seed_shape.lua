--- What a seed file may hold; a misspelt word in one is an error.
--- Data only.

local machine = require "sim.bodies.machine"
local ips = require "sim.ips"
local regions = require "sim.regions"
local secrets = require "sim.secrets"
local shape = require "sim.shape"
local states = require "sim.machine.states"
local tbl = require "base.tbl"
local tokens = require "sim.tokens"

local list, object, records, with = shape.list, shape.object, shape.records,
  shape.with

-- A text of a form that has a name.
local function form(spec, pattern, what)
  return with(spec, function(text)
    return not text:find(pattern) and ("%q is no %s"):format(text, what) or nil
  end)
end

-- One of the keys of a set.
local function one_of(spec, set)
  return with(spec, function(value)
    return not set[value] and ("%q is not one of %s"):format(value,
      table.concat(tbl.keys(set), ", ")) or nil
  end)
end

local function at_least(spec, low)
  return with(spec, function(number)
    return number < low and ("%s is less than %d"):format(number, low) or nil
  end)
end

local function region(spec)
  return with(spec, function(code)
    return not regions.get(code) and ("%q is no region"):format(code) or nil
  end)
end

-- Seconds; some centuries are enough.
local AGE = with("number", function(seconds)
  return (seconds < 0 or seconds > 1e10)
    and "an age is from 0 to 10000000000 seconds" or nil
end)

local TOKEN = with("string", tokens.check_secret)

local SECRETS = with(shape.map "string", function(values)
  for name in tbl.sorted(values) do
    if not secrets.check_name(name) then
      return ("%q is no name of a secret"):format(name)
    end
  end
end)

local app = object {
  name = form("string!", "^[a-z0-9][a-z0-9%-]*$", "name of an app"),
  org = "string!", age = AGE, network = "string", role = "string",
  volumes = records(object {
    name = form("string!", "^[a-z0-9_]+$", "name of a volume"),
    region = region "string!", size_gb = at_least("integer", 1),
    used_bytes = at_least("integer", 0), encrypted = "boolean", age = AGE,
    id = "string",
  }, "id"),
  machines = records(object {
    name = "string", region = region "string!", age = AGE,
    state = one_of("string", states.LASTING), id = "string",
    cordoned = "boolean", host_status = "string",
    config = shape.required(machine.config),
  }, "name"),
  ips = records(object {
    type = one_of("string!", ips.TYPES), region = "string", age = AGE,
    address = form("string", "^%x*[.:][%x.:]+$", "address"),
  }, "address"),
  secrets = SECRETS,
  certs = records(object {
    hostname = "string!", checked = "boolean", age = AGE,
  }),
  releases = records(object {
    image_ref = "string!", status = "string", stable = "boolean",
    strategy = "string", description = "string", age = AGE,
  }),
  logs = records(object {
    message = "string!", machine = "integer", level = "string", age = AGE,
  }),
}

local SLUG = "^[%w][%w%-]*$"

return object {
  token = TOKEN, seed = "integer", pace = at_least("number", 0),
  chatter = at_least("number", 1),
  users = with(records(object {
    id = "string!", email = "string!", name = "string",
  }, "id"), function(users)
    return #users == 0 and "an account has a user at least" or nil
  end),
  orgs = records(object {
    slug = form("string!", SLUG, "slug"), name = "string",
    raw_slug = form("string", SLUG, "slug"),
    type = shape.enum { "PERSONAL", "SHARED" },
    max_machines = at_least("integer", 0),
    members = records(object {
      user = "string!", role = shape.enum { "ADMIN", "MEMBER" },
    }, "user"),
  }),
  apps = records(app),
  addons = records(object {
    type = "string!", name = "string!", org = "string!", app = "string",
    region = region "string", plan = "string", age = AGE,
  }),
  postgres = records(object {
    name = "string!", org = "string!", region = region "string!",
    plan = "string!", disk_gb = at_least("integer", 1), age = AGE,
  }),
  peers = records(object {
    org = "string!", name = "string!", region = region "string",
    pubkey = form("string!", "^[%w+/]+=*$", "public key"),
  }),
  tokens = records(object {
    secret = TOKEN, name = "string!", app = "string", user = "string",
    profile = one_of("string!", tbl.merge(tokens.PROFILES, { user = true })), org = "string",
    readonly = "boolean",
  }),
  full_regions = list(region "string!"), foreign_apps = list "string!",
}
