--- Setting, unsetting and deploying secrets. Values are handles or texts on
--- their way in, and nothing ever brings them back.

local config = require "ops.flow_config"
local err = require "base.err"
local flow_machine = require "ops.flow_machine"
local json = require "base.json"
local kinds = require "base.json.kinds"
local op = require "opkit.op"
local state = require "ops.secret_state"
local str = require "base.str"
local tbl = require "base.tbl"

local APP = { "app", "app", "name of the app", required = true }

--- Bytes of values that flyctl is given at once.
local IMPORT_MAX = 900 * 1024

op {
  id = "secrets.update_once",
  hidden = true,
  title = "Stage values of secrets",
  effect = "write",
  http = { "POST", "/v1/apps/{app}/secrets" },
  limit = "app",
  idempotent = true,
  params = {
    APP,
    { "values", "secret_values", "values by name; null takes one away",
      required = true },
  },
}

op {
  id = "secrets.import_once",
  hidden = true,
  title = "Have flyctl set secrets",
  effect = "write",
  flyctl = {
    "secrets", "import", "--app={app}", { when = "stage", "--stage" },
    { when = "detach", "--detach" },
  },
  stdin = "text",
  timeout = 1800,
  params = {
    APP,
    { "text", "secret", "lines of names and values", required = true },
    { "stage", "boolean", "do not deploy them" },
    { "detach", "boolean", "do not wait for the machines" },
  },
}

