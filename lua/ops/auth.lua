--- Who the token in use speaks for.
--- Rows, which are data: nothing here runs.

local op = require "opkit.op"
local resource = require "opkit.resource"

resource {
  id = "auth",
  title = "Authentication",
}

op {
  id = "auth.whoami",
  title = "Show who the token in use belongs to",
  effect = "read",
  gql = [[
    query CurrentUser { viewer { kind: __typename email name } }
  ]],
  item = "viewer",
  returns = "viewer",
  columns = {
    { "EMAIL", "email" },
    { "NAME", "name" },
    { "KIND", "kind" },
  },
  examples = { "auth whoami" },
}
