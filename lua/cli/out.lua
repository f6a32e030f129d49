--- What the command says: data on stdout, talk on stderr.
--- Writes through the injected world; nothing is kept in a buffer here.

local err = require "base.err"
local str = require "base.str"
local terminal = require "cli.terminal"

local M = {}

---@class cli.World the process as this face sees it; tests bring their own
---@field write fun(fd: integer, text: string): true?, err.Record?
---@field is_tty fun(fd: integer): boolean
---@field width fun(fd: integer): integer? columns of a terminal
---@field colors fun(fd: integer): boolean
---@field env fun(name: string): string?
---@field secret_env fun(name: string): secret.Secret? the same as a handle
---@field now fun(): number seconds since 1970
---@field cwd fun(): string
---@field home fun(): string?

---@class cli.Out
---@field world cli.World
---@field is_json boolean errors are shown as JSON
---@field before_note fun()? clears what stands on the terminal's last line
local Out = {}
Out.__index = Out

---@param world cli.World
---@return cli.Out
function M.new(world)
  return setmetatable({ world = world, is_json = false, no_color = false }, Out)
end

---@param fd integer
---@return boolean
function Out:colors(fd)
  return not self.no_color and self.world.colors(fd)
end

local STYLES = { bold = "1", dim = "2", red = "31", green = "32", yellow = "33" }

--- The text in a style where the terminal shows it, else as it is.
---@param fd integer
---@param style "bold"|"dim"|"red"|"green"|"yellow"
---@param text string
---@return string
function Out:paint(fd, style, text)
  if not self:colors(fd) then
    return text
  end
  return ("\27[%sm%s\27[0m"):format(STYLES[style], text)
end

--- Writes data to stdout. A reader that went away is an error with the code
--- EPIPE, which ends the command quietly.
---@param text string
---@return true?, err.Record?
function Out:data(text)
  if self.before_note then
    self.before_note()
  end
  local ok, e = self.world.write(1, text)
  if not ok then
    return nil, err.wrap(e, "standard output")
  end
  return true
end

--- Says one line on stderr. Nobody may be listening: that is no error.
---@param text string
function Out:note(text)
  if self.before_note then
    self.before_note()
  end
  self.world.write(2, text .. "\n")
end

---@param text string
function Out:warn(text)
  self:note(self:paint(2, "yellow", "warning:") .. " " .. terminal.clean(text))
end

local function as_json(e)
  local json = require "base.json"
  return json.encode({
    error = {
      kind = e.kind, message = e.message, hint = e.hint, status = e.status,
      request_id = e.request_id, code = e.code,
    },
  })
end

--- Reports the error a command ended with.
---@param e err.Record
function Out:fail(e)
  if self.is_json then
    return self:note(terminal.clean(as_json(e)))
  end
  self:note(self:paint(2, "red", "error:") .. " " .. terminal.clean(e.message))
  if e.hint then
    for i, line in ipairs(str.split(e.hint, "\n")) do
      self:note((i == 1 and "hint: " or "      ") .. terminal.clean(line))
    end
  end
  if e.request_id then
    self:note("request id: " .. terminal.clean(e.request_id))
  end
end

return M
