--- The command lines that the simulated flyctl takes: commands, aliases, flags
--- and how many arguments.
--- Data. What stands here is flyctl's own; sim.flyctl.others has what it does not
--- do.

local others = require "sim.flyctl.others"
local str = require "base.str"
local tbl = require "base.tbl"

local M = {}

---@class sim.flyctl.Flag
---@field name string
---@field short string?
---@field type "bool"|"int"|"float64"|"string"|"duration"|"list"
---@field is_optional boolean the value may be left out
---@field is_required boolean
---@field alias_of string? name of the flag it stands for
---@field is_foreign boolean? known, but nothing is done with it

---@class sim.flyctl.Command
---@field path string[]
---@field aliases string[] of its last word
---@field least integer? arguments; nil for a group
---@field most integer?
---@field flags sim.flyctl.Flag[]
---@field is_range boolean? refused as "between", not "at most"
---@field is_group boolean?
---@field is_opaque boolean? nothing is known of what comes after it
---@field run string? the function; nil of a group, and of what is not done

--- Flags of every command.
local GLOBAL = "access-token/t=string verbose debug help/h"

-- Groups of commands and their aliases.
local GROUPS = {
  { "apps", "app" },
  { "auth" },
  { "certs" },
  { "ips", "ip" },
  { "machine", "machines", "m" },
  { "orgs" },
  { "platform" },
  { "postgres", "pg" },
  { "postgres backup", "backups" },
  { "scale" },
  { "secrets" },
  { "ssh" },
  { "tokens" },
  { "tokens create" },
  { "volumes", "volume", "vol", "v" },
}

local APP = "app/a=string config/c=string "
local SIZE = "vm-size=string vm-memory=string vm-cpus=int vm-cpu-kind=string "
local STAGE = APP .. "stage detach dns-checks "

-- Path, arguments ("1", "0-1", "1+"; more than "0..1" is refused in other words),
-- flags ("name/short=type"; a bare name is a switch), aliases.
local COMMANDS = {
  { "apps create", "0..1", "name=string org/o=string network=string json/j yes/y" },
  { "apps destroy", "0+", "yes/y", "delete", "remove", "rm" },
  { "apps list", "0+", "org/o=string quiet/q json/j", "ls" },
  { "apps restart", "0-1", "force-stop skip-health-checks" },
  { "auth whoami", "0+", "json/j" },
  { "certs add", "1", APP .. "json/j", "create" },
  { "certs check", "1", APP .. "json/j", "show" },
  { "certs list", "0", APP .. "json/j" },
  { "certs remove", "1", APP .. "yes/y acme custom", "delete" },
  {
    "deploy", "0-1", APP .. SIZE .. "image/i=string image-label=string"
      .. " strategy=string primary-region=string regions=list"
      .. " exclude-regions=list only-machines=list exclude-machines=list"
      .. " process-groups=list remote-only local-only depot=string! build-only"
      .. " no-cache push ha now yes/y detach update-only wait-timeout=string"
      .. " lease-timeout=string release-command-timeout=string"
      .. " max-unavailable=float64 env/e=list build-arg=list"
      .. " build-secret=list build-target=string dockerfile=string"
      .. " ignorefile=string label=list smoke-checks dns-checks"
      .. " skip-release-command no-public-ips flycast signal/s=string",
  },
  { "ips allocate-v4", "0+", APP .. "region/r=string shared yes/y" },
  {
    "ips allocate-v6", "0+",
    APP .. "region/r=string private org/o=string network=string",
  },
  { "ips list", "0+", APP .. "json/j", "ls" },
  { "ips release", "1+", APP },
  {
    "logs", "0",
    APP .. "json/j machine/m=string region/r=string no-tail/n",
  },
  { "machine cordon", "0+", APP },
  { "machine destroy", "0+", APP .. "force/f image/i=string", "remove", "rm" },
  {
    "machine exec", "1-2",
    APP .. "timeout=int container=string",
  },
  { "machine list", "0", APP .. "json/j quiet/q", "ls" },
  { "machine restart", "0+", APP .. "force signal/s=string time=int skip-health-checks" },
  {
    "machine run", "0+", APP .. SIZE .. "name/n=string region/r=string"
      .. " env/e=list metadata/m=list volume/v=list restart=string detach rm",
  },
  { "machine start", "0+", APP },
  { "machine status", "0..1", APP .. "display-config/d" },
  { "machine stop", "0+", APP .. "signal/s=string timeout=int wait-timeout/w=duration" },
  { "machine suspend", "0+", APP .. "wait-timeout/w=duration" },
  { "machine uncordon", "0+", APP },
  {
    "machine update", "0..1", APP .. SIZE .. "image/i=string env/e=list"
      .. " metadata/m=list restart=string detach skip-start"
      .. " skip-health-checks yes/y wait-timeout=int",
  },
  { "orgs list", "0+", "json/j", "ls" },
  { "platform regions", "0", "json/j" },
  {
    "postgres attach", "1", APP .. "database-name=string database-user=string"
      .. " variable-name=string superuser yes/y",
  },
  { "postgres backup create", "0+", APP .. "name/n=string immediate-checkpoint/i" },
  { "postgres backup enable", "0+", APP },
  { "postgres backup list", "0+", APP },
  {
    "postgres create", "0+", SIZE .. "name/n=string org/o=string"
      .. " region/r=string password/p=string volume-size=int"
      .. " initial-cluster-size=int detach enable-backups flex image-ref=string",
  },
  { "postgres detach", "1", APP },
  { "postgres failover", "0+", APP .. "force allow-secondary-region" },
  { "postgres list", "0+", "json/j", "ls" },
  { "releases", "0", APP .. "image json/j" },
  {
    "scale count", "1+", APP .. SIZE .. "region/r=string"
      .. " process-group/g=string max-per-region=int with-new-volumes"
      .. " env/e=list yes/y",
  },
  { "scale memory", "1", APP .. "process-group/g=string" },
  { "scale show", "0", APP .. "json/j" },
  { "scale vm", "1", APP .. "process-group/g=string vm-memory=int" },
  { "secrets deploy", "0+", APP .. "detach dns-checks" },
  { "secrets import", "0+", STAGE },
  { "secrets list", "0+", APP .. "json/j", "ls" },
  { "secrets set", "1+", STAGE },
  { "secrets unset", "1+", STAGE },
  {
    "ssh console", "0-1", APP .. "command/C=string machine=string"
      .. " region/r=string process-group/g=string user/u=string pty quiet/q"
      .. " org/o=string select/s container=string address/A=string",
  },
  { "status", "0", APP .. "json/j all" },
  {
    "tokens create readonly", "0+",
    "org/o=string name/n=string expiry/x=duration json/j from-existing",
  },
  { "version", "0+", "json/j" },
  {
    "volumes create", "1", APP .. SIZE .. "region/r=string size/s=int count/n=int"
      .. " no-encryption snapshot-id=string snapshot-retention=int"
      .. " require-unique-zone json/j yes/y",
  },
  { "volumes destroy", "0+", APP .. "yes/y", "delete", "rm" },
  { "volumes extend", "0-1", APP .. "size/s=string json/j yes/y" },
  { "volumes list", "0+", APP .. "json/j all", "ls" },
  { "volumes show", "0-1", APP .. "json/j" },
}

