--- IP addresses of an app.
--- Rows; what they run waits, and reaches others through its context only.

local cells = require "ops.cells"
local err = require "base.err"
local flow = require "ops.flow"
local op = require "opkit.op"
local place = require "ops.flow_place"
local resource = require "opkit.resource"

resource {
  id = "ips",
  singular = "ip",
  title = "IP addresses",
}

op {
  id = "ips.list",
  title = "List IP addresses",
  effect = "read",
  http = { "GET", "/v1/apps/{app}/ip_assignments" },
  limit = "app",
  items = "ips",
  order = { "ip" },
  params = {
    { "app", "app", "name of the app", required = true },
  },
  returns = { list = "ip" },
  columns = {
    { "IP", "ip" },
    { "TYPE", cells.ip_type },
    { "REGION", "region", priority = 2 },
    { "SERVICE", "service_name", priority = 5, wide = true },
    { "NETWORK", "network.name", priority = 5, wide = true },
    { "CREATED", "created_at", format = "ago", priority = 4 },
  },
  examples = { "list ips --app my-app" },
}

-- What one asks for → what the API calls it.
local WIRE = {
  v4 = "v4", v6 = "v6", shared = "shared_v4", private = "private_v6",
}

-- What both of them take.
local ALLOCATION = {
  { "app", "app", "name of the app", required = true },
  { "type", "enum", "kind of address", required = true,
    values = { "v4", "v6", "shared", "private" },
    wire = function(value)
      return WIRE[value]
    end },
  { "region", "region", "region of the address; everywhere unless told" },
  { "network", "name", "network of a private address" },
  { "org", "org", "organization of that network", at = "body.org_slug" },
}

op {
  id = "ips.allocate_once",
  hidden = true,
  title = "Ask for an address",
  effect = "write",
  http = { "POST", "/v1/apps/{app}/ip_assignments" },
  limit = "app",
  params = ALLOCATION,
  returns = "ip",
}

op {
  id = "ips.allocate",
  title = "Allocate an IP address",
  doc = "A shared address is v4 and free; a private one is v6 and reachable in"
    .. " the organization's network only.",
  effect = "write",
  cost = "a v4 address of one's own is billed by the month; the others are free.",
  escalate = {
    { when = { type = "v4" }, effect = "write", why = "costs money",
      confirm = "Allocate a v4 address for app {app}? It is billed by the month;"
        .. " a shared one (--type shared) is free." },
  },
  calls = { "ips.allocate_once", "regions.list_all" },
  run = function(ctx, args)
    if args.network and args.type ~= "private" then
      return nil, err.new({
        kind = "usage", message = "only a private address is of a network",
        hint = "say --type private, or leave --network out",
      })
    end
    local ok, unknown = place.check(ctx, args.region)
    if not ok then
      return nil, unknown
    end
    local made, e = ctx.call("ips.allocate_once", args)
    return made, e and flow.may_exist(e, "list ips --app " .. args.app)
  end,
  params = ALLOCATION,
  returns = "ip",
  columns = {
    { "IP", "ip" },
    { "TYPE", cells.ip_type },
    { "REGION", "region" },
  },
  produces = { ip = "ip" },
  undo = { op = "ips.release", args = { app = "{app}", ip = "{ip}" } },
  examples = { "ips allocate --app my-app --type v6" },
}

op {
  id = "ips.release_once",
  hidden = true,
  title = "Release an address of an app",
  effect = "destroy",
  confirm = "Release {ip} from app {app}?",
  http = { "DELETE", "/v1/apps/{app}/ip_assignments/{ip}" },
  limit = "app",
  params = {
    { "app", "app", "name of the app", required = true },
    { "ip", "ip", "the address", required = true },
  },
}

op {
  id = "ips.find",
  hidden = true,
  title = "Show an address of an app",
  effect = "read",
  calls = { "ips.list" },
  run = function(ctx, args)
    local wanted = cells.address(args.ip)
    local found, e = flow.collect(ctx, "ips.list", { app = args.app }, function(item)
      return cells.address(item.ip) == wanted and item or nil
    end)
    if not found then
      return nil, e
    elseif #found == 0 then
      return nil, err.new({
        kind = "not_found",
        message = ("app %s has no address %s: nothing was released"):format(
          args.app, args.ip),
        hint = "its addresses: clanker fly list ips --app " .. args.app,
      })
    end
    return found[1]
  end,
  params = {
    { "app", "app", "name of the app", required = true },
    { "ip", "ip", "the address", required = true },
  },
  returns = "ip",
  columns = {
    { "IP", "ip" },
    { "TYPE", cells.ip_type },
    { "REGION", "region" },
    { "SERVICE", "service_name" },
    { "CREATED", "created_at", format = "ago" },
  },
}

op {
  id = "ips.release",
  title = "Release an IP address",
  doc = "Only an address of the app named: it is looked up there first.",
  effect = "destroy",
  confirm = "Release {ip} from app {app}? DNS records that name it will break,"
    .. " and somebody else may get it.",
  preview = "ips.find",
  calls = { "ips.find", "ips.release_once" },
  run = function(ctx, args)
    local found, e = ctx.call("ips.find", { app = args.app, ip = args.ip })
    if not found then
      return nil, e
    end
    local done
    done, e = ctx.call("ips.release_once", { app = args.app, ip = found.ip })
    return done and found, e
  end,
  params = {
    { "app", "app", "name of the app", required = true },
    { "ip", "ip", "the address", required = true, pos = 1 },
  },
  returns = "ip",
  columns = {
    { "IP", "ip" },
    { "TYPE", cells.ip_type },
    { "REGION", "region" },
  },
  examples = { "ips release 2001:db8:1::1:1 --app my-app" },
}
