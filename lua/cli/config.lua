--- `clanker config`: where the settings are, what they are, a first file.
--- Touches disk. No secret is ever printed; an existing file is never written.

local err = require "base.err"
local secret = require "sys.secret"
local session = require "cli.session"
local tables = require "cli.table"
local tbl = require "base.tbl"
local terminal = require "cli.terminal"

local M = {}

local function path_of(call)
  local path = call.globals.config
  if path then
    return path
  end
  local home = call.world.home()
  if not home then
    return nil, err.new({
      kind = "config", message = "there is no home directory for .clanker.yaml",
      hint = "set HOME, or name a file with --config",
    })
  end
  return home .. "/.clanker.yaml"
end

--- `config path`
---@param call cli.Call
---@return true?
---@return err.Record?
function M.path(call)
  local path, e = path_of(call)
  if not path then
    return nil, e
  end
  return call.out:data(path .. "\n")
end

-- The settings in force: name, value as it may be shown, where it is from.
local function in_force(found, globals)
  local function row(name, value, source)
    return { name = name, value = value, source = source }
  end
  -- Of the flag if it was given, else of the file.
  local function either(name, flag)
    local is_set = found[name] ~= nil and found[name] ~= false
    return row(name, is_set and found[name] or nil,
      is_set and (globals[name] and flag or "flyio." .. name) or nil)
  end
  return {
    row("api_token", found.token and "[secret]", found.token_source),
    row("org_slug", found.org, found.org_source),
    row("machines_url", found.bases.machines, found.base_sources.machines),
    row("api_url", found.bases.api, found.base_sources.api),
    either("timeout", "--timeout"),
    either("allow_http", "--allow-http"),
    either("ca_file"),
  }
end

local function show_table(call, rows)
  local cells = tbl.map(rows, function(row)
    return {
      row.name, terminal.clean(tostring(row.value or "-")),
      terminal.clean(row.source or "-"),
    }
  end)
  local lines = tables.fit(call,
    { { title = "SETTING" }, { title = "VALUE" }, { title = "FROM" } }, cells)
  return call.out:data(table.concat(lines, "\n") .. "\n")
end

local function show_csv(call, rows)
  local csv_line = require("cli.render").csv_line
  local lines = tbl.map(rows, function(row)
    return csv_line({ row.name, row.value, row.source }, 3)
  end)
  return call.out:data(csv_line({ "setting", "value", "from" }, 3) .. table.concat(lines))
end

--- `config show`
---@param call cli.Call
---@return true?
---@return err.Record?
function M.show(call)
  if call.format == "raw" then
    return nil, err.new {
      kind = "usage", message = "config show asks no server: leave out --raw",
      hint = "-o json has every setting",
    }
  end
  local found, e = session.settings(call)
  if not found then
    return nil, e
  end
  for _, warning in ipairs(found.warnings) do
    call.out:warn(warning)
  end
  local rows = in_force(found, call.globals)
  if call.format == "json" or call.format == "yaml" then
    local map = { path = found.path }
    for _, row in ipairs(rows) do
      map[row.name] = row.value
    end
    local render = require "cli.render"
    return call.out:data(render[call.format](map))
  elseif call.format == "csv" then
    return show_csv(call, rows)
  end
  local is_there = require("sys.fs").exists(found.path)
  call.out:note(("file: %s%s"):format(found.path,
    is_there and "" or " (there is none)"))
  return show_table(call, rows)
end

local HEAD = [[
# clanker's settings; readable by you only, because of the token.
# Without a token here FLY_API_TOKEN and FLY_ACCESS_TOKEN are used.
flyio:
  api_token: "]]

local TAIL = [["
  # Lists are filtered to this organization; empty: every one the token sees.
  org_slug: ""
]]

-- A token from the terminal, or nothing; never asked for without one.
---@async
local function ask_token(call)
  if not call.world.is_tty(0) or not call.world.is_tty(2) then
    return secret.new("")
  end
  local token, e = call.world.hidden("Fly.io API token (empty to add it later): ")
  if not token then
    return nil, e
  end
  return token:trim()
end

-- The file holds the token between double quotes: nothing in it may end them.
local function check_token(token)
  if token:find_class("control") or #token:split('"') > 1
    or #token:split("\\") > 1 then
    return nil, err.new({
      kind = "invalid", message = "a token is one line without quotes",
      hint = "paste the token alone",
    })
  end
  return true
end

--- `config init`
---@async
---@param call cli.Call
---@return true?
---@return err.Record?
function M.init(call)
  local path, e = path_of(call)
  if not path then
    return nil, e
  end
  local fs = require "sys.fs"
  local function is_there()
    return err.new({
      kind = "conflict", message = path .. " is already there",
      hint = "edit it, or see clanker config show",
    })
  end
  if fs.exists(path) then
    return nil, is_there()
  end
  local token <close>, failed = ask_token(call)
  if not token then
    return nil, failed
  end
  local fits, why = check_token(token)
  if not fits then
    return nil, why
  end
  local text <close> = secret.concat({ HEAD, token, TAIL })
  local ok, problem = fs.write(path, text, { mode = 384, exclusive = true }) -- 0600
  if not ok then
    if problem.code == "EEXIST" then
      return nil, is_there()
    end
    problem.hint = problem.hint or "name a file that can be written with --config"
    return nil, problem
  end
  call.out:note("wrote " .. path)
  if token:len() == 0 then
    call.out:note("add your token there; flyctl auth token prints one")
  end
  return true
end

return M