-- "app/a=string" → name, short, type; a "!" behind the type: the value may be
-- left out; a "*": the flag may not. "a>b": it is another name of b.
local function read_flag(word)
  local head, kind = word:match("^([^=]+)=?(.*)$")
  local name, alias = head:match("^([^>]+)>?(.*)$")
  local bare, short = name:match("^(.+)/(.)$")
  return {
    name = bare or name, short = short, alias_of = alias ~= "" and alias or nil,
    type = kind == "" and "bool" or kind:gsub("[!*]", ""),
    is_optional = kind:find("!", 1, true) ~= nil,
    is_required = kind:find("*", 1, true) ~= nil,
  }
end

-- The flags of a command, and those of which it does nothing.
local function read_flags(path, declared)
  local flags = tbl.map(str.words(declared .. " " .. GLOBAL), read_flag)
  local known = tbl.set(tbl.map(flags, function(flag)
    return flag.name
  end))
  for _, flag in ipairs(tbl.map(str.words(others.FLAGS[path] or ""), read_flag)) do
    flag.is_foreign = not (flag.alias_of and known[flag.alias_of])
    flags[#flags + 1] = flag
  end
  return flags
end

-- "0-1" → least, most; most is nil where there is no limit.
local function read_counts(text)
  local least, most = text:match("^(%d+)[-.]*(%d*)")
  if most == "" then
    most = not text:find("+", 1, true) and least or nil
  end
  return math.tointeger(least), most and math.tointeger(most)
end

local function read_command(declared)
  local least, most = read_counts(declared[2])
  return {
    path = str.words(declared[1]),
    aliases = table.move(declared, 4, #declared, 1, {}),
    least = least, most = most, is_range = declared[2]:find("..", 1, true) ~= nil,
    flags = read_flags(declared[1], declared[3]),
    run = declared[1]:gsub("[ -]", "_"),
  }
end

-- One that is read and not done.
local function read_other(declared)
  local command = read_command(declared)
  command.run = nil
  for _, flag in ipairs(command.flags) do
    flag.is_foreign = nil -- it is the command that is refused
  end
  return command
end

local function read_opaque(names)
  return {
    path = { names[1] }, aliases = table.move(names, 2, #names, 1, {}), flags = {},
    is_opaque = true,
  }
end

local function read_group(declared)
  return {
    path = str.words(declared[1]), is_group = true,
    aliases = table.move(declared, 2, #declared, 1, {}),
    flags = read_flags(declared[1], declared[1] == "" and "version/v" or ""),
  }
end

--- All commands and groups, the root first.
---@type sim.flyctl.Command[]
M.LIST = tbl.flatten({
  { read_group({ "" }) }, tbl.map(GROUPS, read_group),
  tbl.map(COMMANDS, read_command), tbl.map(others.GROUPS, read_group),
  tbl.map(others.COMMANDS, read_other), tbl.map(others.OPAQUE, read_opaque),
})

--- The commands right under one.
---@param path string[]
---@return sim.flyctl.Command[]
function M.under(path)
  local parent = table.concat(path, " ")
  return tbl.filter(M.LIST, function(command)
    local n = #command.path
    return n == #path + 1 and table.concat(command.path, " ", 1, n - 1) == parent
  end)
end

return M
