--- Logs: what an app's machines wrote. A building block for now.

local op = require "opkit.op"
local resource = require "opkit.resource"

resource {
  id = "logs",
  title = "Logs",
}

op {
  id = "logs.page",
  hidden = true,
  title = "Read the next lines of an app's log",
  effect = "read",
  http = { "GET", "/api/v1/apps/{app}/logs" },
  api = "web",
  limit = "none",
  params = {
    { "app", "app", "name of the app", required = true },
    { "next_token", "text", "where the page before ended" },
    { "machine", "machine", "only lines of this machine", at = "query.instance" },
    { "region", "region", "only lines from this region" },
  },
  returns = {
    object = {
      data = { list = {
        object = {
          id = "string?",
          attributes = {
            object = {
              timestamp = "string?", message = "string?", level = "string?",
              instance = "string?", region = "string?", meta = "any?",
            },
          },
        },
      }, optional = true },
      meta = { object = { next_token = "any?" }, optional = true },
    },
  },
}
