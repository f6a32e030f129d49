--- What the simulated flyctl touches besides the account: environment, standard
--- input and output. Those of this process, unless a test has others.

local fs = require "sys.fs"
local os = require "sys.os"
local secret = require "sys.secret"
local term = require "sys.term"

local M = {}

---@class sim.flyctl.Surroundings
---@field env fun(name: string): string?
---@field secret_env fun(name: string): userdata?
---@field home fun(): string?
---@field write fun(fd: 1|2, text: string)
---@field stdin async fun(max: integer): string?, err.Record?
---@field is_tty fun(fd: integer): boolean

---@return sim.flyctl.Surroundings
function M.real()
  return {
    env = os.env,
    secret_env = secret.from_env,
    home = fs.home,
    write = function(fd, text)
      term.write(fd, text)
      term.flush(fd)
    end,
    stdin = term.stdin,
    is_tty = term.is_tty,
  }
end

return M
