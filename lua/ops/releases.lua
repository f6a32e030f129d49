--- Releases: what was deployed to an app, and when.

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
