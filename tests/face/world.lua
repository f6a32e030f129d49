--- A process for the command line face to run in: what it writes is kept, its
--- terminal, clock, environment and home are what the test says.

local task = require "sys.task"

local M = {}

--- The clock of all goldens: 2025-01-01T12:00:00Z.
M.NOW = 1735732800

---@class face.World: cli.World
---@field out string what was written to stdout
---@field err string what was written to stderr

---@param options {width: integer?, env: table<string, string>?, home: string?,
---  cwd: string?, colors: boolean?, tty: table<integer, boolean>?,
---  broken: string?, answer: string?, moves: boolean?, hurried: boolean?}?
---  moves: so does the clock; hurried: what a simulated account takes its time
---  for happens at once, without limits
---@return face.World
function M.new(options)
  options = options or {}
  local world = { out = "", err = "" }
  local tty = options.tty or { [1] = options.width ~= nil }
  function world.write(fd, text)
    if fd == 1 and options.broken then
      local err = require "base.err"
      return nil, err.new({
        kind = "error", code = options.broken, message = "standard output: cannot write",
      })
    end
    text = require("sys.secret").mask(text)
    local name = fd == 1 and "out" or "err"
    world[name] = world[name] .. text
    return true
  end
  function world.reveal(fd, secret)
    assert(world.is_tty(fd))
    local path = os.tmpname()
    local fs = require "sys.fs"
    assert(fs.write(path, secret))
    world.out = world.out .. assert(fs.read(path)):gsub("\n?$", "\n")
    os.remove(path)
    return true
  end
  function world.is_tty(fd)
    return tty[fd] == true
  end
  function world.width(fd)
    return tty[fd] and options.width or nil
  end
  function world.colors()
    return options.colors == true
  end
  function world.env(name)
    return (options.env or {})[name]
  end
  function world.secret_env(name)
    local value = (options.env or {})[name]
    return value and require("sys.secret").new(value) or nil
  end
  function world.prompt(text)
    world.err = world.err .. text .. "\n"
    return options.answer
  end
  function world.hidden(text)
    world.err = world.err .. text .. "\n"
    return require("sys.secret").new(options.answer or "")
  end
  local started = task.now()
  function world.now()
    return M.NOW + (options.moves and task.now() - started or 0)
  end
  function world.cwd()
    return options.cwd or "/"
  end
  function world.home()
    return options.home
  end
  return world
end

--- The faces as lua/main.lua injects them.
M.FACES = {
  sim = function()
    return require "sim"
  end,
  serve = function()
    return require "sim.main"
  end,
  script = function()
    return require "script.run"
  end,
}

-- The faces with a simulator that does not keep anybody waiting.
local function hurried(options)
  local tbl = require "base.tbl"
  return tbl.merge(M.FACES, { sim = function()
    return { start = function(asked)
      local running, e = require("sim").start(tbl.merge(asked, {
        limits = false, seed = tbl.merge(require "sim.seeds.demo", { pace = 0.02 }),
      }))
      if running then
        running.put_on_path = function()
          return true -- one for all: see M.flyctl
        end
      end
      options.account = running
      return running, e
    end }
  end })
end

--- Puts a simulated flyctl on PATH for the hurried commands of the current test,
--- which may run side by side.
---@async
function M.flyctl()
  local holder = assert(require("sim").start({ seed = "empty" }))
  require("kit").cleanup(holder.stop)
  assert(holder.put_on_path())
end

--- Runs a command line; returns its exit code and the world it ran in.
--- A hurried account is left in `options.account`.
---@param words string[]
---@param options table?
---@return integer code
---@return face.World world
function M.run(words, options)
  local world = M.new(options)
  local faces = options and options.hurried and hurried(options) or M.FACES
  return require("cli").run(words, faces, world), world
end

return M
