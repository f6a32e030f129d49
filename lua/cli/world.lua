--- The real process behind the face: descriptors, environment, clock.
--- Loads each part of the system when it is first asked for.

local M = {}

---@return cli.World
function M.real()
  local term = require "sys.term"
  local os = require "sys.os"
  return {
    write = function(fd, text)
      local ok, e = term.write(fd, text)
      if ok then
        ok, e = term.flush(fd) -- every text here is a whole one
      end
      return ok, e
    end,
    reveal = term.reveal,
    is_tty = term.is_tty,
    width = term.width,
    colors = term.colors,
    env = os.env,
    secret_env = function(name)
      return require("sys.secret").from_env(name)
    end,
    now = os.wall,
    prompt = term.prompt,
    hidden = term.hidden,
    cwd = os.cwd,
    hide_argument = os.hide_argument,
    stdin_secret = function(max)
      return require("sys.secret").from_fd(0, max)
    end,
    home = function()
      return require("sys.fs").home()
    end,
  }
end

return M
