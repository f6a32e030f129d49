--- Secrets of an app: names and digests; values are write-only.

local op = require "opkit.op"
local resource = require "opkit.resource"

resource {
  id = "secrets",
  singular = "secret",
  title = "Secrets",
  doc = "A secret is an environment variable whose value nobody can read back.",
}

op {
  id = "secrets.list",
  title = "List secrets",
  doc = "Shows names and digests; the API never shows a value.",
  effect = "read",
  http = { "GET", "/v1/apps/{app}/secrets" },
  limit = "app",
  items = "secrets",
  order = { "name" },
  params = {
    { "app", "app", "name of the app", required = true },
  },
  returns = { list = "secret" },
  columns = {
    { "NAME", "name" },
    { "DIGEST", "digest", format = "short" },
    { "UPDATED", "updated_at", format = "ago", priority = 2 },
    { "CREATED", "created_at", format = "ago", priority = 3 },
  },
  examples = { "list secrets --app my-app" },
}
