--- Secrets of an app: names and digests; values are write-only.

local cells = require "ops.cells"
local config = require "ops.flow_config"
local flow_machine = require "ops.flow_machine"
local json = require "base.json"
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

-- { A = null, B = null }: how names are unset.
local function nulls(names)
  local values = {}
  for _, name in ipairs(names) do
    values[name] = json.null
  end
  return values
end

op {
  id = "secrets.unset",
  title = "Unset secrets",
  doc = [[
    They are gone from what machines get with their next deploy; deploy them
    with `secrets deploy`. Unsetting an unknown name is no error.
  ]],
  effect = "destroy",
  confirm = "Unset {names} of app {app}? The values cannot be read back.",
  http = { "POST", "/v1/apps/{app}/secrets" },
  limit = "app",
  params = {
    { "app", "app", "name of the app", required = true },
    { "names", "name", "names of the secrets", required = true, pos = 1,
      many = true, at = "body.values", wire = nulls },
  },
  returns = {
    object = { version = "integer?", secrets = { list = "secret", optional = true } },
  },
  idempotent = true,
  examples = { "secrets unset OLD_KEY --app my-app" },
}

op {
  id = "secrets.deploy",
  title = "Give an app's machines its secrets as they are now",
  doc = "Replaces the machines one after another unless told otherwise.",
  effect = "write",
  calls = { "machines.list_app", "machines.get", "machines.update_once" },
  run = function(ctx, args)
    local targets, e = flow_machine.targets(ctx, { app = args.app, all = true },
      { started = true, stopped = true, suspended = true })
    if not targets then
      return nil, e
    end
    return flow_machine.each(ctx, targets, args.parallel, function(target)
      return config.update(ctx, target, {
        always = true, args = { min_secrets_version = args.version },
        no_wait = args.no_wait,
        change = function(read)
          return read.text
        end,
      })
    end)
  end,
  params = {
    { "app", "app", "name of the app", required = true },
    { "version", "integer", "version of the secrets they must have", min = 1 },
    { "parallel", "integer", "how many at a time", default = 1, min = 1,
      max = 50 },
    { "no_wait", "boolean", "do not wait until they run" },
  },
  order = { "id" },
  returns = { list = "outcome" },
  columns = cells.OUTCOME,
  examples = { "secrets deploy --app my-app" },
}
