--- `clanker doctor`: what stands between this computer and the account, one line
--- per check with what to do next. Waits; changes nothing.

local config_file = require "fly.config_file"
local err = require "base.err"
local errors = require "fly.errors"
local fmt = require "base.fmt"
local fs = require "sys.fs"
local hosts = require "fly.hosts"
local progress = require "cli.progress"
local retry = require "fly.retry"
local session = require "cli.session"
local task = require "sys.task"
local tbl = require "base.tbl"
local terminal = require "cli.terminal"

local M = {}

---@class cli.Finding
---@field check string
---@field state "ok"|"problem"|"skipped"
---@field message string
---@field hint string? what to do next
---@field code integer exit code it stands for; 0 unless it is a problem

-- Seconds a host may take to answer, and a whole call.
local PROBE_TIMEOUT, CALL_TIMEOUT = 10, 20

-- Seconds the clock may be off: tokens and signed requests bear no more.
local MOST_SKEW = 60

local function fine(check, message)
  return { check = check, state = "ok", message = message, code = 0 }
end

local function skipped(check, message)
  return { check = check, state = "skipped", message = message, code = 0 }
end

local function problem(check, e)
  return {
    check = check, state = "problem", message = e.message, hint = e.hint,
    code = err.exit_code(e),
  }
end

-- The file, what it says, and who can read it.
local function check_configuration(add, settings)
  local path = settings.path
  local exposed = path ~= "" and config_file.exposure(path, settings.config)
  for _, warning in ipairs(settings.warnings) do
    add(problem("configuration", err.new({
      kind = "config", message = warning,
      hint = warning == exposed and "run that command; then replace the token,"
        .. " others may have read it" or nil,
    })))
  end
  if #settings.warnings > 0 then
    return
  elseif path == "" then
    add(fine("configuration", "none: the account is a simulated one"))
  elseif fs.exists(path) then
    add(fine("configuration", path))
  else
    add(fine("configuration", ("no %s: flags and environment alone"):format(path)))
  end
end

local function check_token(add, settings)
  if settings.token then
    add(fine("token", "from " .. (settings.token_source or "?")))
    return true
  end
  add(problem("token", require("fly.auth").missing()))
  return false
end

-- One request without the token: whether anybody is there, and their time.
---@async
local function probe(settings, url)
  local reply, e = require("sys.http").request({
    url = url .. "/", timeout = PROBE_TIMEOUT, connect_timeout = PROBE_TIMEOUT,
    allow_http = settings.allow_http, http_hosts = { hosts.INTERNAL },
    cafile = settings.ca_file, max_body = 1024 * 1024,
  })
  -- A body too long or cut short came from somebody all the same.
  if not reply and e.kind ~= "network" and e.kind ~= "timeout" and e.code ~= "ETLS" then
    return {}
  elseif not reply then
    return { err = errors.from_transport(e) }
  end
  return { date = reply.headers.date }
end

local LABELS = { machines = "Machines API", api = "GraphQL and logs" }

-- Who chose the host: the first thing to look at when it is not there.
local function chosen_by(settings, name)
  local source = (settings.base_sources or {})[name]
  return source and source ~= "default" and source or nil
end

local function check_host(add, settings, name, seen)
  local base, source = settings.bases[name], chosen_by(settings, name)
  if not seen.err then
    add(fine(LABELS[name], base .. (source and " (from " .. source .. ")" or "")))
    return true
  end
  local e = tbl.copy(seen.err)
  e.message = ("%s: %s"):format(base, e.message)
  e.hint = source and ("check %s: it names this host"):format(source) or e.hint
  add(problem(LABELS[name], e))
  return false
end

-- What of the hosts that Fly itself chose cannot be reached, when none is: then
-- it is not a matter of which host is named.
local function network_failure(settings, seen)
  local failure
  for name, one in tbl.sorted(seen) do
    if not one.err then
      return nil
    elseif not chosen_by(settings, name) then
      failure = failure or one.err
    end
  end
  return failure
end

-- Both hosts, and whether there is a network at all.
---@async
local function check_hosts(add, settings)
  local names = { "api", "machines" }
  local probes = task.map(names, #names, function(name)
    return probe(settings, settings.bases[name])
  end)
  local seen = { api = probes[1], machines = probes[2] }
  local failure = network_failure(settings, seen)
  if failure then
    add(problem("network", err.new({
      kind = failure.kind, message = "no network: " .. failure.message,
      hint = "check the connection, DNS and the proxy variables",
    })))
  elseif not (seen.api.err and seen.machines.err) then
    add(fine("network", "up"))
  end
  local is_up = true
  for _, name in ipairs(names) do
    if not failure or chosen_by(settings, name) then
      is_up = check_host(add, settings, name, seen[name]) and is_up
    end
  end
  return is_up and not failure, seen.api.date and seen.api or seen.machines
end

