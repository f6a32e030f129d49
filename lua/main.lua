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
}

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
  if argv[1] == "-l" then
    -- Development builds find the test kit through $CLANKER_LUA.
    return require("kit.runner")(argv)
  end
  collectgarbage("stop") -- until the command is known: a start makes no garbage
  local face = task.spawn(function()
    return require("cli").run(table.move(argv, 1, #argv, 1, {}), FACES)
  end)
  local ok, result, trace = face:join()
  if ok then
    return result
  elseif task.is_canceled(result) then
    task.raise_canceled() -- the host knows by which signal, and its exit code
  end
  report_bug(result, trace)
  return 1
end
