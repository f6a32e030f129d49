--- Releases: what was deployed to an app, and when.
--- Rows; what they run waits, and reaches others through its context only.

local err = require "base.err"
local flow = require "ops.flow"
local flow_release = require "ops.flow_release"
local op = require "opkit.op"
local resource = require "opkit.resource"
local tbl = require "base.tbl"

resource {
  id = "releases",
  singular = "release",
  title = "Releases",
}

op {
  id = "releases.list",
  title = "List releases",
  doc = "Newest first. The Machines API has no releases: they are read over GraphQL.",
  effect = "read",
  gql = [[
    query Releases($name: String!, $first: Int = 25, $after: String) {
      app(name: $name) {
        releases: releasesUnprocessed(first: $first, after: $after) {
          nodes {
            id version status stable reason description
            image: imageRef created_at: createdAt user { email }
          }
          pageInfo { hasNextPage endCursor }
        }
      }
    }
  ]],
  items = "app.releases.nodes",
  page = "graphql",
  params = {
    { "app", "app", "name of the app", required = true, at = "var.name" },
  },
  returns = { list = "release" },
  columns = {
    { "VERSION", "version", format = "number" },
    { "STATUS", "status", format = "state" },
    { "STABLE", "stable", format = "boolean", priority = 4, wide = true },
    { "REASON", "reason", priority = 4, wide = true },
    { "DESCRIPTION", "description", priority = 3 },
    { "USER", "user.email", priority = 3 },
    { "IMAGE", "image", priority = 5 },
    { "CREATED", "created_at", format = "ago" },
  },
  examples = { "list releases --app my-app" },
}

local SEE = "its releases: clanker fly list releases --app "

op {
  id = "releases.get",
  title = "Show a release",
  doc = "Without a version: the newest.",
  effect = "read",
  calls = { "releases.list" },
  run = function(ctx, args)
    local found
    local count, e = ctx.call("releases.list", { app = args.app }, {
      each = function(release)
        if not args.version or release.version == args.version then
          found = release
          return false
        end
      end,
    })
    if found or not count then
      return found, e
    end
    return nil, err.new({
      kind = "not_found",
      message = args.version
        and ("app %s has no release %d"):format(args.app, args.version)
        or ("app %s was never released"):format(args.app),
      hint = args.version and SEE .. args.app
        or "deploy it: clanker fly deploy --app " .. args.app,
    })
  end,
  params = {
    { "app", "app", "name of the app", required = true },
    { "version", "release", "number of the release", pos = 1 },
  },
  returns = "release",
  columns = {
    { "VERSION", "version", format = "number" },
    { "STATUS", "status", format = "state" },
    { "STABLE", "stable", format = "boolean" },
    { "REASON", "reason" },
    { "DESCRIPTION", "description" },
    { "USER", "user.email" },
    { "IMAGE", "image" },
    { "CREATED", "created_at", format = "ago" },
    { "ID", "id" },
  },
  examples = { "get release --app my-app", "get release 3 --app my-app" },
}

op {
  id = "releases.current",
  hidden = true,
  title = "Show the release that runs, if there is one",
  effect = "read",
  gql = [[
    query CurrentRelease($name: String!) {
      app(name: $name) {
        release: currentReleaseUnprocessed {
          id version status stable image: imageRef created_at: createdAt
        }
      }
    }
  ]],
  item = "app",
  params = {
    { "app", "app", "name of the app", required = true, at = "var.name" },
  },
  returns = { object = { release = "release?" } },
}

local function refuse(message, hint)
  return nil, err.new({ kind = "not_found", message = message, hint = hint })
end

local function is_good(release)
  return (release.stable or release.status == "complete")
    and (release.image or "") ~= ""
end

-- The release to go back to: the one named, or the newest good one before the
-- newest of all. With it comes the version of the newest; without, the error.
local function find_earlier(ctx, args)
  local newest, found
  local count, e = ctx.call("releases.list", { app = args.app }, {
    each = function(release)
      if args.version then
        found = release.version == args.version and release or nil
      elseif newest and is_good(release) and release.image ~= newest.image then
        found = release
      end
      newest = newest or release
      return not found
    end,
  })
  if found then
    return found, newest.version
  elseif not count then
    return nil, e
  elseif args.version then
    return refuse(("app %s has no release %d"):format(args.app, args.version),
      SEE .. args.app)
  end
  return nil, flow.pending(ctx, args.app)
    or err.new({
      kind = "not_found",
      message = ("app %s has no earlier release to go back to"):format(args.app),
      hint = SEE .. args.app,
    })
end

op {
  id = "releases.rollback",
  title = "Deploy the image of an earlier release again",
  doc = [[
    Without a version: the newest earlier one that was good. Config, secrets
    and volumes stay as they are now; very old images may be gone.
  ]],
  effect = "write",
  calls = tbl.flatten({ { "releases.list", "apps.get" }, flow_release.CALLS }),
  run = function(ctx, args)
    local release, newest = find_earlier(ctx, args)
    if not release then
      return nil, newest
    elseif (release.image or "") == "" then
      return refuse(("release %d of app %s has no image"):format(
        release.version, args.app), SEE .. args.app)
    end
    ctx.notice(("deploying release %d: %s"):format(release.version, release.image))
    return flow_release.image(ctx,
      { app = args.app, image = release.image, no_wait = args.no_wait }, newest)
  end,
  params = {
    { "app", "app", "name of the app", required = true },
    { "version", "release", "number of the release", pos = 1 },
    { "no_wait", "boolean", "do not wait until the machines run" },
  },
  cli = { "rollback" },
  examples = { "rollback --app my-app", "rollback 3 --app my-app" },
}
