--- Values that somebody typed on the command line: made secrets before anything
--- else is done, so that no output can show them, and taken out of what other
--- users see of this process. Lua's own copies live until they are collected.

local M = {}

local SET = { set = true }
local SECRETS = { secret = true, secrets = true }

local function has(argv, words)
  for _, word in ipairs(argv) do
    if words[word] then
      return true
    end
  end
  return false
end

-- Where in a word a value begins that must not be seen; nil when it has none.
local function value_at(word, before, is_setting)
  if before == "--api-token" then
    return 1
  elseif word:find("^%-%-api%-token=") then
    return #"--api-token=" + 1
  elseif is_setting and word:find("^%-%-assignment=") then
    return word:match("^%-%-assignment=[^=]*=()")
  elseif is_setting and before ~= "--from-file" and not word:find("^%-") then
    local equals = word:find("=", 1, true)
    return equals and equals + 1
  end
end

local function close_all(held)
  for _, handle in ipairs(held) do
    handle:close()
  end
end

--- Hides the values among the words. Close the result when nothing more is said.
---@param argv string[]
---@param world cli.World
---@return table? held handles, closable
function M.hide(argv, world)
  local is_setting = has(argv, SET) and has(argv, SECRETS)
  local held
  for i, word in ipairs(argv) do
    local at = value_at(word, argv[i - 1], is_setting)
    -- A lone dash means standard input.
    if at and #word >= at and word:sub(at) ~= "-" then
      held = held or setmetatable({}, { __close = close_all })
      held[#held + 1] = require("sys.secret").new(word:sub(at))
      if world.hide_argument then
        world.hide_argument(word, at)
      end
    end
  end
  return held
end

return M
