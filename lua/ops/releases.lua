--- Releases: what was deployed to an app, and when.

local err = require "base.err"
local op = require "opkit.op"
local resource = require "opkit.resource"

resource {
  id = "releases",
  singular = "release",
  title = "Releases",
}

op {
  id = "releases.list",
  title = "List releases",
  doc = "Newest first.",
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
      hint = "list its releases with: list releases --app " .. args.app,
    })
  end,
  params = {
    { "app", "app", "name of the app", required = true },
    { "version", "integer", "number of the release", pos = 1, min = 1 },
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
