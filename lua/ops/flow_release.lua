--- Deploying an image again, until there is a release of it.
--- Waits in the injected context only.

local err = require "base.err"

local M = {}

--- What `image` calls; for a row's own list.
M.CALLS = { "deploy.image", "releases.current" }

-- States of a release that did not come about.
local FAILED = { failed = true, interrupted = true, dead = true }

-- What speaks against the release that runs now being the one asked for.
local function flaw(app, release, before)
  if not release or (release.version or 0) <= before then
    return ("flyctl ended well, but app %s has no release after %d"):format(app, before)
  elseif FAILED[release.status] then
    return ("release %d of app %s is %s"):format(release.version, app, release.status)
  end
end

--- Has flyctl deploy an image, which waits for its machines, and sees to it that
--- the app has a new release then.
---@async
---@param ctx op.Context
---@param args { app: string, image: string, no_wait: boolean? }
---@param before integer the newest release there was
---@return any reply flyctl's
---@return err.Record?
function M.image(ctx, args, before)
  local reply, e = ctx.call("deploy.image", args)
  if reply == nil or args.no_wait then
    return reply, e
  end
  local current, why = ctx.call("releases.current", { app = args.app })
  if not current then
    return nil, err.wrap(why, "looking at the new release")
  end
  local wrong = flaw(args.app, current.release, before)
  if wrong then
    return nil, err.new({
      kind = "server", message = wrong,
      hint = "its releases: clanker fly list releases --app " .. args.app,
    })
  end
  return reply
end

return M
