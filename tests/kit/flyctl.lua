--- The stand-in for flyctl, put where a test asks.

local compile = require "kit.compile"
local fs = require "sys.fs"
local process = require "sys.process"
local str = require "base.str"
local t = require "kit"

local M = {}

---@class kit.Flyctl
---@field dir string where it is; what a PATH needs
---@field path string
local Flyctl = {}
Flyctl.__index = Flyctl

--- Puts one into a directory of its own.
---@async
---@return kit.Flyctl
function M.build()
  local dir = t.tmpdir()
  assert(fs.write(dir .. "/flyctl", compile.fixture("flyctl.c"), { mode = 448 })) -- 0700
  return setmetatable({ dir = dir, path = dir .. "/flyctl" }, Flyctl)
end

---@param mode "ok"|"echo"|"wait"
function Flyctl:set_mode(mode)
  assert(fs.write(self.dir .. "/mode", mode))
end

--- What it kept under a name, "" when nothing.
---@param name "argv"|"environ"|"parent"|"values"|"pid"
---@return string
function Flyctl:kept(name)
  local path = self.dir .. "/" .. name
  return fs.exists(path) and t.read_file(path) or ""
end

--- The values it understood, by name.
---@return table<string, string>
function Flyctl:values()
  local map = {}
  for _, line in ipairs(str.split(self:kept("values"), "\n")) do
    local name, hex = line:match("^(.-)=(%x*)$")
    if name then
      map[name] = hex:gsub("%x%x", function(digits)
        return string.char(tonumber(digits, 16))
      end)
    end
  end
  return map
end

--- Forgets what it kept.
function Flyctl:forget()
  for _, name in ipairs({ "argv", "environ", "parent", "values", "mode", "pid" }) do
    fs.remove(self.dir .. "/" .. name)
  end
end

--- sys.process with this flyctl as the one that is installed, or with none.
---@param flyctl kit.Flyctl?
---@return table
function M.process(flyctl)
  return setmetatable({
    which = function(name)
      if flyctl and name == "flyctl" then
        return flyctl.path
      end
      return nil, require("base.err").new({ kind = "not_found", message = name })
    end,
  }, { __index = process })
end

return M
