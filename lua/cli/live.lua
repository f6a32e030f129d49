--- Names of what is in the account, for completion: asked for briefly, kept
--- briefly under ~/.clanker/cache. Waits at most WAIT; every failure is silence.

local fs = require "sys.fs"
local json = require "base.json"
local os = require "sys.os"
local session = require "cli.session"
local task = require "sys.task"
local tbl = require "base.tbl"

local M = {}

-- More candidates than this help no one.
local MOST = 2000

-- Seconds a shell may be kept waiting, and an answer may be old.
local WAIT, FRESH = 2, 30

-- Says nothing whatever happens: a completion has no one to talk to.
local SILENT = {
  note = function() end, warn = function() end,
}

-- What the command line says about the account, for one of our own calls.
local function quiet_call(call, parsed)
  local globals = tbl.copy(parsed.globals)
  globals.timeout = WAIT
  globals.debug = nil
  globals.sim = globals.sim == true or globals.sim == "true"
  -- Standard input belongs to the shell; the token cannot be read from it.
  if globals.api_token_file == "-" then
    globals.api_token_file = nil
  end
  return {
    out = SILENT, world = call.world, faces = call.faces, globals = globals,
  }
end

-- One file per question and account. No secret is part of the name.
local function cache_path(call, globals, source, args)
  local home = call.world.home()
  if not home or globals.sim then
    return nil
  end
  local parts = { source.op, globals.config or "", globals.org or "" }
  for _, name in ipairs({ "FLY_ORG", "FLY_ORG_SLUG", "FLY_API_HOSTNAME",
    "FLY_FLAPS_BASE_URL", "FLY_API_BASE_URL" }) do
    parts[#parts + 1] = call.world.env(name) or ""
  end
  for name, value in tbl.sorted(args) do
    parts[#parts + 1] = name .. "=" .. tostring(value)
  end
  local name = table.concat(parts, "\n"):gsub("[^%w._-]", function(c)
    return ("%%%02x"):format(c:byte())
  end)
  if #name > 200 then
    return nil
  end
  return home .. "/.clanker/cache", name .. ".json"
end

local function read_cache(directory, name)
  local path = directory .. "/" .. name
  local stat = fs.stat(path)
  if not stat or os.wall() - stat.mtime > FRESH or stat.mtime > os.wall() + 1 then
    return nil
  end
  local text = fs.read(path)
  local items = text and json.decode(text)
  return type(items) == "table" and items or nil
end

-- The arguments to pass on, as far as the command line has them.
local function source_args(source, parsed)
  local row, args = require("opkit.registry").get(source.op), {}
  for _, name in ipairs(source.from or {}) do
    local value = parsed.values[name] or parsed.globals[name]
    if type(value) == "string" and row.param[name] then
      args[name] = value
    end
  end
  return row, args
end

local function is_complete(row, args)
  return tbl.find(row.params, function(param)
    return param.required and args[param.name] == nil
  end) == nil
end

---@async
local function ask(quiet, source, args)
  local account <close> = session.open(quiet)
  if not account then
    return nil
  end
  local found = account:call(source.op, args)
  if type(found) ~= "table" then
    return nil
  end
  local items = {}
  for i = 1, math.min(#found, MOST) do
    items[i] = {
      value = tbl.get(found[i], source.value),
      text = source.describe and tbl.get(found[i], source.describe),
    }
  end
  return items
end

-- More files than this are not worth their names.
local MOST_FILES = 64

local function write_cache(directory, name, items)
  if not fs.mkdir(directory, 448, true) then -- 0700
    return
  end
  local names = fs.list(directory) or {}
  for _, old in ipairs(#names > MOST_FILES and names or {}) do
    fs.remove(directory .. "/" .. old)
  end
  fs.write(directory .. "/" .. name, json.encode(json.array(items)))
end

--- The items a completion source gives now; empty when it cannot be told.
---@async
---@param call cli.Call
---@param source op.Complete
---@param parsed cli.Parsed
---@return {value: any, text: any}[]
function M.items(call, source, parsed)
  local row, args = source_args(source, parsed)
  if not is_complete(row, args) then
    return {}
  end
  local quiet = quiet_call(call, parsed)
  local directory, name = cache_path(call, quiet.globals, source, args)
  local cached = directory and read_cache(directory, name)
  if cached then
    return cached
  end
  local items = task.timeout(WAIT, function()
    return ask(quiet, source, args)
  end)
  if items and directory then
    write_cache(directory, name, items)
  end
  return items or {}
end

return M
