--- The terminal: what it can do, output with secrets masked, questions.
--- `value` or `nil, err`; what waits is marked async.

local err = require "base.err"
local host = require "host.term"
local os = require "sys.os"

local M = {}

local function outcome(value, message, code)
  if value ~= nil then
    return value
  end
  return nil, err.from_host(message, code)
end

--- Whether standard input (0), output (1) or error (2) is a terminal.
---@type fun(fd: integer): boolean
M.is_tty = host.is_tty

--- The terminal's columns, from the system, else from $COLUMNS; nil when the
--- descriptor is no terminal or nobody knows.
---@param fd integer
---@return integer?
function M.width(fd)
  if not host.is_tty(fd) then
    return nil
  end
  local columns = host.width(fd) or math.tointeger(tonumber(os.env("COLUMNS") or ""))
  return columns and columns > 0 and columns or nil
end

--- Whether to colour: a terminal that can, and no $NO_COLOR.
---@param fd integer
---@return boolean
function M.colors(fd)
  local terminal = os.env("TERM")
  return host.is_tty(fd) and not os.env("NO_COLOR")
    and terminal ~= nil and terminal ~= "dumb"
end

--- Writes text to standard output (1) or error (2), every live secret masked.
--- The end of the text stays back while it may be the beginning of a secret,
--- until the next write, `flush`, a question, or the end of the process. Waits
--- while the reader is slow; code EPIPE when it has gone.
---@async
---@param fd integer
---@param text string
---@return boolean?
---@return err.Record?
function M.write(fd, text)
  return outcome(host.write(fd, text))
end

--- Writes what `write` held back.
---@async
---@param fd integer
---@return boolean?
---@return err.Record?
function M.flush(fd)
  return outcome(host.flush(fd))
end

--- The text with everything a terminal could act on, or that hides or reorders
--- what is seen, in visible form: "\x1b", "\n", "\u{202e}". With `lines`, newlines
--- and tabs are kept. For every text that comes from elsewhere.
---@type fun(text: string, lines?: boolean): string
M.sanitize = host.sanitize

--- The columns a text takes on a terminal (sanitize it first).
---@type fun(text: string): integer
M.display_width = host.display_width

--- The text cut to `columns`, ending in "…" when something is missing.
---@param text string
---@param columns integer
---@return string
function M.truncate(text, columns)
  if host.display_width(text) <= columns then
    return text
  end
  return columns > 0 and host.fit(text, columns - 1) .. "…" or ""
end

--- What was held back belongs before a question.
local function ask(how, prompt)
  if host.is_tty(0) then
    host.flush(1)
    host.flush(2)
  end
  return outcome(how(prompt))
end

--- Asks for a line. Error codes: ENOTTY when standard input is no terminal (then
--- nothing is written), EOF, E2BIG.
---@async
---@param prompt string?
---@return string?
---@return err.Record?
function M.prompt(prompt)
  return ask(host.prompt, prompt)
end

--- Asks for a line that is not shown. The echo is back afterwards, whatever ends
--- the wait. Error codes as `prompt`.
---@async
---@param prompt string?
---@return host.secret.Secret?
---@return err.Record?
function M.hidden(prompt)
  return ask(host.hidden, prompt)
end

--- All of standard input, at most `max` bytes (16 MiB), else code E2BIG.
---@async
---@param max integer?
---@return string?
---@return err.Record?
function M.stdin(max)
  return outcome(host.stdin(max))
end

return M
