--- Secrets of an app: names and digests; values are write-only.
--- Rows; what they run waits, and reaches others through its context only.

local flow = require "ops.flow"
local op = require "opkit.op"
local resource = require "opkit.resource"
local state = require "ops.secret_state"

resource {
  id = "secrets",
  singular = "secret",
  title = "Secrets",
  doc = "A secret is an environment variable whose value nobody can read back.",
}

local APP = { "app", "app", "name of the app", required = true }

op {
  id = "secrets.list_app",
  hidden = true,
  title = "List secrets as the API knows them",
  effect = "read",
  http = { "GET", "/v1/apps/{app}/secrets" },
  limit = "app",
  items = "secrets",
  params = { APP },
  returns = { list = "secret" },
}

-- When the versions of the app's machines were made; nil when that is unknown.
local function versions(ctx, app)
  local made, is_known = {}, true
  local count, e = ctx.call("machines.list_app", { app = app }, {
    each = function(machine)
      if state.is_lasting(machine) then
        made[#made + 1] = state.made_at(machine)
        is_known = is_known and state.made_at(machine) ~= nil
      end
    end,
  })
  if not count then
    ctx.notice("which secrets are deployed is not known: " .. e.message)
  end
  return count and is_known and made or nil
end

op {
  id = "secrets.list",
  title = "List secrets",
  doc = "Shows names and digests; the API never shows a value. A staged secret"
    .. " is one that machines get with the next deploy.",
  effect = "read",
  calls = { "secrets.list_app", "machines.list_app" },
  run = function(ctx, args)
    local made = versions(ctx, args.app)
    return flow.items(ctx, "secrets.list_app", { app = args.app }, function(item)
      item.status = made and state.status(item, made) or nil
      return item
    end)
  end,
  order = { "name" },
  params = { APP },
  returns = {
    list = {
      object = {
        name = "string", digest = "string?", status = "string?",
        created_at = "time?", updated_at = "time?",
      },
    },
  },
  columns = {
    { "NAME", "name" },
    { "DIGEST", "digest", format = "short" },
    { "STATUS", "status" },
    { "UPDATED", "updated_at", format = "ago", priority = 2 },
    { "CREATED", "created_at", format = "ago", priority = 3 },
  },
  examples = { "list secrets --app my-app" },
}
