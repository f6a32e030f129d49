--- What takes several calls: reads over all organizations, or over all apps of
--- one where its own listing is refused; waiting until something is so.
--- Waits in the injected context only; everything comes from there.

local err = require "base.err"
local kinds = require "base.json.kinds"
local str = require "base.str"
local tbl = require "base.tbl"

local M = {}

--- Asks for the largest pages there are: a list of a thousand is one request.
---@param most integer the API's limit
---@return table parameter
function M.page_size(most)
  return {
    "limit", "integer", "items asked for at a time", default = most, min = 1, max = most,
    hidden = true,
  }
end

--- The parameter of what makes credentials: where they go.
---@param what string
---@return table parameter
function M.out(what)
  return { "out", "file", ("new file for %s, which only you can read"):format(what),
    only = "cli" }
end

--- Whether an error says "not you" or "not here" rather than "not now".
---@param e err.Record
---@return boolean
function M.is_refusal(e)
  return e.kind == "forbidden" or e.kind == "not_found"
    or e.status == 405 or e.status == 501
end

-- The names of what was listed; what has none cannot be asked about, and is told.
local function named(ctx, list, field, noun)
  local names = {}
  for _, item in ipairs(list) do
    names[#names + 1] = item[field] ~= "" and item[field] or nil
  end
  if #names < #list then
    ctx.notice(("left out %s without a %s"):format(str.count(#list - #names, noun), field))
  end
  return names
end

--- Slugs of the organizations to look at: the one asked for, or all visible.
---@async
---@param ctx op.Context
---@param args { org: string? }
---@return string[]? slugs
---@return err.Record?
function M.orgs(ctx, args)
  local wanted = args.org or ctx.org
  if wanted and wanted ~= "" then
    return { wanted }
  end
  local list, e = ctx.call("orgs.list_all", {})
  return list and named(ctx, list, "slug", "organization"), e
end

--- The one organization something new belongs to: the one asked for, or the
--- only one there is.
---@async
---@param ctx op.Context
---@param args { org: string? }
---@return string? slug
---@return err.Record?
function M.one_org(ctx, args)
  local slugs, e = M.orgs(ctx, args)
  if not slugs then
    return nil, e
  elseif #slugs == 1 then
    return slugs[1]
  end
  return nil, err.new({
    kind = "usage",
    message = ("which organization? there are %s"):format(str.join(slugs)),
    hint = "give --org SLUG",
  })
end

--- That organization with its node id, which GraphQL's mutations want. Calls
--- orgs.list_all and orgs.get.
---@async
---@param ctx op.Context
---@param args { org: string? }
---@return table? org
---@return err.Record?
function M.one_org_node(ctx, args)
  local slug, e = M.one_org(ctx, args)
  if not slug then
    return nil, e
  end
  return ctx.call("orgs.get", { org = slug })
end

--- An error of something that was asked for and may be there all the same: its
--- hint is where to look before asking again.
---@param e err.Record
---@param look string command line without the program's name
---@return err.Record
function M.may_exist(e, look)
  local is_open = e.kind == "timeout" or e.kind == "network" or e.kind == "server"
  if is_open and e.sent ~= false then
    e.hint = "it may have been made all the same, look first: clanker fly " .. look
  end
  return e
end

--- Why there is nothing of an app yet, when that is so: it is pending.
---@async
---@param ctx op.Context its row calls "apps.get"
---@param name string
---@return err.Record?
function M.pending(ctx, name)
  local app = ctx.call("apps.get", { app = name })
  return app and app.status == "pending" and err.new({
    kind = "conflict",
    message = ("app %s is pending: it has no machines yet"):format(name),
    hint = "deploy it: clanker fly deploy --app " .. name,
  }) or nil
end

--- An error about a region, with the regions there are as its hint.
---@async
---@param ctx op.Context
---@param e err.Record
---@param feature string? field of a region that must be true
---@return err.Record
function M.with_regions(ctx, e, feature)
  local is_about = e.message:lower():find("region", 1, true)
  local list = is_about and ctx.call("regions.list_all", {})
  if not list then
    return e
  end
  list = tbl.filter(list, function(region)
    return not region.deprecated and (not feature or region[feature])
  end)
  local codes = tbl.map(list, function(region)
    return region.code
  end)
  table.sort(codes)
  e.hint = "the regions for it are " .. str.join(codes)
  e.kind = e.kind == "error" and "invalid" or e.kind
  return e
end

--- Whether there is such a region, before something is begun that could only
--- fail. A token that may not list regions finds out later.
---@async
---@param ctx op.Context its row calls "regions.list_all"
---@param code string? nil is fine
---@return true?
---@return err.Record?
function M.known_region(ctx, code)
  local codes = {}
  local found = not code
  local listed, e = true, nil
  if code then
    listed, e = ctx.call("regions.list_all", {}, {
      each = function(region)
        codes[#codes + 1] = region.code
        -- One without its code may be the one meant.
        found = found or region.code == nil or region.code == code
      end,
    })
  end
  if found or (not listed and M.is_refusal(e)) then
    return true
  elseif not listed then
    return nil, e
  end
  local near = str.did_you_mean(code, codes)
  return nil, err.new({
    kind = "usage", message = "there is no region " .. code,
    hint = (near and ("did you mean %s? "):format(near) or "")
      .. "clanker fly list regions shows them",
  })
end

--- Looks again and again until there is something to see.
---@async
---@generic T
---@param ctx op.Context
---@param opts { seconds: number, pause: number, what: string } `what` has not
--- become so when the time is up
---@param look fun(): T?, err.Record? nil alone: not yet
---@return T?
---@return err.Record?
function M.poll(ctx, opts, look)
  local deadline = ctx.now() + opts.seconds
  while true do
    local found, e = look()
    if found ~= nil or e then
      return found, e
    elseif ctx.now() + opts.pause > deadline then
      return nil, err.new({
        kind = "timeout", code = "ETIMEDOUT",
        message = ("%s within %d s"):format(opts.what, opts.seconds),
        hint = "it may still get there; look again later",
      })
    end
    ctx.sleep(opts.pause)
  end
end

--- A list operation's items, each through `keep` (which may change it, or
--- return nil to leave it out).
---@async
---@param ctx op.Context
---@param id string
---@param args table
---@param keep fun(item: table): table?
---@return table[]?
---@return err.Record?
function M.collect(ctx, id, args, keep)
  local kept = kinds.array()
  local count, e = ctx.call(id, args, {
    each = function(item)
      kept[#kept + 1] = keep(item)
    end,
  })
  if not count then
    return nil, e
  end
  return kept
end

--- The same, but handed on as they come when the caller takes them so; then
--- the list is empty.
---@async
---@param ctx op.Context
---@param id string
---@param args table
---@param keep fun(item: table): table?
---@return table[]?
---@return err.Record?
function M.items(ctx, id, args, keep)
  if not ctx.each then
    return M.collect(ctx, id, args, keep)
  end
  local count, e = ctx.call(id, args, {
    each = function(item)
      item = keep(item)
      if item then
        return ctx.each(item)
      end
    end,
  })
  if not count then
    return nil, e
  end
  return kinds.array()
end

--- Items over several organizations at the same time, one list. What the token
--- may not see in one of several is told and left out; any other failure, or
--- none left, fails the whole.
---@async
---@param ctx op.Context
---@param slugs string[]
---@param fn fun(slug: string): table[]?, err.Record?
---@return table[]?
---@return err.Record?
function M.over_orgs(ctx, slugs, fn)
  local refused = 0
  local lists, e = ctx.map(slugs, function(slug)
    local items, why = fn(slug)
    if items then
      return items
    elseif #slugs == 1 or not M.is_refusal(why) then
      return nil, #slugs > 1 and err.wrap(why, "organization " .. slug) or why
    end
    refused = refused + 1
    ctx.notice(("left out organization %s: %s"):format(slug, why.message))
    return {}
  end)
  if not lists then
    return nil, e
  elseif refused > 0 and refused == #slugs then
    return nil, err.new({
      kind = "forbidden",
      message = "none of the organizations may be listed with this token",
      hint = "the token's scope is narrow: one of an app sees that app only, so name it with"
        .. " --app, or use a token of the organization or of yours",
    })
  end
  return kinds.array(tbl.flatten(lists))
end

--- The items of an operation that lists one organization, over all in reach;
--- each gets its organization's slug as `org`.
---@async
---@param ctx op.Context
---@param args { org: string? }
---@param id string takes `org`
---@param take (fun(ctx, id, args, keep): table[]?, err.Record?)? `M.items`
--- unless told
---@return table[]?
---@return err.Record?
function M.list_orgs(ctx, args, id, take)
  local slugs, e = M.orgs(ctx, args)
  if not slugs then
    return nil, e
  end
  return M.over_orgs(ctx, slugs, function(slug)
    return (take or M.items)(ctx, id, { org = slug }, function(item)
      item.org = slug
      return item
    end)
  end)
end

-- What an organization's own listing and the per-app one are called.
---@class ops.Listing
---@field org string id of the operation over an organization
---@field app string id of the operation over an app
---@field counted string field of an app that counts its items

-- The items of all apps of an organization, an app at a time.
local function by_app(ctx, listing, slug, filters, keep)
  local apps, e = ctx.call("apps.list_org", { org = slug })
  if not apps then
    return nil, e
  end
  apps = tbl.filter(apps, function(app)
    return app[listing.counted] ~= 0
  end)
  local lists, why = ctx.map(named(ctx, apps, "name", "app"), function(app)
    local args = tbl.merge(filters, { app = app })
    local items, failed = M.items(ctx, listing.app, args, function(item)
      item.app = app
      return keep(item)
    end)
    -- An app deleted since it was listed has nothing to list.
    if not items and failed.kind == "not_found" then
      return {}
    end
    return items, failed and err.wrap(failed, "app " .. app)
  end)
  if not lists then
    return nil, why
  end
  return tbl.flatten(lists)
end

--- The items of one app, or of all apps of the organizations in reach. An
--- organization's listing is one call; where it is refused, one call per app.
--- Every item gets its app's name as `app`.
---@async
---@param ctx op.Context
---@param args { app: string?, org: string? }
---@param listing ops.Listing
---@param filters table arguments both listings take
---@param keep fun(item: table): table?
---@return table[]?
---@return err.Record?
function M.app_or_orgs(ctx, args, listing, filters, keep)
  if args.app then
    local one = tbl.merge(filters, { app = args.app })
    return M.items(ctx, listing.app, one, function(item)
      item.app = args.app
      return keep(item)
    end)
  end
  local slugs, e = M.orgs(ctx, args)
  if not slugs then
    return nil, e
  end
  return M.over_orgs(ctx, slugs, function(slug)
    local refusal = "refused " .. listing.org .. " " .. slug
    if ctx.memo[refusal] then
      return by_app(ctx, listing, slug, filters, keep)
    end
    local all = tbl.merge(filters, { org = slug })
    local items, why = M.items(ctx, listing.org, all, function(item)
      item.app = item.app_name
      return keep(item)
    end)
    if not items and M.is_refusal(why) then
      ctx.memo[refusal] = true
      return by_app(ctx, listing, slug, filters, keep)
    end
    return items, why
  end)
end

return M
