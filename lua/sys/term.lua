--- The terminal: what it can do, output with secrets masked, questions.
--- `value` or `nil, err`; what waits is marked async.

local err = require "base.err"
local host = require "host.term"
local os = require "sys.os"
local secret = require "sys.secret"

local M = {}

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
  return err.outcome(host.write(fd, text))
end

--- Writes what `write` held back.
---@async
---@param fd integer
---@return boolean?
---@return err.Record?
function M.flush(fd)
  return err.outcome(host.flush(fd))
end

--- Shows a secret at a terminal, made harmless like `sanitize` with lines; code
--- ENOTTY when the descriptor is none. The one way of its bytes to a screen.
---@async
---@param fd integer 1 or 2
---@param handle secret.Secret
---@return boolean?
---@return err.Record?
function M.reveal(fd, handle)
  local ok, message, code = host.flush(fd)
  if not ok then
    return nil, err.from_host(message, code)
  end
  return err.outcome(host.reveal(fd, handle))
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
  return err.outcome(how(prompt))
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
---@return secret.Secret?
---@return err.Record?
function M.hidden(prompt)
  return ask(host.hidden, prompt)
end

---@class term.LineOptions
---@field prompt string? escape sequences in it between two "\1"
---@field history string[]? earlier lines, newest last; at most 1000 are used
---@field complete (async fun(before: string): string[], integer?)? what may
--- stand at the end of the text before the cursor, and where in it that begins
--- (after the last space when left out)

--- The longest text all words begin with, whole characters only.
local function common_prefix(words)
  local prefix = words[1]
  for i = 2, #words do
    local length = 0
    for _, code in utf8.codes(prefix, true) do
      local next_length = length + #utf8.char(code)
      if prefix:sub(1, next_length) ~= words[i]:sub(1, next_length) then
        break
      end
      length = next_length
    end
    prefix = prefix:sub(1, length)
  end
  return prefix
end

--- One press of the Tab key: what is certain is inserted, else all is shown.
local function complete_word(editor, complete, before)
  local words, start = complete(before)
  start = start or #before - #before:match("%S*$") + 1
  if #words == 0 then
    return
  end
  local typed = before:sub(start)
  local prefix = common_prefix(words)
  if prefix:sub(1, #typed) ~= typed then
    return
  end
  local rest = prefix:sub(#typed + 1) .. (#words == 1 and " " or "")
  if rest ~= "" then
    editor:insert(rest)
  else
    local shown = {}
    for i, word in ipairs(words) do
      shown[i] = host.sanitize(word)
    end
    editor:show(table.concat(shown, "  ") .. "\n")
  end
end

local function edit_line(editor, options)
  for _, line in ipairs(options.history or {}) do
    editor:remember(line)
  end
  while true do
    local event, line, cursor = editor:read(options.prompt)
    if not event then
      return nil, err.from_host(line, cursor)
    elseif event == "line" then
      return line
    elseif options.complete then
      complete_word(editor, options.complete, line:sub(1, cursor))
    end
  end
end

--- Asks for a line that can be edited, with history and completion; where the
--- terminal or the system has no means for that it is a plain `prompt`.
--- Error codes: ENOTTY when standard input is no terminal, EOF.
---@async
---@param options term.LineOptions?
---@return string?
---@return err.Record?
function M.read_line(options)
  options = options or {}
  if host.is_tty(0) then
    host.flush(1)
    host.flush(2)
  end
  local editor <close>, message, code = host.editor()
  if editor then
    return edit_line(editor, options)
  elseif code == "ENOTSUP" then
    local plain = (options.prompt or ""):gsub("\1[^\1]*\1", "")
    return M.prompt(plain)
  end
  return nil, err.from_host(message, code)
end

--- All of standard input, at most `max` bytes (16 MiB), else code E2BIG.
---@async
---@param max integer?
---@return string?
---@return err.Record?
function M.stdin(max)
  return err.outcome(host.stdin(max))
end

--- What comes next from standard input, nil at its end.
---@async
---@return string? chunk
---@return err.Record?
function M.read()
  local chunk, message, code = host.read()
  if chunk == nil and message then
    return nil, err.from_host(message, code)
  end
  return chunk
end

--- All of standard input as a secret, at most `max` bytes (64 KiB): it is never a string.
---@async
---@param max integer?
---@return secret.Secret?
---@return err.Record?
function M.stdin_secret(max)
  return secret.from_fd(0, max)
end

return M
