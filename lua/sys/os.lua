--- The process's surroundings: environment, clock, randomness, directories.
--- Nothing here waits. Tokens are read with sys.secret, never with env().

local host = require "host.os"

local M = {}

--- The value of an environment variable; nil when unset or empty.
---@param name string
---@return string?
function M.env(name)
  local value = host.env(name)
  if value == "" then
    return nil
  end
  return value
end

--- All variables of this process's environment: for a child that shall have what
--- we have. Tokens are among them.
---@type fun(): table<string, string>
M.environ = host.environ

--- Sets a variable of this process's own environment; without a value removes it.
--- For what has to reach children that a script starts by itself.
---@type fun(name: string, value?: string): boolean?, string?, string?
M.setenv = host.setenv

--- The program's version: "0.1.0".
---@type string
M.VERSION = host.VERSION

--- Seconds since 1970.
---@type fun(): number
M.wall = host.wall

--- `n` random bytes (1 to 65536) from the system.
---@type fun(n: integer): string?, string?, string?
M.random = host.random

--- Overwrites the words of this process's command line that are `word`, from
--- that byte on; says how many there were.
---@type fun(word: string, from: integer): integer
M.hide_argument = host.hide_argument

M.pid = host.pid
M.uid = host.uid
M.cwd = host.cwd
M.chdir = host.chdir
M.platform = host.platform
M.hostname = host.hostname

--- Path of the program that runs.
---@type fun(): string?, string?, string?
M.program = host.program

--- The most memory that was resident so far, in bytes; "children": of the
--- largest child waited for.
---@type fun(who?: "self"|"children"): integer
M.peak_memory = host.peak_memory

--- Seconds of processor time used so far, by this process or its children.
---@type fun(who?: "self"|"children"): number
M.cpu = host.cpu

return M
