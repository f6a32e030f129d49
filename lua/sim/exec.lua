--- Commands inside a simulated machine: a handful that tests and people try.
--- Pure: nothing runs on this computer.

local tbl = require "base.tbl"

local machines = require "sim.machine"
local request = require "sim.request"
local secrets = require "sim.secrets"

local M = {}

---@class sim.ExecResult
---@field exit_code integer
---@field stdout string
---@field stderr string
---@field seconds number? how long the command runs

local function out(text)
  return { exit_code = 0, stdout = text, stderr = "" }
end

local function failed(code, message)
  return { exit_code = code, stdout = "", stderr = message }
end

-- What a process in the machine finds in its environment.
local function environment(world, machine)
  local env = {
    FLY_APP_NAME = machine.owner, FLY_MACHINE_ID = machine.id,
    FLY_REGION = machine.region, FLY_PRIVATE_IP = machine.private_ip,
    FLY_MACHINE_VERSION = machine.version, FLY_IMAGE_REF = machine.image,
    HOME = "/root", PATH = "/usr/local/bin:/usr/bin:/bin",
  }
  for _, secret in ipairs(world:list("secret", machine.owner)) do
    env[secret.name] = secrets.value(world, secret) or ""
  end
  local config = machines.config(machine)
  return tbl.merge(env, request.member(config, "env") or {})
end

local COMMANDS = {}

function COMMANDS.echo(_, _, args)
  return out(table.concat(args, " ", 2) .. "\n")
end

function COMMANDS.cat(_, machine, args, stdin)
  if not args[2] or args[2] == "-" then
    return out(stdin)
  elseif args[2] == "/etc/hostname" then
    return out(machine.id .. "\n")
  end
  return failed(1, ("cat: %s: No such file or directory\n"):format(args[2]))
end

function COMMANDS.env(world, machine)
  local lines = {}
  for name, value in tbl.sorted(environment(world, machine)) do
    lines[#lines + 1] = name .. "=" .. value .. "\n"
  end
  return out(table.concat(lines))
end

function COMMANDS.printenv(world, machine, args)
  if not args[2] then
    return COMMANDS.env(world, machine)
  end
  local value = environment(world, machine)[args[2]]
  return value and out(value .. "\n") or failed(1, "")
end

function COMMANDS.hostname(_, machine)
  return out(machine.id .. "\n")
end

function COMMANDS.uname(_, machine, args)
  if args[2] == "-a" then
    return out(("Linux %s 6.1.0-sim x86_64 GNU/Linux\n"):format(machine.id))
  end
  return out("Linux\n")
end

function COMMANDS.whoami()
  return out("root\n")
end

function COMMANDS.pwd()
  return out("/\n")
end

function COMMANDS.ls(_, _, args)
  local last = args[#args]
  if #args > 1 and last:sub(1, 1) ~= "-" and last ~= "/" then
    return failed(2, ("ls: cannot access '%s': No such file or directory\n")
      :format(last))
  end
  return out("app\nbin\ndata\ndev\netc\nproc\nroot\nsys\ntmp\nusr\nvar\n")
end

COMMANDS["true"] = function()
  return out("")
end

COMMANDS["false"] = function()
  return failed(1, "")
end

function COMMANDS.exit(_, _, args)
  return failed((math.tointeger(tonumber(args[2])) or 0) & 255, "")
end

function COMMANDS.sleep(_, _, args)
  local result = out("")
  result.seconds = tonumber(args[2]) or 0
  return result
end

-- Splits a command line at spaces; quotes keep words together.
local function split(line)
  local words, word, quote = {}, nil, nil
  for char in line:gmatch(".") do
    if quote then
      if char == quote then
        quote = nil
      else
        word = word .. char
      end
    elseif char == '"' or char == "'" then
      word, quote = word or "", char
    elseif char:find("%s") then
      words[#words + 1] = word
      word = nil
    else
      word = (word or "") .. char
    end
  end
  words[#words + 1] = word
  return words
end

function COMMANDS.sh(world, machine, args, stdin)
  if args[2] ~= "-c" or not args[3] then
    return failed(2, "sh: only -c COMMAND is simulated\n")
  end
  local result = out("")
  for line in args[3]:gmatch("[^;]+") do
    local words = split(line)
    if words[1] then
      local one = M.run(world, machine, words, stdin)
      result.stdout = result.stdout .. one.stdout
      result.stderr = result.stderr .. one.stderr
      result.exit_code = one.exit_code
      result.seconds = (result.seconds or 0) + (one.seconds or 0)
      if words[1] == "exit" then
        break
      end
    end
  end
  return result
end
COMMANDS.bash = COMMANDS.sh

--- Runs a command, given as words.
---@param world sim.World
---@param machine sim.Machine
---@param args string[]
---@param stdin string
---@return sim.ExecResult
function M.run(world, machine, args, stdin)
  local command = COMMANDS[args[1]:match("[^/]+$") or ""]
  if not command then
    return failed(127, ("sh: %s: not found\n"):format(args[1]))
  end
  return command(world, machine, args, stdin)
end

--- Runs a command, given as one line.
---@param world sim.World
---@param machine table a record
---@param line string
---@param stdin string?
---@return sim.ExecResult
function M.run_line(world, machine, line, stdin)
  local words = split(line)
  if not words[1] then
    return failed(2, "an empty command\n")
  end
  return M.run(world, machine, words, stdin)
end

return M
