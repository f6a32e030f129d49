--- A stand-in for flyctl that acts on a simulated account: the same command
--- lines, exit codes and habits, for tests and for `--sim`.
--- Waits. It reads the environment and stdin, and talks to the account alone.

local api = require "sim.flyctl.api"
local commands = require "sim.flyctl.commands"
local err = require "base.err"
local fmt = require "base.fmt"
local fs = require "sys.fs"
local json = require "base.json"
local os = require "sys.os"
local parse = require "sim.flyctl.parse"
local surroundings = require "sim.flyctl.surroundings"
local toml = require "base.toml"

local M = {}

---@class sim.flyctl.Run one run of a command
---@field world sim.flyctl.Surroundings
---@field api sim.flyctl.Api
---@field flags table<string, any>
---@field args string[]
local Run = {}
Run.__index = Run

--- Writes a line to standard output.
---@param text string
---@param ... any for string.format
function Run:say(text, ...)
  self.world.write(1, (select("#", ...) > 0 and text:format(...) or text) .. "\n")
end

--- Writes a line to standard error.
function Run:tell(text, ...)
  self.world.write(2, (select("#", ...) > 0 and text:format(...) or text) .. "\n")
end

--- Prints a value as JSON.
function Run:json(value)
  self:say("%s", json.encode(value, { indent = 4 }))
end

--- Prints rows under titles, as wide as they are.
---@param titles string[]
---@param rows string[][]
function Run:table(titles, rows)
  local widths = {}
  for _, row in ipairs({ titles, table.unpack(rows) }) do
    for i = 1, #titles do
      widths[i] = math.max(widths[i] or 0, #tostring(row[i] or ""))
    end
  end
  for _, row in ipairs({ titles, table.unpack(rows) }) do
    local cells = {}
    for i = 1, #titles do
      cells[i] = ("%-" .. widths[i] .. "s"):format(tostring(row[i] or ""))
    end
    self:say("%s", (table.concat(cells, "\t"):gsub("%s+$", "")))
  end
end

--- How long ago a time was.
---@param at string RFC 3339
---@return string
function Run:ago(at)
  return at ~= "" and fmt.ago(os.wall(), at) or ""
end

--- An error in flyctl's words.
---@param text string
---@param ... any for string.format
---@return nil
---@return err.Record
function M.fail(text, ...)
  return nil, err.new({
    kind = "error", message = select("#", ...) > 0 and text:format(...) or text,
  })
end

--- Whether questions can be asked.
function Run:is_interactive()
  return self.world.is_tty(0) and self.world.is_tty(1)
end

--- What flyctl says where it would ask: it cannot, and this one never does.
---@return nil
---@return err.Record
function Run:cannot_ask()
  return M.fail("prompt: non interactive")
end

--- true when `--yes` (or `--force`) is given; else flyctl's refusal.
---@return true?
---@return err.Record?
function Run:confirmed()
  if self.flags.yes then
    return true
  end
  return M.fail("yes flag must be specified when not running interactively")
end

--- A top-level value of the fly.toml in force, if any.
---@param key string
---@param directory string?
---@return string?
function Run:config(key, directory)
  local path = self.flags.config or (directory or ".") .. "/fly.toml"
  local stat = fs.stat(path)
  if stat and stat.type == "directory" then
    path = path .. "/fly.toml"
  end
  local text = fs.read(path, 1 << 20)
  return text and toml.top(text, key)
end

--- The app this is about.
---@param directory string? of the fly.toml
---@return string?
---@return err.Record?
function Run:app(directory)
  local name = self.flags.app or self.world.env("FLY_APP") or self:config("app", directory)
  if name then
    return name
  end
  return M.fail("the config for your app is missing an app name, add an app field"
    .. " to the fly.toml file or specify with the -a flag")
end

--- The words of a flag that may be repeated or hold a list.
---@param list string[]?
---@return string[]
function M.words(list)
  local words = {}
  for _, text in ipairs(list or {}) do
    for word in text:gmatch("[^,]+") do
      words[#words + 1] = word
    end
  end
  return words
end

--- NAME=VALUE flags as a table.
---@param list string[]?
---@return table<string, string>
function M.pairs(list)
  local map = {}
  for _, text in ipairs(list or {}) do
    local name, value = text:match("^([^=]+)=(.*)$")
    if name then
      map[name] = value
    end
  end
  return map
end

--- true when there is such a region.
---@async
---@param run sim.flyctl.Run
---@param code string
---@return true?
---@return err.Record?
function M.check_region(run, code)
  local reply, e = run.api:rest("GET", "/platform/regions")
  if not reply then
    return nil, e
  end
  for _, region in ipairs(reply.regions) do
    if region.code == code then
      return true
    end
  end
  return M.fail("region %s not found", code)
end

local function show_usage(run, command)
  local path = table.concat({ "flyctl", table.unpack(command.path) }, " ")
  run:say("Usage:\n  %s%s", path, command.is_group and " [command]" or " [flags]")
  local under = commands.under(command.path)
  if #under > 0 then
    run:say("\nAvailable Commands:")
  end
  for _, one in ipairs(under) do
    run:say("  %s", one.path[#one.path])
  end
  run:say("\nFlags:")
  for _, flag in ipairs(command.flags) do
    run:say("  %s--%s", flag.short and "-" .. flag.short .. ", " or "    ", flag.name)
  end
end

local function show_help(run, command)
  run:say("A simulated flyctl: it acts on a simulated account.\n")
  show_usage(run, command)
  return true
end

-- Where the commands are: by the first word of what runs them.
local HOMES = {
  apps = "apps", auth = "account", certs = "network", deploy = "deploy",
  ips = "network", logs = "account", machine = "machines", orgs = "account",
  platform = "account", postgres = "postgres", releases = "account",
  scale = "scale", secrets = "secrets", ssh = "machines", status = "apps",
  tokens = "tokens",
  version = "account", volumes = "volumes",
}

---@async
local function execute(run, line)
  if line.flags.version then
    run:say("fly version %s", api.VERSION)
    return true
  elseif line.flags.help then
    return show_help(run, line.command)
  end
  local name = line.command.run
  local home = require("sim.flyctl." .. HOMES[name:match("^%a+")])
  if name ~= "version" then
    local opened, e = api.open(run.world, line.flags["access-token"])
    if not opened then
      return nil, e
    end
    run.api = opened
  end
  return home[name](run)
end

-- A line that is refused: how the command is used goes to standard output.
local function refuse(run, why, command)
  if command then
    show_usage(run, command)
  end
  run:tell("Error: %s", why)
  if why:find('^unknown command .+ for "fly"$') then
    run:say("Run 'fly --help' for usage.\n")
  end
end

-- As the real one: a limit in time is 126. (An interrupt is 127: lua/main.lua.)
local CODES = { timeout = 126 }

--- Runs a command line; returns the exit code.
---@async
---@param words string[] without the program
---@param world sim.flyctl.Surroundings? the process's own unless told
---@return integer
function M.run(words, world)
  local line, refused, shown = parse.parse(words)
  local run = setmetatable({
    world = world or surroundings.real(), flags = line and line.flags, args = line and line.args,
  }, Run)
  if not line then
    refuse(run, refused, shown)
    return 1
  end
  local done, e = execute(run, line)
  if done == nil then
    run:tell("Error: %s", e.message)
    return CODES[e.kind] or 1
  end
  return math.type(done) == "integer" and done or 0
end

return M
