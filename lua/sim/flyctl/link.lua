--- Makes a program named flyctl out of this one: a symbolic link, in a directory
--- that goes with whoever asked for it.

local err = require "base.err"
local fs = require "sys.fs"
local os = require "sys.os"

local M = {}

-- This program under another name, in a new directory.
local function make()
  local program, message, code = os.program()
  if not program then
    return nil, err.from_host(message, code)
  end
  local directory, e = fs.tmpdir("clanker-flyctl-")
  if not directory then
    return nil, e
  end
  local ok, why = fs.symlink(program, directory .. "/flyctl")
  if not ok then
    fs.remove(directory, true)
    return nil, why
  end
  return directory
end

---@class sim.flyctl.Link
---@field path fun(): string?, err.Record? of the program, made when first asked
---@field remove fun()

---@return sim.flyctl.Link
function M.new()
  local directory
  return {
    path = function()
      local e
      if not directory then
        directory, e = make()
      end
      return directory and directory .. "/flyctl", e
    end,
    remove = function()
      if directory then
        fs.remove(directory, true)
        directory = nil
      end
    end,
  }
end

return M
