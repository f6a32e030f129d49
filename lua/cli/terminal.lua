--- Text from elsewhere made fit for a terminal: no controls, one line, measured.
--- Pure; plain ASCII, nearly every cell there is, never crosses into C.

local M = {}

--- One line without anything a terminal would obey.
---@param text string
---@return string
function M.clean(text)
  if not text:find("[^\32-\126]") then
    return text
  end
  local term = require "sys.term"
  return (term.sanitize((text:gsub("[\t\r\n]+", " "))))
end

--- Several lines, each of them clean; line ends and tabs stay.
---@param text string
---@return string
function M.clean_lines(text)
  if not text:find("[^\32-\126\n]") then
    return text
  end
  local term = require "sys.term"
  return (text:gsub("[^\n\t]+", term.sanitize))
end

--- Terminal cells a clean text takes.
---@param text string
---@return integer
function M.measure(text)
  if not text:find("[\128-\255]") then
    return #text
  end
  return require("sys.term").display_width(text)
end

return M
