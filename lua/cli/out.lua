--- What the command says: data on stdout, talk on stderr.
--- Writes through the injected world; nothing is kept in a buffer here.

local err = require "base.err"
local str = require "base.str"
local tbl = require "base.tbl"
local terminal = require "cli.terminal"

local M = {}

-- Lines are not broken into less, however narrow the terminal.
local NARROWEST = 20

---@class cli.World the process as this face sees it; tests bring their own
---@field write fun(fd: integer, text: string): true?, err.Record?
---@field reveal fun(fd: integer, secret: secret.Secret): true?, err.Record? shows
--- it at a terminal
---@field is_tty fun(fd: integer): boolean
---@field width fun(fd: integer): integer? columns of a terminal
---@field colors fun(fd: integer): boolean
---@field env fun(name: string): string?
---@field secret_env fun(name: string): secret.Secret? the same as a handle
---@field now fun(): number seconds since 1970
---@field prompt fun(text: string): string?, err.Record? asks at the terminal
---@field hidden fun(text: string): secret.Secret?, err.Record? without showing it
---@field cwd fun(): string
---@field home fun(): string?
---@field hide_argument (fun(word: string, from: integer))? takes the end of a word
--- out of the command line that other users can see
---@field hidden (fun(prompt: string): secret.Secret?, err.Record?)? asks for a
--- line without showing it
---@field stdin_secret (fun(max: integer): secret.Secret?, err.Record?)? all of
--- standard input

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
    return nil, err.new(tbl.merge(e, { is_output = true }))
  end
  return true
end

--- Passes on what another program wrote, as it is.
---@param fd integer
---@param text string
---@return true?, err.Record?
function Out:pass(fd, text)
  if fd == 1 then
    return self:data(text)
  elseif self.before_note then
    self.before_note()
  end
  return self.world.write(fd, text)
end

-- A text as lines: as they are, but for a terminal's width.
function Out:lines(text)
  local width = self.world.is_tty(2) and self.world.width(2)
  if not width or terminal.measure(text) <= width then
    return { text }
  end
  return str.wrap(text, math.max(width, NARROWEST), terminal.measure)
end

-- Writes lines to stderr, all or their first word in a style. Nobody may be
-- listening: that is no error.
local function say(self, lines, style, is_all)
  if self.before_note then
    self.before_note()
  end
  for i, line in ipairs(lines) do
    if is_all then
      line = self:paint(2, style, line)
    elseif i == 1 and style then
      line = line:gsub("^%S+", function(word)
        return self:paint(2, style, word)
      end)
    end
    self.world.write(2, line .. "\n")
  end
end

--- Passes text on to stderr as it is.
---@param text string
function Out:talk(text)
  if self.before_note then
    self.before_note()
  end
  self.world.write(2, text)
end

--- Says something on stderr, on one line where it fits.
---@param text string
function Out:note(text)
  say(self, self:lines(terminal.clean(text)))
end

--- Says something on the side.
---@param text string
function Out:aside(text)
  say(self, self:lines(terminal.clean(text)), "dim", true)
end

---@param text string
function Out:warn(text)
  say(self, self:lines("warning: " .. terminal.clean(text)), "yellow")
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
    return say(self, { terminal.clean(as_json(e)) })
  end
  say(self, self:lines(err.label(e) .. ": " .. terminal.clean(e.message)), "red")
  for i, line in ipairs(e.hint and str.split(e.hint, "\n") or {}) do
    local text = terminal.clean(line)
    say(self, i == 1 and self:lines("hint: " .. text) or { "      " .. text })
  end
  if e.request_id then
    self:note("request id: " .. e.request_id)
  end
end

return M