-- Machines that a deploy of secrets is for.
local function targets(ctx, app)
  local found = {}
  local count, e = ctx.call("machines.list_app", { app = app }, {
    each = function(machine)
      if state.is_lasting(machine) then
        found[#found + 1] = { app = app, id = machine.id }
      end
    end,
  })
  if not count then
    return nil, e
  end
  return tbl.sort_by(found, function(target)
    return target.id
  end)
end

-- Every machine gets its own config again, and with it the secrets of at least
-- that version (the newest when it is not known).
local function deploy(ctx, list, version, args)
  return flow_machine.each(ctx, list, args.parallel, function(target)
    return config.update(ctx, target, {
      always = true, no_wait = args.no_wait,
      args = { min_secrets_version = version },
      change = function(read)
        return read.text
      end,
    })
  end)
end

-- Deploys what was staged as that version; an app without machines keeps it
-- staged for its first ones. What happened: "deployed" or "staged".
local function deploy_staged(ctx, args, version)
  if args.stage then
    return "staged"
  end
  local list, e = targets(ctx, args.app)
  if not list then
    return nil, e
  elseif #list == 0 then
    ctx.notice(("app %s has no machines: staged for its first ones"):format(
      args.app))
    return "staged"
  end
  local rows, failed = deploy(ctx, list, version, args)
  if not rows then
    failed.hint = failed.hint or ("the secrets are staged; go on with clanker fly"
      .. " secrets deploy --app " .. args.app)
    return nil, failed
  end
  return "deployed"
end

-- Values as handles, whoever gave them.
local function handles(ctx, values)
  local made = {}
  for name, value in pairs(values) do
    made[name] = type(value) == "string" and ctx.secret({ value }) or value
  end
  return made
end

-- Why flyctl cannot be given these values; nil when it can.
local function import_refusal(values)
  local size, unfit = 0, {}
  for name, value in tbl.sorted(values) do
    size = size + #name + value:len() + 8
    if not value:fits_import(name) then
      unfit[#unfit + 1] = name
    end
  end
  if #unfit > 0 then
    return ("flyctl cannot read the value of %s as it is"):format(
      str.join(unfit))
  elseif size > IMPORT_MAX then
    return ("flyctl takes at most %d KiB of values"):format(IMPORT_MAX // 1024)
  end
end

-- Which way the values go: "flyctl" where it is as good, else "api".
local function route(ctx, args, values)
  if args.via == "api" then
    return "api"
  end
  local ok, e = ctx.flyctl()
  local refusal = ok and import_refusal(values)
  if ok and not refusal then
    return "flyctl"
  elseif args.via == "flyctl" then
    return nil, e or err.new({
      kind = "usage", message = refusal,
      hint = "--via api sends any text",
    })
  end
  return "api"
end

local function import_text(ctx, values)
  local pieces = {}
  for name, value in tbl.sorted(values) do
    pieces[#pieces + 1] = name .. '="""'
    pieces[#pieces + 1] = value
    pieces[#pieces + 1] = '"""\n'
  end
  return ctx.secret(pieces)
end

-- flyctl passes over what it does not understand and says nothing.
local function check_there(ctx, app, values)
  local missing = tbl.copy(values)
  local count, e = ctx.call("secrets.list_app", { app = app }, {
    each = function(item)
      missing[item.name] = nil
    end,
  })
  if not count then
    return nil, e
  elseif next(missing) ~= nil then
    return nil, err.new({
      kind = "protocol",
      message = ("flyctl succeeded, but app %s has no secret %s"):format(app,
        str.join(tbl.keys(missing))),
      hint = "--via api sets them without flyctl",
    })
  end
  return true
end

local ROUTES = {}

-- flyctl deploys by itself: it alone knows which version it made.
function ROUTES.flyctl(ctx, args, values)
  local text <close> = import_text(ctx, values)
  local done, e = ctx.call("secrets.import_once", {
    app = args.app, text = text, stage = args.stage, detach = args.no_wait,
  })
  if done then
    done, e = check_there(ctx, args.app, values)
  end
  if not done then
    return nil, e
  end
  return args.stage and "staged" or "deployed"
end

-- What refuses a value may quote a part of it, which nothing masks.
local function unquoted(e, values)
  for _, value in pairs(values) do
    if value:shows_in(e.message) then
      e.message = ("the API refused the values%s; its words repeat a part of one"):format(
        e.status and (" with status %d"):format(e.status) or "")
      e.detail = nil
      break
    end
  end
  return e
end

function ROUTES.api(ctx, args, values)
  local reply, e = ctx.call("secrets.update_once",
    { app = args.app, values = values })
  if not reply then
    return nil, unquoted(e, values)
  end
  return deploy_staged(ctx, args, state.version_of(reply))
end

local function outcomes(names, outcome)
  return kinds.array(tbl.map(names, function(name)
    return { name = name, outcome = outcome }
  end))
end

local function after(more)
  return tbl.flatten({ more, {
    { "stage", "boolean", "only stage it: machines get it with the next deploy" },
    { "parallel", "integer", "machines updated at a time", default = 1, min = 1,
      max = 50 },
    { "no_wait", "boolean", "do not wait until the machines run again" },
  } })
end

local OUTCOME = {
  list = { object = { name = "string", outcome = "string" } },
}
local COLUMNS = { { "NAME", "name" }, { "OUTCOME", "outcome" } }

op {
  id = "secrets.set",
  title = "Set secrets",
  doc = [[
    NAME alone asks for the value without showing it, NAME=- and --from-stdin
    read it from standard input, byte for byte. NAME=VALUE is there too, but the
    shell keeps it and other users may see it.

    A file for --import has NAME=value lines: # begins a comment at the start of
    a line or after a blank; 'text' and """text""" are taken as they are, over
    several lines; "text" knows \n \r \t \" \\ \$. Nothing is expanded.

    The values go to flyctl on its standard input when it is there, its log
    directory is in memory and it can read them as they are; else to the API
    itself. Then every machine is updated, one after another, unless --stage.
    Only text can be a value: the API takes no bytes that are not UTF-8.
  ]],
  effect = "write",
  calls = tbl.flatten({ config.CALLS, {
    "secrets.update_once", "secrets.import_once", "secrets.list_app",
    "machines.list_app",
  } }),
  run = function(ctx, args)
    if not args.values or next(args.values) == nil then
      return nil, err.new({ kind = "usage", message = "there is no secret to set" })
    end
    local values = handles(ctx, args.values)
    local via, e = route(ctx, args, values)
    if not via then
      return nil, e
    end
    local outcome
    outcome, e = ROUTES[via](ctx, args, values)
    if not outcome then
      return nil, e
    end
    return outcomes(tbl.keys(values), outcome)
  end,
  params = after({
    APP,
    { "assignment", "assignment", "name and value; - is standard input, the bare"
      .. " name asks", pos = 1, many = true, only = "cli", at = "none" },
    { "from_stdin", "boolean", "the bare name's value is standard input",
      only = "cli" },
    { "from_file", "pairs", "name and the file that holds its value",
      metavar = "NAME=PATH", only = "cli" },
    { "import", "file", "file of NAME=value lines; - is standard input",
      only = "cli" },
    { "values", "secret_values", "values by name", hidden = true },
    { "via", "enum", "which way the values go", values = { "api", "flyctl" } },
  }),
  returns = OUTCOME,
  order = { "name" },
  columns = COLUMNS,
  examples = {
    "secrets set DATABASE_URL --app my-app",
    "secrets set --import .env --app my-app --stage",
    "secrets set --from-file TLS_KEY=key.pem --app my-app",
  },
}

-- Those of the names that are set. Unsetting others would restart machines for
-- nothing, so that is refused when there are no more.
local function known(ctx, args)
  local is_set, found = {}, {}
  local count, e = ctx.call("secrets.list_app", { app = args.app }, {
    each = function(item)
      if item.name then
        is_set[item.name] = true
      end
    end,
  })
  if not count then
    return nil, e
  end
  for _, name in ipairs(args.names) do
    if is_set[name] then
      found[#found + 1] = name
    else
      ctx.notice(("%s is not set"):format(name))
    end
  end
  if #found == 0 then
    return nil, err.new({
      kind = "not_found",
      message = ("app %s has no secret %s"):format(args.app,
        str.join(args.names, "or")),
      hint = "see clanker fly secrets list --app " .. args.app,
    })
  end
  return found
end

op {
  id = "secrets.unset",
  title = "Unset secrets",
  doc = "Then every machine is updated, one after another, unless --stage.",
  effect = "destroy",
  confirm = "Unset {names} of app {app}? Nobody can read the value back.",
  calls = tbl.flatten({ config.CALLS, {
    "secrets.list_app", "secrets.update_once", "machines.list_app",
  } }),
  run = function(ctx, args)
    local names, e = known(ctx, args)
    if not names then
      return nil, e
    end
    local values = {}
    for _, name in ipairs(names) do
      values[name] = json.null
    end
    local reply
    reply, e = ctx.call("secrets.update_once", { app = args.app, values = values })
    if not reply then
      return nil, e
    end
    local outcome
    outcome, e = deploy_staged(ctx, args, state.version_of(reply))
    if not outcome then
      return nil, e
    end
    return outcomes(names, outcome == "staged" and "removal staged" or "removed")
  end,
  params = after({
    APP,
    { "names", "secret_name", "names of the secrets", required = true, pos = 1,
      many = true },
  }),
  returns = OUTCOME,
  order = { "name" },
  columns = COLUMNS,
  examples = { "secrets unset OLD_KEY --app my-app" },
}

op {
  id = "secrets.deploy",
  title = "Give an app's machines its secrets as they are now",
  doc = "Updates the machines one after another unless told otherwise; their"
    .. " config stays as it is.",
  effect = "write",
  calls = tbl.flatten({ { "machines.list_app" }, config.CALLS }),
  run = function(ctx, args)
    local list, e = targets(ctx, args.app)
    if not list then
      return nil, e
    elseif #list == 0 then
      return nil, err.new({
        kind = "conflict",
        message = ("app %s has no machines to deploy secrets to"):format(args.app),
        hint = "its first machines get them by themselves",
      })
    end
    return deploy(ctx, list, args.version, args)
  end,
  params = {
    APP,
    { "version", "integer", "version of the secrets they must have at least",
      min = 1, hidden = true },
    { "parallel", "integer", "machines updated at a time", default = 1, min = 1,
      max = 50 },
    { "no_wait", "boolean", "do not wait until the machines run again" },
  },
  order = { "id" },
  returns = { list = "outcome" },
  columns = {
    { "ID", "id" },
    { "NAME", "name", priority = 3 },
    { "REGION", "region", priority = 2 },
    { "STATE", "state", format = "state" },
    { "OUTCOME", "outcome" },
  },
  examples = { "secrets deploy --app my-app" },
}
