--- `clanker credentials`: tokens kept for every command. Waits. No command here
--- ever prints a token.

local consent = require "cli.consent"
local credentials = require "fly.credentials"
local err = require "base.err"
local secret = require "sys.secret"
local session = require "cli.session"
local tables = require "cli.table"
local tbl = require "base.tbl"
local terminal = require "cli.terminal"

local M = {}

--- Longest token, in bytes.
local MAX = 64 * 1024

-- The store in force for the call.
local function open(call)
  local options, e = session.credential_options(call)
  if not options then
    return nil, e
  end
  return credentials.open(options)
end

-- "stored in … (encrypted; key in …)"
local function place(store)
  return ("%s (%s)"):format(store.where, store:lock_text())
end

---@async
local function read_token(call)
  local given, world = call.args.api_token, call.world
  if given == "-" then
    local token, e = world.stdin_secret(MAX)
    return token and token:trim(), e and err.wrap(e, "standard input")
  elseif given then
    call.out:warn("--api-token shows the token to every user who can list"
      .. " processes: give --api-token - and pipe it in")
    return secret.new(given):trim()
  elseif not (world.is_tty(0) and world.is_tty(2)) then
    return nil, err.new({
      kind = "usage", message = "there is no token, and no terminal to ask at",
      hint = "pipe it in: clanker credentials store flyio --api-token -",
    })
  end
  local token, e = world.hidden("Fly.io API token (not shown): ")
  return token and token:trim(), e
end

--- `credentials store`
---@async
---@param call cli.Call
---@return true?
---@return err.Record?
function M.store(call)
  local store, e = open(call)
  if not store then
    return nil, e
  end
  local token
  token, e = read_token(call)
  if not token then
    return nil, e
  elseif token:len() == 0 then
    return nil, err.new({
      kind = "usage", message = "the token is empty",
      hint = "paste one at the prompt, or pipe it in: clanker credentials store"
        .. " flyio --api-token -",
    })
  end
  local ok, failed = store:put({
    provider = call.args.provider, token = token, org = call.args.org,
  })
  if not ok then
    return nil, failed
  end
  call.out:note(("stored in %s"):format(place(store)))
  return true
end

local COLUMNS = { { title = "PROVIDER" }, { title = "ORG" }, { title = "TOKEN" } }

local function print_rows(call, rows)
  if call.format == "json" or call.format == "yaml" then
    local json = require "base.json"
    return call.out:data(require("cli.render")[call.format](json.array(
      tbl.map(rows, function(row)
        return { provider = row.provider, org_slug = row.org, api_token = "[secret]" }
      end))))
  elseif #rows == 0 then
    return true
  end
  local lines = tables.fit(call, COLUMNS, tbl.map(rows, function(row)
    return {
      terminal.clean(row.provider), terminal.clean(row.org or "-"), "[secret]",
    }
  end))
  return call.out:data(table.concat(lines, "\n") .. "\n")
end

--- `credentials list`
---@async
---@param call cli.Call
---@return true?
---@return err.Record?
function M.list(call)
  local store, e = open(call)
  if not store then
    return nil, e
  end
  local rows, failed = store:list()
  if not rows then
    return nil, failed
  end
  call.out:note(("%s in %s"):format(#rows == 0 and "nothing" or "stored",
    place(store)))
  return print_rows(call, rows)
end

--- `credentials test`: asks Fly.io whose token it is.
---@async
---@param call cli.Call
---@return true?
---@return err.Record?
function M.test(call)
  local store, e = open(call)
  if not store then
    return nil, e
  end
  local found, missing = store:get(call.args.provider)
  if not found then
    return nil, missing
  end
  call.out:note(("stored in %s"):format(place(store)))
  local account <close>, failed = session.open(call, found, store.where)
  if not account then
    return nil, failed
  end
  require "ops"
  local viewer, refused = account:call("auth.whoami", {})
  if not viewer then
    return nil, refused
  end
  return call.out:data(("%s: the token works, it is %s's\n"):format(
    call.args.provider, terminal.clean(viewer.email or viewer.name or "nobody")))
end

-- What is stored for the provider, without its token.
---@async
local function find_row(call, store)
  local provider = call.args.provider
  local rows, e = store:list()
  if not rows then
    return nil, e
  end
  local row = tbl.find(rows, function(candidate)
    return candidate.provider == provider
  end)
  return row, err.new({
    kind = "not_found",
    message = ("no credentials of %s are stored in %s"):format(provider, store.where),
    hint = "see clanker credentials list",
  })
end

--- `credentials delete`: asks first, since nobody can read the token back.
---@async
---@param call cli.Call
---@return true?
---@return err.Record?
function M.delete(call)
  local store, e = open(call)
  if not store then
    return nil, e
  end
  local row, missing = find_row(call, store)
  if not row then
    return nil, missing
  end
  call.out:note(("credentials of %s%s in %s"):format(row.provider,
    row.org and " for org " .. terminal.clean(row.org) or "", place(store)))
  local agreed, declined = consent.check(call)
  if not agreed then
    return nil, declined
  end
  local ok, failed = store:delete(row.provider)
  if not ok then
    return nil, failed
  end
  call.out:note(("deleted %s from %s"):format(call.args.provider, store.where))
  return true
end

return M
