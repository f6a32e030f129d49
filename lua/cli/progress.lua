--- The line that says what is being waited for, when it takes a moment.
--- Only on a terminal's stderr, only after DELAY; wiped before anything is said.

local task = require "sys.task"

local M = {}

local DELAY, STEP = 0.3, 0.1
local FRAMES = { "⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏" }
local WIPE = "\r\27[K"

-- A line as wide as the terminal would wrap and could not be wiped.
local function frame_line(text, frame, seconds, width)
  local line = ("%s… %ds"):format(text, seconds)
  local room = width - 3
  if room < 1 then
    return FRAMES[frame]
  end
  if utf8.len(line) and utf8.len(line) > room then
    line = line:sub(1, utf8.offset(line, room + 1) - 1)
  end
  return FRAMES[frame] .. " " .. line
end

---@async
local function spin(out, state)
  local started = task.now()
  task.sleep(DELAY)
  local frame = 1
  while true do
    local width = out.world.width(2) or 80
    local seconds = math.floor(task.now() - started)
    out.world.write(2, WIPE .. frame_line(state.text, frame, seconds, width))
    state.is_shown = true
    frame = frame % #FRAMES + 1
    task.sleep(STEP)
  end
end

--- Starts the line; closing the result ends it. `<close>` it, so that it is
--- gone on every way out. nil where no one would see it.
---@async
---@param out cli.Out
---@param text string what is under way, clean
---@return table? progress
function M.start(out, text)
  if not out.world.is_tty(2) or out.world.env("TERM") == "dumb" then
    return nil
  end
  local state = { text = text, is_shown = false }
  local function wipe()
    if state.is_shown then
      out.world.write(2, WIPE)
      state.is_shown = false
    end
  end
  out.before_note = wipe
  local spinner = task.spawn(spin, out, state)
  return setmetatable(state, {
    __close = function()
      spinner:cancel()
      out.before_note = nil
      wipe()
    end,
  })
end

return M
