--- Picks the face, injects what faces need of each other, returns the exit code.
--- The only module that may require every room.

local task = require "sys.task"

local FACES = {
  sim = function()
    return require "sim"
  end,
  serve = function()
    return require "sim.main"
  end,
  script = function()
    return require "script.run"
  end,
  flyctl = function()
    return require "sim.flyctl"
  end,
}

-- Under these names the program is the simulated flyctl; `--sim` makes such a
-- link for as long as it runs.
local FLYCTL = { flyctl = true, fly = true }

--- What flyctl exits with when it is interrupted.
local FLYCTL_INTERRUPTED = 127

-- The command line of a start under another name, as under ours, and whether
-- the program is flyctl.
local function words_of(argv)
  local words = table.move(argv, 1, #argv, 1, {})
  if FLYCTL[(argv[0] or ""):match("[^/]*$")] then
    table.move(words, 1, #words, 3)
    words[1], words[2] = "sim", "flyctl"
  end
  return words, words[1] == "sim" and words[2] == "flyctl"
end

-- What nobody handled is a fault of ours: said with the place it comes from.
local function report_bug(e, trace)
  local term = require "sys.term"
  local text = ("error: clanker is at fault here: %s\n%s"):format(
    tostring(e), trace or "")
  term.write(2, term.sanitize(text, true) .. "\n")
end

---@async
---@param argv string[] argv[0] is the program's name
---@return integer exit_code
return function(argv)
  if argv[1] == "-l" and pcall(require, "host.dev") then
    -- Development builds find the test kit through $CLANKER_LUA.
    return require("kit.runner")(argv)
  end
  collectgarbage("stop") -- until the command is known: a start makes no garbage
  local words, is_flyctl = words_of(argv)
  local face = task.spawn(function()
    return require("cli").run(words, FACES)
  end)
  local joined, ok, result, trace = pcall(face.join, face)
  if not joined then
    ok, result = false, ok
  end
  if ok then
    return result
  elseif is_flyctl and task.is_canceled(result) then
    return FLYCTL_INTERRUPTED
  elseif task.is_canceled(result) then
    task.raise_canceled() -- the host knows by which signal, and its exit code
  end
  report_bug(result, trace)
  return 1
end
