--- Says what a change is about before it is made: "app my-app in org acme (from
--- --app)". Waits for one reply.

local tbl = require "base.tbl"
local terminal = require "cli.terminal"

local M = {}

-- Bytes of a fly.toml that are looked at.
local MOST = 1 << 20

-- Failures that the change itself would end with as well.
local FINAL = { not_found = true, auth = true, forbidden = true }

-- Where the command line has it from.
local function origin(call, name)
  local is_flag = call.parsed.globals[name] ~= nil or call.parsed.values[name] ~= nil
  return is_flag and "--" .. name or "the argument"
end

local function say(call, text, from)
  call.out:note(("%s (from %s)"):format(terminal.clean(text), from))
end

-- The one organization there is; nil where there are several, and one has to be
-- told, or where the token may not list them.
---@async
local function only_org(account)
  local orgs = account:call("orgs.list", {})
  return orgs and #orgs == 1 and orgs[1].slug or nil
end

-- The organization something new goes to, or the thing by its own name.
---@async
local function name_other(call, account)
  local row, args, settings = call.row, call.args, account.settings
  local first = row.positional[1]
  if row.param.org and type(args.org) == "string" then
    say(call, "org " .. args.org, origin(call, "org"))
    return
  elseif row.param.org and settings.org then
    say(call, "org " .. settings.org, settings.org_source or "settings")
    return
  end
  local org = row.param.org and only_org(account)
  if org then
    say(call, "org " .. org, "the token: its only one")
  elseif first and type(args[first.name]) == "string" then
    local resource = require("opkit.registry").resource(row.resource)
    say(call, ("%s %s"):format(resource.singular or resource.id, args[first.name]),
      origin(call, first.name))
  end
end

-- The app of the fly.toml that flyctl is going to read, and its path.
local function from_file(args)
  local fs = require "sys.fs"
  local path = args.fly_toml or (args.path or ".") .. "/fly.toml"
  local text = fs.read(path, MOST)
  return text and require("base.toml").top(text, "app"), path
end

-- The app that the call is about, and where that is known from.
local function app_of(call)
  local row, args = call.row, call.args
  if not row.param.app then
    return nil
  elseif type(args.app) == "string" then
    return args.app, origin(call, "app")
  elseif row.param.fly_toml then
    return from_file(args)
  end
end

--- Names the app, or else the organization or the thing, that the call is about.
--- An app that is not there is refused here, before anything else.
---@async
---@param call cli.Call
---@param account cli.Session
---@return true?
---@return err.Record?
function M.name(call, account)
  if call.row.effect == "read" then
    return true
  end
  local name, from = app_of(call)
  if not name then
    name_other(call, account)
    return true
  end
  local app, e = account:call("apps.get", { app = name })
  if not app and FINAL[e.kind] then
    return nil, e
  end
  local org = tbl.get(app or {}, "organization.slug")
  say(call, ("app %s%s"):format(name, org and " in org " .. org or ""), from)
  return true
end

return M