local function check_clock(add, call, seen)
  local theirs = seen.date and retry.http_date(seen.date)
  if not theirs then
    return add(skipped("clock", "the server did not tell the time"))
  end
  local skew = call.world.now() - theirs
  if math.abs(skew) <= MOST_SKEW then
    return add(fine("clock", "agrees with the server's"))
  end
  add(problem("clock", err.new({
    kind = "error",
    message = ("this computer's clock is %s %s"):format(
      fmt.duration(math.floor(math.abs(skew))), skew > 0 and "fast" or "slow"),
    hint = "set it, or let it follow a time server: expiry times are judged by it",
  })))
end

-- Replies that no Fly host gives.
local FOREIGN = { protocol = true, not_found = true, invalid = true }

local function wrong_host(settings, name, e)
  if not FOREIGN[e.kind] and e.status ~= 405 then
    return e
  end
  local source = chosen_by(settings, name)
  return err.new({
    kind = "config",
    message = ("%s does not answer as Fly does: %s"):format(settings.bases[name],
      e.message),
    hint = source and ("check %s: it names this host"):format(source)
      or "something between here and Fly may answer in its place: check the proxy",
  })
end

-- What a token of some apps only sees of organizations: none, and no error.
---@async
local function narrow_scope(account, apps, opts)
  local orgs = #apps == 0 and account.client:call("orgs.list", {}, opts)
  if not orgs or #orgs > 0 then
    return nil
  end
  return err.new({
    kind = "forbidden",
    message = "the token sees no organization: it is for some apps only",
    hint = "name the app with --app; for all else use a token of yours, or of the"
      .. " organization (`fly tokens create org`)",
  })
end

---@async
local function check_account(add, account)
  require "ops"
  local opts, settings = { timeout = CALL_TIMEOUT }, account.settings
  local viewer, e = account.client:call("auth.whoami", {}, opts)
  if not viewer then
    return add(problem("account", wrong_host(settings, "api", e)))
  end
  local name = viewer.email or viewer.name or "an unnamed " .. (viewer.kind or "token")
  local regions, failed = account.client:call("regions.list", {}, opts)
  if not regions then
    return add(problem("account", wrong_host(settings, "machines", failed)))
  end
  local apps, refused = account.client:call("apps.list", { org = settings.org }, opts)
  if not apps then
    refused.hint = refused.hint or "the token's scope leaves this out: use one of"
      .. " yours, or of the organization (`fly tokens create org`)"
    return add(problem("scope", refused))
  end
  local narrow = narrow_scope(account, apps, opts)
  if narrow then
    return add(problem("scope", narrow))
  end
  add(fine("account", ("%s, %d %s"):format(name, #apps, #apps == 1 and "app" or "apps")))
end

---@async
local function check_flyctl(add, account, has_token)
  local version, e = account.client:flyctl_version()
  if version then
    add(fine("flyctl", version))
  elseif e.kind == "auth" and not has_token then
    add(skipped("flyctl", "there, but not asked for its version without a token"))
  else
    e.message = e.message:gsub(", and this needs it$",
      ": deploys, rollbacks and scaling need it")
    add(problem("flyctl", e))
  end
end

---@async
local function examine(call, add)
  local quiet = setmetatable({ out = setmetatable({
    warn = function() end,
  }, { __index = call.out }) }, { __index = call })
  local account <close>, e = session.open(quiet)
  if not account then
    return add(problem(e.kind == "auth" and "token" or "configuration", e))
  end
  check_configuration(add, account.settings)
  local has_token = check_token(add, account.settings)
  local is_up, seen = check_hosts(add, account.settings)
  check_clock(add, call, seen)
  if has_token and is_up then
    check_account(add, account)
  else
    add(skipped("account", has_token and "not asked: its hosts are not there"
      or "not asked without a token"))
  end
  check_flyctl(add, account, has_token)
end

local STYLES = { ok = "green", problem = "red", skipped = "dim" }

-- A line per finding: state, check, what it is, what to do.
local function lines_of(call, findings)
  return tbl.map(findings, function(one)
    local text = ("%-16s  %s"):format(one.check, one.message)
    if one.hint then
      text = ("%s; next: %s"):format(text, (one.hint:gsub("%s*\n%s*", " ")))
    end
    local state = call.out:paint(1, STYLES[one.state], ("%-7s"):format(one.state))
    return state .. "  " .. terminal.clean(text) .. "\n"
  end)
end

--- Looks at everything and reports.
---@async
---@param call cli.Call
---@return integer? exit_code of the worst finding
---@return err.Record?
function M.run(call)
  local findings, worst = {}, 0
  local function add(finding)
    findings[#findings + 1] = finding
    worst = math.max(worst, finding.code)
  end
  do
    local _ <close> = progress.start(call.out, "looking around")
    examine(call, add)
  end
  local text
  if call.format == "json" or call.format == "yaml" then
    text = require("cli.render")[call.format](require("base.json").array(findings))
  elseif call.format == "table" or call.format == "wide" then
    text = table.concat(lines_of(call, findings))
  else
    return nil, err.new({
      kind = "usage", message = "doctor prints lines, JSON or YAML",
    })
  end
  local ok, e = call.out:data(text)
  if not ok then
    return nil, e
  end
  return worst
end

return M
